"""mirsad train CONFIG."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.report import FailOn, command_line, end_on
from pipeline.cli.tables import say, show_metrics


@app.command()
def train(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="The config file, for example configs/default.toml.")],
    overrides: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key: heads.stance.estimator.C=3. May be repeated."),
    ] = [],  # noqa: B006
    fail_on: FailOn = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="A Dask cluster for the folds of the cross-validation, as tcp://host:8786."
        ),
    ] = None,
) -> None:
    """Train a model, judge it, save it with its report.

    Ends with the metrics as tables, the path of the report, and the command to try next.
    """
    from pipeline import config as configs
    from pipeline import dataset
    from pipeline import train as job
    from pipeline.cluster import training

    start = time.perf_counter()
    settings = configs.load(config, overrides)
    with training(scheduler):
        result = job.train(settings, say=say, command=command_line())
    show_metrics(result.metrics)
    if result.data.rejects.total:
        say(dataset.rejects_hint(result.data.rejects))
    say(f"Trained on {len(result.data):,} articles in {time.perf_counter() - start:.0f} s")
    say(f"Model:  {result.folder}")
    say(f"Report: {result.folder / 'report' / 'report.html'}")
    say(f"Next:   mirsad predict --model {result.folder} YOUR_ARTICLES")
    end_on(result.report, fail_on)
