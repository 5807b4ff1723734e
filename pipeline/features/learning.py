"""Learning vocabularies: which n-grams there are, how many documents have each, which stay, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features import alphabet, kernel
from pipeline.features.alphabet import CODED
from pipeline.features.kernel import Corpus
from pipeline.features.reader import Reader
from pipeline.features.vocabulary import Terms, lexical_order, string_columns

_LETTERS = np.array([0, *CODED], np.uint32)  # character of each code


class Pruning(NamedTuple):
    """Which n-grams of a block stay; the parameters of scikit-learn's ``CountVectorizer``."""

    min_df: float = 1
    max_df: float = 1.0
    max_features: int | None = None
    binary: bool = False


class Learned(NamedTuple):
    """What was learned of a block.

    Attributes
    ----------
    terms : Terms
        The vocabulary, sorted by code points.
    document_frequency : ndarray of int64, shape (n_terms,)
        Documents that have each.
    """

    terms: Terms
    document_frequency: NDArray[np.int64]


def read_all(reader: Reader, batches: Iterable[list[str]]) -> Corpus:
    """Read all texts; the n-grams of their chunks are not listed yet."""
    pieces = [np.empty(0, np.int32)]
    counts = [np.zeros(1, np.int64)]
    for texts in batches:
        chunks, ends = reader.read(texts)
        pieces.append(chunks.copy())
        counts.append(np.diff(ends))
    return reader.corpus(np.concatenate(pieces), np.cumsum(np.concatenate(counts)))


def learn(
    reader: Reader, corpus: Corpus, prunings: Sequence[Pruning]
) -> tuple[list[Learned], Corpus, NDArray[np.int32]]:
    """Find all n-grams of the corpus and choose the vocabulary of each block.

    Returns
    -------
    learned : list of Learned
        One a block.
    corpus : Corpus
        The corpus with its stream; n-grams stand in it, and in the reader's lists, as numbers of columns.
    columns : ndarray of int32
        Column of each number; see `kernel.Weighting`.

    Raises
    ------
    ValueError
        As scikit-learn does: no n-gram was found, or none stays.
    """
    filled = np.zeros(1, np.int64)
    bounds = [0]
    list_bounds = [0]
    stream_bounds = [0]
    for block in range(len(reader.analyses)):
        reader.indexes[block].trie.used[1] = bounds[-1]
        reader.expand_block(block)
        index = reader.indexes[block]
        n_words = int(index.words.used[0])
        index.trie.used[1] = bounds[-1] + n_words
        corpus = reader.cross(corpus, [block], filled)
        bounds.append(bounds[-1] + n_words + int(reader.indexes[block].trie.used[0]))
        list_bounds.append(int(reader.lists.used[0]))
        stream_bounds.append(int(filled[0]))
    reader.expanded = int(reader.lexicon.used[0])

    n_documents = corpus.stream_ends.shape[1]
    seen = np.zeros((bounds[-1], 2), np.int32)
    kernel.count_documents(0, n_documents, corpus, reader.lists, reader.scratch(0), seen)
    learned: list[Learned] = []
    kept: list[NDArray[np.int64]] = []
    for block, pruning in enumerate(prunings):
        frequency = seen[bounds[block] : bounds[block + 1], 1].astype(np.int64)
        nodes = _staying(frequency, pruning, n_documents)
        nodes = nodes[_order(reader, block, nodes)]
        if pruning.max_features is not None and pruning.max_features < len(nodes):
            totals = frequency.astype(float)
            if not pruning.binary:
                node_range = (bounds[block], bounds[block + 1])
                in_lists = slice(list_bounds[block], list_bounds[block + 1])
                in_stream = slice(stream_bounds[block], stream_bounds[block + 1])
                totals = _occurrences(reader, corpus, block, node_range, in_lists, in_stream)
            # The same call as scikit-learn's, so that ties fall alike.
            nodes = nodes[np.sort((-totals[nodes]).argsort()[: pruning.max_features])]
        if not len(nodes):
            raise ValueError("After pruning, no terms remain. Try a lower min_df or a higher max_df.")
        kept.append(bounds[block] + nodes)
        learned.append(Learned(_spell(reader, block, nodes), frequency[nodes]))
    by_column = np.concatenate(kept)
    columns = np.argsort(-seen[by_column, 1], kind="stable").astype(np.int32)
    numbers = np.full(bounds[-1], -1, np.int32)
    numbers[by_column[columns]] = np.arange(len(columns), dtype=np.int32)
    kernel.relabel(numbers, corpus, reader.lists, reader.expanded)
    return learned, corpus, columns


def _staying(frequency: NDArray[np.int64], pruning: Pruning, n_documents: int) -> NDArray[np.int64]:
    """Nodes that min_df and max_df leave."""
    if not frequency.any():
        raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
    most, least = (
        limit * n_documents if isinstance(limit, float) else limit for limit in (pruning.max_df, pruning.min_df)
    )
    if most < least:
        raise ValueError("max_df corresponds to < documents than min_df")
    return np.flatnonzero((frequency >= max(least, 1)) & (frequency <= most))


def _occurrences(
    reader: Reader, corpus: Corpus, block: int, nodes: tuple[int, int], in_lists: slice, in_stream: slice
) -> NDArray[np.float64]:
    """How often each node of a block occurs in the corpus."""
    n_fields = len(reader.wholes)
    texts = np.repeat(np.arange(len(corpus.ends) - 1), np.diff(corpus.ends))
    mine = np.isin(texts % n_fields, reader.analyses[block].fields)
    n_chunks = int(reader.lexicon.used[0])
    times = np.bincount(corpus.chunks[mine], minlength=n_chunks)
    weights = np.repeat(times, reader.lists.count[block, :n_chunks])
    first, last = nodes
    within = np.bincount(reader.lists.pool[in_lists] - first, weights, minlength=last - first)
    across = np.bincount(corpus.stream[in_stream] - first, minlength=last - first)
    return (within + across).astype(float)


def _order(reader: Reader, block: int, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order of nodes by the strings they stand for."""
    if not len(nodes):
        return nodes
    keys = reader.indexes[block].trie.keys
    if not reader.analyses[block].words:
        if (keys[nodes] < np.uint64(alphabet.CHAIN)).all():
            return np.argsort(keys[nodes])  # codes ascend with their characters
        return lexical_order(string_columns(*_points(reader, block, nodes)))
    # Words consist of characters above the blank, so n-grams sort as tuples of words do.
    parts = _words_of(nodes, int(reader.indexes[block].words.used[0]), keys)
    used = np.zeros(int(reader.indexes[block].words.used[0]), bool)
    used[parts[parts >= 0]] = True
    words = np.flatnonzero(used)
    rank = np.zeros(len(used) + 1, np.uint64)  # the last entry is read for -1
    rank[words[lexical_order(string_columns(*_points(reader, block, words)))]] = np.arange(1, len(words) + 1)
    ranks = rank[parts]
    if ranks.shape[1] % 2:
        ranks = np.concatenate((ranks, np.zeros((len(ranks), 1), np.uint64)), axis=1)
    pairs = [(ranks[:, i] << np.uint64(32)) | ranks[:, i + 1] for i in range(0, ranks.shape[1], 2)]
    return lexical_order(pairs)


def _words_of(nodes: NDArray[np.int64], n_words: int, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Words of each n-gram, shape (n_nodes, longest), -1 after the last."""
    lasts: list[NDArray[np.int64]] = []
    heads = nodes
    while (heads >= n_words).any():
        longer = heads >= n_words
        key = keys[np.where(longer, heads - n_words, 0)]
        lasts.append(np.where(longer, (key & np.uint64(0xFFFFFFFF)).astype(np.int64), -1))
        heads = np.where(longer, (key >> np.uint64(32)).astype(np.int64), heads)
    parts = np.full((len(nodes), 1 + len(lasts)), -1, np.int64)
    parts[:, 0] = heads
    lengths = 1 + np.sum([last >= 0 for last in lasts], axis=0, dtype=np.int64) * np.ones(len(nodes), np.int64)
    for step, last in enumerate(lasts):
        rows = np.flatnonzero(last >= 0)
        parts[rows, lengths[rows] - 1 - step] = last[rows]
    return parts


def _points(reader: Reader, block: int, nodes: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Characters of n-grams, one after the other, and where each ends."""
    index = reader.indexes[block]
    ends = np.zeros(len(nodes) + 1, np.int64)
    points = np.empty(16 * len(nodes), np.uint32)
    while True:
        if reader.analyses[block].words:
            n_words = int(index.words.used[0])
            n = kernel.spell_words(nodes, n_words, index.trie.keys, index.words, _LETTERS, points, ends)
        else:
            n = kernel.spell_characters(nodes, index.trie.keys, _LETTERS, points, ends)
        if n <= len(points):
            return points[:n], ends
        points = np.empty(n, np.uint32)


def _spell(reader: Reader, block: int, nodes: NDArray[np.int64]) -> Terms:
    return Terms.of_points(*_points(reader, block, nodes))
