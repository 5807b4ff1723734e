"""Train: from a config to a model that has been judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import crossfit, dataset, evaluate, jobs, splits, store
from pipeline import model as models
from pipeline.features.latent import Background
from pipeline.report import learning, page, summary

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.model import Model

JOB = "train"
jobs.callable_module(__name__)


@dataclass
class Trained:
    """What a training run gives.

    Attributes
    ----------
    model : Model
        Fitted on every labelled article.
    folder : Path
        Where it was saved, with its report.
    metrics : dict
        "held_out" (unless there is none) and "cross_validation", each by head, and their "baselines".
    data : Dataset
    report : dict
        What its report shows.
    """

    model: Model
    folder: Path
    metrics: dict[str, Any]
    data: Dataset
    report: dict[str, Any]


def train(config: Config, *, say: Callable[[str], None] = lambda _: None, command: str | None = None) -> Trained:
    """Read, split, fit, judge, save.

    The figures come from models that had not seen the articles they are judged on; the model that is saved is then
    fitted on all of them.

    Parameters
    ----------
    config : Config
    say : callable
        Told in a few words what happens next.
    command : str, optional
        The command that makes the model again, for its report.

    Returns
    -------
    Trained
    """
    folder = store.check_place(Path(config.output.folder) / config.output.name)
    say("Reading articles")
    data = dataset.load(config)
    unlabelled = background(config)
    judged: dict[str, Judged] = {}
    train_rows, test_rows = splits.held_out(
        config.split, data.table, splits.strata(data.labels), data.groups, seed=config.seed
    )
    many = crossfit.suits(config, data)
    if many:
        fitted = crossfit.fit(config, data, train_rows, test_rows, background=unlabelled, say=say)
        model, judged = fitted.model, fitted.judged
    else:
        if len(test_rows):
            say(f"Fitting on {len(train_rows):,} articles, judging on {len(test_rows):,} held out")
            judged["held_out"] = evaluate.judge(
                models.fit(config, data, train_rows, background=unlabelled), data, test_rows
            )
        say(f"Cross-validating over {len(data):,} articles in {config.split.folds} folds")
        judged["cross_validation"] = evaluate.cross_validate(config, data, background=unlabelled)
        say("Fitting the model on all articles")
        model = models.fit(config, data, np.arange(len(data)), background=unlabelled)
    # one article in 200 of the kind that was trained on may be flagged as unlike it
    model.familiar_from = float(np.quantile(judged["cross_validation"].familiar, 0.005))
    metrics = {
        name: {
            "heads": evaluate.measure(config.heads, data, j.rows, j.probabilities, j.decided, seed=config.seed),
            "baselines": evaluate.baselines(config, data, j.rows),
        }
        for name, j in judged.items()
    }
    points = []
    if many:
        points = learning.points(config, data, fitted.parts, judged.get("held_out"), len(train_rows))
    elif len(test_rows) and config.evaluation.learning_curve:
        say("Fitting on fewer articles, for the learning curve")
        points = learning.curve(config, data, train_rows, judged["held_out"], background=unlabelled)
    say("Writing the model and its report")
    report = summary.summarize(
        config,
        data,
        judged,
        metrics,
        model,
        name=config.output.name,
        command=command,
        previous=page.previous(folder),
        learning=points,
    )
    folder = store.save(model, folder, config, data, metrics, report=report)
    return Trained(model, folder, metrics, data, report)


def background(config: Config) -> Background | None:
    """Articles without labels that a config names, to learn the use of words from."""
    if not config.data.unlabelled:
        return None
    rejects = dataset.LeftOut()
    parts = [
        dataset.table_fields(dataset.read_source(source, [], config.cleaning, rejects))
        for source in config.data.unlabelled
    ]
    return Background([text for part in parts for text in part[i]] for i in range(3))
