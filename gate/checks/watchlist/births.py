"""How two dates of birth agree, when lists and documents leave parts out, swap them, or are a digit off."""

import re
from enum import StrEnum

_FORM = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


class Birth(StrEnum):
    """From the best agreement to the worst."""

    SAME = "same"
    NEAR = "near"
    """One leaves out what the other says, day and month are swapped, or one digit differs."""
    UNKNOWN = "unknown"
    DIFFERENT = "different"


def packed(date: str) -> int:
    """``YYYY[-MM[-DD]]`` as a number YYYYMMDD with 00 for what is missing; 0 for what is no date, or has no year."""
    match = _FORM.fullmatch(date)
    if match is None:
        return 0
    year, month, day = (int(part or 0) for part in match.groups())
    if year == 0 or month > 12 or day > 31:
        return 0
    return year * 10_000 + month * 100 + (day if month else 0)


def agreement(a: int, b: int) -> Birth:
    """Compare two packed dates."""
    if a == 0 or b == 0:
        return Birth.UNKNOWN
    if a == b:
        return Birth.SAME if a % 100 else Birth.NEAR
    (year_a, month_a, day_a), (year_b, month_b, day_b) = _parts(a), _parts(b)
    if year_a == year_b:
        if 0 in (month_a, month_b) or (month_a == month_b and 0 in (day_a, day_b)):
            return Birth.NEAR
        if (month_a, day_a) == (day_b, month_b):
            return Birth.NEAR
    return Birth.NEAR if _digits_apart(a, b) == 1 else Birth.DIFFERENT


def near_ranges(date: int) -> tuple[tuple[int, int], ...]:
    """Where dates lie that agree with ``date`` as SAME or NEAR: (first, last) packed, both included, apart from one another.

    A date without a day or month agrees with all of its month or year.
    """
    if date == 0:
        return ()
    year, month, day = _parts(date)
    forms = {date, year * 10_000, year * 10_000 + month * 100}
    if 1 <= day <= 12:
        forms.add(year * 10_000 + day * 100 + month)
    for place in range(8):
        unit = 10**place
        digit = date // unit % 10
        forms |= {date + (other - digit) * unit for other in range(10)}
    wide = None
    if day == 0:
        wide = (date, date + 99) if month else (date, date + 9_999)
    single = [(form, form) for form in sorted(forms) if form and (wide is None or not wide[0] <= form <= wide[1])]
    return tuple(single if wide is None else [*single, wide])


def _parts(date: int) -> tuple[int, int, int]:
    return date // 10_000, date // 100 % 100, date % 100


def _digits_apart(a: int, b: int) -> int:
    return sum(x != y for x, y in zip(f"{a:08d}", f"{b:08d}", strict=True))
