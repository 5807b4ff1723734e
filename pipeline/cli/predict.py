"""mirsad predict INPUT... ."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipeline.cli import app
from pipeline.cli.events import STDERR, log
from pipeline.cli.tables import counter, say

DEFAULT_MODEL = "models/news"


@app.command()
def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT",
            help="Files, folders, globs or URLs of .txt, .csv, .tsv, .jsonl, .parquet (each also .gz); - for standard"
            " input.",
        ),
    ],
    model: Annotated[str, typer.Option(metavar="FOLDER", help="The model folder.")] = DEFAULT_MODEL,
    output: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|FOLDER/",
            help="Where the rows go; standard output if not given. A folder gets them in parts, and a run that was"
            " stopped goes on where it was when it is started again.",
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Remove what an earlier run left in the output folder, and begin anew.")
    ] = False,
    format: Annotated[
        Literal["jsonl", "csv", "parquet"] | None, typer.Option(help="By the output's name if not given.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Add the words that spoke most for and against each label.")
    ] = False,
    rejects: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where rows that are no article go, with the reason (JSONL).")
    ] = None,
    text_column: Annotated[str, typer.Option(metavar="NAME", help="The column or key that holds the text.")] = "text",
    id_column: Annotated[str, typer.Option(metavar="NAME", help="The column or key that holds the id.")] = "id",
    title_column: Annotated[
        str, typer.Option(metavar="NAME", help="The column or key that holds the title.")
    ] = "title",
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="The encoding of every file; recognized if not given.")
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", help="Processes; -1 for one a core.")] = -1,
    engine: Annotated[
        Literal["processes", "dask"], typer.Option(help="What labels: processes of this machine, or workers of Dask.")
    ] = "processes",
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="A Dask cluster, as tcp://host:8786; with --engine dask alone, --jobs workers of this machine.",
        ),
    ] = None,
    log_json: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Where events go as JSON lines; - for standard error, and nothing else there."
        ),
    ] = None,
) -> None:
    """Label articles with a trained model.

    Each article becomes a row with its labels, their probabilities and flags. Rows go to standard output or to a file;
    everything else is said on standard error.
    """
    from pipeline import predict as job
    from pipeline.articles import Columns, Rules

    cluster = None
    if engine == "dask" or scheduler:
        from pipeline.cluster import engine as of_cluster

        cluster = of_cluster(scheduler, n_jobs=jobs)
    with log(log_json) as tell, counter("articles labelled", show=log_json != STDERR) as progress:
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
            restart=restart,
            engine=cluster,
            progress=progress,
            tell=tell,
        )
    if log_json != STDERR:
        say(summary.sentence())
        for note in summary.notes:
            say(note)
