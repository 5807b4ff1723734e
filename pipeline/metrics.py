"""How good decisions and probabilities are, against labels; numbers only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

RESAMPLES = 1000


def multilabel(
    labels: Sequence[str], truth: Bools, decided: Bools, probabilities: NDArray[np.float64], *, seed: int = 0
) -> dict[str, Any]:
    """Metrics of a head that gives none, one or several labels.

    Parameters
    ----------
    labels : sequence of str
    truth, decided : ndarray of shape (n_articles, n_labels), bool
    probabilities : ndarray of shape (n_articles, n_labels)
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        By label: precision, recall, f1 with its 95 % interval, support, predicted, average_precision, ece. Overall:
        macro_f1, micro_f1, exact_match and hamming_loss, each with its interval, and n. A number that is undefined
        (precision without predictions, everything without support) is None; F1 is 0 when a label is missed altogether.
    """
    figures = _Figures(truth, decided, seed)
    per_label = figures.per_label(labels)
    for i, label in enumerate(labels):
        per_label[label]["average_precision"] = average_precision(truth[:, i], probabilities[:, i])
        per_label[label]["ece"] = calibration_error(truth[:, i], probabilities[:, i])
    return {
        "kind": "multilabel",
        "n": len(truth),
        "labels": per_label,
        "macro_f1": figures.overall("macro_f1"),
        "micro_f1": figures.overall("micro_f1"),
        "exact_match": figures.overall("exact_match"),
        "hamming_loss": figures.overall("hamming_loss"),
    }


def single(
    labels: Sequence[str],
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    *,
    applies: Bools | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Metrics of a head that gives exactly one label.

    Parameters
    ----------
    labels : sequence of str
    truth : ndarray of shape (n_articles,), int
        Number of the right label.
    probabilities : ndarray of shape (n_articles, n_labels)
    applies : ndarray of shape (n_articles,), bool, optional
        Articles to which the question applies; they are judged a second time by themselves.
    seed : int

    Returns
    -------
    dict
        As `multilabel`, with accuracy, confusion (rows are true labels) and, with `applies`, where_applicable.
    """
    decided = probabilities.argmax(axis=1)
    t, d = truth[:, None] == np.arange(len(labels)), decided[:, None] == np.arange(len(labels))
    figures = _Figures(t, d, seed)
    result: dict[str, Any] = {
        "kind": "single",
        "n": len(truth),
        "labels": figures.per_label(labels),
        "macro_f1": figures.overall("macro_f1"),
        "accuracy": figures.overall("exact_match"),
        "confusion": np.bincount(truth * len(labels) + decided, minlength=len(labels) ** 2)
        .reshape(len(labels), -1)
        .tolist(),
    }
    for i, label in enumerate(labels):
        result["labels"][label]["average_precision"] = average_precision(t[:, i], probabilities[:, i])
        result["labels"][label]["ece"] = calibration_error(t[:, i], probabilities[:, i])
    if applies is not None and applies.any() and not applies.all():
        result["where_applicable"] = single(labels, truth[applies], probabilities[applies], seed=seed)
    return result


def score(
    truth: Bools, decided: Bools, columns: Sequence[int], parts: NDArray[np.str_], *, seed: int = 0
) -> dict[str, Any]:
    """Mean F1 of some labels, averaged over parts of the articles.

    Parameters
    ----------
    truth, decided : ndarray of shape (n_articles, n_labels), bool
    columns : sequence of int
        The labels that count.
    parts : ndarray of shape (n_articles,)
        Which part each article belongs to.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict
        value, interval, and "parts": the mean F1 of each.
    """
    names = np.unique(parts)

    def of(rows: NDArray[np.int64]) -> list[float]:
        inside = [rows[parts[rows] == name] for name in names]
        return [float(f1(truth[part][:, columns], decided[part][:, columns]).mean()) for part in inside]

    found = dict(zip(names.tolist(), of(np.arange(len(truth))), strict=True))
    return _with_interval(lambda rows: float(np.mean(of(rows))), len(truth), seed) | {"parts": found}


def f1(truth: Bools, decided: Bools) -> NDArray[np.float64]:
    """F1 of each column; 0 where a label neither occurs nor is given, as in scikit-learn with zero_division=0."""
    both = (truth & decided).sum(axis=0)
    total = truth.sum(axis=0) + decided.sum(axis=0)
    return np.asarray(2 * both / np.maximum(total, 1))


def average_precision(truth: Bools, score: NDArray[np.float64]) -> float | None:
    """Area under the precision-recall curve by steps; None without support."""
    positives = int(truth.sum())
    if positives == 0:
        return None
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(score[order]) < 0, True)  # equal scores are one point of the curve
    precision, recall = hits[last] / (np.nonzero(last)[0] + 1), hits[last] / positives
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def calibration_bins(truth: Bools, probability: NDArray[np.float64], bins: int = 15) -> list[tuple[int, float, float]]:
    """Count, mean probability and share of positives in bins that hold equally many articles."""
    order = np.argsort(probability, kind="stable")
    return [
        (len(part), float(probability[part].mean()), float(truth[part].mean()))
        for part in np.array_split(order, min(bins, len(order)))
        if len(part)
    ]


def calibration_error(truth: Bools, probability: NDArray[np.float64], bins: int = 15) -> float:
    """Expected calibration error: mean distance of probability and share in equal-mass bins (Nguyen, O'Connor 2015)."""
    return float(
        sum(count * abs(mean - share) for count, mean, share in calibration_bins(truth, probability, bins)) / len(truth)
    )


class _Figures:
    """Figures of decisions, with 95 % intervals from common draws.

    All figures are made of counts, so that equal rows of truth and decisions are counted once, with a weight: a draw
    is a weight for each of a few dozen kinds of rows, however many articles there are.
    """

    OVERALL = ("macro_f1", "micro_f1", "exact_match", "hamming_loss")

    def __init__(self, truth: Bools, decided: Bools, seed: int) -> None:
        kinds, kind = np.unique(np.hstack([truth, decided]), axis=0, return_inverse=True)
        self._truth, self._decided = np.split(kinds.astype(np.int64), 2, axis=1)
        self._weight = np.bincount(kind.ravel(), minlength=len(kinds))
        self._values = self._of(self._weight)
        self._low, self._high = _bootstrap(
            lambda rows: self._of(np.bincount(kind.ravel()[rows], minlength=len(kinds))), len(truth), seed
        )

    def _of(self, weight: NDArray[np.int64]) -> NDArray[np.float64]:
        """F1 of each label, then the overall figures, for so many articles of each kind."""
        both = 2 * (weight @ (self._truth & self._decided))
        total = weight @ (self._truth + self._decided)
        wrong = (self._truth != self._decided).sum(axis=1)
        each = both / np.maximum(total, 1)
        n = weight.sum()
        overall = (
            each.mean(),
            both.sum() / max(total.sum(), 1),
            (weight @ (wrong == 0)) / n,
            (weight @ wrong) / (n * len(each)),
        )
        return np.append(each, overall)

    def overall(self, name: str) -> dict[str, Any]:
        """An overall figure and its interval."""
        i = self.OVERALL.index(name) - len(self.OVERALL)
        return {"value": float(self._values[i]), "interval": [float(self._low[i]), float(self._high[i])]}

    def per_label(self, labels: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Figures of each label, with the interval of F1."""
        gold, given = self._weight @ self._truth, self._weight @ self._decided
        both = self._weight @ (self._truth & self._decided)
        return {
            label: {
                "precision": float(both[i] / given[i]) if given[i] else None,
                "recall": float(both[i] / gold[i]) if gold[i] else None,
                "f1": float(self._values[i]),
                "f1_interval": [float(self._low[i]), float(self._high[i])],
                "support": int(gold[i]),
                "predicted": int(given[i]),
            }
            for i, label in enumerate(labels)
        }


def _with_interval(measure: Callable[[NDArray[np.int64]], float], n: int, seed: int) -> dict[str, Any]:
    low, high = _bootstrap(measure, n, seed)
    return {"value": measure(np.arange(n)), "interval": [float(low), float(high)]}


def _bootstrap(measure: Callable[[NDArray[np.int64]], Any], n: int, seed: int) -> tuple[Any, Any]:
    """95 % percentile interval over articles drawn with replacement (Efron, 1979)."""
    random = np.random.default_rng(seed)
    values = np.array([measure(random.integers(0, n, n)) for _ in range(RESAMPLES)])
    return np.percentile(values, 2.5, axis=0), np.percentile(values, 97.5, axis=0)
