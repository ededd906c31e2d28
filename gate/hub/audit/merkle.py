"""Merkle trees over a log, and proofs about them: RFC 6962 section 2.1 (the same in RFC 9162 section 2.1), SHA-256.

Pure. A tree is known by ``span(start, end)``, the hash of the entries ``start`` (inclusive) to ``end`` (exclusive) as a tree of their
own; whoever stores the log answers that as cheaply as it can. Hashes are 32 bytes.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Span = Callable[[int, int], bytes]
"""Hash of the subtree over entries [start, end), end > start."""

EMPTY_ROOT = hashlib.sha256().digest()
"""The root of a log without an entry (section 2.1)."""


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than ``size`` (> 1): where a tree of that size is cut."""
    return 1 << ((size - 1).bit_length() - 1)


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over these hashes (at least one) of neighbouring subtrees of equal size, or of leaves."""
    if len(hashes) == 1:
        return hashes[0]
    cut = split(len(hashes))
    return node_hash(fold(hashes[:cut]), fold(hashes[cut:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """All that is needed to append: the size, and the roots of the complete subtrees from the largest (left) to the smallest."""

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size.bit_count() != len(self.peaks):
            raise ValueError(f"a log of {self.size} entries has {self.size.bit_count()} peaks, not {len(self.peaks)}")

    def grown(self, leaf: bytes) -> "tuple[Frontier, list[bytes]]":
        """The frontier after one more leaf hash, and the roots of all complete subtrees that end with it, by height from 0."""
        peaks = [*self.peaks, leaf]
        ended = [leaf]
        carry = self.size
        while carry & 1:
            right = peaks.pop()
            peaks[-1] = node_hash(peaks[-1], right)
            ended.append(peaks[-1])
            carry >>= 1
        return Frontier(size=self.size + 1, peaks=tuple(peaks)), ended

    @property
    def root(self) -> bytes:
        """The tree's hash."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def inclusion_path(index: int, size: int, span: Span) -> list[bytes]:
    """The audit path of entry ``index`` in the tree of ``size`` entries (2.1.1), from the leaf upwards. ValueError when there is none."""
    if not 0 <= index < size:
        raise ValueError(f"there is no entry {index} in a log of {size}")

    def path(start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        cut = start + split(end - start)
        if index < cut:
            return [*path(start, cut), span(cut, end)]
        return [*path(cut, end), span(start, cut)]

    return path(0, size)


def consistency_path(old: int, new: int, span: Span) -> list[bytes]:
    """The proof that the tree of ``old`` entries is the beginning of that of ``new`` (2.1.2). ValueError unless 0 < old <= new."""
    if not 0 < old <= new:
        raise ValueError(f"there is no proof from {old} to {new} entries")

    def path(start: int, end: int, wanted: int, is_whole: bool) -> list[bytes]:
        if wanted == end - start:
            return [] if is_whole else [span(start, end)]
        cut = split(end - start)
        if wanted <= cut:
            return [*path(start, start + cut, wanted, is_whole), span(start + cut, end)]
        return [*path(start + cut, end, wanted - cut, False), span(start, start + cut)]

    return path(0, new, old, True)


def is_included(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether ``path`` shows that the leaf hash is entry ``index`` of the tree with this root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(step, found)
            while here and not here & 1:
                here >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        here >>= 1
        last >>= 1
    return last == 0 and found == root


def is_consistent(*, old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the older tree is the beginning of the newer one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY_ROOT
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    here, last = old - 1, new - 1
    while here & 1:
        here >>= 1
        last >>= 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while here and not here & 1:
                here >>= 1
                last >>= 1
        else:
            after = node_hash(after, step)
        here >>= 1
        last >>= 1
    return last == 0 and before == old_root and after == new_root
