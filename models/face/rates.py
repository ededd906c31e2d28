"""Error rates of a comparison from its scores, with their bounds (ISO/IEC 19795-1:2021, clause 9: FMR, FNMR, DET).

A false non-match is a genuine pair scored below the threshold, a false match an impostor pair scored at or above it.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float32]

_CHUNK_ROWS = 512
_STEPS = 200_000
_LEAST_FALSE_MATCHES = 10
_Z_95 = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """At ``threshold`` (cosine) at most ``fmr`` of the impostors match; ``fnmr`` of the genuine pairs do not.

    ``low`` and ``high`` are the 95 % bounds of ``fnmr`` (Wilson), as if pairs were independent: pictures shared between pairs
    make the true bounds wider. ``is_supported``: the set is large enough for ten false matches at this rate, so that the
    rate is measured rather than extrapolated.
    """

    fmr: float
    threshold: float
    fnmr: float
    low: float
    high: float
    is_supported: bool


class ScoreCounts:
    """Scores of any number of pairs, counted in steps of 1e-5 of cosine: a hundred million pairs take no more memory than ten."""

    def __init__(self) -> None:
        self._counts = np.zeros(_STEPS + 1, np.int64)

    @property
    def total(self) -> int:
        """How many pairs were added."""
        return int(self._counts.sum())

    def add(self, scores: Scores) -> None:
        """Count float32 (n,) cosines, -1..1."""
        places = np.floor((scores.astype(np.float64) + 1) * (_STEPS / 2)).astype(np.int64)
        self._counts += np.bincount(np.clip(places, 0, _STEPS), minlength=_STEPS + 1)

    def reaching(self) -> NDArray[np.int64]:
        """Return int64 (steps,): how many scores are at or above each of :func:`thresholds`."""
        return np.asarray(np.cumsum(self._counts[::-1])[::-1])


def thresholds() -> NDArray[np.float64]:
    """The cosines at which rates are known, rising from -1 in steps of 1e-5."""
    return np.arange(_STEPS + 1) / (_STEPS / 2) - 1


def operating_point(genuine: ScoreCounts, impostor: ScoreCounts, fmr: float) -> OperatingPoint:
    """Return the loosest threshold that keeps the false match rate at or under ``fmr`` (0..1).

    Raises ValueError if either set is empty.
    """
    if genuine.total == 0 or impostor.total == 0:
        raise ValueError("rates need pairs of the same person and pairs of different people")
    reaching = impostor.reaching()
    step = int(np.argmax(reaching <= fmr * impostor.total)) if reaching[-1] <= fmr * impostor.total else _STEPS
    missed = genuine.total - int(genuine.reaching()[step])
    low, high = wilson(missed, genuine.total)
    return OperatingPoint(
        fmr=fmr,
        threshold=float(thresholds()[step]),
        fnmr=missed / genuine.total,
        low=low,
        high=high,
        is_supported=fmr * impostor.total >= _LEAST_FALSE_MATCHES,
    )


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % bounds of a proportion (Wilson, JASA 22, 1927). Raises ValueError if ``trials`` is 0."""
    if trials == 0:
        raise ValueError("a proportion of nothing has no bounds")
    share, z2 = successes / trials, _Z_95**2
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = _Z_95 / (1 + z2 / trials) * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    # Rounding must not put a share of 0 or 1 outside of its own bounds.
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def cross_compare(templates: Scores, people: NDArray[np.int64]) -> tuple[ScoreCounts, ScoreCounts]:
    """Compare every picture with every other one, once: the genuine and the impostor scores.

    ``templates`` float32 (n, d) of length 1; ``people`` int64 (n,), the same number for the same person.
    """
    genuine, impostor = ScoreCounts(), ScoreCounts()
    for start in range(0, len(templates), _CHUNK_ROWS):
        rows = slice(start, start + _CHUNK_ROWS)
        scores = templates[rows] @ templates[start:].T
        above = np.triu(np.ones(scores.shape, np.bool_), k=1)
        is_same = people[rows][:, None] == people[start:][None, :]
        genuine.add(scores[above & is_same])
        impostor.add(scores[above & ~is_same])
    return genuine, impostor


def cross_compare_ordered(
    references: Scores, lives: Scores, people: NDArray[np.int64]
) -> tuple[ScoreCounts, ScoreCounts]:
    """Compare every picture as a reference with every other one as a live picture, each way round: the genuine and the impostor scores.

    ``references`` and ``lives`` float32 (n, d) of length 1, made of the same pictures in two ways; ``people`` int64 (n,) as above.
    """
    genuine, impostor = ScoreCounts(), ScoreCounts()
    columns = np.arange(len(lives))
    for start in range(0, len(references), _CHUNK_ROWS):
        rows = np.arange(start, min(start + _CHUNK_ROWS, len(references)))
        scores = references[rows] @ lives.T
        is_other = rows[:, None] != columns[None, :]
        is_same = people[rows][:, None] == people[None, :]
        genuine.add(scores[is_other & is_same])
        impostor.add(scores[is_other & ~is_same])
    return genuine, impostor


def folded_accuracy(scores: Scores, is_same: NDArray[np.bool_], *, folds: int = 10) -> float | None:
    """Return the mean accuracy (0..1) over ``folds``, each judged at the threshold that suits the others best (LFW's protocol).

    The pairs are dealt to the folds in turn, genuine and impostor apart. Fewer pairs of a kind than folds make fewer folds;
    None if that leaves less than two.
    """
    folds = min(folds, int(is_same.sum()), int((~is_same).sum()))
    if folds < 2:
        return None
    fold = np.empty(len(scores), np.int64)
    for kind in (is_same, ~is_same):
        fold[kind] = np.arange(int(kind.sum())) % folds
    accuracies = []
    for i in range(folds):
        threshold = _best_threshold(scores[fold != i], is_same[fold != i])
        accuracies.append(float(((scores >= threshold) == is_same)[fold == i].mean()))
    return float(np.mean(accuracies))


def _best_threshold(scores: Scores, is_same: NDArray[np.bool_]) -> float:
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    gain = np.cumsum(np.where(is_same[order], 1, -1))
    gain[:-1][falling[1:] == falling[:-1]] = -len(scores)
    best = int(np.argmax(gain))
    if best + 1 == len(falling):
        return float(falling[best])
    return (float(falling[best]) + float(falling[best + 1])) / 2
