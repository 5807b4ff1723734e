"""Fitting blocks and building their matrix, by the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features import alphabet, kernel
from pipeline.features.characters import characters
from pipeline.features.kernel import Corpus, Weighting
from pipeline.features.learning import Pruning, learn, read_all
from pipeline.features.plan import Analysis, worth
from pipeline.features.reader import Reader
from pipeline.features.vocabulary import Index, Terms, build_index, new_lexicon, new_trie
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

BATCH = 256  # documents that go through the kernel together


@dataclass(frozen=True)
class BlockSpec:
    """Everything about a block that is not learned."""

    analysis: Analysis
    pruning: Pruning
    counting: int
    norm: str | None
    stop_words: tuple[str, ...] = ()


def weighting(specs: Sequence[BlockSpec], idfs: Sequence[NDArray[np.float64]], columns: NDArray[np.int32]) -> Weighting:
    """What counts are worth in each block."""
    factors = np.concatenate([np.asarray(idf, np.float64) for idf in idfs])
    numbers = np.empty(len(columns), np.int32)
    numbers[columns] = np.arange(len(columns), dtype=np.int32)
    return Weighting(
        bounds=np.concatenate(([0], np.cumsum([len(idf) for idf in idfs], dtype=np.int64))),
        columns=columns,
        numbers=numbers,
        idf=factors[columns],
        tf=np.array([worth(np.arange(alphabet.TABLED), spec.counting) for spec in specs]),
        counting=np.array([spec.counting for spec in specs], np.int64),
        norm=np.array([alphabet.NORMS[spec.norm] for spec in specs], np.int64),
    )


def in_batches(documents: Iterable[Sequence[str]], size: int = BATCH) -> Iterator[list[str]]:
    """Fields of documents, one after the other, in lists of `size` documents."""
    source = iter(documents)
    while batch := list(islice(source, size)):
        yield [text for fields in batch for text in fields]


class Rows:
    """A sparse matrix that grows. What is reserved and not written to costs address space, not memory.

    Parameters
    ----------
    n_columns : int
        Columns.
    dtype : dtype
        Type of the values.
    reserve : int
        Values to make room for at first.
    n_documents : int, default=0
        Rows that are expected, if known: after some rows, room is made for all.
    """

    def __init__(self, n_columns: int, dtype: Any, reserve: int, n_documents: int = 0) -> None:
        self.n_columns, self.n_documents = n_columns, n_documents
        self.indices = np.empty(reserve, np.int32)
        self.values = np.empty(reserve, dtype)
        self.ends = [np.zeros(1, np.int64)]
        self.filled = self.n_rows = 0

    def add(self, corpus: Corpus, lists: kernel.Lists, scratch: kernel.Scratch, weights: Weighting) -> None:
        """Append the rows of a corpus."""
        n = corpus.stream_ends.shape[1]
        ends = np.empty(n + 1, np.int64)
        ends[0] = self.filled
        totals = np.zeros(2, np.int64)
        first = 0
        while True:
            first = kernel.emit(first, n, corpus, lists, scratch, weights, self.indices, self.values, ends, totals)
            if first == n:
                break
            self._make_room(int(ends[first]), self.n_rows + first)
        self.filled = int(ends[-1])
        self.n_rows += n
        self.ends.append(ends[1:])

    def _make_room(self, filled: int, n_rows: int) -> None:
        """Room for the rows that are expected at the present mean, a tenth more, and any one row."""
        expected = 1.1 * filled * self.n_documents / n_rows if n_rows else 0.0
        size = int(max(expected, 1.5 * filled)) + self.n_columns + 1
        self.indices = _moved(self.indices[:filled], size)
        self.values = _moved(self.values[:filled], size)

    def matrix(self) -> csr_matrix:
        """Everything written so far; the rows must not be added to afterwards."""
        from scipy.sparse import csr_matrix

        # Shrinking in place gives the rest of the room back.
        self.indices.resize(self.filled, refcheck=False)
        self.values.resize(self.filled, refcheck=False)
        ends = np.concatenate(self.ends)
        if self.filled <= np.iinfo(np.int32).max:
            ends = ends.astype(np.int32)
        result = csr_matrix((len(ends) - 1, self.n_columns), dtype=self.values.dtype)
        result.indptr, result.indices, result.data = ends, self.indices, self.values
        result.has_sorted_indices = True
        result.has_canonical_format = True
        return result


def joined(parts: Sequence[Rows], pool: ThreadPoolExecutor) -> Rows:
    """Rows one below the other; the pool's threads copy them."""
    starts = np.concatenate(([0], np.cumsum([part.filled for part in parts])))
    whole = Rows(parts[0].n_columns, parts[0].values.dtype, int(starts[-1]))
    whole.filled = int(starts[-1])
    whole.ends += [start + end for part, start in zip(parts, starts, strict=False) for end in part.ends[1:]]

    def copy(part: Rows, start: int) -> None:
        whole.indices[start : start + part.filled] = part.indices[: part.filled]
        whole.values[start : start + part.filled] = part.values[: part.filled]

    list(pool.map(copy, parts, starts))
    return whole


def _moved(values: NDArray[Any], size: int) -> NDArray[Any]:
    """Values at the start of a new array; unlike ``ndarray.resize`` it leaves the rest untouched."""
    larger = np.empty(size, values.dtype)
    larger[: len(values)] = values
    return larger


class Learner:
    """Blocks while they are fitted.

    Parameters
    ----------
    steps : tuple of str
        Normalization.
    specs : sequence of BlockSpec
        The blocks.
    wholes : sequence of bool
        For each field, whether it is read as one chunk.
    documents : iterable of sequences of str
        The fields of each document.
    """

    def __init__(
        self,
        steps: tuple[str, ...],
        specs: Sequence[BlockSpec],
        wholes: Sequence[bool],
        documents: Iterable[Sequence[str]],
    ) -> None:
        tables = characters(steps)
        self.specs = specs
        self.reader = Reader(
            tables,
            Normalizer(steps),
            [spec.analysis for spec in specs],
            wholes,
            [_index_to_fill(spec) for spec in specs],
            learn=True,
            room=1 << 16,
        )
        corpus = read_all(self.reader, in_batches(documents))
        self.n_documents = corpus.stream_ends.shape[1]
        self.learned, self.corpus, self._columns = learn(self.reader, corpus, [spec.pruning for spec in specs])

    def matrix(self, idfs: Sequence[NDArray[np.float64]], dtype: Any) -> csr_matrix:
        """The matrix of the documents."""
        n_columns = sum(map(len, idfs))
        n_values = int(sum(learned.document_frequency.sum() for learned in self.learned))
        rows = Rows(n_columns, dtype, n_values)
        weights = weighting(self.specs, idfs, self._columns)
        rows.add(self.corpus, self.reader.lists, self.reader.scratch(n_columns), weights)
        return rows.matrix()


def _index_to_fill(spec: BlockSpec) -> Index:
    """An index without n-grams; the stop words of a block of words are in it."""
    if spec.stop_words:
        none = Terms.of([])
        stops = build_index(none, words=True, columns=np.empty(0, np.int32), stop_words=spec.stop_words)
        return stops._replace(trie=new_trie(1 << 12))
    return Index(new_trie(1 << 12), new_lexicon(1 << 12, 1 << 15), np.empty(0, np.int32))


class Engine:
    """Fitted blocks at work. Threads may share it.

    Parameters
    ----------
    steps, specs, wholes
        As for `Learner`.
    terms : sequence of Terms
        The vocabulary of each block.
    idfs : sequence of ndarray
        Inverse document frequencies, which tell the frequent n-grams from the rare ones.
    """

    def __init__(
        self,
        steps: tuple[str, ...],
        specs: Sequence[BlockSpec],
        wholes: Sequence[bool],
        terms: Sequence[Terms],
        idfs: Sequence[NDArray[np.float64]],
    ) -> None:
        self.specs, self.wholes = specs, wholes
        self.tables, self.normalizer = characters(steps), Normalizer(steps)
        self.columns = np.argsort(np.concatenate(idfs), kind="stable").astype(np.int32)
        self.n_columns = len(self.columns)
        numbers = np.empty(self.n_columns, np.int32)
        numbers[self.columns] = np.arange(self.n_columns, dtype=np.int32)
        stops = np.cumsum([len(idf) for idf in idfs])[:-1]
        self.indexes = [
            build_index(block, words=spec.analysis.words, columns=own, stop_words=spec.stop_words)
            for spec, block, own in zip(specs, terms, np.split(numbers, stops), strict=True)
        ]
        self._idle: list[Reader] = []

    def _reader(self) -> Reader:
        """A reader that no thread uses; it remembers the chunks of earlier texts."""
        try:
            return self._idle.pop()
        except IndexError:
            return Reader(
                self.tables, self.normalizer, [spec.analysis for spec in self.specs], self.wholes, self.indexes
            )

    def matrix(
        self,
        documents: Sequence[Sequence[str]],
        idfs: Sequence[NDArray[np.float64]],
        dtype: Any,
        *,
        n_jobs: int = 1,
    ) -> csr_matrix:
        """The matrix of documents (fields of each)."""
        weights = weighting(self.specs, idfs, self.columns)
        if n_jobs == 1:
            return self._part(documents, weights, dtype).matrix()
        step = max(1, -(-len(documents) // n_jobs))
        parts = [documents[start : start + step] for start in range(0, len(documents), step)] or [[]]
        with ThreadPoolExecutor(n_jobs) as pool:
            return joined(list(pool.map(lambda part: self._part(part, weights, dtype), parts)), pool).matrix()

    def document_frequency(self, documents: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Number of documents that have each column."""
        reader = self._reader()
        seen = np.zeros((self.n_columns, 2), np.int32)
        for texts in in_batches(documents):
            corpus = self._read(reader, texts)
            seen[:, 0] = 0  # documents are numbered anew in each batch
            n = corpus.stream_ends.shape[1]
            kernel.count_documents(0, n, corpus, reader.lists, reader.scratch(0), seen)
        self._idle.append(reader)
        frequency = np.empty(self.n_columns, np.int64)
        frequency[self.columns] = seen[:, 1]
        return frequency

    def _read(self, reader: Reader, texts: list[str]) -> Corpus:
        """Documents as numbers of columns."""
        chunks, ends = reader.read(texts)
        reader.expand()
        return reader.cross(reader.corpus(chunks, ends), range(len(self.specs)), np.zeros(1, np.int64))

    def _part(self, documents: Sequence[Sequence[str]], weights: Weighting, dtype: Any) -> Rows:
        reader = self._reader()
        scratch = None
        rows = Rows(self.n_columns, dtype, 1 << 16, len(documents))
        for texts in in_batches(documents):
            corpus = self._read(reader, texts)
            if scratch is None or len(scratch.chunk_counts) < len(reader.lexicon.spans):
                scratch = reader.scratch(self.n_columns)
            rows.add(corpus, reader.lists, scratch, weights)
        self._idle.append(reader)
        return rows
