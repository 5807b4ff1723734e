"""mirsad evaluate INPUT --labels FILE."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.predict import DEFAULT_MODEL
from pipeline.cli.report import FailOn, command_line, end_on
from pipeline.cli.tables import say, show_metrics


@app.command()
def evaluate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Labelled articles: files, folders or globs, or the name of a corpus (mirsad corpora list).",
        ),
    ],
    model: Annotated[str, typer.Option(metavar="FOLDER", help="The model folder.")] = DEFAULT_MODEL,
    labels: Annotated[
        str | None, typer.Option(metavar="FILE", help="CSV of labels by id, where the articles do not hold them.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="For metrics.json and the report; evaluation in the model's if not given."),
    ] = None,
    fail_on: FailOn = None,
) -> None:
    """Judge a model on labelled articles.

    They should be articles that it was not trained on.
    """
    from pipeline import evaluate as job

    result = job.evaluate_files(inputs, model, labels=labels, output=output, command=command_line())
    show_metrics({"judged": result.metrics})
    say(f"Report: {result.folder / 'report.html'}")
    end_on(result.report, fail_on)
