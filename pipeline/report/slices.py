"""Where the model is worse: the same score by source, year, length, topic, terms and certainty of the label."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluate import by_terms
from pipeline.features.lexicon import Lexicon, load_groups
from pipeline.report.view import SMALL, View, counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.config import Config
    from pipeline.dataset import Dataset

    Members = NDArray[np.bool_]

LENGTHS = ((0, 150, "below 150 words"), (150, 400, "150 to 399 words"), (400, 10**9, "400 words and more"))
MOST_VALUES, RESAMPLES = 25, 200


def slices(config: Config, data: Dataset, heads: dict[str, View]) -> dict[str, Any]:
    """The score of every head on every slice.

    The score is F1 over all labels together but the default one, so that slices with few labels stay comparable.

    Returns
    -------
    dict
        "heads": by head, the score overall, its slices (dimension, value, n, support, score, interval, small) and the
        worst of those that are not small. "terms": each label where its own seed terms are named, and where not.
    """
    found: dict[str, Any] = {"heads": {}, "terms": _by_own_terms(config, data, heads)}
    for name, view in heads.items():
        cells = [_cell(view, dimension, value, members) for dimension, value, members in _members(data, view, heads)]
        fair = [cell for cell in cells if not cell["small"] and cell["score"] is not None]
        found["heads"][name] = {
            "overall": view.score(np.ones(len(view.rows), dtype=bool)),
            "cells": cells,
            "worst": min(fair, key=lambda cell: (cell["score"], cell["value"]), default=None),
            "worst_source": min(
                (cell for cell in fair if cell["dimension"] == "source"), key=lambda cell: cell["score"], default=None
            ),
        }
    return found


def _cell(view: View, dimension: str, value: str, members: Members) -> dict[str, Any]:
    rows = np.nonzero(members)[0]
    support = int(view.truth[rows][:, view.telling].any(axis=1).sum())
    # a draw is a number of articles for each pair of what an article adds to the score, of which there are few
    right = (view.truth & view.decided)[rows][:, view.telling].sum(axis=1)
    total = right + (view.truth | view.decided)[rows][:, view.telling].sum(axis=1)
    pairs, pair = np.unique(np.column_stack([2 * right, total]), axis=0, return_inverse=True)
    random = np.random.default_rng(0)
    scores = []
    for _ in range(RESAMPLES if support >= SMALL else 0):
        drawn = np.bincount(pair.ravel()[random.integers(0, len(rows), len(rows))], minlength=len(pairs)) @ pairs
        if drawn[1]:
            scores.append(float(drawn[0] / drawn[1]))
    return {
        "dimension": dimension,
        "value": value,
        "n": len(rows),
        "support": support,
        "score": view.score(rows),
        "interval": np.percentile(scores, [2.5, 97.5]).tolist() if scores else None,
        "small": support < SMALL,
        "wrong": int(view.wrong[rows].sum()),
    }


def _members(data: Dataset, view: View, heads: dict[str, View]) -> Iterator[tuple[str, str, Members]]:
    table = data.table.iloc[view.rows]
    yield from _by_value("source", sources(data)[view.rows])
    years = np.array([date[:4] or "no date" for date in table["date"].astype(str)])
    yield from _by_value("year", years, by_name=True)
    words = np.array([len(text.split()) for text in table["text"]])
    for low, high, name in LENGTHS:
        if (members := (words >= low) & (words < high)).any():
            yield "length", name, members
    for other in heads.values():
        if other.multilabel:
            position = {row: i for i, row in enumerate(other.rows.tolist())}
            has = np.array([row in position for row in view.rows.tolist()])
            truth = np.zeros((len(has), len(other.labels)), dtype=bool)
            truth[has] = other.truth[[position[row] for row in view.rows[has].tolist()]]
            for i, label in enumerate(other.labels):
                yield other.name, label, truth[:, i]
            yield other.name, f"no {other.name}", has & ~truth.any(axis=1)
    if "sure" in table:
        yield from _by_value("sure", table["sure"].astype(str).to_numpy(), by_name=True)


def sources(data: Dataset) -> NDArray[Any]:
    """The outlet of each article, or where it was read where no outlet is told."""
    table = data.table
    return np.where(table["source"].astype(str) == "", table["origin"].astype(str), table["source"].astype(str))


def _by_value(dimension: str, values: NDArray[Any], *, by_name: bool = False) -> Iterator[tuple[str, str, Members]]:
    """The commonest values, and all others together."""
    names, count = np.unique(values.astype(str), return_counts=True)
    order = np.argsort(-count, kind="stable")
    shown = names[order[:MOST_VALUES]]
    for name in sorted(shown) if by_name else shown:
        if name != "":
            yield dimension, str(name), values == name
    if len(names) > MOST_VALUES:
        yield dimension, f"{len(names) - MOST_VALUES} others together", ~np.isin(values, shown)


def _by_own_terms(config: Config, data: Dataset, heads: dict[str, View]) -> list[dict[str, Any]]:
    if config.evaluation.terms is None:
        return []
    groups = load_groups(config.evaluation.terms)
    found = []
    for view in heads.values():
        labels = [label for label in view.labels if f"{label}/terms" in groups]
        if not labels:
            continue
        lexicon = Lexicon({label: groups[f"{label}/terms"] for label in labels}, config.text.normalization)
        named = by_terms(lexicon, data, view.rows)
        for k, label in enumerate(labels):
            i = view.labels.index(label)
            for where, members in (("named", named[:, k]), ("not named", ~named[:, k])):
                cells = counts(view.truth[members, i], view.decided[members, i])
                found.append(
                    {"head": view.name, "label": label, "terms": where, "n": int(members.sum())}
                    | cells
                    | {"support": cells["right"] + cells["missed"], "small": cells["right"] + cells["missed"] < SMALL}
                )
    return found
