"""Labels that are probably wrong, by confident learning (Northcutt, Jiang and Chuang, 2021).

The method is used as published, over probabilities of models that had not seen the article; a dependency for its few
lines would be dearer than the lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.report.view import View

MOST = 40


def suspected(view: View) -> list[dict[str, Any]]:
    """Labels of a head that the models doubt, the most doubtful first.

    A label of a multilabel head is a question of its own, yes or no; a single head is one question over its labels.

    Returns
    -------
    list of dict
        position (in the view), label, given, suggested (for a multilabel head "has it" or "has it not") and margin: the
        probability of the suggested answer minus that of the given one.
    """
    found = []
    if view.multilabel:
        for i, label in enumerate(view.labels):
            p = view.probabilities[:, i]
            names = ("has it not", "has it")
            for row, given, other, margin in rank(view.truth[:, i].astype(int), np.column_stack([1 - p, p])):
                found.append((row, label, names[given], names[other], margin))
    else:
        for row, given, other, margin in rank(view.truth.argmax(axis=1), view.probabilities):
            found.append((row, view.name, view.labels[given], view.labels[other], margin))
    found.sort(key=lambda suspect: -suspect[-1])
    keys = ("position", "label", "given", "suggested", "margin")
    return [dict(zip(keys, suspect, strict=True)) for suspect in found[:MOST]]


def rank(labels: NDArray[np.int64], p: NDArray[np.float64]) -> list[tuple[int, int, int, float]]:
    """Articles whose label is confidently another one.

    Parameters
    ----------
    labels : ndarray of shape (n,), int
    p : ndarray of shape (n, n_classes)
        Probabilities out of fold.

    Returns
    -------
    list of (row, label, likely label, margin)
        An article counts as confidently of class j when p_j reaches the mean of p_j over the articles labelled j; of
        several such classes the likeliest is taken. The widest margin of p between the two classes comes first.
    """
    classes = p.shape[1]
    bar = np.array([p[labels == j, j].mean() if (labels == j).any() else np.inf for j in range(classes)])
    confident = np.where(p >= bar, p, -1.0)
    likely = confident.argmax(axis=1)
    rows = np.nonzero((confident.max(axis=1) >= 0) & (likely != labels))[0]
    margin = p[rows, likely[rows]] - p[rows, labels[rows]]
    order = np.argsort(-margin, kind="stable")
    return [
        (int(rows[k]), int(labels[rows[k]]), int(likely[rows[k]]), float(margin[k])) for k in order if margin[k] > 0
    ]
