"""Interface first: the plain version over scikit-learn, to be replaced by the kernel behind the same names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.text import DEFAULT_STEPS, Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


class ArabicTfidfVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF of raw Arabic text, normalization included; what scikit-learn's `TfidfVectorizer` gives."""

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        stop_words: list[str] | None = None,
        vocabulary: Any = None,
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

    def _plain(self) -> TfidfVectorizer:
        params = {
            name: getattr(self, name)
            for name in (
                "analyzer", "min_df", "max_df", "max_features", "stop_words", "vocabulary", "binary", "norm",
                "use_idf", "smooth_idf", "sublinear_tf",
            )
        }
        return TfidfVectorizer(
            ngram_range=tuple(self.ngram_range), dtype=np.dtype(self.dtype).type, lowercase=False,
            preprocessor=Normalizer(self.normalization), **params,
        )

    def fit(self, raw_documents: Iterable[str], y: object = None) -> ArabicTfidfVectorizer:
        """Learn vocabulary and idf."""
        self.fit_transform(raw_documents)
        return self

    def fit_transform(self, raw_documents: Iterable[str], y: object = None) -> csr_matrix:
        """Learn vocabulary and idf, return the matrix."""
        self._inner = self._plain()
        return self._inner.fit_transform(raw_documents)

    def transform(self, raw_documents: Iterable[str]) -> csr_matrix:
        """Return the matrix, shape (n_documents, n_features)."""
        return self._inner.transform(raw_documents)

    def get_feature_names_out(self, input_features: object = None) -> NDArray[np.object_]:
        """N-grams by column."""
        return self._inner.get_feature_names_out()

    @property
    def vocabulary_(self) -> dict[str, int]:
        """Column of each n-gram."""
        return self._inner.vocabulary_

    @property
    def idf_(self) -> NDArray[np.float64]:
        """Inverse document frequencies."""
        return self._inner.idf_
