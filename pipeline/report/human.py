"""How well a second annotator agrees with the labels: what a model can be expected to reach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import metrics
from pipeline.dataset import encode_column, label_columns, read_labels
from pipeline.evaluate import true_labels

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.dataset import Dataset


def ceiling(config: Config, data: Dataset) -> dict[str, Any] | None:
    """F1 of a second annotator against the labels, where an article has both.

    Parameters
    ----------
    config : Config
        `[evaluation] second` names a CSV with a column `id` and the label columns.
    data : Dataset

    Returns
    -------
    dict or None
        By head: macro_f1, n and F1 by label; None where nothing was labelled twice.
    """
    if config.evaluation.second is None:
        return None
    second = read_labels(config.evaluation.second, label_columns(config.heads))
    rows = np.nonzero(data.table["id"].isin(second.keys()))[0]
    if not len(rows):
        return None
    table = data.table.iloc[rows].copy()
    for column in label_columns(config.heads):
        table[column] = [second[article][column] for article in table["id"]]
    found = {}
    for name, head in config.heads.items():
        if (table[head.column].str.strip() == "").all():
            continue
        again, first = encode_column(name, head, table, config.data.separator), data.labels[name][rows]
        if head.kind == "multilabel":
            both = (first[:, 0] >= 0) & (again[:, 0] >= 0)
            t, d = first[both] == 1, again[both] == 1
        else:
            both = (first >= 0) & (again >= 0)
            numbers = np.arange(len(head.labels))
            t, d = (true_labels(head, y[both])[0][:, None] == numbers for y in (first, again))
        if both.any():
            f1 = metrics.f1(t, d)
            found[name] = {
                "n": int(both.sum()),
                "macro_f1": float(f1.mean()),
                "labels": dict(zip(head.labels, f1.tolist(), strict=True)),
            }
    return found or None
