"""How certain a reading is whose check digits are right: its share of all readings of the same scores that would be.

A check digit is right for one wrong reading in ten, and some exchanges it never sees (K and the filler both weigh nothing; G and
6 differ by ten). So the probability of every other reading that the check digits allow is added up: not one by one, but over
the remainders that each place leaves (ICAO Doc 9303 part 3, 4.9: weights 7, 3, 1, modulo 10).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import CHARACTERS, DIGITS, LETTERS, Check, CheckName, Layout, Mrz
from models.document.decode import LineReading

MIN_CONFIRMED = 0.95
"""What :func:`least_certain` must be at least."""

_VALUES = np.array([(DIGITS + LETTERS).find(character) if character != "<" else 0 for character in CHARACTERS])
_REMAINDERS = np.eye(10)[_VALUES % 10]
_WEIGHTS = (7, 3, 1)
_HIDDEN = 0.2
_FAINT = 2e-4
# Some print the one for the other, and no network tells them apart at every size.
_TWINS = tuple((CHARACTERS.index(a), CHARACTERS.index(b)) for a, b in ("O0", "0O", "I1", "1I"))
_TWIN_SHARE = 0.1
_Place = tuple[int, int]


def least_certain(layout: Layout, mrz: Mrz, readings: Sequence[LineReading]) -> float:
    """Return the certainty 0..1 of the least certain of the fields that check digits cover, given that all are right.

    A field with a digit of its own is covered by the composite digit too, other places by that alone.
    """
    composite = next((check for check in layout.checks if check.name is CheckName.COMPOSITE), None)
    over_all = {} if composite is None else _weights(composite)
    certainties = []
    for check in layout.checks:
        if check is not composite:
            own = _weights(check)
            certainties.append(_share(mrz, readings, [(at, own[at], over_all.get(at, 0)) for at in own]))
    alone = set(over_all) - {at for check in layout.checks if check is not composite for at in _weights(check)}
    certainties.append(_share(mrz, readings, [(at, over_all[at], 0) for at in sorted(alone)]))
    return min(certainties)


def _weights(check: Check) -> dict[_Place, int]:
    """Return how much the value at each place counts in a check's sum, which is 0 modulo 10 if it is right."""
    places = [(span.line, place) for span in check.covers for place in range(span.start, span.end)]
    weights = {at: _WEIGHTS[index % 3] for index, at in enumerate(places)}
    return weights | {(check.digit.line, check.digit.start): 9}


def _share(mrz: Mrz, readings: Sequence[LineReading], places: Sequence[tuple[_Place, int, int]]) -> float:
    """Return the probability of what was read at these places over that of all that leaves both sums as they are."""
    sums = np.zeros((10, 10))
    sums[0, 0] = 1.0
    read = 1.0
    for (line, place), first, second in places:
        column = CHARACTERS.index(mrz.lines[line][place])
        scores = _with_twin(readings[line].scores[place].astype(np.float64), column)
        read *= float(scores[column])
        sums = _after(sums, scores, int(_VALUES[column]), first, second)
    return read / max(float(sums[0, 0]), 1e-12) if places else 1.0


def _with_twin(scores: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Return the scores, a share of the likeliest one's given to what was read instead if that looks like it."""
    best = int(scores.argmax())
    if (best, column) not in _TWINS:
        return scores
    shared = scores.copy()
    shared[column] = max(shared[column], _TWIN_SHARE * shared[best])
    return shared


def _after(
    sums: NDArray[np.float64], scores: NDArray[np.float64], value: int, first: int, second: int
) -> NDArray[np.float64]:
    """Return how likely both sums differ by how much from those of the reading, one more place counted."""
    # What is not seen may be anything, but mostly it is the paper beside the ink.
    remainders = scores @ _REMAINDERS + _HIDDEN * max(0.0, 1.0 - float(scores.sum())) / 10
    after = np.zeros_like(sums)
    for remainder in np.flatnonzero(remainders > _FAINT):
        more = int(remainder) - value
        after += remainders[remainder] * np.roll(sums, (more * first, more * second), axis=(0, 1))
    return after
