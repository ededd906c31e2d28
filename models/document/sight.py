"""What was seen of a zone: which character stands at each place, before anybody asks which may."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.document.decode import LineScores, Places, Scores, find_places, rhythm, see_places

# Between characters blanks are seen; rows of other text have another rhythm or none.
_MIN_CONTRAST = 0.3
_SURE_CONTRAST = 0.55
_PLAIN_CONTRAST = 0.45
# The network shows a character in about this share of a pitch. Beside a line there may be a speck, but no more of them.
_SHOWN_PER_PITCH = 0.55
_MAX_LEFT = 2.0
# How far apart, in pitches, the lines of a zone may begin in pictures of rows with common ends.
_MAX_APART = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneSight:
    """``seen`` is float32 (places, 1 + classes) for each line, the blank first; ``classes`` names the columns after it.

    ``places`` tell where in the lines' pictures, ``frames`` wide, they stand; none if several sights were put together.
    """

    seen: tuple[Scores, ...]
    classes: str
    places: tuple[Places, ...] = ()
    frames: int = 0


def see_zone(lines: Sequence[LineScores], *, is_wider: bool = False) -> ZoneSight | None:
    """Find the places of each line, 30 in three lines, 44 or 36 in two; None if the lines have no such rhythm.

    ``is_wider`` means that the pictures show more than the rows to both sides, so that their ends tell nothing.
    """
    if len(lines) not in (2, 3):
        return None
    best: list[Places] | None = None
    least = _MIN_CONTRAST
    lengths = (30,) if len(lines) == 3 else (44, 36) if is_wider else _likely_lengths(lines)
    for length in lengths:
        found = [find_places(line, length, _pitch(line, length) if is_wider else None) for line in lines]
        contrast = float(np.mean([places.contrast for places in found]))
        if (
            length == 36
            and max(_left_over(line, places) for line, places in zip(lines, found, strict=True)) > _MAX_LEFT
        ):
            continue
        if contrast > least:
            best, least = found, max(contrast, _MIN_CONTRAST)
        # Without ends to go by, a part of a longer line looks like a shorter one.
        if contrast > (_PLAIN_CONTRAST if is_wider else _SURE_CONTRAST):
            break
    if best is None:
        return None
    best = _aligned(lines, best)
    seen = tuple(see_places(line, places) for line, places in zip(lines, best, strict=True))
    return ZoneSight(seen=seen, classes=lines[0].classes, places=tuple(best), frames=len(lines[0].probabilities))


def _aligned(lines: Sequence[LineScores], found: list[Places]) -> list[Places]:
    """Return the places with those of each line above those of the next: the lines of a zone begin and end together.

    A line that is seen worse may be put one place to the side, and a name without its first letter is a name.
    """
    starts = [places.middles[0] / places.pitch for places in found]
    if max(starts) - min(starts) <= _MAX_APART:
        return found
    count = len(found[0].middles)
    ways = [
        [places if line is other else find_places(line, count, like=places) for line in lines]
        for other, places in zip(lines, found, strict=True)
    ]
    return max(ways, key=lambda way: sum(places.contrast for places in way))


def _pitch(line: LineScores, length: int) -> float:
    return rhythm(line, (line.span_frames[1] - line.span_frames[0]) / length)


def _left_over(line: LineScores, places: Places) -> float:
    """Return how many characters are shown beside the places, about: a part of a line of 44 makes a good line of 36."""
    frames = np.arange(len(line.probabilities)) + 0.5
    beside = (frames < places.middles[0] - places.pitch) | (frames > places.middles[-1] + places.pitch)
    return float((1 - line.probabilities[beside, 0]).sum() / (_SHOWN_PER_PITCH * places.pitch))


def _likely_lengths(lines: Sequence[LineScores]) -> tuple[int, int]:
    """Return the lengths of lines that come in twos, that first which their rhythm suggests."""
    widths = [line.span_frames[1] - line.span_frames[0] for line in lines]
    seen = np.mean([width / rhythm(line, width / 40) for line, width in zip(lines, widths, strict=True)])
    return (44, 36) if seen >= 40 else (36, 44)
