"""What the grammar of names and of codes says about places that no check digit covers, as probabilities.

Nothing is forbidden: a document that breaks the grammar is read as it is printed if its print is clear. But where the print
is in doubt, a filler between fillers is likelier than a letter there, and a code that exists likelier than one that
does not. Sources: ICAO Doc 9303 part 3, 4.6 (names: one filler between words, two before the secondary identifier, fillers to
the end) and section 5 (codes of issuers and nationalities).
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gate.checks.country_codes import NAMES, SPECIMEN_STATE
from gate.checks.mrz import CHARACTERS, FILLER, LETTERS
from models.document.decode import Scores

Table = NDArray[np.float64]

# How much likelier a field is that keeps to the grammar, for each character that stands where none should.
_STRANGE_CHARACTER = 1e-3
_LEADING_FILLER = 1e-2
_INNER_FILLER = 0.05
_NO_SECONDARY = 0.05
# The same for a code that is not in use, and for a holder who is not a national of the issuer.
_STRANGE_CODE = 0.25
_FOREIGN_HOLDER = 0.05
# Print is never clearer than this.
_LEAST = 1e-5

_FILLER_COLUMN = CHARACTERS.index(FILLER)
_NAME_CHARACTERS = LETTERS + FILLER

# From each state, the next one after a letter (or digit) and after a filler, and how likely that step is by the grammar.
_Steps = Mapping[str, tuple[tuple[str, float], tuple[str, float]]]
_NAMES: _Steps = {
    "begin": (("primary", 1.0), ("pause", _LEADING_FILLER)),
    "primary": (("primary", 1.0), ("pause", 1.0)),
    "pause": (("primary", 1.0), ("between", 1.0)),
    "between": (("secondary", 1.0), ("end", _NO_SECONDARY)),
    "secondary": (("secondary", 1.0), ("gap", 1.0)),
    "gap": (("secondary", 1.0), ("end", 1.0)),
    "end": (("secondary", _STRANGE_CHARACTER), ("end", 1.0)),
}
# Numbers and optional data: left-aligned, the unused places filled; a hyphen or space inside is one filler (4.2.2).
_PADDED: _Steps = {
    "begin": (("text", 1.0), ("gap", 1.0)),
    "text": (("text", 1.0), ("gap", 1.0)),
    "gap": (("text", _INNER_FILLER), ("end", 1.0)),
    "end": (("text", _STRANGE_CHARACTER), ("end", 1.0)),
}


def names_in_context(scores: Scores) -> Scores:
    """Return the evidence float32 (places, 37) of a name field as probabilities that know the rest of the name.

    Where nothing is shown (a row's sum is under 1) only the grammar speaks.
    """
    return _in_context(_evidence(scores, _NAME_CHARACTERS), _NAMES)


def padded_in_context(scores: Scores) -> Scores:
    """Return the evidence float32 (places, 37) of a number or optional data as probabilities that know the rest of it."""
    return _in_context(_evidence(scores, CHARACTERS), _PADDED)


def _in_context(evidence: Table, steps: _Steps) -> Scores:
    """Weigh a filler against all else at each place by every way through the states (forward and backward)."""
    fillers = evidence[:, _FILLER_COLUMN]
    others = evidence.sum(axis=1) - fillers
    states = list(steps)
    on_other, on_filler = np.zeros((2, len(states), len(states)))
    for start, ((after_other, other_weight), (after_filler, filler_weight)) in steps.items():
        on_other[states.index(start), states.index(after_other)] = other_weight
        on_filler[states.index(start), states.index(after_filler)] = filler_weight
    count = len(evidence)
    moves = others[:, None, None] * on_other + fillers[:, None, None] * on_filler
    before, after = np.zeros((count, len(states))), np.ones((count, len(states)))
    before[0, 0] = 1.0
    for place in range(count - 1):
        ahead = before[place] @ moves[place]
        before[place + 1] = ahead / ahead.sum()
    for place in range(count - 1, 0, -1):
        back = moves[place] @ after[place]
        after[place - 1] = back / back.sum()
    context = evidence * np.einsum("pi,ij,pj->p", before, on_other, after)[:, None]
    context[:, _FILLER_COLUMN] = fillers * np.einsum("pi,ij,pj->p", before, on_filler, after)
    return np.asarray(context / context.sum(axis=1, keepdims=True), dtype=np.float32)


def codes_in_context(issuer: Scores, nationality: Scores) -> tuple[Scores, Scores]:
    """Return the evidence float32 (3, 37) for both codes as probabilities that know which codes are in use and each other."""
    first, second = (_evidence(scores, _NAME_CHARACTERS) for scores in (issuer, nationality))
    # Either both places show one code, or each shows its own.
    same, ours, theirs = _weighed(first * second), _weighed(first), _weighed(second)
    return (
        _normal(same + _FOREIGN_HOLDER * ours * theirs[0].sum()),
        _normal(same + _FOREIGN_HOLDER * theirs * ours[0].sum()),
    )


def _weighed(evidence: Table) -> Table:
    """Return for each place and character the evidence of all codes that have it there, float64 (3, 37); each row sums to all.

    Codes in use count in full, any others as much as they are likelier to be misread than printed.
    """
    codes = _codes()
    likely = evidence[np.arange(3), codes].prod(axis=1)
    sums = evidence.sum(axis=1)
    weighed: Table = _STRANGE_CODE * evidence * (sums.prod() / sums)[:, None]
    for place in range(3):
        np.add.at(weighed[place], codes[:, place], (1 - _STRANGE_CODE) * likely)
    return weighed


def _normal(weights: Table) -> Scores:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)


def _evidence(scores: Scores, allowed: str) -> Table:
    """Return the scores with what they leave open shared out, half to the filler, half to what else is allowed.

    float64 (places, 37). A place of which nothing is seen says nothing about which of both stands there.
    """
    mask = np.array([character in allowed for character in CHARACTERS])
    left = np.clip(1 - scores.sum(axis=1, keepdims=True), 0, 1)
    shares = np.full(len(CHARACTERS), 0.5 / (mask.sum() - 1))
    shares[_FILLER_COLUMN] = 0.5
    evidence: Table = (scores + left * shares + _LEAST) * mask
    return evidence


@lru_cache(maxsize=1)
def _codes() -> NDArray[np.intp]:
    """Return the codes in use as columns of CHARACTERS, (codes, 3)."""
    codes = sorted({*NAMES, SPECIMEN_STATE})
    return np.array([[CHARACTERS.index(character) for character in code.ljust(3, FILLER)] for code in codes])
