"""Training on many articles: one matrix, every fit of a head in step, every score from a model that had not seen it.

Up to `MANY` articles each model that judges learns its own features, and is calibrated by folds of its own (nested
cross-validation). Beyond, that would take days and prove nothing more, so that

- vocabulary and IDF are learned once, from all articles, without their labels: one article of so many moves neither;
- the models of the cross-validation calibrate each other: calibration, thresholds and settings of the model that judges
  a fold are learned on the scores of all other folds, each by the model that had not learned from it.

No model judges an article whose label it learned from, and no threshold is set on an article that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import splits
from pipeline.errors import LabelError
from pipeline.estimators import Linear, Task, fit_tasks, rounded
from pipeline.evaluate import Judged, stitched
from pipeline.features.featurizer import Featurizer
from pipeline.features.plan import threads
from pipeline.heads import calibrated, calibrated_loss, candidates, check_counts, class_names
from pipeline.model import Model, no_features
from pipeline.packed import Packed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.articles import Fields
    from pipeline.config import Config, Estimator, HeadConfig
    from pipeline.dataset import Dataset
    from pipeline.heads import Head

    Rows = NDArray[np.int64]
    Floats = NDArray[Any]

MANY = 20_000
"""Articles above which training goes this way."""

LEARN_FROM = 40_000
"""Articles whose n-grams are counted: of more, so many are drawn.

An n-gram that a share p of all articles has is missed with a chance of (1 - p) ** 40,000: one in 20,000 for what one
article of 4,000 has. What `max_features` keeps is far more common, and stays the same but for those on the verge.
"""


@dataclass
class Fitted:
    """What training on many articles gives.

    Attributes
    ----------
    model : Model
        Fitted on all articles.
    judged : dict of str to Judged
        "cross_validation", and "held_out" where there are held-out articles.
    parts : list of (int, Judged)
        For the learning curve: how many articles a model was fitted on, and what it said of the held-out ones.
    """

    model: Model
    judged: dict[str, Judged]
    parts: list[tuple[int, Judged]]


def suits(config: Config, data: Dataset) -> bool:
    """Whether there are so many articles, and no head has weights of its own for each context."""
    return len(data) > MANY and not any(head.by for head in config.heads.values())


def fit(
    config: Config,
    data: Dataset,
    train: Rows,
    test: Rows,
    *,
    background: Fields | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Fitted:
    """Fit and judge.

    Parameters
    ----------
    config : Config
    data : Dataset
    train, test : ndarray of int
        The split of `splits.held_out`. Where the test rows are a fold of the cross-validation, one model judges both.
    background : Fields, optional
        Articles without labels, for document frequencies.
    say : callable
        Told in a few words what happens next.

    Returns
    -------
    Fitted

    Raises
    ------
    LabelError, ConfigError
        As `model.fit`.
    """
    everything = np.arange(len(data))
    folds = splits.folds(splits.strata(data.labels), data.groups, config.split.folds, seed=config.seed)
    of_all, of_train = len(folds), 2 * len(folds) + 1
    learned = [rows for rows, _ in folds] + [everything]
    alone = len(test) > 0 and not any(np.array_equal(test, held) for _, held in folds)
    if alone:  # with folds of its own, as nothing that learned from held-out articles may calibrate it
        learned += [np.intersect1d(rows, train) for rows, _ in folds] + [train]
    parts = _parts(config, data, train) if len(test) else []
    featurizer, fits = _fit_heads(config, data, learned + parts, background, say)
    say("Judging")

    def heads(model: int, rows: Rows, unseen: Sequence[tuple[int, Rows]]) -> dict[str, tuple[Head, Floats]]:
        return {name: of.head(model, rows, unseen) for name, of in fits.items()}

    unseen = [(i, held) for i, (_, held) in enumerate(folds)]
    model = Model(featurizer, {name: head for name, (head, _) in heads(of_all, everything, unseen).items()})
    scorer = model.compile()
    familiar = np.concatenate([scorer.ask(data.fields(part)).familiar for part in data.batches()])
    by_fold = [_judged(featurizer, heads(i, folds[i][0], unseen), held, familiar) for i, held in unseen]
    judged = {}
    if alone:
        within = [(of_all + 1 + i, np.intersect1d(held, train)) for i, held in unseen]
        judged["held_out"] = _judged(featurizer, heads(of_train, train, within), test, familiar)
    elif len(test):
        judged["held_out"] = next(part for part in by_fold if np.array_equal(part.rows, test))
    judged["cross_validation"] = stitched(by_fold)
    curve = []
    for i, part in enumerate(parts, start=len(learned)):
        rest = np.setdiff1d(train, part)
        curve.append((len(part), _judged(featurizer, heads(i, rest, [(i, rest)]), test, familiar)))
    return Fitted(model, judged, curve)


def _fit_heads(
    config: Config, data: Dataset, learned: list[Rows], background: Fields | None, say: Callable[[str], None]
) -> tuple[Featurizer, dict[str, _Fits]]:
    """The features, and every fit of every head; the matrix, by far the largest thing, does not outlive it."""
    say(f"Making features of {len(data):,} articles")
    featurizer, X = features(config, data, background)
    say(f"Fitting {', '.join(config.heads)}, each to {len(learned)} sets of articles")
    # heads side by side; but estimators that copy what they learn from, one after the other
    in_step = all(head.estimator.name == "logistic_regression" for head in config.heads.values())
    n_jobs = threads(config.n_jobs) if in_step else 1
    each = max(1, n_jobs // len(config.heads))
    with ThreadPoolExecutor(min(n_jobs, len(config.heads))) as pool:
        fits = pool.map(lambda name: _Fits.of(name, config, data, X, featurizer, learned, each), config.heads)
        return featurizer, dict(zip(config.heads, fits, strict=True))


def features(config: Config, data: Dataset, background: Fields | None) -> tuple[Featurizer, Packed]:
    """Learn the features of all articles, and make their matrix.

    Returns
    -------
    featurizer : Featurizer
    X : Packed of shape (n_articles, n_free)
        A column for each free weight (`Featurizer.tie`). Made a batch at a time, so that there never is a second one.
    """
    featurizer = Featurizer(config.features, config.text.normalization, first=config.text.first, n_jobs=config.n_jobs)
    drawn = np.arange(len(data))
    if len(data) > LEARN_FROM:
        drawn = np.sort(np.random.default_rng(config.seed).choice(len(data), LEARN_FROM, replace=False))
    try:
        featurizer.learn(
            data.fields(drawn), map(data.fields, data.batches()), len(data), background, data.origin(drawn)
        )
    except ValueError as error:
        raise no_features(error, len(drawn)) from error
    tie = featurizer.tie(None)
    made = (featurizer.transform(*data.fields(rows), of=data.origin(rows)) for rows in data.batches())
    return featurizer, Packed.of((part if tie is None else part @ tie for part in made), len(data))


def _parts(config: Config, data: Dataset, train: Rows) -> list[Rows]:
    """Training articles for each point of the learning curve, as far as they and the others have enough of all labels.

    The others are what the point's model is calibrated on.
    """
    order = np.random.default_rng(config.seed).permutation(train)
    parts = []
    for share in sorted(config.evaluation.learning_curve):
        part = np.sort(order[: round(share * len(order))])
        try:
            for name, head in config.heads.items():
                for rows in (part, np.setdiff1d(train, part)):
                    check_counts(name, head, data.labels[name][rows[data.labelled(name)[rows]]], [])
        except LabelError:
            continue
        parts.append(part)
    return parts


@dataclass
class _Fits:
    """Every fit of a head: each setting on each set of articles.

    Attributes
    ----------
    name : str
    config : HeadConfig
    y : ndarray
        Labels of all articles, as `heads.encode` gives them.
    known : ndarray of shape (n_articles,), bool
        Which articles have a label.
    settings : list of Estimator
    tie : csr matrix or None
        Of the blocks that the head reads.
    linear : list of list of Linear
        By setting and set; each with all outputs of the head, over its free weights.
    scores : list of list of ndarray of shape (n_articles, n_outputs), float32
        By setting and set, of all articles.
    """

    name: str
    config: HeadConfig
    y: NDArray[np.int64]
    known: NDArray[np.bool_]
    settings: list[Estimator]
    tie: csr_matrix | None
    linear: list[list[Linear]]
    scores: list[list[Floats]]

    @classmethod
    def of(
        cls,
        name: str,
        config: Config,
        data: Dataset,
        X: Packed,
        featurizer: Featurizer,
        learned: list[Rows],
        n_jobs: int,
    ) -> _Fits:
        """Fit them all."""
        from pipeline import dual

        head, y, known = config.heads[name], data.labels[name], data.labelled(name)
        sets = [rows[known[rows]] for rows in learned]
        for rows in sets:
            check_counts(name, head, y[rows], [])
        several = head.kind == "multilabel"
        targets, n_classes = (list(y.T), 2) if several else ([y], len(class_names(head)))
        columns, settings = featurizer.free_columns(head.blocks), candidates(head.estimator)
        tasks = [Task(setting, rows, target) for setting in settings for rows in sets for target in targets]
        found = iter(fit_tasks(X, tasks, n_classes, seed=config.seed, n_jobs=n_jobs, columns=columns))
        linear = [[_beside([next(found) for _ in targets]) for _ in sets] for _ in settings]
        scores = [[dual.scores(X, of, columns, n_jobs=n_jobs) for of in row] for row in linear]
        return cls(name, head, y, known, settings, featurizer.tie(head.blocks), linear, scores)

    def head(self, model: int, rows: Rows, unseen: Sequence[tuple[int, Rows]]) -> tuple[Head, Floats]:
        """The head that one set's fit makes.

        Parameters
        ----------
        model : int
            The set.
        rows : ndarray of int
            Articles to choose settings, calibrate and set thresholds on.
        unseen : sequence of (int, ndarray of int)
            Sets, and the articles for which their fits speak, having not seen them; together they cover the rows.

        Returns
        -------
        head : Head
        scores : ndarray of shape (n_articles, n_outputs)
            Of all articles, by this fit.
        """
        rows = rows[self.known[rows]]
        held_out: list[Floats] = [np.zeros(self.scores[0][0].shape) for _ in self.settings]
        for filled, by_set in zip(held_out, self.scores, strict=True):
            for number, held in unseen:
                filled[held] = by_set[number][held]
        y = self.y[rows]
        several = self.config.kind == "multilabel"
        setting = [0] * held_out[0].shape[1]  # of each output
        chosen = {}
        for at, output in enumerate(self.config.labels if several else ["all"]):
            of, truth = (slice(at, at + 1), y[:, at]) if several else (slice(None), y)
            n_classes = 2 if several else len(class_names(self.config))
            if len(self.settings) > 1:
                best = int(np.argmin([calibrated_loss(scores[rows, of], truth, n_classes) for scores in held_out]))
                setting[of] = [best] * len(setting[of])
            chosen[output] = {key: getattr(self.settings[setting[at]], key) for key in self.config.estimator.grid}

        def pick(values: Sequence[Floats], axis: int) -> Floats:
            """Each output's part out of the values of its setting."""
            return np.stack([values[number].take(i, axis) for i, number in enumerate(setting)], axis)

        fitted = [of_setting[model] for of_setting in self.linear]
        coef = pick([f.coef for f in fitted], 0)
        linear = Linear(coef if self.tie is None else (self.tie @ coef.T).T, pick([f.intercept for f in fitted], 0))
        head = calibrated(self.name, self.config, pick(held_out, 1)[rows], y, rounded(linear), chosen)
        return head, pick([of_setting[model] for of_setting in self.scores], 1)


def _beside(fitted: list[Linear]) -> Linear:
    return Linear(np.vstack([f.coef for f in fitted]), np.concatenate([f.intercept for f in fitted]))


def _judged(featurizer: Featurizer, heads: dict[str, tuple[Head, Floats]], rows: Rows, familiar: Floats) -> Judged:
    """What a model says of some rows."""
    p = {name: head.probabilities(scores[rows].astype(np.float64)) for name, (head, scores) in heads.items()}
    return Judged(
        rows,
        p,
        {name: head.decide(p[name]) for name, (head, _) in heads.items()},
        familiar[rows],
        [Model(featurizer, {name: head for name, (head, _) in heads.items()})],
        np.zeros(len(rows), dtype=np.int64),
    )
