"""Words that are used alike, learned from articles without labels: what a head learns of one, it learns of the others.

Words are alike by the words around them (`learn`), or by the articles they stand in (`directions`). A block of this
kind is TF-IDF over single words whose weights are tied: they can only be what is linear in some hundred coordinates of
each word. So a word that no labelled article has gets the weight that its neighbours earned. Once fitted, the weights
are those of words like any other; the coordinates are not needed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

WINDOW = 4
"""Words on each side that count as company."""

OWN = 5
"""What an occurrence in the labelled articles counts beside one in the others: their language is the one wanted."""

LEAST = 5
"""Occurrences below which a word's company says nothing of it."""

MOST = 6_000_000
"""Words of articles without labels that are read."""


class Background(tuple[list[str], list[str], list[str]]):
    """Titles, ledes and bodies of articles without labels, and what blocks have learned of them alone, by name."""

    learned: dict[str, Any]

    def __init__(self, _: Iterable[list[str]]) -> None:
        self.learned = {}


class Vectors(NamedTuple):
    """Words and what company they keep.

    Attributes
    ----------
    words : list of str
        By code points.
    documents : ndarray of shape (n_words,), int
        How many of the labelled articles have each.
    coordinates : ndarray of shape (n_words, n_components), float64
        Rows of length 1.
    """

    words: list[str]
    documents: NDArray[np.int64]
    coordinates: NDArray[np.float64]


def learn(
    own: Iterable[Sequence[str]], others: Iterable[Sequence[str]], components: int, max_words: int, seed: int = 0
) -> Vectors:
    """Learn words' coordinates from their company.

    Positive pointwise mutual information of words and the words around them, with context frequencies raised to 0.75,
    then a truncated singular value decomposition with the square roots of the singular values (Levy, Goldberg, Dagan,
    Improving distributional similarity with lessons learned from word embeddings, 2015).

    Parameters
    ----------
    own, others : iterable of sequence of str
        Words of labelled and of other articles, one list an article.
    components : int
        Coordinates of a word, at most.
    max_words : int
        The commonest so many words.
    seed : int
        Of the decomposition.

    Returns
    -------
    Vectors

    Raises
    ------
    ValueError
        Where hardly a word occurs often enough.
    """
    own, others = list(own), list(_first(others, MOST))
    count = Counter(chain.from_iterable(others))
    for word, times in Counter(chain.from_iterable(own)).items():
        count[word] += OWN * times
    words = sorted(word for word, times in count.most_common(max_words) if times >= LEAST)
    if len(words) < 3:
        raise ValueError("hardly a word occurs often enough to learn its company")
    number = {word: i for i, word in enumerate(words)}
    company = OWN * _together(own, number) + _together(others, number)
    documents = Counter(chain.from_iterable(map(set, own)))
    return Vectors(
        words,
        np.array([documents[word] for word in words], dtype=np.int64),
        _coordinates(company + company.T, min(components, len(words) - 1), seed),
    )


def directions(X: csr_matrix, components: int, seed: int = 0) -> NDArray[np.float64]:
    """The directions in which articles differ most, as coordinates of their words.

    Latent semantic analysis (Deerwester, Dumais, Furnas, Landauer, Harshman, 1990), by randomized projection (Halko,
    Martinsson, Tropp, 2011).

    Parameters
    ----------
    X : csr matrix of shape (n_articles, n_words)
        TF-IDF.
    components : int
        Directions, at most.
    seed : int
        Of the projection.

    Returns
    -------
    ndarray of shape (n_words, n_components), float64
        Columns are orthonormal.
    """
    from sklearn.utils.extmath import randomized_svd

    k = min(components, min(X.shape))
    _, _, right = randomized_svd(X.astype(np.float32), k, n_iter=3, random_state=seed)
    return np.ascontiguousarray(right.T, dtype=np.float64)


def _first(texts: Iterable[Sequence[str]], most: int) -> Iterator[Sequence[str]]:
    """As many texts as have so many words."""
    for text in texts:
        most -= len(text)
        if most < 0:
            return
        yield text


def _together(texts: Sequence[Sequence[str]], number: dict[str, int]) -> csr_matrix:
    """How often each word is followed by each other one within the window, shape (n_words, n_words)."""
    from scipy.sparse import csr_matrix

    gap = [-1] * WINDOW  # no company across articles
    flat = np.array([n for text in texts for n in (*(number.get(word, -1) for word in text), *gap)], dtype=np.int32)
    found = csr_matrix((len(number), len(number)), dtype=np.float32)
    for distance in range(1, WINDOW + 1):
        first, second = flat[:-distance], flat[distance:]
        both = (first >= 0) & (second >= 0)
        found += csr_matrix((np.ones(int(both.sum()), np.float32), (first[both], second[both])), shape=found.shape)
    return found


def _coordinates(company: csr_matrix, components: int, seed: int) -> NDArray[np.float64]:
    from scipy.sparse import csr_matrix
    from scipy.sparse.linalg import svds

    pairs = company.tocoo()
    times = np.asarray(company.sum(axis=1)).ravel()
    usual = times**0.75 / (times**0.75).sum()
    information = np.log(pairs.data / (times[pairs.row] * usual[pairs.col]))
    told = information > 0
    matrix = csr_matrix((information[told], (pairs.row[told], pairs.col[told])), shape=company.shape, dtype=np.float32)
    left, size, _ = svds(matrix, k=components, rng=seed)
    found = left.astype(np.float64) * np.sqrt(size)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(found / np.where(length > 0, length, 1.0))
