"""From decision values to probabilities to decisions, learned on scores of held-out folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.config import Threshold


class Calibration(Protocol):
    """Decision values in, probabilities out."""

    def __call__(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities for decision values."""


@dataclass
class Sigmoid:
    """One logistic curve a label (Platt, 1999), for labels that stand beside each other.

    Attributes
    ----------
    slope, offset : ndarray of shape (n_labels,), float64
    """

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __call__(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of shape (n_articles, n_labels)."""
        return _expit(decision * self.slope + self.offset)


@dataclass
class Isotonic:
    """One rising step curve a label (Zadrozny and Elkan, 2002), interpolated between its steps.

    Attributes
    ----------
    x, y : list of ndarray, float64
        Decision values and probabilities of each label's steps.
    """

    x: list[NDArray[np.float64]]
    y: list[NDArray[np.float64]]

    def __call__(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of shape (n_articles, n_labels)."""
        return np.column_stack(
            [np.interp(decision[:, i], x, y) for i, (x, y) in enumerate(zip(self.x, self.y, strict=True))]
        )


@dataclass
class MatrixScaling:
    """A softmax over a linear map of the scores (Guo et al., 2017), for labels that exclude each other.

    Attributes
    ----------
    matrix : ndarray of shape (n_classes, n_outputs), float64
    offset : ndarray of shape (n_classes,), float64
    """

    matrix: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __call__(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities of shape (n_articles, n_classes); rows sum to 1."""
        z = decision @ self.matrix.T + self.offset
        z = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(z / z.sum(axis=1, keepdims=True))


def fit_binary(kind: str, decision: NDArray[np.float64], truth: NDArray[np.int64]) -> Sigmoid | Isotonic:
    """Calibrate labels that stand beside each other.

    Parameters
    ----------
    kind : {"sigmoid", "isotonic", "none"}
        "none" reads the decision value of a logistic model as what it is, log odds.
    decision : ndarray of shape (n_articles, n_labels)
        Scores of models that had not seen the article.
    truth : ndarray of shape (n_articles, n_labels), 0 or 1
    """
    columns = range(decision.shape[1])
    if kind == "isotonic":
        from sklearn.isotonic import IsotonicRegression

        fitted = [
            IsotonicRegression(out_of_bounds="clip", y_min=1e-3, y_max=1 - 1e-3).fit(decision[:, i], truth[:, i])
            for i in columns
        ]
        return Isotonic([np.asarray(f.X_thresholds_) for f in fitted], [np.asarray(f.y_thresholds_) for f in fitted])
    if kind == "none":
        return Sigmoid(np.ones(decision.shape[1]), np.zeros(decision.shape[1]))
    pairs = [_platt(decision[:, i], truth[:, i]) for i in columns]
    return Sigmoid(np.array([a for a, _ in pairs]), np.array([b for _, b in pairs]))


def fit_exclusive(kind: str, decision: NDArray[np.float64], truth: NDArray[np.int64], n_classes: int) -> MatrixScaling:
    """Calibrate labels that exclude each other; `truth` holds class numbers. See `fit_binary`."""
    outputs = decision.shape[1]
    if kind == "none":
        matrix = np.eye(n_classes) if outputs == n_classes else np.array([[0.0], [1.0]])
        return MatrixScaling(matrix, np.zeros(n_classes))
    from sklearn.linear_model import LogisticRegression

    scale = decision.std(axis=0) + 1e-9
    # a weak penalty keeps a handful of articles, or a perfect separation, from demanding certainty
    model = LogisticRegression(C=10.0, max_iter=500).fit(decision / scale, truth)
    if n_classes == 2:
        return MatrixScaling(
            np.vstack([np.zeros(outputs), model.coef_[0] / scale]), np.array([0.0, model.intercept_[0]])
        )
    return MatrixScaling(model.coef_ / scale, model.intercept_)


def choose_threshold(rule: Threshold, probability: NDArray[np.float64], truth: NDArray[np.int64]) -> float:
    """The probability from which a label is given.

    "f1" takes the point of best F1; "precision" and "recall" the point that reaches `rule.at` at the least cost of the
    other; where no point reaches it, the one that comes nearest. Points lie halfway between neighbouring scores, so
    that the threshold does not sit on an article.
    """
    if rule.rule == "fixed":
        assert rule.at is not None
        return rule.at
    order = np.argsort(-probability, kind="stable")
    score, hit = probability[order], truth[order]
    last = np.append(score[1:] < score[:-1], True)  # equal scores fall on one side
    found = np.cumsum(hit)[last]
    taken = np.arange(1, len(hit) + 1)[last]
    score = score[last]
    precision, recall = found / taken, found / max(int(hit.sum()), 1)
    if rule.rule == "f1":
        best = int(np.argmax(2 * found / (taken + hit.sum())))
    else:
        wanted, other = (precision, recall) if rule.rule == "precision" else (recall, precision)
        good = wanted >= rule.at
        best = int(np.argmax(np.where(good, other, -1.0))) if good.any() else int(np.argmax(wanted))
    below = score[best + 1] if best + 1 < len(score) else 0.0
    return float(np.clip((score[best] + below) / 2, 0.01, 0.99))


def _platt(decision: NDArray[np.float64], truth: NDArray[np.int64]) -> tuple[float, float]:
    """Slope and offset by Newton's method, with Platt's smoothed targets so that separable scores stay finite."""
    positive = int(truth.sum())
    target = np.where(truth == 1, (positive + 1) / (positive + 2), 1 / (len(truth) - positive + 2))
    design = np.column_stack([decision, np.ones_like(decision)])
    weights = np.array([1.0, 0.0])
    for _ in range(100):
        p = _expit(design @ weights)
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = np.abs(step).max()
        weights = weights - step * min(1.0, 2.0 / max(size, 1e-12))
        if size < 1e-10:
            break
    # a falling curve would turn the label around: the scores then say nothing, and the base rate is the answer
    if weights[0] <= 0:
        return 0.0, float(np.log((positive + 1) / (len(truth) - positive + 1)))
    return float(weights[0]), float(weights[1])


def _expit(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * z)))
