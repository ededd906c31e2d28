"""Several sights of one zone decide together: cuts of one picture, or pictures of it."""

from collections.abc import Sequence

import numpy as np

from models.document.decode import Scores
from models.document.sight import ZoneSight

# Sights whose best characters differ at more than this share of the places are not of one zone.
_MAX_DIFFERING = 0.2
# No sight is surer than this that a character does not stand somewhere.
_LEAST = 1e-5


def blend(looks: Sequence[ZoneSight]) -> ZoneSight | None:
    """Return the mean of several cuts of one picture, or None if they are not of one zone.

    They share the picture's faults, so none of them confirms another: the doubt of each stays in the mean.
    """
    first = looks[0]
    if any(not _is_of_one_zone(first, other) for other in looks[1:]):
        return None
    seen = tuple(
        np.asarray(np.mean(np.stack(lines), axis=0), dtype=np.float32)
        for lines in zip(*(look.seen for look in looks), strict=True)
    )
    return ZoneSight(seen=seen, classes=first.classes)


def vote(sights: Sequence[ZoneSight]) -> ZoneSight | None:
    """Return what the sights say together, or None if they are not of one zone.

    At each place the logarithms of their evidence are added up (sights of one zone err independently only in part, so the
    sum is divided by the root of how many show the place) and made a distribution again. A sight that shows little at a
    place, where light hides it, has little to say there.
    """
    first = sights[0]
    if any(not _is_of_one_zone(first, other) for other in sights[1:]):
        return None
    seen = tuple(_together(lines) for lines in zip(*(sight.seen for sight in sights), strict=True))
    return ZoneSight(seen=seen, classes=first.classes)


def _is_of_one_zone(one: ZoneSight, other: ZoneSight) -> bool:
    if one.classes != other.classes or [len(line) for line in one.seen] != [len(line) for line in other.seen]:
        return False
    differing = [a[:, 1:].argmax(axis=1) != b[:, 1:].argmax(axis=1) for a, b in zip(one.seen, other.seen, strict=True)]
    return float(np.mean(np.concatenate(differing))) <= _MAX_DIFFERING


def _together(lines: Sequence[Scores]) -> Scores:
    """Return one distribution a place out of several, float32 (places, 1 + classes)."""
    stack = np.stack(lines)
    shown = stack[..., 1:].sum(axis=2, keepdims=True)
    shares = (stack[..., 1:] + _LEAST) / (shown + _LEAST * (stack.shape[2] - 1))
    weights = np.clip(shown, 0, 1)
    logs = (np.log(shares) * weights).sum(axis=0) / np.sqrt(np.maximum(weights.sum(axis=0), 1))
    best = np.exp(logs - logs.max(axis=1, keepdims=True))
    together: Scores = np.empty_like(stack[0])
    together[:, 1:] = best / best.sum(axis=1, keepdims=True) * weights.max(axis=0)
    together[:, 0] = 1 - together[:, 1:].sum(axis=1)
    return together
