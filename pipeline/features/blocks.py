"""Several named vectorizers over the fields of an article, side by side in one matrix, in one pass over the text."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from pipeline.errors import ConfigError
from pipeline.features.engine import BlockSpec, Engine, Learner
from pipeline.features.plan import FIELDS, TextPlan, plan_texts, threads
from pipeline.features.tfidf import ArabicTfidfVectorizer, checked

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

Texts = Sequence[str]


class TfidfBlocks(BaseEstimator):  # type: ignore[misc]
    """Named TF-IDF blocks over title, lede and body, stacked into one matrix.

    Each block equals its own vectorizer on the texts of its fields joined by line ends. Text that blocks share is
    normalized, cut and looked up once.

    Parameters
    ----------
    blocks : list of (str, tuple of str, ArabicTfidfVectorizer)
        Name, fields (out of ``FIELDS``) and vectorizer of each block. The vectorizers must agree in their
        normalization.
    n_jobs : int, default=1
        Threads for `transform`; -1 for all processors. The vectorizers' own is not looked at.

    Attributes
    ----------
    blocks_ : list of (str, tuple of str, ArabicTfidfVectorizer)
        The blocks with fitted vectorizers.

    Examples
    --------
    >>> blocks = TfidfBlocks(
    ...     [
    ...         ("words", ("title", "body"), ArabicTfidfVectorizer()),
    ...         ("letters", ("title",), ArabicTfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3))),
    ...     ]
    ... )
    >>> blocks.fit_transform(title=["سلام"], lede=[""], body=["في البيت"]).shape
    (1, 7)
    """

    def __init__(
        self, blocks: Sequence[tuple[str, tuple[str, ...], ArabicTfidfVectorizer]], *, n_jobs: int = 1
    ) -> None:
        self.blocks = blocks
        self.n_jobs = n_jobs

    def fit(self, title: Texts, lede: Texts, body: Texts) -> TfidfBlocks:
        """Learn the vocabulary of every block.

        Parameters
        ----------
        title, lede, body : sequence of str
            Raw texts of the articles, three parallel lists.

        Returns
        -------
        TfidfBlocks
            Itself.

        Raises
        ------
        ConfigError
            For a field with an unknown name, or blocks that differ in their normalization.
        ValueError
            As `ArabicTfidfVectorizer.fit` does.
        """
        self._fit(title, lede, body)
        return self

    def fit_transform(self, title: Texts, lede: Texts, body: Texts) -> csr_matrix:
        """Learn the vocabulary of every block and return the matrix.

        Parameters
        ----------
        title, lede, body : sequence of str
            Raw texts of the articles, three parallel lists.

        Returns
        -------
        csr_matrix of shape (n_documents, n_features)
            Columns of the blocks one after the other; rows have sorted indices.
        """
        learner = self._fit(title, lede, body)
        if learner is None:
            return self.transform(title, lede, body)
        return learner.matrix(self._idfs(), self._dtype())

    def _fit(self, title: Texts, lede: Texts, body: Texts) -> Learner | None:
        self.__dict__.pop("_cached_engine", None)
        blocks = [(name, tuple(fields), clone(vectorizer)) for name, fields, vectorizer in self.blocks]
        if any(vectorizer.vocabulary is not None for *_, vectorizer in blocks):
            for _, fields, vectorizer in blocks:
                vectorizer.fit(_joined(fields, title, lede, body))
            self.blocks_ = blocks
            return None
        steps, specs, texts = self._plan(blocks)
        learner = Learner(steps, specs, texts.wholes, self._documents(texts, title, lede, body))
        for (_, _, vectorizer), learned in zip(blocks, learner.learned, strict=True):
            vectorizer.take(learned, learner.n_documents)
        self.blocks_ = blocks
        return learner

    def add(self, name: str, fields: tuple[str, ...], vectorizer: ArabicTfidfVectorizer) -> None:
        """Put a fitted vectorizer beside the others."""
        self.__dict__.pop("_cached_engine", None)
        item = (name, fields, vectorizer)
        self.blocks, self.blocks_ = [*self.blocks, item], [*getattr(self, "blocks_", ()), item]

    def reweigh(self, title: Texts, lede: Texts, body: Texts, *, names: Collection[str] | None = None) -> TfidfBlocks:
        """Learn the inverse document frequencies anew, from other articles; the vocabulary stays.

        Parameters
        ----------
        title, lede, body : sequence of str
            Raw texts of the articles, three parallel lists.
        names : collection of str, optional
            Blocks that learn; all of them if not given.

        Returns
        -------
        TfidfBlocks
            Itself.
        """
        self.weigh(self.document_frequency([(title, lede, body)]), len(title), names=names)
        return self

    def document_frequency(self, batches: Iterable[tuple[Texts, Texts, Texts]]) -> NDArray[np.int64]:
        """How many articles, given as batches of titles, ledes and bodies, have the n-gram of each column."""
        engine, texts = self.compiled()
        found = np.zeros(engine.n_columns, np.int64)
        for fields in batches:
            found += engine.document_frequency(list(self._documents(texts, *fields)))
        return found

    def weigh(self, frequency: NDArray[np.int64], n_documents: int, *, names: Collection[str] | None = None) -> None:
        """Set inverse document frequencies from counts of each column; `names` as for `reweigh`."""
        for (name, _, vectorizer), columns in zip(self.blocks_, self.slices.values(), strict=True):
            if vectorizer.use_idf and (names is None or name in names):
                vectorizer.weigh(frequency[columns], n_documents)

    def transform(self, title: Texts, lede: Texts, body: Texts) -> csr_matrix:
        """Turn articles into rows.

        Parameters
        ----------
        title, lede, body : sequence of str
            Raw texts of the articles, three parallel lists.

        Returns
        -------
        csr_matrix of shape (n_documents, n_features)
            Columns of the blocks one after the other; rows have sorted indices.
        """
        engine, texts = self.compiled()
        documents = list(self._documents(texts, title, lede, body))
        return engine.matrix(documents, self._idfs(), self._dtype(), n_jobs=threads(self.n_jobs))

    def compiled(self) -> tuple[Engine, TextPlan]:
        """The fitted blocks' lookup tables, and which texts they read."""
        check_is_fitted(self, "blocks_")
        steps, specs, texts = self._plan(self.blocks_)
        if not hasattr(self, "_cached_engine"):
            terms = [vectorizer.terms for *_, vectorizer in self.blocks_]
            self._cached_engine = Engine(steps, specs, texts.wholes, terms, self._idfs())
        return self._cached_engine, texts

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """``block__n-gram`` of each column, an ndarray of str objects."""
        check_is_fitted(self, "blocks_")
        names = [f"{name}__{ngram}" for name, _, vectorizer in self.blocks_ for ngram in vectorizer.terms.strings()]
        return np.asarray(names, dtype=object)

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of each block."""
        check_is_fitted(self, "blocks_")
        found, start = {}, 0
        for name, _, vectorizer in self.blocks_:
            stop = start + len(vectorizer.term_lengths_)
            found[name] = slice(start, stop)
            start = stop
        return found

    def _idfs(self) -> list[NDArray[np.float64]]:
        return [vectorizer.factors() for *_, vectorizer in self.blocks_]

    def _dtype(self) -> Any:
        """The widest type of the blocks."""
        return np.result_type(*[np.dtype(vectorizer.dtype) for *_, vectorizer in self.blocks_]).type

    @staticmethod
    def _plan(blocks: Sequence[Any]) -> tuple[tuple[str, ...], list[BlockSpec], TextPlan]:
        steps = {vectorizer.build_preprocessor().steps for *_, vectorizer in blocks}
        if len(steps) != 1:
            raise ConfigError(
                f"blocks must share one normalization, found {len(steps)}", hint="Give all blocks the same steps."
            )
        texts = plan_texts([(fields, vectorizer.reads_whole) for _, fields, vectorizer in blocks])
        specs = [vectorizer.spec(fields) for (*_, vectorizer), fields in zip(blocks, texts.fields, strict=True)]
        return steps.pop(), specs, texts

    @staticmethod
    def _documents(texts: TextPlan, title: Texts, lede: Texts, body: Texts) -> Iterator[tuple[str, ...]]:
        columns = [checked(column) for column in (title, lede, body)]
        return texts.documents(zip(*columns, strict=True))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if not name.startswith("_cached")}


def _joined(fields: Sequence[str], title: Texts, lede: Texts, body: Texts) -> list[str]:
    columns = [dict(zip(FIELDS, (title, lede, body), strict=True))[field] for field in fields]
    return ["\n".join(parts) for parts in zip(*columns, strict=True)]
