"""What more labelled articles would buy: the score against their number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import evaluate, metrics
from pipeline import model as models
from pipeline.errors import MirsadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.articles import Fields
    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged


def curve(
    config: Config,
    data: Dataset,
    train: NDArray[np.int64],
    whole: Judged,
    *,
    background: Fields | None = None,
) -> list[dict[str, Any]]:
    """Fit on growing parts of the training articles, judge each on the same held-out articles.

    Parameters
    ----------
    config : Config
        `[evaluation] learning_curve` lists the parts, as shares of the training articles.
    data : Dataset
    train : ndarray of int
    whole : Judged
        What the model of all training articles said of the held-out ones.
    background : Fields, optional

    Returns
    -------
    list of dict
        articles, and F1 by head ("macro_f1") and label, from few articles to all; a part that is too small to fit is
        left out.
    """
    order = np.random.default_rng(config.seed).permutation(train)
    parts = []
    for share in sorted(config.evaluation.learning_curve):
        part = np.sort(order[: round(share * len(order))])
        try:
            judged = evaluate.judge(models.fit(config, data, part, background=background), data, whole.rows)
        except MirsadError:
            continue
        parts.append((len(part), judged))
    return points(config, data, parts, whole, len(train))


def points(
    config: Config, data: Dataset, parts: list[tuple[int, Judged]], whole: Judged | None, articles: int
) -> list[dict[str, Any]]:
    """The curve as `curve` returns it, from what models of so many articles said; `whole` learned from all of them."""
    if whole is None or not parts:
        return []
    return [_point(config, data, judged, n) for n, judged in [*parts, (articles, whole)]]


def _point(config: Config, data: Dataset, judged: Judged, articles: int) -> dict[str, Any]:
    heads = {}
    for name, head in config.heads.items():
        known = data.labelled(name)[judged.rows]
        if not known.any():
            continue
        y = data.labels[name][judged.rows][known]
        numbers = np.arange(len(head.labels))
        truth = y == 1 if head.kind == "multilabel" else evaluate.true_labels(head, y)[0][:, None] == numbers
        f1 = metrics.f1(truth, judged.decided[name][known])
        heads[name] = {"macro_f1": float(f1.mean()), "labels": dict(zip(head.labels, f1.tolist(), strict=True))}
    return {"articles": articles, "heads": heads}
