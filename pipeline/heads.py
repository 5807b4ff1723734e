"""A head: one question asked of every article, with its labels, linear model, calibration and thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import contexts
from pipeline.calibration import Isotonic, MatrixScaling, Sigmoid, choose_threshold, fit_binary, fit_exclusive
from pipeline.errors import LabelError
from pipeline.estimators import Linear, Rotated, Task, fit_tasks, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.config import Estimator, HeadConfig

NOT_APPLICABLE = "not applicable"
"""The class beside a gated head's labels: the question does not apply to the article."""

_YES, _NO = frozenset(("1", "1.0", "true", "yes", "")), frozenset(("0", "0.0", "false", "no"))


@dataclass
class Rule:
    """From decision values to labels: what a prediction needs of a head besides its weights.

    Attributes
    ----------
    name, kind : str
        kind is "multilabel" (none, one or several labels) or "single" (exactly one).
    labels : list of str
    default : str or None
        The label of a gated head's article to which the question does not apply.
    blocks : list of str or None
        Names of the feature blocks it reads; None for all.
    calibration : Sigmoid, Isotonic or MatrixScaling
    thresholds : list of float
        Of a multilabel head, one a label.
    confident_from : float
        Confidence below which an answer is flagged as uncertain.
    by : str or None
        Column of an article's context.
    contexts : list of str or None
        Values of that column that have weights of their own.
    """

    name: str
    kind: str
    labels: list[str]
    default: str | None
    blocks: list[str] | None
    calibration: Sigmoid | Isotonic | MatrixScaling
    thresholds: list[float]
    confident_from: float
    by: str | None = None
    contexts: list[str] | None = None

    @property
    def outputs(self) -> list[str]:
        """What each decision value speaks for."""
        return output_names(self.labels, self.default, self.kind)

    @property
    def width(self) -> int:
        """Scores of an article: the outputs by the shared weights, and by those of each context."""
        return len(self.outputs) * (1 + len(self.contexts or ()))

    def places(self, n: int, columns: Mapping[str, Sequence[str]]) -> NDArray[np.int64]:
        """Which weights are meant for each of n articles: 0 the shared ones, 1 those of the first context, and so on.

        `columns` holds their cells by column; without it the context is not known.
        """
        place = {context: i for i, context in enumerate(self.contexts or (), start=1)}
        return np.array([place.get(value, 0) for value in columns.get(self.by or "", [""] * n)], dtype=np.int64)

    def meant(self, scores: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Decision values (n_articles, n_outputs) out of scores (n_articles, width)."""
        if not self.contexts:
            return scores
        return scores.reshape(len(scores), -1, len(self.outputs))[np.arange(len(scores)), places]

    def probabilities(self, decision: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities (n_articles, n_labels) from decision values (n_articles, n_outputs)."""
        p = self.calibration(decision)
        if self.default is None:
            return p
        p, apart = p[:, :-1].copy(), p[:, -1]
        p[:, self.labels.index(self.default)] += apart
        return p

    def decide(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which labels are given, shape (n_articles, n_labels)."""
        if self.kind == "multilabel":
            return np.asarray(probabilities >= np.array(self.thresholds))
        return np.asarray(probabilities.argmax(axis=1)[:, None] == np.arange(len(self.labels)))

    def confidence(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """How sure the least sure of the decisions is, shape (n_articles,): 0.5 is a toss-up between yes and no."""
        if self.kind == "multilabel":
            decided = self.decide(probabilities)
            return np.asarray(np.where(decided, probabilities, 1 - probabilities).min(axis=1))
        return np.asarray(probabilities.max(axis=1))


@dataclass(kw_only=True)
class Head(Rule):
    """A fitted head: a rule and the weights that feed it.

    Attributes
    ----------
    linear : Linear
        One output a label; a gated head has one more, for `NOT_APPLICABLE`. With contexts, `width` of them.
    chosen : dict
        The settings that the grid search chose, by output.
    """

    linear: Linear
    chosen: dict[str, Any]

    def at(self, place: int) -> Linear:
        """The weights of one context, or the shared ones at 0: one output each of `outputs`."""
        of = slice(place * len(self.outputs), (place + 1) * len(self.outputs))
        return Linear(self.linear.coef[of], self.linear.intercept[of])


def output_names(labels: Sequence[str], default: str | None, kind: str) -> list[str]:
    """Names of a head's outputs: its labels, what lies outside a gate; two exclusive classes share one output."""
    if kind == "multilabel" or default is None:
        return [labels[1]] if kind == "single" and len(labels) == 2 else list(labels)
    return [*labels, NOT_APPLICABLE]


def encode(
    name: str,
    config: HeadConfig,
    values: Sequence[str],
    gate: Sequence[str] | None,
    separator: str,
    where: Sequence[str],
) -> NDArray[np.int64]:
    """Labels of articles as numbers.

    Parameters
    ----------
    name : str
        The head's, for messages.
    config : HeadConfig
    values : sequence of str
        One cell an article; a multilabel head's labels are joined by `separator`, and "none" or nothing means no label.
    gate : sequence of str or None
        Cells of the gate's column: 1 (or true, yes) where the question applies, 0 (or false, no) where not; an empty
        cell leaves it to the label, which says that it does.
    separator : str
    where : sequence of str
        The articles' ids, for messages.

    Returns
    -------
    ndarray
        Shape (n_articles, n_labels) of 0 and 1 for a multilabel head; shape (n_articles,) of class numbers for a single
        one, with n_labels standing for `NOT_APPLICABLE`.

    Raises
    ------
    LabelError
        For a label that the head does not know, or a cell of the gate's column that says neither yes nor no.
    """
    position = {label: i for i, label in enumerate(config.labels)}

    def number(label: str, article: str) -> int:
        if label not in position:
            raise LabelError(
                f"{label!r} is not a label of head {name!r}",
                where=f"article {article}",
                hint=f"Known: {', '.join(config.labels)}. Correct the label, or add it to [heads.{name}] labels.",
            )
        return position[label]

    if config.kind == "multilabel":
        matrix = np.zeros((len(values), len(config.labels)), dtype=np.int64)
        for row, (value, article) in enumerate(zip(values, where, strict=True)):
            for label in filter(None, (part.strip() for part in value.split(separator))):
                if label != "none":
                    matrix[row, number(label, article)] = 1
        return matrix
    classes = np.array(
        [number(value.strip(), article) for value, article in zip(values, where, strict=True)], dtype=np.int64
    )
    if gate is not None:
        outside = [_is_outside(cell, config.gate, article) for cell, article in zip(gate, where, strict=True)]
        classes[np.array(outside, dtype=bool)] = len(config.labels)
    return classes


def _is_outside(cell: str, column: str | None, article: str) -> bool:
    """Whether a cell of a gate's column says that the question does not apply."""
    said = cell.strip().lower()
    if said not in _YES | _NO:
        raise LabelError(
            f"{cell!r} in column {column!r} says neither yes nor no",
            where=f"article {article}",
            hint="Write 1 where the question applies to the article, 0 where it does not.",
        )
    return said in _NO


def fit_head(
    name: str,
    config: HeadConfig,
    X: csr_matrix,
    y: NDArray[np.int64],
    folds: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]],
    *,
    seed: int,
    n_jobs: int,
    of: Sequence[str] | None = None,
) -> Head:
    """Fit, choose settings, calibrate and set thresholds, all on scores of folds that the model had not seen.

    Parameters
    ----------
    name : str
    config : HeadConfig
    X : csr matrix of shape (n_articles, n_features)
    y : ndarray
        As `encode` gives it.
    folds : sequence of (train, test) index arrays
    seed, n_jobs : int
    of : sequence of str, optional
        Context of each article, of a head that has weights by it; "" for none.

    Returns
    -------
    Head

    Raises
    ------
    LabelError
        Where a label has too few articles, or all of them.
    """
    check_counts(name, config, y, folds)
    if config.kind == "multilabel":
        found = _fit_outputs(config, X, list(y.T), 2, folds, seed, n_jobs)
        linear = Linear(np.vstack([f[0].coef for f in found]), np.concatenate([f[0].intercept for f in found]))
        chosen = {label: f[2] for label, f in zip(config.labels, found, strict=True)}
        return calibrated(name, config, np.column_stack([f[1] for f in found]), y, linear, chosen)
    names = class_names(config)
    known = sorted(set(of or ()) - {""})
    places = np.array([known.index(value) + 1 if value else 0 for value in of or [""] * len(y)], dtype=np.int64)
    spread = contexts.spread(X, places, len(known)) if known else X
    [(linear, held_out, choice)] = _fit_outputs(config, spread, [y], len(names), folds, seed, n_jobs, places)
    if known:
        linear = rounded(contexts.gather(linear, X.shape[1], len(known)))
    return calibrated(name, config, held_out, y, linear, {"all": choice}, known)


def class_names(config: HeadConfig) -> list[str]:
    """What a head's labels, as `encode` gives them, count or number: its labels, and for a gate what lies outside."""
    return [*config.labels, NOT_APPLICABLE] if config.gate and config.default else list(config.labels)


def calibrated(
    name: str,
    config: HeadConfig,
    held_out: NDArray[np.float64],
    y: NDArray[np.int64],
    linear: Linear,
    chosen: dict[str, Any],
    known: Sequence[str] = (),
) -> Head:
    """A head out of its weights: calibration, thresholds and the bar of confidence, learned on scores.

    Parameters
    ----------
    name : str
    config : HeadConfig
    held_out : ndarray of shape (n_articles, n_outputs)
        Scores of models that had not seen the article.
    y : ndarray
        As `encode` gives it.
    linear : Linear
    chosen : dict
        The settings that were chosen, by output.
    known : sequence of str
        Contexts that the weights are by.

    Returns
    -------
    Head
    """
    if config.kind == "multilabel":
        calibration = fit_binary(config.calibration, held_out, y)
        p = calibration(held_out)
        thresholds = [choose_threshold(config.threshold, p[:, i], y[:, i]) for i in range(len(config.labels))]
        rule = Rule(name, config.kind, list(config.labels), None, config.blocks, calibration, thresholds, 0.0)
        return _with_confidence(rule, config, p, y == 1, linear, chosen)
    default = config.default if config.gate else None
    scaling = fit_exclusive(config.calibration, held_out, y, len(class_names(config)))
    rule = Rule(
        name,
        config.kind,
        list(config.labels),
        default,
        config.blocks,
        scaling,
        [],
        0.0,
        by=config.by if known else None,
        contexts=list(known) or None,
    )
    p = rule.probabilities(held_out)
    truth = y if default is None else np.where(y == len(config.labels), config.labels.index(default), y)
    return _with_confidence(rule, config, p, truth[:, None] == np.arange(len(config.labels)), linear, chosen)


def _with_confidence(
    rule: Rule,
    config: HeadConfig,
    p: NDArray[np.float64],
    truth: NDArray[np.bool_],
    linear: Linear,
    chosen: dict[str, Any],
) -> Head:
    """The head, with the confidence from which the labels it gives are right as often as the config asks."""
    confidence, decided = rule.confidence(p), rule.decide(p)
    order = np.argsort(-confidence, kind="stable")
    given, right = np.cumsum(decided[order].sum(axis=1)), np.cumsum((decided & truth)[order].sum(axis=1))
    good = np.nonzero(right >= config.confidence * np.maximum(given, 1))[0]
    confident_from = 1.0 if not len(good) else 0.0 if good[-1] == len(order) - 1 else float(confidence[order[good[-1]]])
    fields = {field: getattr(rule, field) for field in rule.__dataclass_fields__}
    return Head(**fields | {"confident_from": confident_from}, linear=linear, chosen=chosen)


def _fit_outputs(
    config: HeadConfig,
    X: csr_matrix,
    targets: Sequence[NDArray[np.int64]],
    n_classes: int,
    folds: Sequence[Any],
    seed: int,
    n_jobs: int,
    places: NDArray[np.int64] | None = None,
) -> list[tuple[Linear, NDArray[np.float64], dict[str, Any]]]:
    """For each target the model at its best setting, its held-out scores (n_articles, n_outputs), and that setting."""
    rotated = Rotated(X) if Rotated.suits(config.estimator, X) else None
    space = X if rotated is None else rotated.Z
    settings = candidates(config.estimator)
    everything = np.arange(X.shape[0])
    jobs = [
        Task(setting, train, y, places)
        for y in targets
        for setting in settings
        for train in [*(train for train, _ in folds), everything]
    ]
    fitted = iter(fit_tasks(space, jobs, n_classes, seed=seed, n_jobs=n_jobs))
    results = []
    for y in targets:
        best: tuple[float, Estimator, NDArray[np.float64], Linear] | None = None
        for setting in settings:
            held_out = np.zeros((len(y), 1 if n_classes == 2 else n_classes))
            for _, test in folds:
                held_out[test] = next(fitted).decision(space[test])
            loss, whole = calibrated_loss(held_out, y, n_classes), next(fitted)
            if best is None or loss < best[0]:
                best = loss, setting, held_out, whole
        assert best is not None
        _, setting, held_out, linear = best
        linear = rounded(linear if rotated is None else rotated.back(linear))
        choice: dict[str, Any] = {key: getattr(setting, key) for key in config.estimator.grid}
        results.append((linear, held_out, choice))
    return results


def candidates(estimator: Estimator) -> list[Estimator]:
    """The settings to choose among."""
    from itertools import product

    keys = list(estimator.grid)
    return [
        estimator.model_copy(update=dict(zip(keys, values, strict=True)))
        for values in product(*(estimator.grid[key] for key in keys))
    ]


def calibrated_loss(held_out: NDArray[np.float64], y: NDArray[np.int64], n_classes: int) -> float:
    """Log loss of held-out scores once calibrated: a proper score, and steadier than F1 on few articles."""
    p = fit_exclusive("sigmoid", held_out, y, n_classes)(held_out)
    return float(-np.mean(np.log(np.maximum(p[np.arange(len(y)), y], 1e-12))))


def check_counts(name: str, config: HeadConfig, y: NDArray[np.int64], folds: Sequence[Any]) -> None:
    """Refuse labels that cannot be learned from y, as `encode` gives it, or not in every fold. Raises LabelError."""
    labels = class_names(config)
    has = y if config.kind == "multilabel" else (y[:, None] == np.arange(len(labels))).astype(np.int64)
    few = "Label 4 articles with it at least, so that some can be kept for judging (20 for useful results)"
    for label, column in zip(labels, has.T, strict=True):
        count = int(column.sum())
        hint = f"{few}, or drop the label from the config."
        if label == NOT_APPLICABLE:
            hint = f"Where the question applies to every article, leave gate out of [heads.{name}]."
            label = f"0 in column {config.gate}"
        if count < 2:
            raise LabelError(
                f"{label!r} has {count} training article{'s' if count != 1 else ''}, too few to learn from",
                where=f"head {name!r}",
                hint=hint,
            )
        if count == len(column):
            raise LabelError(
                f"every training article is labelled {label!r}: there is nothing to tell apart",
                where=f"head {name!r}",
                hint="Add articles without that label.",
            )
        parts = [column[train] for train, _ in folds]
        if any(part.min() == part.max() for part in parts):
            raise LabelError(
                f"{label!r} has {count} of {len(column)} training articles, and they cannot be spread over "
                f"{len(folds)} folds: the articles with it, or those without, are copies of each other, or too few",
                where=f"head {name!r}",
                hint=hint,
            )
