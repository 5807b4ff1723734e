"""The plain path from text to columns: the kernel's steps in numpy alone.

It does what the kernel does, a hundred times slower, without importing numba, which takes longer than to score a
few articles this way. Tests hold the two equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.alphabet import (
    BITS,
    BLANK,
    CHAIN,
    GOLDEN,
    IS_CODED,
    LONG,
    MIX,
    PACKED,
    ROOT,
    SHORT,
    SPACE,
    SYMBOL,
    WORD,
)
from pipeline.features.plan import Analysis

_WORD = (1 << 64) - 1
_FIVE = (1 << BITS * PACKED) - 1
_CODE = (1 << BITS) - 1
_ONE = np.uint64(1)


class PlainIndex:
    """Lookup in the tables of a block; see `vocabulary.Index` for what they hold."""

    def __init__(
        self,
        table: NDArray[np.uint64],
        slots: NDArray[np.uint64],
        spans: NDArray[np.int64],
        pool: NDArray[np.uint32],
        word_columns: NDArray[np.int32],
    ) -> None:
        self.table, self.slots, self.spans, self.pool = table, slots, spans, pool
        self.word_columns = word_columns

    def ngrams(self, text: NDArray[np.uint32], analysis: Analysis) -> tuple[NDArray[np.int64], int]:
        """Numbers of the n-grams that have one, with repetitions, and how many n-grams there are in all.

        Parameters
        ----------
        text : ndarray of uint32
            Entries of a normalized text.
        analysis : Analysis
            Which n-grams.
        """
        if analysis.words:
            return self._of_words(text, analysis)
        found: list[NDArray[np.int64]] = []
        every = 0
        sequences = _padded_words(text) if analysis.padded else [_shortened(text)]
        for sequence in sequences:
            shortest = min(analysis.low, len(sequence)) if analysis.padded else analysis.low
            for length in range(max(1, shortest), min(analysis.high, len(sequence)) + 1):
                windows = np.lib.stride_tricks.sliding_window_view(sequence, length)
                every += len(windows)
                found.append(self._of_characters(windows))
        values = np.concatenate(found) if found else np.empty(0, np.int64)
        numbers = (values >> 32) - 1
        return numbers[(values >= 0) & (numbers >= 0)], every

    def _of_characters(self, windows: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Value of each n-gram, one a row of `windows`."""
        n, length = windows.shape
        if length <= PACKED and (windows & np.uint32(IS_CODED)).all():
            keys = np.zeros(n, np.uint64)
            for i in range(length):
                keys |= (windows[:, i].astype(np.uint64) & np.uint64(_CODE)) << np.uint64(BITS * (PACKED - 1 - i))
            return self._find(keys)
        return np.array([self._find_path(window.tolist()) for window in windows], np.int64)

    def _find_path(self, entries: list[int]) -> int:
        """Value of one n-gram, step by step."""
        fitting = 0
        while fitting < min(len(entries), PACKED) and entries[fitting] & IS_CODED:
            fitting += 1
        value, parent = -1, ROOT
        if fitting:
            packed = sum((entry & _CODE) << BITS * (PACKED - 1 - i) for i, entry in enumerate(entries[:fitting]))
            value = int(self._find(np.array([packed], np.uint64))[0])
        for entry in entries[fitting:]:
            if value >= 0:
                parent = value & 0xFFFFFFFF
            elif parent != ROOT or fitting:
                return -1
            key = CHAIN | parent << 22 | entry & SYMBOL
            value = int(self._find(np.array([key], np.uint64))[0])
            fitting = 1
        return value

    def _find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Value of each key, -1 where it is not there."""
        mask = np.uint64(len(self.table) - 1)
        mixed = (keys ^ (keys >> np.uint64(32))) * np.uint64(GOLDEN)
        slots = (mixed ^ (mixed >> np.uint64(29))) & mask
        values = np.full(len(keys), -1, np.int64)
        open_ = np.arange(len(keys))
        while len(open_):
            held = self.table[slots[open_], 0]
            here = held == keys[open_] + _ONE
            values[open_[here]] = self.table[slots[open_[here]], 1].astype(np.int64)
            open_ = open_[~here & (held != 0)]
            slots[open_] = (slots[open_] + _ONE) & mask
        return values

    def _of_words(self, text: NDArray[np.uint32], analysis: Analysis) -> tuple[NDArray[np.int64], int]:
        inside = np.concatenate(([False], (text & np.uint32(WORD)) != 0, [False]))
        starts = np.flatnonzero(~inside[:-1] & inside[1:])
        stops = np.flatnonzero(inside[:-1] & ~inside[1:])
        words = np.array(
            [self._find_word(text[i:j].tolist()) for i, j in zip(starts, stops, strict=True) if j - i >= 2], np.int64
        )
        columns = np.where(words >= 0, self.word_columns[words], -1) if len(self.word_columns) else words
        words, columns = words[columns != -2], columns[columns != -2]
        found = [columns[columns >= 0]] if analysis.low == 1 else []
        every = len(words) if analysis.low == 1 else 0
        parents = words
        for length in range(2, min(analysis.high, len(words)) + 1):
            parents, lasts = parents[: len(words) - length + 1], words[length - 1 :]
            known = (parents >= 0) & (lasts >= 0)
            values = np.full(len(lasts), -1, np.int64)
            values[known] = self._find((parents[known].astype(np.uint64) << np.uint64(32)) | lasts[known].astype(np.uint64))
            parents = np.where(values >= 0, (values & 0xFFFFFFFF) + len(self.word_columns), -1)
            if length >= analysis.low:
                every += len(lasts)
                numbers = (values >> 32) - 1
                found.append(numbers[(values >= 0) & (numbers >= 0)])
        return np.concatenate(found).astype(np.int64) if found else np.empty(0, np.int64), every

    def _find_word(self, entries: list[int]) -> int:
        """Number of a word, -1 where it is not known."""
        coded = len(entries) <= SHORT and all(entry & IS_CODED for entry in entries)
        if coded:
            key = 0
            for entry in entries:
                key = key << BITS | entry & _CODE
            upper, lower = key >> BITS * PACKED, key & _FIVE
        else:
            upper, lower = len(entries), 0
            for entry in entries:
                upper = (upper ^ entry) * MIX & _WORD
                lower = (lower + entry) * GOLDEN & _WORD
            upper, lower = upper | LONG, lower | 1
        mixed = (upper * MIX & _WORD ^ lower) * GOLDEN & _WORD
        mask = len(self.slots) - 1
        slot = (mixed ^ mixed >> 32) & mask
        while True:
            held = self.slots[slot].tolist()
            if held[1] == 0:
                return -1
            if held[0] == upper and held[1] == lower:
                start, length = self.spans[held[2]].tolist()
                if coded or self.pool[start : start + length].tolist() == entries:
                    return int(held[2])
            slot = (slot + 1) & mask


def _padded_words(text: NDArray[np.uint32]) -> list[NDArray[np.uint32]]:
    """Stretches between white space, a blank on each side."""
    inside = np.concatenate(([False], (text & np.uint32(SPACE)) == 0, [False]))
    starts = np.flatnonzero(~inside[:-1] & inside[1:])
    stops = np.flatnonzero(inside[:-1] & ~inside[1:])
    blank = np.array([BLANK], np.uint32)
    return [np.concatenate((blank, text[i:j], blank)) for i, j in zip(starts, stops, strict=True)]


def _shortened(text: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The text with each run of two or more white spaces as one blank."""
    space = (text & np.uint32(SPACE)) != 0
    after = np.concatenate(([False], space[:-1])) if len(space) else space
    before = np.concatenate((space[1:], [False])) if len(space) else space
    result = np.where(space & before & ~after, np.uint32(BLANK), text)
    kept: NDArray[np.uint32] = result[~(space & after)]
    return kept
