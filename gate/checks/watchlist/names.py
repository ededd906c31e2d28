"""Names by likeness: who of a million listed ones may be meant, in a few milliseconds, on one thread.

Two ways lead to candidates: shared trigrams of the folded spelling (an inverted index, rare ones weigh more), and the date of
birth. The candidates, at most :data:`CANDIDATES` and those of the same date, are compared one by one (rapidfuzz), and a hit is judged
by how alike the names are *given* how the dates of birth agree: a listed John Smith of another birthday refers nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from gate.checks.watchlist.births import Birth, agreement, near_ranges, packed
from gate.checks.watchlist.entry import ListedName
from gate.checks.watchlist.spelling import folded, spelt

CANDIDATES = 200
_LETTERS = 28  # A to Z, the beginning of a word, its end
_BEGIN, _END = 26, 27
_CODES = _LETTERS**3
_LEAST_LETTERS = 2
_LEAST_SHARE = 0.15
LIKENESS: dict[Birth, float] = {Birth.SAME: 0.72, Birth.NEAR: 0.85, Birth.UNKNOWN: 0.92}
"""A name must be so like (0 to 1) to be a hit; with a different date of birth none is. docs/watchlist.md shows what they cost and find."""
_COARSE = str.maketrans("GDBZ", "KTPS")
_COARSE_MATCHES = 0.93
"""What a name is worth that is alike when hard and soft consonants are one (GUO BO and KUO PO)."""
_PART_MATCHES = 0.95
"""What a name is worth of which the other leaves whole words out (a second given name, a patronymic)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameRow:
    """One spelling of an entry with one date of birth (packed, see births)."""

    entry: int
    name: ListedName
    birth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameHit:
    """``likeness`` 0 to 1; ``spelling`` is the list's, as compared."""

    entry: int
    likeness: float
    birth: Birth
    spelling: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NameColumns:
    """The index as arrays, each of which may be a memory map. n rows, m trigrams in all.

    ``text`` and ``folds`` uint8: the spellings one after another, row i from ``text_at[i]`` to ``text_at[i + 1]`` (uint32, n + 1).
    ``births`` uint32 (n,); ``by_birth`` uint32 (n,): the rows in the order of their dates. ``postings`` uint32 (m,): rows with
    trigram c from ``posting_at[c]`` on (int64, 21,953). ``weights`` float32 (21,952,) of the trigrams, ``norms`` float32 (n,) of the rows.
    """

    entries: NDArray[np.uint32]
    text: NDArray[np.uint8]
    text_at: NDArray[np.uint32]
    folds: NDArray[np.uint8]
    folds_at: NDArray[np.uint32]
    births: NDArray[np.uint32]
    by_birth: NDArray[np.uint32]
    postings: NDArray[np.uint32]
    posting_at: NDArray[np.int64]
    weights: NDArray[np.float32]
    norms: NDArray[np.float32]


class NameIndex:
    """Search over :class:`NameColumns`. Safe to use from several threads."""

    def __init__(self, columns: NameColumns) -> None:
        self.columns = columns
        self._births_in_order = columns.births[columns.by_birth]

    def __len__(self) -> int:
        return len(self.columns.entries)

    @classmethod
    def build(cls, rows: Iterable[NameRow]) -> "NameIndex":
        """Takes about 20 microseconds a row."""
        kept = [
            (row, plain)
            for row in rows
            if len(plain := spelt(f"{row.name.surname} {row.name.given_names}")) >= _LEAST_LETTERS
        ]
        plains = [plain for _, plain in kept]
        folds = [folded(plain) for plain in plains]
        text, text_at = _packed_texts(plains)
        fold_text, folds_at = _packed_texts(folds)
        births = np.array([row.birth for row, _ in kept], np.uint32)
        codes, owners = _trigrams(folds)
        pairs = np.unique(codes.astype(np.int64) * max(1, len(kept)) + owners)
        codes, postings = np.divmod(pairs, max(1, len(kept)))
        counts = np.bincount(codes, minlength=_CODES)
        weights = np.log1p(len(kept) / np.maximum(counts, 1)).astype(np.float32)
        norms = np.bincount(postings, weights=weights[codes], minlength=len(kept)).astype(np.float32)
        return cls(
            NameColumns(
                entries=np.array([row.entry for row, _ in kept], np.uint32),
                text=text,
                text_at=text_at,
                folds=fold_text,
                folds_at=folds_at,
                births=births,
                by_birth=np.argsort(births, kind="stable").astype(np.uint32),
                postings=postings.astype(np.uint32),
                posting_at=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
                weights=weights,
                norms=norms,
            )
        )

    def find(self, name: ListedName, birth_date: str) -> list[NameHit]:
        """Hits, the likest first; one a listed entry. ``birth_date`` is ISO 8601, parts or all of it may be missing."""
        plain = spelt(f"{name.surname} {name.given_names}")
        if not len(self) or len(plain) < _LEAST_LETTERS:
            return []
        fold, birth = folded(plain), packed(birth_date)
        rows = self._candidates(fold, birth)
        if not len(rows):
            return []
        spellings = [self._spelling(int(row)) for row in rows]
        folds = [self._fold(int(row)) for row in rows]
        coarse = _likeness(fold.translate(_COARSE), [other.translate(_COARSE) for other in folds])
        likeness = np.maximum.reduce([_likeness(plain, spellings), _likeness(fold, folds), _COARSE_MATCHES * coarse])
        return self._judged(rows, likeness, spellings, birth)

    def _judged(
        self, rows: NDArray[np.uint32], likeness: NDArray[np.float32], spellings: Sequence[str], birth: int
    ) -> list[NameHit]:
        best: dict[int, NameHit] = {}
        for at in np.flatnonzero(likeness >= min(LIKENESS.values())).tolist():
            row = int(rows[at])
            relation = agreement(birth, int(self.columns.births[row]))
            if relation is Birth.DIFFERENT or likeness[at] < LIKENESS[relation]:
                continue
            entry = int(self.columns.entries[row])
            hit = NameHit(entry=entry, likeness=round(float(likeness[at]), 3), birth=relation, spelling=spellings[at])
            if entry not in best or best[entry].likeness < hit.likeness:
                best[entry] = hit
        return sorted(best.values(), key=lambda hit: (-hit.likeness, hit.entry))

    def _spelling(self, row: int) -> str:
        start, end = self.columns.text_at[row : row + 2]
        return self.columns.text[start:end].tobytes().decode("ascii")

    def _fold(self, row: int) -> str:
        start, end = self.columns.folds_at[row : row + 2]
        return self.columns.folds[start:end].tobytes().decode("ascii")

    def _candidates(self, fold: str, birth: int) -> NDArray[np.uint32]:
        """Rows worth a close look: all of the same date of birth, and those that share trigrams, if their date does not differ."""
        shared, mine = self._shared(fold)
        if birth == 0:
            return self._most_alike(np.flatnonzero(shared > _LEAST_SHARE * mine).astype(np.uint32), shared, mine)
        ranges = near_ranges(birth)
        same = self._born(birth, birth) if birth % 100 else np.empty(0, np.uint32)
        near = [self._born(first, last) for first, last in (*ranges, (0, 0))]
        return np.union1d(same, self._most_alike(np.concatenate(near), shared, mine))

    def _born(self, first: int, last: int) -> NDArray[np.uint32]:
        start, end = np.searchsorted(self._births_in_order, np.array([first, last + 1], np.uint32))
        return self.columns.by_birth[start:end]

    def _shared(self, fold: str) -> tuple[NDArray[np.float32], float]:
        """What each row shares with ``fold``, and what ``fold`` would share with itself: weights of common trigrams."""
        codes = np.unique(_trigrams([fold])[0])
        shared = np.zeros(len(self), np.float32)
        at, weights = self.columns.posting_at, self.columns.weights
        for code in codes:
            shared[self.columns.postings[at[code] : at[code + 1]]] += weights[code]
        return shared, float(weights[codes].sum())

    def _most_alike(self, rows: NDArray[np.uint32], shared: NDArray[np.float32], mine: float) -> NDArray[np.uint32]:
        rows = rows[shared[rows] > _LEAST_SHARE * mine]
        if len(rows) <= CANDIDATES:
            return rows
        # Of a name that leaves words out all trigrams are shared, but few of the longer one's: both lengths count, the shorter more.
        norms = self.columns.norms[rows]
        degree = shared[rows] / (0.5 * np.minimum(norms, mine) + 0.25 * (norms + mine))
        return rows[np.argpartition(degree, -CANDIDATES)[-CANDIDATES:]]


def _likeness(name: str, others: Sequence[str]) -> NDArray[np.float32]:
    """0 to 1 for each: the best of words in any order, letters without blanks, and one name inside the other."""
    words, letters = " ".join(sorted(name.split())), name.replace(" ", "")
    sorted_others = [" ".join(sorted(other.split())) for other in others]
    in_any_order = process.cdist([words], sorted_others, scorer=fuzz.ratio, dtype=np.float32)[0]
    run_together = process.cdist(
        [letters], [other.replace(" ", "") for other in others], scorer=fuzz.ratio, dtype=np.float32
    )[0]
    best = np.maximum(in_any_order, run_together)
    if " " in name:
        parts = process.cdist([name], others, scorer=fuzz.token_set_ratio, dtype=np.float32)[0]
        several = np.array([" " in other for other in others])
        best = np.where(several, np.maximum(best, _PART_MATCHES * parts * _share_ok(name, others)), best)
    return np.asarray(best / 100, np.float32)


def _share_ok(name: str, others: Sequence[str]) -> NDArray[np.bool_]:
    """Whether at least two words are common: one surname alone inside another name says nothing."""
    words = set(name.split())
    return np.array([len(words.intersection(other.split())) >= 2 for other in others])


def _packed_texts(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    ends = np.cumsum([0, *(len(text) for text in texts)])
    if ends[-1] >= 1 << 32:
        raise ValueError("more than 4 GiB of names in one index")
    return np.frombuffer("".join(texts).encode("ascii"), np.uint8), ends.astype(np.uint32)


def _trigrams(folds: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The trigrams of all words and the number of the text each comes from; words begin and end with a mark of their own."""
    marked = ["[" + fold.replace(" ", "\\[") + "\\" if fold else "" for fold in folds]
    letters = np.frombuffer("".join(marked).encode("ascii"), np.uint8).astype(np.int32) - ord("A")
    letters[letters == ord("[") - ord("A")] = _BEGIN
    letters[letters == ord("\\") - ord("A")] = _END
    owners = np.repeat(np.arange(len(marked), dtype=np.int64), [len(text) for text in marked])
    first, middle, last = letters[:-2], letters[1:-1], letters[2:]
    is_inside = (first != _END) & (middle != _END) & (middle != _BEGIN) & (last != _BEGIN)
    codes = (first * _LETTERS + middle) * _LETTERS + last
    return codes[is_inside], owners[:-2][is_inside]
