"""From the recogniser's scores to the characters of a zone, by what the layout allows at each place.

For each frame (a narrow column of the line) the recogniser scores a blank and every character. A line of an MRZ has a known
number of characters at a fixed pitch (ICAO Doc 9303 part 3, 4.2). So the places are found first, whatever stands in
them: blanks are seen between characters, and the best way to put so many places at about one pitch onto the rhythm of
blanks is found by dynamic programming. Counting characters instead, as is usual, miscounts where one is unclear.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gate.checks.mrz import CHARACTERS, DIGITS, LETTERS

Scores = NDArray[np.float32]

# Which printed character a recogniser without context takes for which; used only where the layout leaves no doubt.
_AS_DIGIT = {
    "O": "0",
    "Q": "0",
    "D": "0",
    "I": "1",
    "L": "1",
    "|": "1",
    "!": "1",
    "Z": "2",
    "S": "5",
    "G": "6",
    "B": "8",
}
_AS_LETTER = {"0": "O", "1": "I", "|": "I", "!": "I", "2": "Z", "5": "S", "6": "G", "8": "B", "]": "J", "4": "A"}

# A look-alike counts a little less than the character itself.
_LOOKALIKE_WEIGHT = 0.9
# How much a character that the layout forbids takes away from those that it allows.
_IMPOSSIBLE_WEIGHT = 0.2
# A place at which less than this is seen, in frames, is faint.
_LEAST_SHOWN = 0.8
# Positions are searched at this fraction of a frame.
_FINE = 3
# How far one step may differ from the pitch, as a share of it, and what that costs; contrast is worth at most 1 a place.
_STRETCH, _STRETCH_COST = 0.16, 8.0
# What it costs to begin or end a pitch away from where the row was found.
_END_COST = 0.06
_LOOSE_END_COST = 0.004
_LIKE_END_COST = 4.0
# Pitches that are tried, as shares of the usual one.
_RHYTHMS = np.arange(0.8, 1.25, 0.004)
# Share of the pitch around the middle of a place that shows its character.
_INSIDE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineReading:
    """One line as read: ``scores`` is float32 (places, 37), the evidence 0..1 for each of CHARACTERS at each place.

    ``strange`` float32 (places) is the share 0..1 of what is seen there that may not stand there.
    """

    text: str
    scores: Scores
    strange: Scores

    @classmethod
    def of(cls, scores: Scores, strange: Scores) -> "LineReading":
        """Return the reading that these scores, float32 (places, 37), say."""
        text = "".join(CHARACTERS[index] for index in scores.argmax(axis=1))
        return cls(text=text, scores=scores, strange=strange)

    @property
    def confidences(self) -> NDArray[np.float32]:
        """Evidence 0..1 for each character of ``text``."""
        columns = [CHARACTERS.index(character) for character in self.text]
        chosen: NDArray[np.float32] = self.scores[np.arange(len(columns)), columns]
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineScores:
    """The recogniser's output for one line: float32 (frames, 1 + classes), blank first, each row a distribution.

    ``classes`` names the columns after the blank. ``span_frames`` is where the row of text begins and ends, in frames.
    """

    probabilities: Scores
    classes: str
    span_frames: tuple[float, float]

    def greedy(self) -> tuple[str, list[tuple[int, int]]]:
        """Return the plain CTC reading and each character's first and last frame.

        The best class of each frame, with repeats collapsed and blanks dropped.
        """
        best = self.probabilities.argmax(axis=1)
        first = np.flatnonzero(np.append(True, best[1:] != best[:-1]))
        last = np.append(first[1:], len(best)) - 1
        runs = [(int(a), int(b)) for a, b in zip(first, last, strict=True) if best[a] > 0]
        return "".join(self.classes[best[a] - 1] for a, _ in runs), runs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places:
    """Where the places of a line are: ``middles`` float64 (places) in frames, ``pitch`` in frames.

    ``contrast`` -1..1 tells how well characters stand in them and blanks between them; beside the text it is about 0.
    """

    middles: NDArray[np.float64]
    pitch: float
    contrast: float


def find_places(line: LineScores, count: int, pitch_frames: float | None = None, like: Places | None = None) -> Places:
    """Return the best ``count`` places for the rhythm of characters and blanks.

    The row's ends say about where they are; if the ``pitch_frames`` is known from elsewhere, only the middle of the row does.
    Places ``like`` those of another line of the zone begin and end where those do.
    """
    begin, end = line.span_frames
    end_cost = _END_COST
    if like is not None:
        begin, end = float(like.middles[0] - like.pitch / 2), float(like.middles[-1] + like.pitch / 2)
        end_cost = _LIKE_END_COST
    elif pitch_frames is not None:
        middle, half = (begin + end) / 2, count * pitch_frames / 2
        begin, end = middle - half, middle + half
        end_cost = _LOOSE_END_COST
    pitch = (end - begin) / count * _FINE
    shown = 1 - line.probabilities[:, 0].astype(np.float64)
    grid = (np.arange(len(shown) * _FINE) + 0.5) / _FINE - 0.5
    fine = np.interp(grid, np.arange(len(shown)), shown)
    contrast = _contrast(fine, pitch)
    steps = np.arange(max(1, round(pitch * (1 - _STRETCH))), round(pitch * (1 + _STRETCH)) + 1)
    costs = _STRETCH_COST * ((steps - pitch) / pitch) ** 2
    position = np.arange(len(fine))
    minus = -1e9
    score = contrast - end_cost * ((position - begin * _FINE - pitch / 2) / pitch) ** 2
    came = np.zeros((count, len(fine)), np.int8)
    options = np.empty((len(steps), len(fine)))
    for place in range(1, count):
        for option, step, cost in zip(options, steps, costs, strict=True):
            option[:step] = minus
            np.subtract(score[:-step], cost, out=option[step:])
        came[place] = options.argmax(axis=0)
        score = options.max(axis=0) + contrast
    score = score - end_cost * ((position - end * _FINE + pitch / 2) / pitch) ** 2
    path = np.empty(count, np.int64)
    path[-1] = score.argmax()
    for place in range(count - 1, 0, -1):
        path[place - 1] = max(0, path[place] - steps[came[place, path[place]]])
    middles = (path + 0.5) / _FINE
    return Places(
        middles=middles,
        pitch=float(middles[-1] - middles[0]) / (count - 1),
        contrast=float(contrast[path].mean()),
    )


def rhythm(line: LineScores, usual: float) -> float:
    """Return the pitch in frames at which characters and blanks alternate, 0.8 to 1.25 times the ``usual`` one."""
    shown = 1 - line.probabilities[:, 0].astype(np.float64)
    waves = np.exp(-2j * np.pi * np.arange(len(shown))[:, None] / (usual * _RHYTHMS))
    strength = np.abs((shown - shown.mean()) @ waves)
    return usual * float(_RHYTHMS[strength.argmax()])


def _contrast(shown: NDArray[np.float64], pitch: float) -> NDArray[np.float64]:
    """Return how much more is shown around each position than half a pitch beside it, -1..1."""
    width = max(1, round(0.4 * pitch))
    smooth = np.convolve(shown, np.full(width, 1 / width), mode="same")
    half = max(1, round(pitch / 2))
    around = np.pad(shown, half)
    return np.asarray(smooth - (around[: len(shown)] + around[2 * half :]) / 2)


def see_places(line: LineScores, places: Places) -> Scores:
    """Return what stands at each place, float32 (places, 1 + classes): the blank, then the share of each class, at most 1 together."""
    frames = np.arange(len(line.probabilities)) + 0.5
    # Frames count by how much of them lies inside, and by how much they show: between characters is nothing.
    inside = np.clip(_INSIDE * places.pitch + 0.5 - np.abs(frames - places.middles[:, None]), 0, 1)
    seen = inside.astype(np.float32) @ line.probabilities
    shown: Scores = seen / np.maximum(seen[:, 1:].sum(axis=1, keepdims=True), _LEAST_SHOWN)
    return shown


def decode_line(line: LineScores, allowed: tuple[str, ...], places: Places | None = None) -> LineReading:
    """Return the best reading of ``len(allowed)`` characters, each one of those allowed at its place.

    ``places`` are those of :func:`find_places` for as many characters, if they are known already.
    """
    return decode_places(see_places(line, places or find_places(line, len(allowed))), line.classes, allowed)


def decode_places(seen: Scores, classes: str, allowed: tuple[str, ...]) -> LineReading:
    """Return the best reading of what :func:`see_places` saw, each character one of those allowed at its place."""
    scores = np.zeros((len(allowed), len(CHARACTERS)), np.float32)
    shown = seen[:, 1:].sum(axis=1, keepdims=True)
    impossible = np.zeros_like(shown)
    for kind in set(allowed):
        rows = [place for place, here in enumerate(allowed) if here == kind]
        folding = _folding(classes, kind)
        scores[rows] = seen[rows] @ folding
        impossible[rows] = seen[rows, 1:] @ (folding[1:].max(axis=1, keepdims=True) == 0)
    possible = scores.sum(axis=1, keepdims=True)
    # What cannot stand here is left out of the count, but not quite: it tells that the print is not clear.
    scores /= possible + np.maximum(1 - shown, 0) + _IMPOSSIBLE_WEIGHT * impossible + 1e-6
    return LineReading.of(scores, impossible[:, 0])


@lru_cache(maxsize=64)
def _folding(classes: str, kind: str) -> NDArray[np.float32]:
    """Return float32 (1 + classes, 37): how much each class counts for each MRZ character at a place of this kind."""
    has_digits, has_letters = kind[0] in DIGITS, any(letter in kind for letter in LETTERS)
    lookalikes = {} if has_digits and has_letters else _AS_DIGIT if has_digits else _AS_LETTER
    matrix = np.zeros((1 + len(classes), len(CHARACTERS)), np.float32)
    for index, name in enumerate(classes, start=1):
        character = name.upper()
        if character in kind:
            matrix[index, CHARACTERS.index(character)] = 1.0
        elif lookalikes.get(character, "") in kind and character in lookalikes:
            matrix[index, CHARACTERS.index(lookalikes[character])] = _LOOKALIKE_WEIGHT
    return matrix
