"""Sections about single labels: thresholds, calibration; and about how labels go together."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline import metrics
from pipeline.report.view import View, counts

STEP = 0.05
RELIABLE = 30
"""Articles with a label (and without it) from which a calibration curve means something."""
CURVE_POINTS = 60


def thresholds(view: View) -> list[dict[str, Any]]:
    """For each label of a multilabel head: the curve, the chosen point and its rule, and what moving it would cost."""
    found = []
    for i, label in enumerate(view.labels):
        t, p, chosen = view.truth[:, i], view.probabilities[:, i], view.rule.thresholds[i]
        rule = view.head.threshold
        found.append(
            {
                "label": label,
                "threshold": chosen,
                "nearest": int(np.clip(round(chosen * 20), 1, 19)) - 1,
                "rule": rule.rule if rule.at is None else f"{rule.rule} {rule.at:g}",
                "at": point(t, p, chosen),
                "around": [point(t, p, s) for s in (chosen - STEP, chosen, chosen + STEP) if 0 < s < 1],
                "table": [point(t, p, s) for s in np.arange(1, 20) / 20],
                "curve": curve(t, p),
                "edge": not 0.03 < chosen < 0.97,
            }
        )
    return found


def point(truth: Any, p: Any, threshold: float) -> dict[str, Any]:
    """Precision, recall and F1 of one label with the threshold there."""
    cells = counts(truth, p >= threshold)
    return {"threshold": float(threshold), "given": cells["right"] + cells["extra"]} | {
        key: cells[key] for key in ("precision", "recall", "f1", "missed", "extra")
    }


def curve(truth: Any, p: Any) -> list[list[float]]:
    """Recall and precision at falling thresholds, thinned to what a drawing needs; empty without support."""
    if not truth.any():
        return []
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(p[order]) < 0, True)
    recall, precision = hits[last] / truth.sum(), hits[last] / (np.nonzero(last)[0] + 1)
    evenly = np.searchsorted(recall, np.linspace(0, 1, CURVE_POINTS))
    picked = np.unique(np.clip([*evenly, 0, len(recall) - 1], 0, len(recall) - 1))
    return [[float(recall[k]), float(precision[k])] for k in picked]


def calibration(view: View) -> list[dict[str, Any]]:
    """For each label: its bins (articles, mean probability, share with the label) and the error over them."""
    found = []
    for i, label in enumerate(view.labels):
        t, p = view.truth[:, i], view.probabilities[:, i]
        bins = metrics.calibration_bins(t, p)
        found.append(
            {
                "label": label,
                "ece": metrics.calibration_error(t, p),
                "bins": bins,
                "reliable": bool(min(t.sum(), (~t).sum()) >= RELIABLE),
                "bin_size": bins[0][0],
            }
        )
    return found


def together(view: View) -> dict[str, Any]:
    """How labels occur together, truly and as given, the four cells of each label, and how often all are right."""
    t, d = view.truth.astype(int), view.decided.astype(int)
    return {
        "labels": view.labels,
        "true": (t.T @ t).tolist(),
        "given": (d.T @ d).tolist(),
        "cells": [
            {"label": label} | counts(view.truth[:, i], view.decided[:, i]) for i, label in enumerate(view.labels)
        ],
        "numbers": [
            {"labels": k, "true": int((t.sum(axis=1) == k).sum()), "given": int((d.sum(axis=1) == k).sum())}
            for k in range(int(max(t.sum(axis=1).max(), d.sum(axis=1).max())) + 1)
        ],
        "exact_match": float((t == d).all(axis=1).mean()),
        "hamming_loss": float((t != d).mean()),
    }


def confusion(view: View, others: dict[str, View]) -> dict[str, Any]:
    """Which label was taken for which, overall, where the question applies, and by the labels of other heads.

    A swap takes one telling label for another (favor for against): the error that costs most.
    """
    parts = [{"name": "all articles"} | _confusion(view, np.ones(len(view.truth), dtype=bool))]
    if not view.applies.all():
        parts.append({"name": "where the question applies"} | _confusion(view, view.applies))
    topics = []
    for other in others.values():
        if other.multilabel:
            labels = dict(zip(other.rows.tolist(), other.truth, strict=True))
            members = np.array([labels.get(row, np.zeros(len(other.labels), dtype=bool)) for row in view.rows.tolist()])
            topics += [{"name": label} | _confusion(view, members[:, i]) for i, label in enumerate(other.labels)]
            topics.append({"name": f"no {other.name}"} | _confusion(view, ~members.any(axis=1)))
    return {"labels": view.labels, "default": view.head.default, "parts": parts, "by_topic": topics}


def _confusion(view: View, rows: Any) -> dict[str, Any]:
    t, d = view.truth[rows].argmax(axis=1), view.decided[rows].argmax(axis=1)
    k = len(view.labels)
    telling = np.isin(np.arange(k), view.telling)
    swapped = telling[t] & telling[d] & (t != d)
    f1 = metrics.f1(view.truth[rows], view.decided[rows]) if len(t) else np.zeros(k)
    return {
        "n": len(t),
        "matrix": np.bincount(t * k + d, minlength=k * k).reshape(k, k).tolist(),
        "macro_f1": float(f1.mean()) if len(t) else None,
        "accuracy": float((t == d).mean()) if len(t) else None,
        "swaps": int(swapped.sum()),
        "swappable": int((telling[t] & telling[d]).sum()),
    }


def coverage(view: View) -> dict[str, Any]:
    """How right the labels are that are given, when only the surest articles are answered.

    A multilabel head is judged by the labels that it gives, a single one by all its answers.
    """
    confidence = view.rule.confidence(view.probabilities)
    order = np.argsort(-confidence, kind="stable")
    points = []
    for share in np.arange(1, 21) / 20:
        rows = order[: max(1, round(share * len(order)))]
        points.append({"coverage": float(share)} | _precision(view, rows))
    sure = confidence >= view.rule.confident_from
    return {
        "asked": view.head.confidence,
        "from": view.rule.confident_from,
        "points": points,
        "certain": {"n": int(sure.sum())} | _precision(view, np.nonzero(sure)[0]),
        "uncertain": {"n": int((~sure).sum())} | _precision(view, np.nonzero(~sure)[0]),
    }


def _precision(view: View, rows: Any) -> dict[str, Any]:
    given, right = view.decided[rows].sum(), (view.decided[rows] & view.truth[rows]).sum()
    return {
        "precision": float(right / given) if given else None,
        "given": int(given),
        "wrong_articles": int(view.wrong[rows].sum()),
    }
