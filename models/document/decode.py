"""From the recogniser's scores to the characters of a zone, by what the layout allows at each place.

The recogniser is a CTC network (Graves and others, ICML 2006): for each frame (a narrow column of the line) it scores a
blank and every character. A line of an MRZ has a known number of characters at a fixed pitch (ICAO Doc 9303 part 3, 4.2),
so instead of collapsing repeats, which miscounts long runs of fillers, the best monotonic assignment of frames to the
places of the layout is found by dynamic programming.
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
_FLOOR = 1e-6
# A place at which less than this is seen, in frames, is faint.
_LEAST_SHOWN = 0.8
# How strongly a character is held to its place: half a pitch off costs about as much as halving its score.
_PLACE_WEIGHT = 2.8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineReading:
    """One line as read: ``scores`` is float32 (places, 37), the evidence 0..1 for each of CHARACTERS at each place."""

    text: str
    scores: Scores

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


def decode_line(line: LineScores, allowed: tuple[str, ...]) -> LineReading:
    """Return the best reading of ``len(allowed)`` characters, each one of those allowed at its place."""
    places = len(allowed)
    by_kind = {kind: _evidence(line, kind) for kind in set(allowed)}
    _, segments = line.greedy()
    # The plain reading nearly always has the right count; then it also says where each character is.
    if len(segments) != places:
        segments = _align(*_costs(line, allowed, by_kind))
    scores = np.zeros((places, len(CHARACTERS)), np.float32)
    for place, (first, last) in enumerate(segments):
        evidence = by_kind[allowed[place]][first : last + 1]
        # Frames between two characters show neither: they count by how much they show.
        shown = 1 - line.probabilities[first : last + 1, 0]
        scores[place] = evidence.sum(axis=0) / max(float(shown.sum()), _LEAST_SHOWN)
    text = "".join(CHARACTERS[index] for index in scores.argmax(axis=1))
    return LineReading(text=text, scores=scores)


def _costs(
    line: LineScores, allowed: tuple[str, ...], by_kind: dict[str, Scores]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the log scores that :func:`_align` weighs."""
    emission = np.stack([by_kind[kind].max(axis=1) for kind in allowed], axis=1)
    begin, end = _text_span(line, len(allowed))
    pitch = (end - begin) / len(allowed)
    centres = begin + pitch * (np.arange(len(allowed)) + 0.5)
    distance = (np.arange(len(emission))[:, None] + 0.5 - centres) / pitch
    emit = np.log(np.maximum(emission, _FLOOR)) - _PLACE_WEIGHT * distance**2
    return emit, np.log(np.maximum(line.probabilities[:, 0], _FLOOR))


def _text_span(line: LineScores, places: int) -> tuple[float, float]:
    """Return where the text begins and ends, in frames: the row as found, corrected by the characters that were seen.

    A speck beside the text makes the row longer; most characters still stand at the one pitch.
    """
    begin, end = line.span_frames
    _, runs = line.greedy()
    middles = np.array([(first + last + 1) / 2 for first, last in runs])
    if len(middles) < max(8, places // 2):
        return begin, end
    steps = np.diff(middles)
    pitch = float(np.median(steps))
    whole = np.maximum(np.round(steps / pitch), 1)
    regular = np.abs(steps / pitch - whole) < 0.3
    if pitch <= 0 or regular.mean() < 0.7:
        return begin, end
    index = np.concatenate([[0], np.cumsum(whole)])
    pitch, start = np.polyfit(index, middles, 1)
    spare = places - 1 - index[-1]
    if spare < 0:
        return begin, end
    # Characters that were not seen may be missing on either side: the row as found decides.
    shift = np.clip(np.round((start - pitch / 2 - begin) / pitch), 0, spare)
    begin = float(start - (shift + 0.5) * pitch)
    return begin, begin + float(pitch) * places


def _align(emit: NDArray[np.float64], rest: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return each place's first and last frame on the best path.

    ``emit`` (frames, places) and ``rest`` (frames) are log scores of showing a place's character and of showing none.
    """
    frames, places = emit.shape
    minus = -1e9
    on, off = np.full(places, minus), np.full(places, minus)
    start = 0.0
    # Where each state came from: for `on` 0 stay, 1 previous place on, 2 previous place off; for `off` 0 off, 1 on.
    came_on = np.zeros((frames, places), np.int8)
    came_off = np.zeros((frames, places), np.int8)
    for frame in range(frames):
        previous_on = np.append(minus, on[:-1])
        previous_off = np.append(start, off[:-1])
        options = np.stack([on, previous_on, previous_off])
        came_on[frame] = options.argmax(axis=0)
        came_off[frame] = on > off
        off = np.maximum(on, off) + rest[frame]
        on = options.max(axis=0) + emit[frame]
        start += rest[frame]
    place, is_on = places - 1, bool(on[-1] >= off[-1])
    segments = [(0, 0)] * places
    last = frames - 1
    for frame in range(frames - 1, -1, -1):
        if is_on:
            origin = came_on[frame, place]
            if origin != 0:
                segments[place] = (frame, last)
                place, is_on, last = place - 1, origin == 1, frame - 1
                if place < 0:
                    break
        elif came_off[frame, place]:
            is_on, last = True, frame - 1
    return segments


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


def _evidence(line: LineScores, kind: str) -> Scores:
    """Return float32 (frames, 37): the evidence of each frame for each character that ``kind`` allows."""
    return line.probabilities @ _folding(line.classes, kind)
