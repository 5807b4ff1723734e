"""TF-IDF of raw Arabic text as a scikit-learn estimator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from pipeline.features import alphabet
from pipeline.features.engine import BlockSpec, Engine, Learner
from pipeline.features.learning import Learned, Pruning
from pipeline.features.plan import Analysis, threads
from pipeline.features.vocabulary import Terms
from pipeline.text import DEFAULT_STEPS, Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

_TOKEN = re.compile(r"(?u)\b\w\w+\b")
_WHITE_SPACE = re.compile(r"\s\s+")


class ArabicTfidfVectorizer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):  # type: ignore[misc, call-arg]
    """TF-IDF of raw Arabic text, normalization included.

    Gives what scikit-learn's ``TfidfVectorizer`` gives on the normalized text: the same columns in the same order, the
    same values (to rounding), tens of times faster. Parameters that it shares with ``TfidfVectorizer`` mean the same.

    Parameters
    ----------
    analyzer : {'word', 'char_wb', 'char'}, default='word'
        N-grams of words (two or more word characters), of characters within words, or of characters.
    ngram_range : tuple of (int, int), default=(1, 1)
        Shortest and longest n-gram.
    min_df, max_df : int or float, default=1 and 1.0
        Documents (int) or part of the documents (float) that an n-gram must and may occur in.
    max_features : int, optional
        Keep the n-grams that occur most often.
    stop_words : list of str, optional
        Words to pass over; they are normalized as the text is. Only for ``analyzer='word'``.
    vocabulary : mapping or iterable of str, optional
        N-grams (normalized), instead of learning them; a mapping gives their columns.
    binary : bool, default=False
        Count an n-gram once a document.
    norm : {'l1', 'l2'} or None, default='l2'
        Norm of the rows.
    use_idf, smooth_idf, sublinear_tf : bool, default=True, True, False
        As for ``TfidfTransformer``.
    normalization : sequence of str, default=DEFAULT_STEPS
        Steps of the `Normalizer`.
    dtype : {'float64', 'float32'} or numpy dtype, default='float64'
        Type of the matrix.
    n_jobs : int, default=1
        Threads for `transform`; -1 for all processors.

    Attributes
    ----------
    terms_ : ndarray of uint8
        The vocabulary as one UTF-8 text, in the order of the columns.
    term_lengths_ : ndarray of int32, shape (n_features,)
        Characters of each n-gram.
    idf_ : ndarray of shape (n_features,)
        Inverse document frequencies; only with ``use_idf``.
    normalization_version_ : str
        Version of the normalization that the vocabulary was learned with.

    Examples
    --------
    >>> vectorizer = ArabicTfidfVectorizer(use_idf=False, norm=None)
    >>> vectorizer.fit_transform(["ذهبَ إلى المدرسة", "المدرسه"]).toarray()
    array([[1., 1., 1.],
           [1., 0., 0.]])
    >>> list(vectorizer.get_feature_names_out())
    ['المدرسه', 'الي', 'ذهب']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "analyzer": [StrOptions({"word", "char_wb", "char"})],
        "ngram_range": [tuple, list],
        "min_df": [Interval(Real, 0, 1, closed="both"), Interval(Integral, 1, None, closed="left")],
        "max_df": [Interval(Real, 0, 1, closed="both"), Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "stop_words": [list, tuple, None],
        "vocabulary": [Mapping, HasMethods("__iter__"), None],
        "binary": ["boolean"],
        "norm": [StrOptions({"l1", "l2"}), None],
        "use_idf": ["boolean"],
        "smooth_idf": ["boolean"],
        "sublinear_tf": ["boolean"],
        "normalization": [list, tuple],
        "dtype": "no_validation",
        "n_jobs": [Integral],
    }

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        stop_words: Sequence[str] | None = None,
        vocabulary: Mapping[str, int] | Iterable[str] | None = None,
        binary: bool = False,
        norm: str | None = "l2",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        normalization: Sequence[str] = DEFAULT_STEPS,
        dtype: Any = "float64",
        n_jobs: int = 1,
    ) -> None:
        self.analyzer = analyzer
        self.ngram_range = ngram_range
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.stop_words = stop_words
        self.vocabulary = vocabulary
        self.binary = binary
        self.norm = norm
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.normalization = normalization
        self.dtype = dtype
        self.n_jobs = n_jobs

    # ------------------------------------------------------------------------------------------------------ fitting

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, raw_documents: Iterable[str], y: object = None) -> ArabicTfidfVectorizer:
        """Learn vocabulary and idf.

        Parameters
        ----------
        raw_documents : iterable of str
            Raw texts.
        y : object
            Ignored.

        Returns
        -------
        ArabicTfidfVectorizer
            Itself.

        Raises
        ------
        ValueError
            As scikit-learn does: a single string instead of an iterable, no n-grams found, none left by the limits.
        """
        self._fit(raw_documents)
        return self

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit_transform(self, raw_documents: Iterable[str], y: object = None) -> csr_matrix:
        """Learn vocabulary and idf and return the matrix, in one pass over the text.

        Parameters
        ----------
        raw_documents : iterable of str
            Raw texts.
        y : object
            Ignored.

        Returns
        -------
        csr_matrix of shape (n_documents, n_features)
            Rows have sorted indices.
        """
        if self.vocabulary is not None:
            texts = list(checked(raw_documents))
            self._fit(texts)
            return self.transform(texts)
        learner = self._fit(raw_documents)
        assert learner is not None
        return learner.matrix([self.factors()], self._dtype())

    def _fit(self, raw_documents: Iterable[str]) -> Learner | None:
        documents = [(text,) for text in checked(raw_documents)]
        if self.vocabulary is not None:
            self._forget()
            self._accept(Terms.of(_in_columns(self.vocabulary)))
            if self.use_idf:
                self.idf_ = np.ones(len(self.term_lengths_), self._dtype())
                frequency = self._engine().document_frequency(documents)
                self.weigh(frequency, len(documents))
            return None
        learner = Learner(tuple(self.normalization), [self.spec((0,))], [self.reads_whole], documents)
        self.take(learner.learned[0], learner.n_documents)
        return learner

    def take(self, learned: Learned, n_documents: int) -> None:
        """Become fitted with what was learned of the n-grams of so many documents."""
        self._forget()
        self._accept(learned.terms)
        if self.use_idf:
            self.weigh(learned.document_frequency, n_documents)

    def _forget(self) -> None:
        for name in [name for name in vars(self) if name.endswith("_") or name in ("_idf", "_cached_engine")]:
            delattr(self, name)

    def _accept(self, terms: Terms) -> None:
        self.terms_, self.term_lengths_ = terms
        self.normalization_version_ = Normalizer(self.normalization).version

    def weigh(self, document_frequency: NDArray[np.int64], n_documents: int) -> None:
        """Set ``idf_`` from the number of documents that have each n-gram."""
        frequency = document_frequency.astype(self._dtype()) + float(self.smooth_idf)
        self.idf_ = np.log(np.full_like(frequency, n_documents + int(self.smooth_idf)) / frequency) + 1.0

    # ------------------------------------------------------------------------------------------------- transforming

    def transform(self, raw_documents: Iterable[str]) -> csr_matrix:
        """Turn texts into rows.

        Parameters
        ----------
        raw_documents : iterable of str
            Raw texts.

        Returns
        -------
        csr_matrix of shape (n_documents, n_features)
            Rows have sorted indices.
        """
        self._check_fitted()
        documents = [(text,) for text in checked(raw_documents)]
        return self._engine().matrix(documents, [self.factors()], self._dtype(), n_jobs=threads(self.n_jobs))

    def inverse_transform(self, X: Any) -> list[NDArray[np.object_]]:
        """N-grams of each row that are not zero.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_documents, n_features)
            Rows.

        Returns
        -------
        list of ndarray of str
            One array a row.
        """
        from scipy.sparse import csr_matrix

        self._check_fitted()
        X = csr_matrix(X)
        names = self.get_feature_names_out()
        return [names[X.indices[start:stop]] for start, stop in zip(X.indptr, X.indptr[1:], strict=False)]

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """N-gram of each column, an ndarray of str objects."""
        self._check_fitted()
        return np.asarray(self.terms.strings(), dtype=object)

    @property
    def terms(self) -> Terms:
        """The vocabulary in the order of the columns."""
        return Terms(self.terms_, self.term_lengths_)

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Column of each n-gram, as a new dict."""
        self._check_fitted()
        return {term: column for column, term in enumerate(self.terms.strings())}

    @property
    def idf_(self) -> NDArray[np.float64]:
        """Inverse document frequency of each column."""
        if not hasattr(self, "_idf"):
            raise AttributeError(f"{type(self).__name__} has no idf_: it is not fitted, or does without (use_idf).")
        return self._idf

    @idf_.setter
    def idf_(self, value: NDArray[np.float64]) -> None:
        if not self.use_idf:
            raise ValueError("`idf_` cannot be set when `use_idf=False`.")
        self._check_fitted()
        value = np.asarray(value, self._dtype())
        if value.shape != self.term_lengths_.shape:
            raise ValueError(f"idf length = {len(value)} must be equal to vocabulary size = {len(self.term_lengths_)}")
        self._idf = value

    def factors(self) -> NDArray[np.float64]:
        """Inverse document frequencies, or ones without ``use_idf``."""
        if not self.use_idf:
            return np.ones(len(self.term_lengths_))
        check_is_fitted(self, "idf_")
        return self.idf_

    def _engine(self) -> Engine:
        spec = self.spec((0,))
        if not hasattr(self, "_cached_engine") or self._cached_engine.specs != [spec]:
            steps = self.build_preprocessor().steps
            self._cached_engine: Engine = Engine(steps, [spec], [self.reads_whole], [self.terms], [self.factors()])
        return self._cached_engine

    # -------------------------------------------------------------------------------------------- parts of the path

    def build_preprocessor(self) -> Normalizer:
        """The normalization, a callable from str to str."""
        return Normalizer(self.normalization)

    def build_tokenizer(self) -> Callable[[str], list[str]]:
        """A callable from a normalized text to its words."""
        return _TOKEN.findall

    def build_analyzer(self) -> Callable[[str], list[str]]:
        """A callable from a raw text to its n-grams: the plain path, which says what the kernel computes."""
        normalize, low, high = self.build_preprocessor(), *self._range()
        if self.analyzer == "word":
            stops = frozenset(self._stop_words())
            return lambda text: word_ngrams([t for t in _TOKEN.findall(normalize(text)) if t not in stops], low, high)
        if self.analyzer == "char_wb":
            return lambda text: [
                ngram for word in normalize(text).split() for ngram in padded_ngrams(f" {word} ", low, high)
            ]
        return lambda text: character_ngrams(_WHITE_SPACE.sub(" ", normalize(text)), low, high)

    def spec(self, fields: tuple[int, ...]) -> BlockSpec:
        """What the kernel has to know of a block over these fields."""
        self._validate_params()
        low, high = self._range()
        counts = alphabet.SUBLINEAR if self.sublinear_tf else alphabet.LINEAR
        return BlockSpec(
            Analysis(self.analyzer == "word", self.analyzer == "char_wb", low, high, fields),
            Pruning(self.min_df, self.max_df, self.max_features, self.binary),
            alphabet.BINARY if self.binary else counts,
            self.norm,
            self._stop_words() if self.analyzer == "word" else (),
        )

    @property
    def reads_whole(self) -> bool:
        """Whether n-grams cross white space between words (``analyzer='char'``)."""
        return self.analyzer == "char"

    def _range(self) -> tuple[int, int]:
        low, high = self.ngram_range
        if low > high:
            raise ValueError(
                f"Invalid value for ngram_range={self.ngram_range} lower boundary larger than the upper boundary."
            )
        if low < 1:
            raise ValueError(f"ngram_range={self.ngram_range} starts below 1.")
        return int(low), int(high)

    def _stop_words(self) -> tuple[str, ...]:
        normalize = self.build_preprocessor()
        # as in scikit-learn, a stop word that is no word stops nothing
        return tuple(sorted(filter(_TOKEN.fullmatch, {normalize(word) for word in self.stop_words or ()})))

    def _dtype(self) -> Any:
        dtype = np.dtype(self.dtype)
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"dtype must be float32 or float64, not {self.dtype!r}.")
        return dtype.type

    def _check_fitted(self) -> None:
        if self.vocabulary is not None and not hasattr(self, "terms_"):
            self._validate_params()
            self._accept(Terms.of(_in_columns(self.vocabulary)))
        check_is_fitted(self, "terms_")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in super().__getstate__().items() if not name.startswith("_cached")}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.requires_fit = self.vocabulary is None or self.use_idf
        return tags


def checked(raw_documents: Iterable[str]) -> Iterator[str]:
    """Pass texts on, and refuse what is no text."""
    if isinstance(raw_documents, str):
        raise ValueError("Iterable over raw text documents expected, string object received.")
    return map(_checked, raw_documents)


def _checked(text: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"a document must be a str, not {type(text).__name__}: {text!r}")
    return text


def _in_columns(vocabulary: Mapping[str, int] | Iterable[str]) -> list[str]:
    """Check a vocabulary as scikit-learn does, and give its n-grams in the order of their columns."""
    if isinstance(vocabulary, Mapping):
        missing = set(range(len(vocabulary))) - set(vocabulary.values())
        if len(set(vocabulary.values())) < len(vocabulary):
            raise ValueError("Vocabulary contains repeated indices.")
        if missing:
            raise ValueError(f"Vocabulary of size {len(vocabulary)} doesn't contain index {min(missing)}.")
        terms = sorted(vocabulary, key=vocabulary.__getitem__)
    else:
        terms = sorted(vocabulary) if isinstance(vocabulary, set | frozenset) else list(vocabulary)
        if len(set(terms)) != len(terms):
            raise ValueError("Duplicate term in vocabulary.")
    if not terms:
        raise ValueError("empty vocabulary passed to fit")
    return terms


def word_ngrams(words: list[str], low: int, high: int) -> list[str]:
    """N-grams of words, joined by blanks."""
    return [" ".join(words[i : i + n]) for n in range(low, high + 1) for i in range(len(words) - n + 1)]


def character_ngrams(text: str, low: int, high: int) -> list[str]:
    """N-grams of characters."""
    return [text[i : i + n] for n in range(low, high + 1) for i in range(len(text) - n + 1)]


def padded_ngrams(word: str, low: int, high: int) -> list[str]:
    """N-grams of characters of a word with its blanks; a word shorter than the shortest counts once."""
    return character_ngrams(word, min(low, len(word)), high)
