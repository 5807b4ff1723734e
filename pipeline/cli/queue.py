"""mirsad queue INPUT... ."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.predict import DEFAULT_MODEL
from pipeline.cli.tables import counter, say


@app.command()
def queue(
    inputs: Annotated[
        list[str], typer.Argument(metavar="INPUT", help="Articles to choose from: files, folders or globs.")
    ],
    output: Annotated[str, typer.Option(metavar="FILE", help="The table to fill in: .csv, .jsonl or .parquet.")],
    model: Annotated[str, typer.Option(metavar="FOLDER", help="The model folder.")] = DEFAULT_MODEL,
    number: Annotated[int, typer.Option("-n", min=1, metavar="N", help="Articles wanted.")] = 100,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Whose doubts count; all heads' if not given. May be repeated."),
    ] = None,
    labelled: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|CORPUS",
            help="Articles that are labelled already or on someone's desk, beside those that the model learned from."
            " May be repeated.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the share that is drawn at random.")] = 0,
    text_column: Annotated[str, typer.Option(metavar="NAME", help="The column or key that holds the text.")] = "text",
    id_column: Annotated[str, typer.Option(metavar="NAME", help="The column or key that holds the id.")] = "id",
    title_column: Annotated[
        str, typer.Option(metavar="NAME", help="The column or key that holds the title.")
    ] = "title",
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="The encoding of every file; recognized if not given.")
    ] = None,
) -> None:
    """Choose the articles to label next.

    Those that the model doubts most, unlike each other, and one in five at random, as a table to fill in and to train
    on.
    """
    from pipeline import queue as job
    from pipeline.articles import Columns, Rules

    with counter("articles read") as progress:
        summary = job.queue_files(
            inputs,
            model,
            output=output,
            n=number,
            heads=head or (),
            labelled=labelled or (),
            seed=seed,
            columns=Columns(id=id_column, title=title_column, text=text_column),
            rules=Rules(encoding=encoding),
            progress=progress,
        )
    say(summary.sentence())
    for note in summary.notes:
        say(note)
