"""What a report looks at: one head's answers beside its labels, on the articles that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.evaluate import true_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.config import Config, HeadConfig
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.heads import Rule

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]

SMALL = 10
"""Articles with a label below which a number about them is shown in grey and never named as the worst."""


@dataclass(frozen=True)
class View:
    """One head, judged.

    Attributes
    ----------
    name : str
    head : HeadConfig
    rule : Rule
        Of the model that was saved, for thresholds.
    at : ndarray of shape (n,), int
        Positions in `Judged.rows` of the articles that have a label.
    rows : ndarray of shape (n,), int
        Their rows in the dataset.
    truth, decided : ndarray of shape (n, n_labels), bool
    applies : ndarray of shape (n,), bool
        Where the question applies; everywhere for a head without a gate.
    probabilities, thresholds : ndarray of shape (n, n_labels), float64
        Thresholds are those of the model that judged the article; 0.5 in a single head, where they have no part.
    """

    name: str
    head: HeadConfig
    rule: Rule
    at: NDArray[np.int64]
    rows: NDArray[np.int64]
    truth: Bools
    decided: Bools
    applies: Bools
    probabilities: Floats
    thresholds: Floats

    @property
    def multilabel(self) -> bool:
        """Whether an article may have several labels."""
        return self.head.kind == "multilabel"

    @property
    def labels(self) -> list[str]:
        """The head's labels."""
        return self.head.labels

    @property
    def telling(self) -> list[int]:
        """Numbers of the labels that say something: all but the default of a single head."""
        return [i for i, label in enumerate(self.labels) if label != self.head.default]

    @property
    def wrong(self) -> Bools:
        """Articles with any wrong answer, shape (n,)."""
        return np.asarray((self.truth != self.decided).any(axis=1))

    def names(self, given: Bools) -> list[str]:
        """Labels of one article's row of `truth` or `decided`."""
        return [label for label, yes in zip(self.labels, given, strict=True) if yes]

    def score(self, rows: Bools | NDArray[np.int64]) -> float | None:
        """F1 over all telling labels together, on some of the articles; None where none is there or given."""
        t, d = self.truth[rows][:, self.telling], self.decided[rows][:, self.telling]
        total = int(t.sum() + d.sum())
        return 2 * int((t & d).sum()) / total if total else None


def views(config: Config, data: Dataset, judged: Judged, rules: dict[str, Rule]) -> dict[str, View]:
    """A view of each head that has labels among the judged articles; `rules` are the saved model's heads."""
    found = {}
    for name, head in config.heads.items():
        known = data.labelled(name)[judged.rows]
        if not known.any():
            continue
        at = np.nonzero(known)[0]
        rows = judged.rows[at]
        y = data.labels[name][rows]
        if head.kind == "multilabel":
            truth, applies = y == 1, np.ones(len(y), dtype=bool)
            by_model = np.array([model.heads[name].thresholds for model in judged.models])
            thresholds = by_model[judged.asked[at]]
        else:
            number, gate = true_labels(head, y)
            truth = number[:, None] == np.arange(len(head.labels))
            applies = np.ones(len(y), dtype=bool) if gate is None else gate
            thresholds = np.full(truth.shape, 0.5)
        found[name] = View(
            name,
            head,
            rules[name],
            at,
            rows,
            truth,
            judged.decided[name][at],
            applies,
            judged.probabilities[name][at],
            thresholds,
        )
    return found


def rounded(value: Any, digits: int = 4) -> Any:
    """A value as JSON holds it: plain types, no more decimals than a reader can use, no NaN."""
    if isinstance(value, dict):
        return {str(key): rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [rounded(item, digits) for item in value]
    if isinstance(value, float | np.floating):
        return round(float(value), digits) if np.isfinite(value) else None
    if isinstance(value, np.integer | np.bool_):
        return value.item()
    return value


def counts(truth: Bools, decided: Bools) -> dict[str, Any]:
    """The four cells of one label, with precision, recall and F1 (None where undefined)."""
    both, missed, extra = int((truth & decided).sum()), int((truth & ~decided).sum()), int((~truth & decided).sum())
    return {
        "right": both,
        "missed": missed,
        "extra": extra,
        "rest": len(truth) - both - missed - extra,
        "precision": both / (both + extra) if both + extra else None,
        "recall": both / (both + missed) if both + missed else None,
        "f1": 2 * both / (2 * both + missed + extra) if both + missed + extra else None,
    }
