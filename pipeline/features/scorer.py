"""From text straight to linear scores, without the matrix; made to be loaded fast.

A scorer is compiled from fitted blocks and weights. Its state is a flat dict of arrays, among them the hash tables as
they lie in memory, so loading it is reading a file. Few articles are scored in numpy, before numba could be imported;
many by the kernel.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.features.alphabet import NORMS, POINT, SPECIAL, TABLED
from pipeline.features.plan import Analysis, TextPlan, threads, worth
from pipeline.features.soundness import check_numbers, check_tables, require
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.features.blocks import TfidfBlocks
    from pipeline.features.reader import Reader

Texts = Sequence[str]

FORMAT = 1
PLAIN_UP_TO = 200_000
"""Characters that are scored in numpy, where numba is not imported yet; above, importing it pays."""

_BATCH = 256
_PARTS = ("factors", "scale", "coef")


class Scores(NamedTuple):
    """What the scorer says of n articles.

    Attributes
    ----------
    scores : ndarray of shape (n, n_outputs), dtype float64
        ``X @ coef``, without any intercept.
    known, total : ndarray of shape (n,), dtype int64
        N-gram occurrences that the vocabulary has, and all of them; a part of known n-grams far below what is usual
        says that an article is unlike those the vocabulary comes from.
    """

    scores: NDArray[np.float64]
    known: NDArray[np.int64]
    total: NDArray[np.int64]

    def part(self, start: int, stop: int) -> Scores:
        """Views of the articles from start to stop."""
        return Scores(self.scores[start:stop], self.known[start:stop], self.total[start:stop])


class TfidfScorer:
    """Linear scores of raw articles; build it by `compile` or `from_state`. Threads may share it.

    Attributes
    ----------
    n_outputs : int
        Scores an article.
    normalization_version : str
        Version of the normalization that the vocabulary was learned with.
    """

    def __init__(self, state: dict[str, NDArray[Any]]) -> None:
        self._state = {name: np.require(array, requirements=["C", "W"]) for name, array in state.items()}
        meta = json.loads(bytes(self._state["meta"]))
        self.normalization_version: str = meta["normalization"]
        self._normalizer = Normalizer(meta["steps"])
        self._analyses = _analyses(meta)
        self._counting, self._norms = meta["counting"], [NORMS[norm] for norm in meta["norms"]]
        self._plan = TextPlan([tuple(source) for source in meta["sources"]], meta["wholes"], [])
        self.n_outputs = self._state["rows"].shape[1] - 1
        self._weighting = (
            np.array([worth(np.arange(TABLED), counting) for counting in self._counting]),
            np.array(self._counting, np.int64),
            np.array(self._norms, np.int64),
        )
        self._idle: list[tuple[Reader, Any]] = []
        self._parts: dict[str, NDArray[Any]] = {}

    # -------------------------------------------------------------------------------------------------- into and out

    @classmethod
    def compile(cls, blocks: TfidfBlocks, coef: NDArray[Any], scale: NDArray[Any] | None = None) -> TfidfScorer:
        """Build a scorer.

        Parameters
        ----------
        blocks : TfidfBlocks
            Fitted blocks.
        coef : array-like of shape (n_features, n_outputs)
            Weights of the columns for each output.
        scale : array-like of shape (n_features,), optional
            What each column is multiplied by beside them; kept apart, rounded weights stay short on disk.

        Returns
        -------
        TfidfScorer
            Gives what ``blocks.transform(...) @ coef`` gives, to single precision of the weights.
        """
        engine, plan = blocks.compiled()
        coef = np.asarray(coef, np.float64)
        if coef.ndim != 2 or len(coef) != engine.n_columns:
            raise ValueError(f"coef must have shape ({engine.n_columns}, n_outputs), not {coef.shape}.")
        factors = np.concatenate([vectorizer.factors() for *_, vectorizer in blocks.blocks_])[engine.columns]
        of_column = np.repeat(np.arange(len(engine.specs)), [len(v.term_lengths_) for *_, v in blocks.blocks_])
        meta = {
            "format": FORMAT,
            "normalization": blocks.blocks_[0][2].normalization_version_,
            "steps": engine.normalizer.steps,
            "analyses": [spec.analysis._asdict() for spec in engine.specs],
            "counting": [spec.counting for spec in engine.specs],
            "norms": [spec.norm for spec in engine.specs],
            "sources": plan.sources,
            "wholes": plan.wholes,
        }
        state: dict[str, NDArray[Any]] = {
            "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8),
            "units": engine.tables.units,
            "expansions": engine.tables.expansions,
            "blocks": of_column[engine.columns].astype(np.uint8),
            "factors": factors.astype(np.float32),
            "scale": np.ones(len(factors), np.float32) if scale is None else scale[engine.columns].astype(np.float32),
            "coef": coef[engine.columns].astype(np.float32),
        }
        for block, index in enumerate(engine.indexes):
            n_words, n_characters = index.words.used
            state |= {
                f"{block}.table": index.trie.table,
                f"{block}.slots": index.words.slots,
                f"{block}.spans": index.words.spans[:n_words],
                f"{block}.pool": index.words.pool[:n_characters],
                f"{block}.word_columns": index.word_columns,
            }
        return cls.from_state(state)

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that `from_state` needs, as arrays for ``np.savez``."""
        state = self._state | self._parts
        return {name: array for name, array in state.items() if not (self._parts and name == "rows")}

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]]) -> TfidfScorer:
        """Build a scorer from what `state` returned; a mapping such as ``np.load`` gives will do.

        Raises
        ------
        ValueError
            If the state is of a newer format, or none that the kernel can follow.
        """
        meta = json.loads(bytes(state["meta"]))
        if meta["format"] > FORMAT:
            raise ValueError(f"a scorer of format {meta['format']}, this version reads up to {FORMAT}")
        arrays: dict[str, NDArray[Any]] = {name: state[name] for name in list(state)}
        parts = {name: arrays.pop(name) for name in _PARTS if name in arrays}
        if parts:  # before, rows were kept made up
            arrays["rows"] = _rows(parts)
        check_tables(arrays, meta, _analyses(meta))
        scorer = cls(arrays)
        scorer._parts = parts
        return scorer

    # ------------------------------------------------------------------------------------------------------- scoring

    def scores(self, title: Texts, lede: Texts, body: Texts, *, n_jobs: int = 1) -> Scores:
        """Score articles.

        Parameters
        ----------
        title, lede, body : sequence of str
            Raw texts of the articles, three parallel lists.
        n_jobs : int, default=1
            Threads; -1 for all processors.

        Returns
        -------
        Scores
            Scores and numbers of n-grams.
        """
        documents = list(self._plan.documents(zip(title, lede, body, strict=True)))
        n, n_jobs = len(documents), threads(n_jobs)
        result = Scores(np.zeros((n, self.n_outputs)), np.zeros(n, np.int64), np.zeros(n, np.int64))
        if "numba" not in sys.modules and sum(len(text) for texts in documents for text in texts) <= PLAIN_UP_TO:
            self._score_plainly(documents, result)
        elif n_jobs == 1 or n < 2 * n_jobs:
            self._score(documents, result)
        else:
            step = -(-n // n_jobs)
            starts = range(0, n, step)
            with ThreadPoolExecutor(n_jobs) as pool:
                list(
                    pool.map(
                        lambda start: self._score(documents[start : start + step], result.part(start, start + step)),
                        starts,
                    )
                )
        return result

    def _score_plainly(self, documents: Sequence[Sequence[str]], result: Scores) -> None:
        """Score in numpy."""
        from pipeline.features.characters import entries
        from pipeline.features.plain import PlainIndex

        indexes = [PlainIndex(*self._tables(block)) for block in range(len(self._analyses))]
        blank = entries("\n")
        for row, texts in enumerate(documents):
            read = [self._entries(text) for text in texts]
            for block, analysis in enumerate(self._analyses):
                # Fields are joined by white space, so that no chunk crosses from one to the next.
                joined = [part for field in analysis.fields for part in (blank, read[field])][1:]
                found, every = indexes[block].ngrams(np.concatenate(joined), analysis)
                numbers, counts = np.unique(found, return_counts=True)
                rows = self._state["rows"][numbers].astype(np.float64)
                values = worth(counts, self._counting[block])
                weighted = values * rows[:, 0]
                size = [1.0, np.abs(weighted).sum(), np.sqrt((weighted**2).sum())][self._norms[block]]
                if size > 0.0:
                    result.scores[row] += values @ rows[:, 1:] / size
                result.known[row] += len(found)
                result.total[row] += every

    def _tables(self, block: int) -> list[NDArray[Any]]:
        return [self._state[f"{block}.{name}"] for name in ("table", "slots", "spans", "pool", "word_columns")]

    def _entries(self, text: str) -> NDArray[np.uint32]:
        """Entries of a raw text, by the table where it can be read so."""
        from pipeline.features.characters import entries

        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
        found: NDArray[np.uint32] = self._state["units"][units]
        special = (found & np.uint32(SPECIAL)) != 0
        if (found[special] & np.uint32(POINT)).any() or len(units) != len(text):
            return entries(self._normalizer.plainly(text))
        kept: NDArray[np.uint32] = found[~special]
        return kept

    def _reader(self) -> tuple[Reader, Any]:
        """A reader that no thread uses, and its counters."""
        try:
            return self._idle.pop()
        except IndexError:
            from pipeline.features.characters import Characters
            from pipeline.features.kernel import Lexicon, Trie
            from pipeline.features.reader import Reader
            from pipeline.features.vocabulary import Index

            state, none = self._state, np.empty((0, 2), np.uint64)
            indexes = []
            for block in range(len(self._analyses)):
                table, slots, spans, pool, columns = self._tables(block)
                used = np.array([len(spans), len(pool)], np.int64)
                trie = Trie(table, none[:, 0].copy(), np.zeros(2, np.int64))
                indexes.append(Index(trie, Lexicon(slots, none, spans, pool, used), columns))
            tables = Characters(state["units"], state["expansions"])
            reader = Reader(tables, self._normalizer, self._analyses, self._plan.wholes, indexes)
            return reader, None

    def _score(self, documents: Sequence[Sequence[str]], result: Scores) -> None:
        """Score by the kernel."""
        from pipeline.features import kernel

        reader, scratch = self._reader()
        for start in range(0, len(documents), _BATCH):
            batch = documents[start : start + _BATCH]
            chunks, ends = reader.read([text for texts in batch for text in texts])
            reader.expand()
            corpus = reader.cross(reader.corpus(chunks, ends), range(len(self._analyses)), np.zeros(1, np.int64))
            if scratch is None or len(scratch.chunk_counts) < len(reader.lexicon.spans):
                scratch = reader.scratch(len(self._state["rows"]))
            totals = np.zeros((len(batch), 2), np.int64)
            stop = start + len(batch)
            kernel.score(
                0, len(batch), corpus, reader.lists, scratch, *self._weighting, self._state["blocks"],
                self._state["rows"], result.scores[start:stop], totals,
            )  # fmt: skip
            result.known[start:stop], result.total[start:stop] = totals.T
        self._idle.append((reader, scratch))


def _rows(parts: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    """IDF of each column, and its weights times that."""
    require(set(parts) == set(_PARTS), "weights lack a part")
    check_numbers(parts["factors"], (-1,), np.float32, "factors")
    check_numbers(parts["scale"], parts["factors"].shape, np.float32, "scale")
    require(parts["coef"].ndim == 2, "coef has no outputs")
    check_numbers(parts["coef"], (len(parts["factors"]), -1), np.float32, "coef")
    return np.column_stack((parts["factors"], (parts["factors"] * parts["scale"])[:, None] * parts["coef"]))


def _analyses(meta: dict[str, Any]) -> list[Analysis]:
    return [Analysis(**{**block, "fields": tuple(block["fields"])}) for block in meta["analyses"]]
