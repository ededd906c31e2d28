"""Exact search of document numbers: ten million in two sorted columns that are mapped from disk, about 24 steps a question.

The columns hold keyed digests (BLAKE2b, 128 bits, RFC 7693), not numbers: whoever takes a lane's disk away has no list of passports,
and two numbers that share a digest do not happen (2^-80 for ten million entries and a million questions).
"""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gate.checks.watchlist.entry import ListedDocument

Column = NDArray[np.uint64]


def digest_of(document: ListedDocument, salt: bytes) -> bytes:
    """16 bytes. ``salt``: 16 bytes, of the list's base."""
    return hashlib.blake2b(f"{document.issuer}|{document.number}".encode(), digest_size=16, key=salt).digest()


class DocumentIndex:
    """Sorted digests and the row of the entry each belongs to. The arrays may be memory maps."""

    def __init__(self, high: Column, low: Column, rows: NDArray[np.uint32], salt: bytes) -> None:
        if not len(high) == len(low) == len(rows):
            raise ValueError("the columns of a document index have one length")
        self.high, self.low, self.rows, self._salt = high, low, rows, salt

    def __len__(self) -> int:
        return len(self.high)

    @classmethod
    def build(cls, documents: Iterable[tuple[ListedDocument, int]], salt: bytes) -> "DocumentIndex":
        """``documents``: each with the row of its entry, 0 to 2^32 - 1."""
        pairs = [(digest_of(document, salt), row) for document, row in documents]
        words = np.frombuffer(b"".join(digest for digest, _ in pairs), ">u8").reshape(-1, 2).astype(np.uint64)
        rows = np.array([row for _, row in pairs], np.uint32)
        order = np.lexsort((rows, words[:, 1], words[:, 0]))
        return cls(words[order, 0], words[order, 1], rows[order], salt)

    def find(self, document: ListedDocument) -> Sequence[int]:
        """Rows of the entries that name this document, or its number without an issuer."""
        found: list[int] = []
        for form in {document, ListedDocument(issuer="", number=document.number)}:
            digest = digest_of(form, self._salt)
            high = np.uint64(int.from_bytes(digest[:8], "big"))
            low = int.from_bytes(digest[8:], "big")
            start, end = np.searchsorted(self.high, high, "left"), np.searchsorted(self.high, high, "right")
            found += [int(self.rows[at]) for at in range(int(start), int(end)) if int(self.low[at]) == low]
        return sorted(set(found))
