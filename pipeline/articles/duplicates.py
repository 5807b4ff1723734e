"""Exact and near duplicates: MinHash over word shingles, candidates by locality-sensitive hashing, checked exactly.

Wire copy is republished with a new title or a paragraph less. Two texts are near duplicates when the Jaccard similarity
of their sets of three-word shingles reaches a threshold (Broder 1997, "On the resemblance and containment of
documents"). Signatures of 128 minima in 32 bands of 4 find a pair at 0.7 with probability 0.9998; every candidate is
then checked on the sets themselves, so no pair below the threshold joins a group by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

SHINGLE = 3
BANDS = 32
ROWS = 4
_CROWD = 40  # a bucket with more members than this is compared along a line instead of pair by pair

_WORD = re.compile(r"[^\W_]+")
_MARKS = re.compile("[ـ\u064b-\u065f\u0670]")


def duplicate_groups(texts: Iterable[str], *, threshold: float = 0.7) -> NDArray[np.int64]:
    """Give texts that are exact or near duplicates the same number.

    Parameters
    ----------
    texts : iterable of str, length n
        Read once, one at a time. Letter case, punctuation, diacritics and tatweel make no difference.
    threshold : float
        Jaccard similarity from which two texts are duplicates, 0.5 to 1.

    Returns
    -------
    ndarray of int64, shape (n,)
        Group of each text, counted from 0 in the order of their first texts. Duplicates of duplicates are in one group.
        A text without words is alone.
    """
    if not 0.5 <= threshold <= 1:
        raise ValueError(f"threshold must be between 0.5 and 1, not {threshold}")
    sets = list(shingle_sets(texts))
    groups = _Groups(len(sets))
    for first, second in _candidates(sets):
        if groups.find(first) != groups.find(second) and jaccard(sets[first], sets[second]) >= threshold:
            groups.join(first, second)
    roots = [groups.find(i) for i in range(len(sets))]
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root, len(numbers)) for root in roots], dtype=np.int64)


def shingle_sets(texts: Iterable[str]) -> Iterator[NDArray[np.uint32]]:
    """Give the set of word shingles of each text.

    Parameters
    ----------
    texts : iterable of str

    Yields
    ------
    ndarray of uint32
        Sorted distinct hashes of every ``SHINGLE`` consecutive words; of all words where there are fewer.
    """
    words = _WordHashes()
    for text in texts:
        hashes = np.fromiter(map(words.__getitem__, _WORD.findall(_MARKS.sub("", text.lower()))), dtype=np.uint64)
        size = min(SHINGLE, len(hashes))
        if not size:
            yield np.empty(0, dtype=np.uint32)
            continue
        mixed = np.zeros(len(hashes) - size + 1, dtype=np.uint64)
        for offset in range(size):
            mixed = (mixed ^ hashes[offset : offset + len(mixed)]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        yield np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def jaccard(first: NDArray[np.uint32], second: NDArray[np.uint32]) -> float:
    """Give the Jaccard similarity of two sets: what they share over what either has, 0 to 1; 0 for two empty sets."""
    shared = np.intersect1d(first, second, assume_unique=True).size
    return float(shared / max(first.size + second.size - shared, 1))


def _candidates(sets: list[NDArray[np.uint32]]) -> Iterator[tuple[int, int]]:
    """Give pairs of texts that agree in at least one band of their signatures."""
    filled = np.array([i for i, items in enumerate(sets) if items.size], dtype=np.int64)
    if filled.size < 2:
        return
    signatures = _signatures([sets[i] for i in filled])
    for band in range(BANDS):
        keys = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS]).view(f"V{4 * ROWS}").ravel()
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.concatenate(([True], keys[order][1:] != keys[order][:-1])))
        ends = np.append(starts[1:], len(order))
        shared = ends - starts > 1
        for start, end in zip(starts[shared], ends[shared], strict=True):
            bucket = [int(i) for i in filled[order[start:end]]]
            if len(bucket) <= _CROWD:
                yield from combinations(bucket, 2)
            else:
                yield from pairwise(bucket)
                yield from ((bucket[0], other) for other in bucket[2:])


def _signatures(sets: list[NDArray[np.uint32]]) -> NDArray[np.uint32]:
    """Give the minima of ``BANDS * ROWS`` hash functions over each set, shape (n, BANDS * ROWS)."""
    random = np.random.default_rng(20180223)  # any fixed seed: the same texts give the same groups
    factors = random.integers(1 << 31, dtype=np.uint32, size=BANDS * ROWS) * np.uint32(2) + np.uint32(1)
    shifts = random.integers(1 << 32, dtype=np.uint32, size=BANDS * ROWS)
    result = np.empty((len(sets), BANDS * ROWS), dtype=np.uint32)
    for begin in range(0, len(sets), 256):  # as many as fit into the processor's cache
        chunk = sets[begin : begin + 256]
        items = np.concatenate(chunk)
        starts = np.cumsum([0, *(len(part) for part in chunk[:-1])])
        for i, (factor, shift) in enumerate(zip(factors, shifts, strict=True)):
            result[begin : begin + len(chunk), i] = np.minimum.reduceat(items * factor + shift, starts)
    return result


class _WordHashes(dict[str, int]):
    """64-bit hashes of words, the same in every process; each is computed once."""

    def __missing__(self, word: str) -> int:
        value = self[word] = int.from_bytes(
            blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
        )
        return value


class _Groups:
    """Disjoint sets of numbers, joined by their smallest member."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, item: int) -> int:
        parent = self._parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    def join(self, first: int, second: int) -> None:
        low, high = sorted((self.find(first), self.find(second)))
        self._parent[high] = low
