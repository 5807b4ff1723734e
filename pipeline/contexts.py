"""Weights of their own for the articles of a context, such as the target that a stance is towards.

What is learned of one target helps with another, but not everything: to every feature comes a copy for each context,
which is 0 outside of it (Daumé, Frustratingly easy domain adaptation, 2007). The shared weights then hold what all
contexts have in common, and they alone answer where the context is unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.estimators import Linear

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix


def spread(X: csr_matrix, places: NDArray[np.int64], n_contexts: int) -> csr_matrix:
    """Every feature, and for each context a copy of it and a constant.

    Parameters
    ----------
    X : csr matrix of shape (n_articles, n_features)
    places : ndarray of shape (n_articles,), int
        Number of each article's context, from 1; 0 for none.
    n_contexts : int

    Returns
    -------
    csr matrix of shape (n_articles, n_features + n_contexts * (n_features + 1))
    """
    from scipy.sparse import csr_matrix, diags, hstack

    copy = hstack([X, csr_matrix(np.ones((X.shape[0], 1)))], format="csr")
    own = [diags((places == place).astype(np.float64)) @ copy for place in range(1, n_contexts + 1)]
    return hstack([X, *own], format="csr")


def gather(linear: Linear, n_features: int, n_contexts: int) -> Linear:
    """What was fitted on spread features, as weights of the features themselves.

    Returns
    -------
    Linear
        The outputs without a context, then those of each context in turn.
    """
    shared, own = linear.coef[:, :n_features], linear.coef[:, n_features:]
    own = own.reshape(len(shared), n_contexts, n_features + 1)
    return Linear(
        np.concatenate([shared, *(shared + own[:, k, :-1] for k in range(n_contexts))]),
        np.concatenate([linear.intercept, *(linear.intercept + own[:, k, -1] for k in range(n_contexts))]),
    )
