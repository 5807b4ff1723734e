"""Linear classifiers by name: every one of them ends as a weight matrix and intercepts, and nothing else is kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline import logistic
from pipeline.packed import Packed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.config import Estimator


@dataclass
class Linear:
    """A linear decision function.

    Attributes
    ----------
    coef : ndarray of shape (n_outputs, n_features), float64, or float32 once `rounded`
    intercept : ndarray of shape (n_outputs,), float64
    """

    coef: NDArray[np.floating[Any]]
    intercept: NDArray[np.float64]

    def decision(self, X: csr_matrix | NDArray[np.float64]) -> NDArray[np.float64]:
        """Decision values, shape (n_articles, n_outputs)."""
        return np.asarray(X @ self.coef.T + self.intercept)


def rounded(linear: Linear) -> Linear:
    """The same model with weights of three digits: a third of the size on disk, and the same decisions to a thousandth.

    The last 13 bits of a single-precision number are cleared, so its relative error stays below 2 ** -11.
    """
    bits = linear.coef.astype(np.float32).view(np.uint32)
    return Linear(((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32), linear.intercept)


class Rotated:
    """Articles in a space of as many dimensions as there are articles: the same decisions, fitted fast.

    With X X' = L L' (Cholesky), the rows of L have the same dot products as the rows of X, and a penalty on the squared
    length of the weights does not notice a rotation: a model fitted on rows of L decides as one fitted on rows of X
    does (the representer theorem; Schölkopf, Herbrich and Smola, 2001). A few thousand articles have a few hundred
    thousand n-grams, so every fit after the first product is a hundred times smaller.

    Parameters
    ----------
    X : csr matrix of shape (n_articles, n_features)

    Attributes
    ----------
    Z : ndarray of shape (n_articles, n_articles), float64
    """

    MAX_ARTICLES = 6000

    def __init__(self, X: csr_matrix) -> None:
        from scipy.linalg import cholesky

        self._X = X
        gram = _gram(X)
        # copies of an article make the product singular; this much ridge does not move a decision's sixth digit
        gram[np.diag_indices_from(gram)] += 1e-9 * gram.trace() / len(gram)
        self.Z = cholesky(gram, lower=True, check_finite=False)

    @classmethod
    def suits(cls, settings: Estimator, X: csr_matrix) -> bool:
        """Whether the estimator does not notice a rotation, and the space gets smaller by it."""
        return settings.name in ("logistic_regression", "linear_svm") and X.shape[0] < min(X.shape[1], cls.MAX_ARTICLES)

    def back(self, linear: Linear) -> Linear:
        """The same decision function over the columns of X."""
        from scipy.linalg import solve_triangular

        alpha = solve_triangular(self.Z, linear.coef.T, lower=True, trans="T", check_finite=False)
        return Linear(np.ascontiguousarray((self._X.T @ alpha).T), linear.intercept)


def _gram(X: csr_matrix) -> NDArray[np.float64]:
    """X X' as a dense matrix: columns that many articles have by dense products, the long tail by a sparse one."""
    counts = np.bincount(X.indices, minlength=X.shape[1])
    common = np.nonzero(counts > X.shape[0] / 30)[0]
    columns = X.tocsc()
    gram = np.zeros((X.shape[0], X.shape[0]))
    for start in range(0, len(common), 2048):
        part = columns[:, common[start : start + 2048]].toarray()
        gram += part @ part.T
    rare = columns[:, np.nonzero(counts <= X.shape[0] / 30)[0]].tocsr()
    return np.asarray(gram + (rare @ rare.T).toarray())


class Task(NamedTuple):
    """One fit of many over the same articles.

    Attributes
    ----------
    settings : Estimator
    rows : ndarray of int
        What may be learned from.
    y : ndarray of shape (n_articles,), int
        Class of every article, also of those outside `rows`.
    within : ndarray of shape (n_articles,), int, optional
        Parts of the articles in each of which classes are balanced by themselves.
    """

    settings: Estimator
    rows: NDArray[np.int64]
    y: NDArray[np.int64]
    within: NDArray[np.int64] | None = None

    def weights(self, n_classes: int) -> NDArray[np.float64]:
        """What each of the rows weighs, shape (n_rows,)."""
        y = self.y[self.rows]
        if self.settings.class_weight == "none":
            return np.ones(len(y))
        part = np.zeros_like(y) if self.within is None else self.within[self.rows]
        count = np.bincount(part * n_classes + y, minlength=(part.max() + 1) * n_classes).reshape(-1, n_classes)
        balance = count.sum(axis=1)[part] / (n_classes * count[part, y])
        return np.asarray(np.sqrt(balance) if self.settings.class_weight == "softened" else balance)


def fit_tasks(
    X: csr_matrix | Packed | NDArray[np.float64],
    tasks: Sequence[Task],
    n_classes: int,
    *,
    seed: int,
    n_jobs: int,
    columns: NDArray[np.int64] | None = None,
) -> list[Linear]:
    """Fit many classifiers over the same articles: logistic regression all at once, others in threads.

    Parameters
    ----------
    X : csr matrix, Packed or ndarray of shape (n_articles, n_features)
    tasks : sequence of Task
        Of one estimator.
    n_classes, seed
        As for `fit_linear`.
    n_jobs : int
        Threads.
    columns : ndarray of int, optional
        Features to fit on; all of them if not given.

    Returns
    -------
    list of Linear
        With a weight for each of the columns.
    """
    if tasks[0].settings.name == "logistic_regression":
        if isinstance(X, np.ndarray):
            return _fit_logistic(X, tasks, n_classes)
        if isinstance(X, Packed) or min(X.shape) > Rotated.MAX_ARTICLES:
            X = X if isinstance(X, Packed) else Packed.of([X.copy()], X.shape[0])
            return _fit_many(X, tasks, n_classes, columns, seed, n_jobs)
    if isinstance(X, Packed):
        X = X.csr(np.arange(X.shape[0]))
    if columns is not None:
        X = X[:, columns]
    from joblib import Parallel, delayed

    return list(
        Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(fit_linear)(
                task.settings,
                X[task.rows],
                task.y[task.rows],
                n_classes,
                seed=seed,
                weights=None if task.within is None else task.weights(n_classes),
            )
            for task in tasks
        )
    )


def _fit_logistic(Z: NDArray[np.float64], tasks: Sequence[Task], n_classes: int) -> list[Linear]:
    classes = np.arange(1, 2) if n_classes == 2 else np.arange(n_classes)
    truth = np.stack([(task.y[:, None] == classes).astype(np.float64) for task in tasks], axis=1)
    weight = np.zeros((len(Z), len(tasks)))
    for column, task in enumerate(tasks):
        weight[task.rows, column] = task.settings.C * task.weights(n_classes)
    coef, intercept = logistic.fit(Z, truth, weight)
    return [Linear(c, i) for c, i in zip(coef, intercept, strict=True)]


def _fit_many(
    X: Packed,
    tasks: Sequence[Task],
    n_classes: int,
    columns: NDArray[np.int64] | None,
    seed: int,
    n_jobs: int,
) -> list[Linear]:
    from pipeline import dual
    from pipeline.features.plan import threads

    weight = np.zeros((X.shape[0], len(tasks)), np.float32)
    for column, task in enumerate(tasks):
        weight[task.rows, column] = task.settings.C * task.weights(n_classes)
    columns = np.arange(X.shape[1]) if columns is None else columns
    used = np.zeros(X.shape[1], dtype=bool)
    used[columns] = True
    y = np.stack([task.y for task in tasks], axis=1).astype(np.int16)
    coef, intercept = dual.fit(X, y, weight, n_classes, used=used, seed=seed, n_jobs=threads(n_jobs))
    return [Linear(c[:, columns], i) for c, i in zip(coef, intercept, strict=True)]


def fit_linear(
    settings: Estimator,
    X: csr_matrix | NDArray[np.float64],
    y: NDArray[np.int64],
    n_classes: int,
    *,
    seed: int,
    weights: NDArray[np.float64] | None = None,
) -> Linear:
    """Fit a classifier and keep its decision function.

    Parameters
    ----------
    settings : Estimator
        Name and settings.
    X : csr matrix or ndarray of shape (n_articles, n_features)
    y : ndarray of shape (n_articles,), int
        Class of each article, 0 to n_classes - 1. Every class must occur.
    n_classes : int
        2 gives one output (positive speaks for class 1), more give one output a class.
    seed : int
        For estimators that shuffle.
    weights : ndarray of shape (n_articles,), optional
        What each article weighs, in place of `class_weight`; naive Bayes does not look at it.

    Returns
    -------
    Linear
    """
    if settings.name == "dummy":
        share = np.bincount(y, minlength=n_classes) / len(y)
        log = np.log(np.maximum(share, 1e-12))
        intercept = np.array([log[1] - log[0]]) if n_classes == 2 else log
        return Linear(np.zeros((len(intercept), X.shape[1])), intercept)
    if settings.name == "complement_nb":
        return _complement_nb(settings, X, y, n_classes)
    if settings.class_weight == "softened" and weights is None:
        weights = Task(settings, np.arange(len(y)), y).weights(n_classes)
    if weights is not None:
        settings = settings.model_copy(update={"class_weight": "none"})
    estimator = _estimator(settings, n_classes, seed)
    with warnings.catch_warnings():
        from sklearn.exceptions import ConvergenceWarning

        # stopping at the iteration limit moves a decision value in its fourth digit, which calibration absorbs
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(X, y, sample_weight=weights)
    return Linear(
        np.asarray(estimator.coef_, dtype=np.float64), np.atleast_1d(np.asarray(estimator.intercept_, dtype=np.float64))
    )


def _estimator(settings: Estimator, n_classes: int, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression, SGDClassifier
    from sklearn.svm import LinearSVC

    weight = None if settings.class_weight == "none" else settings.class_weight
    if settings.name == "linear_svm":
        return LinearSVC(C=settings.C, class_weight=weight, random_state=seed, max_iter=2000)
    if settings.name == "sgd":
        return SGDClassifier(
            loss="log_loss", alpha=settings.alpha, class_weight=weight, random_state=seed, max_iter=100, tol=1e-4
        )
    # at the default of 1e-4, a decision value still moves in its second digit with the space that it was fitted in
    return LogisticRegression(C=settings.C, class_weight=weight, solver="lbfgs", tol=1e-5, max_iter=300)


def _complement_nb(settings: Estimator, X: csr_matrix, y: NDArray[np.int64], n_classes: int) -> Linear:
    """Complement naive Bayes (Rennie et al., 2003), whose class scores are linear in the features."""
    from sklearn.naive_bayes import ComplementNB

    model = ComplementNB(alpha=settings.alpha if "alpha" in settings.model_fields_set else 1.0, norm=True)
    model.fit(X.maximum(0), y)
    coef = np.asarray(model.feature_log_prob_)
    if n_classes == 2:
        return Linear(coef[1:] - coef[:1], np.zeros(1))
    return Linear(coef, np.zeros(n_classes))
