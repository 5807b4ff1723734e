"""mirsad compare RUN RUN [RUN...]."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.tables import say


@app.command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Folders of models or evaluations; the first is compared with."),
    ],
    output: Annotated[
        str, typer.Option(metavar="FOLDER", help="Folder for compare.html, compare.md and compare.json.")
    ] = "comparison",
) -> None:
    """Compare runs: what got better or worse, and is it chance.

    Runs are compared on the articles that all of them judged.
    """
    from pipeline import compare as job

    say(f"Comparison: {job.compare_runs(runs, output)}")
