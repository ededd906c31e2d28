"""Decide what a zone says, or that it cannot be told: layout, look-alikes, check digits, confidence.

A check digit is used to choose between look-alikes (O and 0) only where the layout allows both, and only if every check
digit of the zone is right afterwards. A digit that is printed wrong stays wrong: it is the sign of a forgery.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from gate.checks.mrz import CHARACTERS, LAYOUTS, CheckName, Layout, Mrz, MrzFormat, MrzRefusal, parse
from models.document.checked import MIN_CONFIRMED, least_certain
from models.document.decode import LineReading, LineScores, decode_places
from models.document.grammar import codes_in_context, names_in_context, padded_in_context
from models.document.sight import ZoneSight, see_zone

# Evidence a character needs if nothing else confirms it, if a right check digit covers it, and if a check digit is to be
# called wrong because of it.
MIN_ALONE = 0.88
MIN_CHECKED = 0.375
MIN_TO_ACCUSE = 0.85
_MIN_ALTERNATIVE = 0.02
# From this on a character is clear enough to tell that the text is a zone, or to be left out of account as doubtful.
_CLEAR = 0.87
# From this on a character is in no doubt; below it a second look is worth its time.
_PLAIN = 0.99

# A recogniser with a view of a whole line may follow its neighbours between these, whatever its score says; ours is
# surer of its shapes, yet a misprinted O for a 0 is no forgery either.
_LOOKALIKES = {"0": "O", "O": "0", "1": "I", "I": "1"}

# With more doubtful characters than this the check digits would confirm anything: they catch nine errors of ten.
_MAX_DOUBTFUL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneRead:
    """A zone that was read; ``confidence`` 0..1 is that of its least certain character.

    ``is_plain`` if the check digits are right and no character that they do not cover was in the least doubt.
    """

    mrz: Mrz
    confidence: float
    is_plain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneRefused:
    """A zone that cannot be read for certain, with one clause why; ``clear_ratio`` 0..1 of its characters are clear.

    ``sight`` is what was seen of it, to be put together with what another picture shows.
    """

    detail: str
    clear_ratio: float = 0.0
    sight: ZoneSight | None = None


_CONTEXTS = {
    "names": names_in_context,
    "given_names": names_in_context,
    "document_number": padded_in_context,
    "optional_data": padded_in_context,
    "optional_data_2": padded_in_context,
}


class _Change(NamedTuple):
    line: int
    place: int
    character: str
    evidence: float


def read_zone(lines: Sequence[LineScores]) -> ZoneRead | ZoneRefused:
    """Read two or three lines, top to bottom."""
    sight = see_zone(lines)
    return ZoneRefused(detail=f"{len(lines)} lines of this length are no MRZ") if sight is None else read_sight(sight)


def read_sight(sight: ZoneSight, min_alone: float = MIN_ALONE) -> ZoneRead | ZoneRefused:
    """Say what a zone says, of which it is known what stands at each place.

    ``min_alone`` 0..1 is the evidence asked of a character that nothing else confirms.
    """
    zone = _read(sight, min_alone)
    return replace(zone, sight=sight) if isinstance(zone, ZoneRefused) else zone


def _read(sight: ZoneSight, min_alone: float) -> ZoneRead | ZoneRefused:
    layout = _guess_layout(sight)
    seen = zip(sight.seen, _allowed(layout), strict=True)
    readings = _in_context(layout, [decode_places(line, sight.classes, allowed) for line, allowed in seen])
    mrz = parse([reading.text for reading in readings])
    if isinstance(mrz, MrzRefusal):
        return ZoneRefused(detail=mrz.detail)
    confidences = [reading.confidences.copy() for reading in readings]
    doubtful = sum(int((line < _CLEAR).sum()) for line in confidences)
    is_certain = not mrz.check_digits_ok or least_certain(layout, mrz, readings) >= MIN_CONFIRMED
    if not mrz.check_digits_ok and doubtful <= _MAX_DOUBTFUL:
        solved = _resolve_lookalikes(layout, mrz, readings)
        if isinstance(solved, ZoneRefused):
            return replace(solved, clear_ratio=_clear_ratio(confidences))
        if solved is not None:
            mrz, changes = solved
            for change in changes:
                # Confirmed by every check digit together, so at least as sure as a checked character must be.
                confidences[change.line][change.place] = max(change.evidence, MIN_CHECKED)
            is_certain = least_certain(layout, mrz, readings) >= MIN_CONFIRMED
    if not is_certain:
        return ZoneRefused(
            detail="look-alike characters can be read in more than one way", clear_ratio=_clear_ratio(confidences)
        )
    return _judge(layout, mrz, confidences, min_alone)


def _in_context(layout: Layout, readings: Sequence[LineReading]) -> list[LineReading]:
    """Let the grammar of names and the codes in use speak where the print is in doubt."""
    scores = [reading.scores.copy() for reading in readings]
    for name, in_context in _CONTEXTS.items():
        if name in layout.fields:
            span = layout.fields[name]
            scores[span.line][span.start : span.end] = in_context(scores[span.line][span.start : span.end])
    if "nationality" in layout.fields:
        codes = [layout.fields[name] for name in ("issuer", "nationality")]
        seen = codes_in_context(*(scores[span.line][span.start : span.end] for span in codes))
        for span, code in zip(codes, seen, strict=True):
            scores[span.line][span.start : span.end] = code
    for name in (*_CONTEXTS, "issuer", "nationality"):
        if name in layout.fields:
            # Where a letter must stand and a digit is seen, no context makes it a letter.
            span = layout.fields[name]
            scores[span.line][span.start : span.end] *= 1 - readings[span.line].strange[span.start : span.end, None]
    return [LineReading.of(each, reading.strange) for each, reading in zip(scores, readings, strict=True)]


def _allowed(layout: Layout) -> tuple[tuple[str, ...], ...]:
    """Return the characters of each place as documents print them.

    The second character of a card's document code is at the issuer's discretion (part 5 and 6, 4.2.2), and some print a
    digit there: C1 and C2 on cards of the United States.
    """
    if layout.format not in (MrzFormat.TD1, MrzFormat.TD2):
        return layout.allowed
    first = layout.allowed[0]
    return ((first[0], CHARACTERS, *first[2:]), *layout.allowed[1:])


def _clear_ratio(confidences: Sequence[np.ndarray]) -> float:
    return float(np.mean(np.concatenate(confidences) >= _CLEAR))


def _guess_layout(sight: ZoneSight) -> Layout:
    """Return the layout of lines of this length by how the first begins."""
    length = len(sight.seen[0])
    if length == 30:
        return LAYOUTS[MrzFormat.TD1]
    code = decode_places(sight.seen[0], sight.classes, (CHARACTERS,) * length).text[:5]
    if length == 44:
        return LAYOUTS[MrzFormat.MRVA if code.startswith("V") else MrzFormat.TD3]
    if code in ("IDFRA", "1DFRA"):
        return LAYOUTS[MrzFormat.FRID]
    return LAYOUTS[MrzFormat.MRVB if code.startswith("V") else MrzFormat.TD2]


def _resolve_lookalikes(
    layout: Layout, mrz: Mrz, readings: Sequence[LineReading]
) -> tuple[Mrz, tuple[_Change, ...]] | ZoneRefused | None:
    """Return the zone with one or two look-alikes exchanged so that every check digit is right; None if none does so."""
    changes = _possible_changes(layout, mrz, readings)
    doubtful = [change for change in changes if change.evidence >= _MIN_ALTERNATIVE]
    for candidates in (combinations(changes, 1), combinations(doubtful, 2)):
        solutions = _solutions(mrz, candidates)
        if len(solutions) == 1:
            return solutions[0]
        if solutions:
            return ZoneRefused(detail="look-alike characters can be read in more than one way")
    # Two exchanges without a doubt in the scores prove nothing, but they forbid calling the document wrong.
    if _solutions(mrz, combinations(changes, 2)):
        return ZoneRefused(detail="the check digits are wrong unless look-alike characters were misread")
    return None


def _solutions(mrz: Mrz, candidates: Iterable[tuple[_Change, ...]]) -> list[tuple[Mrz, tuple[_Change, ...]]]:
    """Return the zones that these exchanges make right, each with its exchanges."""
    solutions = []
    for chosen in candidates:
        changed = _apply(mrz.lines, chosen)
        if changed is not None and changed.check_digits_ok and changed.format is mrz.format:
            solutions.append((changed, chosen))
    return solutions


def _possible_changes(layout: Layout, mrz: Mrz, readings: Sequence[LineReading]) -> list[_Change]:
    has_composite = any(check.name is CheckName.COMPOSITE for check in layout.checks)
    wrong = {check.name for check in mrz.checks if not check.is_ok}
    particular = wrong - {CheckName.COMPOSITE} or wrong
    changes = set()
    for check in layout.checks:
        if check.name not in particular:
            continue
        for span in check.covers:
            for place in range(span.start, span.end):
                if layout.allowed[span.line][place] != CHARACTERS:
                    continue
                current = mrz.lines[span.line][place]
                evidence = readings[span.line].scores[place]
                for index, character in enumerate(CHARACTERS):
                    # Without a composite digit one wrong digit could be explained away: then only real doubt counts.
                    is_lookalike = has_composite and _LOOKALIKES.get(current) == character
                    if character != current and (is_lookalike or evidence[index] >= _MIN_ALTERNATIVE):
                        changes.add(_Change(span.line, place, character, float(evidence[index])))
    return sorted(changes)


def _apply(lines: Sequence[str], changes: Sequence[_Change]) -> Mrz | None:
    characters = [list(line) for line in lines]
    for change in changes:
        characters[change.line][change.place] = change.character
    parsed = parse(["".join(line) for line in characters])
    return parsed if isinstance(parsed, Mrz) else None


def _judge(layout: Layout, mrz: Mrz, confidences: list[np.ndarray], min_alone: float) -> ZoneRead | ZoneRefused:
    """Refuse what is not certain enough for what it would say."""
    needed = [np.full(layout.line_length, min_alone) for _ in range(layout.line_count)]
    outcome = {check.name: check.is_ok for check in mrz.checks}
    for is_ok, least in ((False, MIN_TO_ACCUSE), (True, MIN_CHECKED)):
        for check in layout.checks:
            if outcome[check.name] is is_ok:
                for span in (*check.covers, check.digit):
                    needed[span.line][span.start : span.end] = least
    worst = 1.0
    for line in range(layout.line_count):
        short = np.flatnonzero(confidences[line] < needed[line])
        if len(short):
            where = f"line {line + 1}, position {int(short[0]) + 1}"
            return ZoneRefused(
                detail=f"{len(short)} characters are unclear, the first at {where}",
                clear_ratio=_clear_ratio(confidences),
            )
        worst = min(worst, float(confidences[line].min()))
    alone = [given[least >= min_alone] for given, least in zip(confidences, needed, strict=True)]
    is_plain = mrz.check_digits_ok and float(np.concatenate(alone).min(initial=1.0)) >= _PLAIN
    return ZoneRead(mrz=mrz, confidence=worst, is_plain=is_plain)
