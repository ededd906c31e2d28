"""What the board's firmware makes of its light curtain: people counted by pattern, passages by order of beams.

A curtain sees shadows. Whoever hides exactly behind another is one shadow, a wheelchair is as long as two people: the
count is one witness, the camera is the other, and where they differ an officer looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

_PERSON_MM = 300
"""A shadow shorter than this is a thing, and every further length of it may be another person."""


def person_beams(pitch_mm: int) -> int:
    """How many neighbouring beams one person breaks at least."""
    return max(1, (_PERSON_MM + pitch_mm // 2) // pitch_mm)


def clusters(beams: int, cuts: tuple[int, ...], beam_count: int) -> list[range]:
    """Runs of neighbouring broken beams. `cuts` are beams that a shut door parts from the beam before them."""
    if not beams:
        return []
    runs: list[range] = []
    start: int | None = None
    for i in range(beam_count + 1):
        is_broken = i < beam_count and bool(beams >> i & 1)
        if start is not None and (not is_broken or i in cuts):
            runs.append(range(start, i))
            start = None
        if is_broken and start is None:
            start = i
    return runs


def count_people(beams: int, *, inside: range, cuts: tuple[int, ...], beam_count: int, pitch_mm: int = 100) -> int:
    """People between the doors. Who stands in an open doorway counts as inside."""
    runs, least = clusters(beams, cuts, beam_count), person_beams(pitch_mm)
    return sum(len(run) // least for run in runs if run.start < inside.stop and run.stop > inside.start)


class Passage(Enum):
    FORWARD = "forward"
    BACK = "back"


@dataclass(slots=True, kw_only=True)
class PassageSense:
    """Two neighbouring beams, one on each side of a door: which was broken first and which last tells the way."""

    first_beam: int
    """The one nearer the entry's outside; the other is the next."""
    _began_with: int | None = None
    _ended_with: int | None = None
    _was_between: bool = False

    def see(self, beams: int) -> Passage | None:
        """To be called with every scan; says when a passage is complete."""
        pair = beams >> self.first_beam & 0b11
        if pair == 0b11:
            self._was_between = True
        elif pair:
            self._ended_with = pair
            if self._began_with is None:
                self._began_with = pair
        else:
            began, ended, was_between = self._began_with, self._ended_with, self._was_between
            self._began_with = self._ended_with = None
            self._was_between = False
            if was_between and began != ended:
                return Passage.FORWARD if ended == 0b10 else Passage.BACK
        return None
