"""mirsad compare RUN RUN [RUN...]."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.tables import say


@app.command()
def compare(
    runs: Annotated[list[str], typer.Argument(help="Folders of models or evaluations; the first is compared with.")],
    output: Annotated[str, typer.Option(help="Folder for compare.html, compare.md and compare.json.")] = "comparison",
) -> None:
    """Compare runs on the articles that all of them judged: what changed for better and worse, and is it chance."""
    from pipeline import compare as job

    say(f"Comparison: {job.compare_runs(runs, output)}")
