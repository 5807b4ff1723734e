"""Judge models: on held-out articles, by cross-validation, and beside baselines that read nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import config as configs
from pipeline import corpora, dataset, jobs, metrics, splits, store
from pipeline import model as models
from pipeline.errors import ModelError
from pipeline.features.lexicon import Lexicon, grouped, load_groups, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.articles import Fields
    from pipeline.config import Config, HeadConfig
    from pipeline.dataset import Dataset
    from pipeline.heads import Head
    from pipeline.model import Model

    Rows = NDArray[np.int64]

JOB = "evaluate_files"
jobs.callable_module(__name__)


@dataclass
class Judged:
    """What models said of articles that they had not seen.

    Attributes
    ----------
    rows : ndarray of shape (n,), int
        Rows of the dataset.
    probabilities : dict of str to ndarray of shape (n, n_labels)
        By head.
    decided : dict of str to ndarray of shape (n, n_labels), bool
        By head.
    familiar : ndarray of shape (n,)
        Share of known n-grams.
    models : list of Model
    asked : ndarray of shape (n,), int
        Which of the models judged each article.
    """

    rows: Rows
    probabilities: dict[str, NDArray[np.float64]]
    decided: dict[str, NDArray[np.bool_]]
    familiar: NDArray[np.float64]
    models: list[Model]
    asked: NDArray[np.int64]


def judge(model: Model, data: Dataset, rows: Rows) -> Judged:
    """Ask one model about some rows."""
    scorer = model.compile()
    parts = []
    for part in data.batches(rows):
        columns = {name: data.table[name].iloc[part].tolist() for name in scorer.columns}
        answers = scorer.ask(data.fields(part), columns)
        asked = np.zeros(len(part), dtype=np.int64)
        parts.append(Judged(part, answers.probabilities, answers.decided, answers.familiar, [model], asked))
    whole = stitched(parts)
    return replace(whole, models=[model], asked=np.zeros(len(rows), dtype=np.int64))


@dataclass
class Evaluated:
    """What an evaluation of a saved model gives: metrics by head, beside baselines, and its report in a folder."""

    metrics: dict[str, Any]
    folder: Path
    report: dict[str, Any]


def evaluate_files(
    inputs: Sequence[str],
    folder: str | Path,
    *,
    labels: str | None = None,
    output: str | Path | None = None,
    command: str | None = None,
) -> Evaluated:
    """Judge a saved model on labelled articles.

    Parameters
    ----------
    inputs : sequence of str
        Files that `articles.read` takes, or names of corpora.
    folder : str or Path
        The model folder.
    labels : str, optional
        CSV of labels by id, where the articles do not hold them.
    output : str or Path, optional
        Folder for the results; `evaluation` inside the model folder if not given.
    command : str, optional
        The command that makes them again, for the report.

    Returns
    -------
    Evaluated

    Raises
    ------
    ModelError, InputError, LabelError
    """
    target = Path(output) if output else Path(folder) / "evaluation"
    if not output and target.is_symlink():
        raise ModelError(
            "is a link, and results would be written through it", where=str(target), hint="Name a folder with --output."
        )
    model, manifest = store.load(folder)
    config = configs.parse(manifest["config"], where=f"config in {folder}")
    sources = [
        configs.Source(corpus=name) if name in corpora.names() else configs.Source(path=name, labels=labels)
        for name in inputs
    ]
    # what the training run was compared with may not be where the model is now
    gone = [key for key in ("terms", "second") if not Path(getattr(config.evaluation, key) or "").is_file()]
    config = config.model_copy(
        update={
            "data": config.data.model_copy(update={"sources": sources}),
            "evaluation": config.evaluation.model_copy(update=dict.fromkeys(gone)),
        }
    )
    data = dataset.load(config)
    judged = judge(model, data, np.arange(len(data)))
    result = {
        "heads": measure(config.heads, data, judged.rows, judged.probabilities, judged.decided, seed=config.seed),
        "baselines": baselines(config, data, judged.rows),
    }
    from pipeline.report import page, summary

    report = summary.summarize(
        config,
        data,
        {"evaluation": judged},
        {"evaluation": result},
        model,
        name=store.short_name(manifest),
        command=command,
        previous=page.previous(target),
        training={"sources": manifest["data"]["sources"], "report": page.previous(Path(folder))},
    )
    page.write(target, report)
    page.save(target / "metrics.json", store.dump_json(result))
    return Evaluated(result, target, report)


def cross_validate(config: Config, data: Dataset, *, background: Fields | None = None) -> Judged:
    """Ask about every article a model that was fitted, calibrated and given thresholds without it."""
    from joblib import Parallel, delayed

    outer = splits.folds(splits.strata(data.labels), data.groups, config.split.folds, seed=config.seed)
    # one fold after the other, each of which uses all cores, unless joblib.parallel_config says where else
    return stitched(Parallel()(delayed(_judge_fold)(config, data, *fold, background) for fold in outer))


def _judge_fold(config: Config, data: Dataset, train: Rows, test: Rows, background: Fields | None) -> Judged:
    return judge(models.fit(config, data, train, background=background), data, test)


def stitched(parts: Sequence[Judged]) -> Judged:
    """Judgements of the folds as one, in the order of the articles."""
    order = np.argsort(np.concatenate([part.rows for part in parts]))

    def whole(values: Iterable[NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate(list(values))[order]

    return Judged(
        whole(part.rows for part in parts),
        {name: whole(part.probabilities[name] for part in parts) for name in parts[0].probabilities},
        {name: whole(part.decided[name] for part in parts) for name in parts[0].decided},
        whole(part.familiar for part in parts),
        [part.models[0] for part in parts],
        whole(np.full(len(part.rows), i) for i, part in enumerate(parts)),
    )


def measure(
    heads: dict[str, HeadConfig],
    data: Dataset,
    rows: Rows,
    probabilities: dict[str, NDArray[np.float64]],
    decided: dict[str, NDArray[np.bool_]],
    *,
    seed: int,
) -> dict[str, Any]:
    """Metrics of every head on the rows that have its labels."""
    result: dict[str, Any] = {}
    for name, head in heads.items():
        known = data.labelled(name)[rows]
        if not known.any():
            continue
        y, p, d = data.labels[name][rows][known], probabilities[name][known], decided[name][known]
        if head.kind == "multilabel":
            result[name] = metrics.multilabel(head.labels, y == 1, d, p, seed=seed)
        else:
            truth, applies = true_labels(head, y)
            result[name] = metrics.single(head.labels, truth, p, applies=applies, seed=seed)
        if head.score is not None:
            t = y == 1 if head.kind == "multilabel" else truth[:, None] == np.arange(len(head.labels))
            by = data.table[head.score.by].to_numpy(str)[rows][known] if head.score.by else np.full(len(t), "all")
            counted = [head.labels.index(label) for label in head.score.labels]
            result[name]["score"] = head.score.model_dump() | metrics.score(t, d, counted, by, seed=seed)
    return result


def true_labels(head: HeadConfig | Head, y: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Label numbers of a single head, and to which articles its question applies (None without a gate)."""
    outside = y == len(head.labels)
    if head.default is None:
        return y, None
    return np.where(outside, head.labels.index(head.default), y), ~outside


def baselines(config: Config, data: Dataset, rows: Rows) -> dict[str, dict[str, Any]]:
    """Metrics of answers that take no training.

    Parameters
    ----------
    config : Config
    data : Dataset
    rows : ndarray of int
        The articles that a model is judged on.

    Returns
    -------
    dict
        "majority": the commonest answer for every article. "terms": a label where its seed terms stand in the
        title or the lede, or in two sentences; for heads whose labels have such terms.
    """
    answers: dict[str, dict[str, NDArray[np.float64]]] = {"majority": {}}
    for name, head in config.heads.items():
        y = data.labels[name][data.labelled(name)]
        share = (
            (y == 1).mean(axis=0)
            if head.kind == "multilabel"
            else np.bincount(true_labels(head, y)[0], minlength=len(head.labels)) / len(y)
        )
        answers["majority"][name] = np.tile(share, (len(rows), 1))
    if config.evaluation.terms is not None:
        answers["terms"] = {}
        groups = load_groups(config.evaluation.terms)
        for name, head in config.heads.items():
            if head.kind == "multilabel" and all(f"{label}/terms" in groups for label in head.labels):
                lexicon = Lexicon({label: groups[f"{label}/terms"] for label in head.labels}, config.text.normalization)
                answers["terms"][name] = by_terms(lexicon, data, rows).astype(np.float64)
    result = {}
    for baseline, said in answers.items():
        heads = {name: head for name, head in config.heads.items() if name in said}
        decided = {
            name: p >= 0.5 if heads[name].kind == "multilabel" else p.argmax(axis=1)[:, None] == np.arange(p.shape[1])
            for name, p in said.items()
        }
        result[baseline] = measure(heads, data, rows, said, decided, seed=config.seed)
    return result


def by_terms(lexicon: Lexicon, data: Dataset, rows: Rows) -> NDArray[np.bool_]:
    """Labels by their terms alone, shape (n_rows, n_groups): in the title, the lede, or two sentences."""
    return np.concatenate([_by_terms(lexicon, data.fields(part)) for part in data.batches(rows)])


def _by_terms(lexicon: Lexicon, fields: Fields) -> NDArray[np.bool_]:
    found = lexicon.find(*fields)
    sentence, group = grouped(found, lexicon.membership)
    shape = (len(fields[0]), len(lexicon.groups))
    top = found.zone[sentence] < 2
    pair = np.unique(np.stack([sentence, group], axis=1), axis=0)
    return np.asarray(
        (tally(found.article[sentence[top]], group[top], shape) > 0)
        | (tally(found.article[pair[:, 0]], pair[:, 1], shape) >= 2)
    )
