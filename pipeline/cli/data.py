"""mirsad data check FILE."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.errors import visible

data_app = typer.Typer(help="Labelled articles of your own: are they fit to train on?", no_args_is_help=True)
app.add_typer(data_app, name="data")


@data_app.command()
def check(
    inputs: Annotated[list[str], typer.Argument(help="Files of articles, or the name of a corpus, such as written.")],
    against: Annotated[
        list[str] | None, typer.Option(help="A corpus of real news to compare with, such as ant. May be repeated.")
    ] = None,
    sentences: Annotated[
        str | None, typer.Option(help="JSON lines of sentences that stand alone, each with a text.")
    ] = None,
    first: Annotated[str | None, typer.Option(help="CSV of one annotator's labels by id.")] = None,
    second: Annotated[str | None, typer.Option(help="CSV of another annotator's labels by id.")] = None,
) -> None:
    """Look for copies, formulas and poor vocabulary; with two label files, tell how far they agree."""
    from pipeline import quality

    report = quality.check_files(inputs, against=against or [], sentences=sentences, first=first, second=second)
    for line in report.lines:
        typer.echo(visible(line))
    if not report.passed:
        raise typer.Exit(1)
