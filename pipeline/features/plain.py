"""The plain path from text to columns: the kernel's steps in numpy alone.

It does what the kernel does, a hundred times slower, without importing numba, which takes longer than to score a
few articles this way. Tests hold the two equal.
"""

from __future__ import annotations

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
        sequence, stops = _padded_words(text) if analysis.padded else _shortened(text)
        left = stops - np.arange(len(sequence))  # characters up to the end of the word
        starts_word = np.concatenate(([True], stops[1:] != stops[:-1])) if len(stops) else stops
        found = [np.empty(0, np.int64)]
        for length in range(1, min(analysis.high, int(left.max(initial=0))) + 1):
            # A word that is shorter than the shortest n-gram counts once, as it is.
            whole = analysis.padded & starts_word & (left == length)
            starts = np.flatnonzero(left >= length if length >= analysis.low else whole)
            if len(starts):
                windows = np.lib.stride_tricks.sliding_window_view(sequence, length)
                found.append(self._of_characters(windows[starts]))
        values = np.concatenate(found)
        numbers = (values >> 32) - 1
        return numbers[(values >= 0) & (numbers >= 0)], len(values)

    def _of_characters(self, windows: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Value of each n-gram, one a row of `windows`."""
        n, length = windows.shape
        packed = np.full(n, length <= PACKED) & ((windows & np.uint32(IS_CODED)) != 0).all(axis=1)
        keys = np.zeros(n, np.uint64)
        for i in range(min(length, PACKED)):
            keys |= (windows[:, i].astype(np.uint64) & np.uint64(_CODE)) << np.uint64(BITS * (PACKED - 1 - i))
        values = np.empty(n, np.int64)
        values[packed] = self._find(keys[packed])
        for row in np.flatnonzero(~packed):
            values[row] = self._find_path(windows[row].tolist())
        return values

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
            heads = parents[known].astype(np.uint64) << np.uint64(32)
            values[known] = self._find(heads | lasts[known].astype(np.uint64))
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


def _padded_words(text: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Stretches between white space, a blank on each side, one after the other; and where each character's ends."""
    inside = np.concatenate(([False], (text & np.uint32(SPACE)) == 0, [False]))
    starts = np.flatnonzero(~inside[:-1] & inside[1:])
    lengths = np.flatnonzero(inside[:-1] & ~inside[1:]) - starts + 2
    stops = np.cumsum(lengths)
    padded = np.full(lengths.sum(), BLANK, np.uint32)
    is_letter = np.ones(len(padded), bool)
    is_letter[stops - 1] = is_letter[stops - lengths] = False
    padded[is_letter] = text[inside[1:-1]]
    return padded, np.repeat(stops, lengths)


def _shortened(text: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The text with each run of two or more white spaces as one blank; and its end, for each character."""
    space = (text & np.uint32(SPACE)) != 0
    after = np.concatenate(([False], space))[:-1]
    before = np.concatenate((space, [False]))[1:]
    shortened = np.where(space & before & ~after, np.uint32(BLANK), text)[~(space & after)]
    return shortened, np.full(len(shortened), len(shortened))
