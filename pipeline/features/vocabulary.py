"""Vocabularies as arrays: n-grams in order, stored as one text, and the tables that look them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features import alphabet, kernel
from pipeline.features.characters import entries
from pipeline.features.kernel import Lexicon, Trie


class Terms(NamedTuple):
    """Strings in two arrays, which load faster than a list of a million strings.

    Attributes
    ----------
    text : ndarray of uint8
        All strings, one after the other, in UTF-8.
    lengths : ndarray of int32, shape (n_terms,)
        Characters of each.
    """

    text: NDArray[np.uint8]
    lengths: NDArray[np.int32]

    @classmethod
    def of(cls, strings: Iterable[str]) -> Terms:
        """Pack strings."""
        strings = list(strings)
        lengths = np.fromiter(map(len, strings), np.int32, len(strings))
        return cls(_utf8("".join(strings)), lengths)

    @classmethod
    def of_points(cls, points: NDArray[np.uint32], ends: NDArray[np.int64]) -> Terms:
        """Pack strings given as code points; string k is ``points[ends[k]:ends[k + 1]]``."""
        return cls(_utf8(points.tobytes().decode("utf-32-le", "surrogatepass")), np.diff(ends).astype(np.int32))

    def joined(self) -> str:
        """All strings in one."""
        return self.text.tobytes().decode("utf-8", "surrogatepass")

    def strings(self) -> list[str]:
        """The strings."""
        joined = self.joined()
        stops = np.cumsum(self.lengths, dtype=np.int64).tolist()
        return [joined[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _utf8(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8).copy()


def power_of_two(least: float) -> int:
    """The smallest power of two that is not below `least`, and at least 64."""
    return 1 << max(6, int(np.ceil(np.log2(max(least, 1)))))


def new_lexicon(n_strings: int, n_characters: int) -> Lexicon:
    """An empty lexicon with room for so many."""
    return Lexicon(
        slots=np.zeros((power_of_two(2 * n_strings), 4), np.uint64),
        keys=np.empty((n_strings, 2), np.uint64),
        spans=np.empty((n_strings, 2), np.int64),
        pool=np.empty(n_characters, np.uint32),
        used=np.zeros(2, np.int64),
    )


def new_trie(n_nodes: int, first_number: int = 0) -> Trie:
    """An empty trie with room for so many nodes; in fit, node k has number ``first_number + k``."""
    return Trie(
        table=np.zeros((power_of_two(2 * n_nodes), 2), np.uint64),
        keys=np.empty(n_nodes, np.uint64),
        used=np.array([0, first_number], np.int64),
    )


def lexical_order(columns: Sequence[NDArray[np.uint64]]) -> NDArray[np.int64]:
    """Order of rows by their first column, then the second, and so on.

    Rows that one column leaves tied are few after the first columns, and only they are sorted on. Numpy sorts
    single integers several times faster than anything it can sort by comparison, so a tie's group and the rank of the
    next column go into one integer.
    """
    n = len(columns[0])
    rank = _group_starts(columns[0], np.zeros(n, np.int64))
    for column in columns[1:]:
        sizes = np.bincount(rank, minlength=n)
        tied = np.flatnonzero(sizes[rank] > 1)
        if not len(tied):
            break
        rank[tied] = _group_starts(column[tied], rank[tied])
    order = np.empty(n, np.int64)
    order[rank] = np.arange(n)
    return order


def _group_starts(keys: NDArray[np.uint64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """New rank of each row: its group's rank plus the number of rows of the group with a smaller key."""
    n = len(keys)
    positions = np.arange(n)
    if groups.any():
        order = np.argsort(keys)
        ranks = np.empty(n, np.uint64)
        ordered = keys[order]
        ranks[order] = np.cumsum(np.concatenate(([False], ordered[1:] != ordered[:-1])))
        keys = (groups.astype(np.uint64) << np.uint64(32)) | ranks
    order = np.argsort(keys)
    ordered, grouped = keys[order], groups[order]
    new_key = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    new_group = np.concatenate(([True], grouped[1:] != grouped[:-1]))
    starts = np.maximum.accumulate(np.where(new_key, positions, 0))
    group_starts = np.maximum.accumulate(np.where(new_group, positions, 0))
    result = np.empty(n, np.int64)
    result[order] = grouped + starts - group_starts
    return result


def string_columns(points: NDArray[np.uint32], ends: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
    """Strings as integers of three characters each, which sort like the strings."""
    lengths = np.diff(ends)
    padded = np.concatenate((points, np.zeros(3, np.uint32)))
    columns = []
    for start in range(0, max(1, int(lengths.max(initial=1))), 3):
        column = np.zeros(len(lengths), np.uint64)
        for offset in range(start, start + 3):
            inside = np.flatnonzero(lengths > offset)
            shift = np.uint64(21 * (2 - offset + start))
            column[inside] |= (padded[ends[inside] + offset].astype(np.uint64) + np.uint64(1)) << shift
        columns.append(column)
    return columns


class Index(NamedTuple):
    """Tables that find the columns of a block's n-grams.

    Attributes
    ----------
    trie : Trie
        N-grams of characters, or of two and more words.
    words : Lexicon
        Words in the vocabulary, whole or as a part of a longer n-gram; empty for blocks of characters.
    word_columns : ndarray of int32, shape (n_words,)
        Column of each word, -1 where it has none, -2 for a stop word.
    """

    trie: Trie
    words: Lexicon
    word_columns: NDArray[np.int32]


def build_index(terms: Terms, *, words: bool, columns: NDArray[np.int32], stop_words: Iterable[str] = ()) -> Index:
    """Tables for a vocabulary.

    Parameters
    ----------
    terms : Terms
        N-grams.
    words : bool
        They are n-grams of words, not of characters.
    columns : ndarray of int32, shape (n_terms,)
        Column of each.
    stop_words : iterable of str
        Words to be passed over.
    """
    stops = sorted(set(stop_words)) if words else []
    text = entries(terms.joined() + "".join(stops))
    lengths = np.concatenate((terms.lengths, np.fromiter(map(len, stops), np.int32, len(stops))))
    bounds = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    n = len(lengths)
    if not words:
        coded = bool((text & np.uint32(alphabet.IS_CODED)).all())
        short = int(lengths.max(initial=0)) <= alphabet.PACKED
        trie = new_trie(n if coded and short else len(text) + n)
        node_columns = np.full(len(trie.keys), -1, np.int32)
        kernel.learn_characters(text, bounds, trie, node_columns)
        kernel.label(trie, _renumbered(node_columns, columns))
        return Index(trie, new_lexicon(1, 1), np.empty(0, np.int32))
    n_blanks = int((text == alphabet.BLANK).sum())
    lexicon = new_lexicon(n + n_blanks, len(text))
    trie = new_trie(n_blanks + 1)
    word_columns = np.full(n + n_blanks, -1, np.int32)
    node_columns = np.full(n_blanks + 1, -1, np.int32)
    kernel.learn_words(text, bounds, lexicon, word_columns, trie, node_columns)
    kernel.label(trie, _renumbered(node_columns, columns))
    word_columns = word_columns[: lexicon.used[0]]
    is_stop = word_columns >= len(terms.lengths)
    word_columns = _renumbered(np.where(is_stop, -1, word_columns), columns)
    word_columns[is_stop] = -2
    return Index(trie, lexicon, word_columns)


def _renumbered(found: NDArray[Any], columns: NDArray[np.int32]) -> NDArray[np.int32]:
    """Terms' numbers replaced by their columns."""
    if not len(columns):
        return np.full(len(found), -1, np.int32)
    return np.where(found >= 0, columns[found], -1).astype(np.int32)
