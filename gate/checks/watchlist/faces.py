"""One face against all that are listed, exhaustively: approximate search missed one in four on hard galleries and may not decide.

faiss ``IndexFlatIP`` (Douze and others, "The Faiss library", 2024) scans every template; the gallery's order is that of the entries' rows.
"""

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

NEAREST = 10
"""Candidates that a search looks at: more people than these above the threshold would be one hit all the same."""


class FaceIndex:
    """A gallery of templates, float32 (n, d), rows of length 1."""

    def __init__(self, templates: NDArray[np.float32], rows: NDArray[np.uint32]) -> None:
        if templates.ndim != 2 or len(templates) != len(rows):
            raise ValueError("a gallery is (n, d) with one row number for each template")
        self.templates, self.rows = templates, rows
        self._index: Any = faiss.IndexFlatIP(int(templates.shape[1]))
        if len(templates):
            self._index.add(np.ascontiguousarray(templates, np.float32))

    def __len__(self) -> int:
        return len(self.rows)

    def find(self, template: NDArray[np.float32], threshold: float) -> list[tuple[int, float]]:
        """(row, similarity -1..1) of the nearest at or above ``threshold``, best first; at most :data:`NEAREST`."""
        if not len(self.rows):
            return []
        question = np.ascontiguousarray(template, np.float32)[None]
        scores, places = self._index.search(question, min(NEAREST, len(self.rows)))
        near = zip(scores[0].tolist(), places[0].tolist(), strict=True)
        return [(int(self.rows[place]), score) for score, place in near if place >= 0 and score >= threshold]
