"""Several named vectorizers over the fields of an article, side by side in one matrix (plain version)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from pipeline.features.tfidf import ArabicTfidfVectorizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELDS = ("title", "lede", "body")
Texts = Sequence[str]


def join(fields: Sequence[str], title: Texts, lede: Texts, body: Texts) -> list[str]:
    """Texts of the fields joined by line ends, one string a document."""
    columns = [dict(zip(FIELDS, (title, lede, body), strict=True))[field] for field in fields]
    return ["\n".join(parts) for parts in zip(*columns, strict=True)]


class TfidfBlocks(BaseEstimator):  # type: ignore[misc]
    """Named TF-IDF blocks over title, lede and body, stacked into one matrix.

    Parameters
    ----------
    blocks : list of (str, tuple of str, ArabicTfidfVectorizer)
        Name, fields (out of ``FIELDS``; several are joined by line ends) and vectorizer of each block.
    n_jobs : int, default=1
        Threads.
    """

    def __init__(
        self, blocks: list[tuple[str, tuple[str, ...], ArabicTfidfVectorizer]], *, n_jobs: int = 1
    ) -> None:
        self.blocks = blocks
        self.n_jobs = n_jobs

    def fit(self, title: Texts, lede: Texts, body: Texts) -> TfidfBlocks:
        """Fit every block; three parallel lists of raw text."""
        self.fit_transform(title, lede, body)
        return self

    def fit_transform(self, title: Texts, lede: Texts, body: Texts) -> sparse.csr_matrix:
        """Fit every block and return the matrix of shape (n_documents, n_features)."""
        return sparse.hstack(
            [vectorizer.fit_transform(join(fields, title, lede, body)) for _, fields, vectorizer in self.blocks],
            format="csr",
        )

    def transform(self, title: Texts, lede: Texts, body: Texts) -> sparse.csr_matrix:
        """Return the matrix of shape (n_documents, n_features)."""
        return sparse.hstack(
            [vectorizer.transform(join(fields, title, lede, body)) for _, fields, vectorizer in self.blocks],
            format="csr",
        )

    def get_feature_names_out(self) -> NDArray[np.object_]:
        """``block__n-gram`` by column."""
        names = [
            f"{name}__{ngram}" for name, _, vectorizer in self.blocks for ngram in vectorizer.get_feature_names_out()
        ]
        return np.asarray(names, dtype=object)

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of each block."""
        found, start = {}, 0
        for name, _, vectorizer in self.blocks:
            stop = start + len(vectorizer.get_feature_names_out())
            found[name] = slice(start, stop)
            start = stop
        return found
