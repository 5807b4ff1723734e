"""Driving the kernel: batches of texts in, documents as numbers out; makes room where the kernel runs out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features import alphabet, kernel
from pipeline.features.characters import Characters, entries
from pipeline.features.kernel import Corpus, Lists, Scratch
from pipeline.features.plan import Analysis
from pipeline.features.vocabulary import Index, new_lexicon, power_of_two
from pipeline.text import Normalizer

# Chunks that a reader remembers before it starts anew, and the characters and n-grams they may have.
MOST_CHUNKS = 1 << 19
MOST_CHARACTERS = 1 << 24
MOST_NGRAMS = 1 << 25

_UNPAIRED = "\ud800"  # stands in for a text that the table cannot read; the kernel asks for the plain path


def grown(array: NDArray[Any], size: int, axis: int = 0) -> NDArray[Any]:
    """A longer array with the same contents at its start."""
    shape = list(array.shape)
    shape[axis] = size
    larger = np.empty(shape, array.dtype)
    larger[tuple(slice(n) for n in array.shape)] = array
    return larger


def new_lists(n_blocks: int, n_chunks: int, n_ngrams: int) -> Lists:
    """Empty lists with room for so many."""
    return Lists(
        start=np.empty((n_blocks, n_chunks), np.int64),
        count=np.empty((n_blocks, n_chunks), np.int32),
        every=np.empty((n_blocks, n_chunks), np.int32),
        pool=np.empty(n_ngrams, np.int32),
        used=np.zeros(1, np.int64),
    )


class Reader:
    """Turns texts into chunks and chunks into lists of n-grams. One thread uses it at a time.

    Parameters
    ----------
    tables : Characters
        Tables of the normalization.
    normalizer : Normalizer
        The plain path for texts that the tables cannot read.
    analyses : list of Analysis
        The blocks.
    wholes : sequence of bool
        For each field, whether it is read as one chunk (``char``).
    indexes : list of Index
        Lookup tables of the blocks; in fit, empty ones that are filled.
    learn : bool, default=False
        Add what is new to the indexes.
    """

    def __init__(
        self,
        tables: Characters,
        normalizer: Normalizer,
        analyses: Sequence[Analysis],
        wholes: Sequence[bool],
        indexes: Sequence[Index],
        *,
        learn: bool = False,
        room: int = 1 << 12,
    ) -> None:
        self.tables, self.normalizer = tables, normalizer
        self.analyses, self.indexes, self.learn = list(analyses), list(indexes), learn
        self.wholes = np.array(wholes, np.uint8)
        n_blocks = len(self.analyses)
        self.fields = np.full((n_blocks, len(wholes)), -1, np.int64)
        for block, analysis in enumerate(self.analyses):
            self.fields[block, : len(analysis.fields)] = analysis.fields
        self.lexicon = new_lexicon(room, room * 8)
        self.lists = new_lists(n_blocks, room, room * 16)
        self.chunk_words = [new_lists(1, room, room * 2) if analysis.words else None for analysis in self.analyses]
        self.expanded = 0
        self.chunks = np.empty(room, np.int32)
        self.stream = np.empty(room, np.int32)
        self._stopped = np.zeros(1, np.int64)
        self._text_room(1 << 10)
        self._list_room(1 << 8)
        self._token_room(1 << 10)

    # -------------------------------------------------------------------------------------------------------- room

    def _text_room(self, n: int) -> None:
        n_chunks = n // 2 + 1  # a chunk and the white space after it
        self._buffer = np.empty(n, np.uint32)
        self._starts = np.empty(n_chunks, np.int64)
        self._lengths = np.empty(n_chunks, np.int64)
        self._found_keys = np.empty((n_chunks, 4), np.uint64)

    def _list_room(self, n: int) -> None:
        self._keys = np.empty(n, np.uint64)
        self._wide = np.empty(n, np.uint32)

    def _token_room(self, n: int) -> None:
        self._tokens = np.empty(n, np.int32)
        self._parents = np.empty(n, np.int64)
        self._token_keys = np.empty(n, np.uint64)

    def _chunk_room(self, text: int) -> None:
        """Room in the lexicon for one more text of so many characters."""
        lexicon = self.lexicon
        n_strings, n_characters = lexicon.used
        if n_strings + text > len(lexicon.spans):
            size = power_of_two(n_strings + text + len(lexicon.spans))
            slots = np.zeros((2 * size, 4), np.uint64)
            kernel.rehash_strings(slots, lexicon.keys, n_strings)
            lexicon = lexicon._replace(slots=slots, keys=grown(lexicon.keys, size), spans=grown(lexicon.spans, size))
            self.lists = self.lists._replace(
                **{name: grown(getattr(self.lists, name), size, 1) for name in ("start", "count", "every")}
            )
            self.chunk_words = [
                lists and lists._replace(start=grown(lists.start, size, 1), count=grown(lists.count, size, 1))
                for lists in self.chunk_words
            ]
        if n_characters + text > len(lexicon.pool):
            lexicon = lexicon._replace(pool=grown(lexicon.pool, power_of_two(2 * (n_characters + text))))
        self.lexicon = lexicon

    def _index_room(self, block: int, more: int, longest: int) -> None:
        """Room in a block's index for so many more n-grams, and words up to so many characters in all."""
        index = self.indexes[block]
        trie, words = index.trie, index.words
        nodes = int(trie.used[0]) + more
        if nodes > len(trie.keys) or 2 * nodes > len(trie.table):
            size = power_of_two(2 * nodes)
            table = np.zeros((2 * size, 2), np.uint64)
            kernel.rehash_keys(trie.table, table)
            trie = trie._replace(table=table, keys=grown(trie.keys, size))
        strings = int(words.used[0]) + longest
        if self.analyses[block].words and (strings > len(words.spans) or words.used[1] + longest > len(words.pool)):
            size = power_of_two(2 * strings)
            slots = np.zeros((2 * size, 4), np.uint64)
            kernel.rehash_strings(slots, words.keys, words.used[0])
            words = words._replace(
                slots=slots,
                keys=grown(words.keys, size),
                spans=grown(words.spans, size),
                pool=grown(words.pool, power_of_two(2 * (words.used[1] + longest))),
            )
        self.indexes[block] = index._replace(trie=trie, words=words)

    def _forget(self) -> None:
        """Start anew when the memory of chunks is full."""
        if (
            self.lexicon.used[0] > MOST_CHUNKS
            or self.lexicon.used[1] > MOST_CHARACTERS
            or self.lists.used[0] > MOST_NGRAMS
        ):
            self.lexicon.slots[:] = 0
            self.lexicon.used[:] = 0
            self.lists.used[:] = 0
            for lists in self.chunk_words:
                if lists is not None:
                    lists.used[:] = 0
            self.expanded = 0

    # ------------------------------------------------------------------------------------------------------- steps

    def read(self, texts: list[str]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Replace texts (all fields of the first document, of the second, ...) by chunks.

        Returns
        -------
        chunks : ndarray of int32
            A view that the next call overwrites.
        ends : ndarray of int64, shape (len(texts) + 1,)
            Where each text's chunks end.
        """
        if not self.learn:
            self._forget()
        n_texts = len(texts)
        lengths = np.fromiter(map(len, texts), np.int64, n_texts)
        encoded = "".join(texts).encode("utf-16-le", "surrogatepass")
        if len(encoded) != 2 * lengths.sum():
            stand_ins = [text if _is_basic(text) else _UNPAIRED for text in texts]
            lengths = np.fromiter(map(len, stand_ins), np.int64, n_texts)
            encoded = "".join(stand_ins).encode("utf-16-le", "surrogatepass")
        units = np.frombuffer(encoded, np.uint16)
        bounds = np.zeros(n_texts + 1, np.int64)
        np.cumsum(lengths, out=bounds[1:])
        longest = alphabet.LONGEST_EXPANSION * int(lengths.max(initial=0)) + 2
        if longest > len(self._buffer):
            self._text_room(power_of_two(longest))
        if len(units) + n_texts > len(self.chunks):
            self.chunks = np.empty(power_of_two(len(units) + n_texts), np.int32)
        ends = np.zeros(n_texts + 1, np.int64)
        first = 0
        while first < n_texts:
            first = self._tokenize(first, n_texts, units, bounds, -1, ends)
            if first == n_texts:
                break
            if self._stopped[0] == kernel.ROOM:
                self._chunk_room(len(self._buffer))
                continue
            normalized = entries(self.normalizer(texts[first]))
            n = len(normalized)
            if n + 2 > len(self._buffer):
                self._text_room(power_of_two(n + 2))
            self._buffer[:n] = normalized
            self._chunk_room(n + 1)
            if ends[first] + n + 1 > len(self.chunks):
                self.chunks = grown(self.chunks, power_of_two(2 * (len(self.chunks) + n)))
            first = self._tokenize(first, first + 1, units, bounds, n, ends)
        return self.chunks[: ends[-1]], ends

    def _tokenize(
        self, first: int, last: int, units: NDArray[Any], bounds: NDArray[Any], ready: int, ends: NDArray[Any]
    ) -> int:
        return kernel.tokenize(  # type: ignore[no-any-return]
            first, last, units, bounds, ready, self.tables.units, self.tables.expansions, self.wholes, self._buffer,
            self._starts, self._lengths, self._found_keys, self.lexicon, self.chunks, ends, self._stopped,
        )  # fmt: skip

    def expand(self) -> None:
        """List the n-grams of chunks that are new, for all blocks."""
        last = int(self.lexicon.used[0])
        if self.expanded < last:
            for block in range(len(self.analyses)):
                self.expand_block(block)
            self.expanded = last

    def expand_block(self, block: int) -> None:
        """List the n-grams of chunks that are new, for one block."""
        analysis = self.analyses[block]
        first, last = self.expanded, int(self.lexicon.used[0])
        longest = int(self.lexicon.spans[first:last, 1].max(initial=0)) + 2
        most = longest * (analysis.high - analysis.low + 1) + 1
        if not analysis.words and most > len(self._keys):
            self._list_room(power_of_two(most))
        while first < last:
            first = self._expand(first, last, block, analysis)
            if first < last:
                self._ngram_room(block, most)
                if self.learn:
                    self._index_room(block, most * analysis.high, longest)

    def _ngram_room(self, block: int, more: int) -> None:
        if self.lists.used[0] + more > len(self.lists.pool):
            size = power_of_two(int(self.lists.used[0]) + more + len(self.lists.pool))
            self.lists = self.lists._replace(pool=grown(self.lists.pool, size))
        words = self.chunk_words[block]
        if words is not None and words.used[0] + more > len(words.pool):
            size = power_of_two(int(words.used[0]) + more + len(words.pool))
            self.chunk_words[block] = words._replace(pool=grown(words.pool, size))

    def _expand(self, first: int, last: int, block: int, analysis: Analysis) -> int:
        index = self.indexes[block]
        if analysis.words:
            return kernel.expand_words(  # type: ignore[no-any-return]
                first, last, block, self.lexicon, index.words, index.word_columns, analysis.low == 1,
                index.trie.used[1], self.learn, self.lists, self.chunk_words[block],
            )  # fmt: skip
        return kernel.expand_characters(  # type: ignore[no-any-return]
            first, last, block, self.lexicon, analysis.padded, analysis.low, analysis.high,
            index.trie, self.learn, self.lists, self._keys, self._wide,
        )  # fmt: skip

    def corpus(self, chunks: NDArray[np.int32], ends: NDArray[np.int64]) -> Corpus:
        """Documents with an empty stream; `expand` comes before it, `cross` after it."""
        n_documents = (len(ends) - 1) // len(self.wholes)
        n_blocks = len(self.analyses)
        return Corpus(
            chunks=chunks,
            ends=ends,
            stream=self.stream,
            stream_ends=np.zeros((n_blocks, n_documents, 2), np.int64),
            stream_every=np.zeros((n_blocks, n_documents), np.int64),
            fields=self.fields,
        )

    def cross(self, corpus: Corpus, blocks: Sequence[int], filled: NDArray[np.int64]) -> Corpus:
        """Add the n-grams across chunks of these blocks to the stream."""
        n_documents = corpus.stream_ends.shape[1]
        for block in blocks:
            analysis = self.analyses[block]
            if not analysis.words or analysis.high < 2:
                continue
            first = 0
            while first < n_documents:
                index = self.indexes[block]
                n_words = int(index.words.used[0]) if self.learn else len(index.word_columns)
                first = kernel.cross(
                    first, n_documents, block, corpus, self.chunk_words[block], analysis.low, analysis.high, n_words,
                    index.trie, self.learn, filled, self._tokens, self._parents, self._token_keys,
                )  # fmt: skip
                if first == n_documents:
                    break
                # A document has fewer words than characters; what it may need is not known before it was counted.
                needed = len(self._tokens) * (analysis.high - 1)
                if filled[0] + needed <= len(corpus.stream):
                    self._token_room(2 * len(self._tokens))
                needed = len(self._tokens) * (analysis.high - 1)
                if filled[0] + needed > len(corpus.stream):
                    self.stream = grown(corpus.stream, power_of_two(int(filled[0]) + needed + len(corpus.stream)))
                    corpus = corpus._replace(stream=self.stream)
                if self.learn:
                    self._index_room(block, needed, 0)
        return corpus

    def scratch(self, n_columns: int) -> Scratch:
        """Zeroed counters for the chunks known now and so many columns."""
        n_chunks = len(self.lexicon.spans)
        n_words = n_columns // 64 + 1
        return Scratch(
            chunk_counts=np.zeros(n_chunks, np.int32),
            chunks=np.empty(n_chunks + 1, np.int32),
            counts=np.zeros(n_columns + 1, np.int32),
            columns=np.empty(n_columns + 8, np.int32),
            bits=np.zeros(n_words, np.uint64),
            bits_of_bits=np.zeros(n_words // 64 + 1, np.uint64),
        )


def _is_basic(text: str) -> bool:
    """Tell whether all characters lie in the basic plane."""
    return len(text.encode("utf-16-le", "surrogatepass")) == 2 * len(text)
