"""mirsad predict INPUT... ."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.tables import say

DEFAULT_MODEL = "models/news"


@app.command()
def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders or globs of .txt, .csv, .tsv, .jsonl, .parquet (each also .gz); - for standard input."
        ),
    ],
    model: Annotated[str, typer.Option(help="The model folder.")] = DEFAULT_MODEL,
    output: Annotated[str | None, typer.Option(help="Where the rows go; standard output if not given.")] = None,
    format: Annotated[
        str | None, typer.Option(help="jsonl, csv or parquet; by the output's name if not given.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the words that spoke most for and against each label.")
    ] = False,
    rejects: Annotated[
        str | None, typer.Option(help="Where rows that are no article go, with the reason (JSONL).")
    ] = None,
    text_column: Annotated[str, typer.Option(help="The column or key that holds the text.")] = "text",
    id_column: Annotated[str, typer.Option(help="The column or key that holds the id.")] = "id",
    title_column: Annotated[str, typer.Option(help="The column or key that holds the title.")] = "title",
    encoding: Annotated[str | None, typer.Option(help="The encoding of every file; recognized if not given.")] = None,
    jobs: Annotated[int, typer.Option(help="Threads; -1 for one a core.")] = -1,
) -> None:
    """Label articles with a trained model."""
    from pipeline import predict as job
    from pipeline.articles import Columns, Rules

    summary = job.predict_files(
        inputs,
        model,
        output=output,
        format=format,
        explain=explain,
        rejects_to=rejects,
        n_jobs=jobs,
        columns=Columns(id=id_column, title=title_column, text=text_column),
        rules=Rules(encoding=encoding),
    )
    say(summary.sentence())
    for note in summary.notes:
        say(note)
