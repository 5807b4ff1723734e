"""mirsad init NAME."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app
from pipeline.cli.tables import say


@app.command()
def init(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the project: of the config file, and of the model.")
    ],
    labels: Annotated[
        str, typer.Option(metavar="A,B,C", help="Your labels, with commas between them.")
    ] = "economy,politics,sport",
    single: Annotated[
        bool, typer.Option("--single", help="Exactly one label an article; otherwise none, one or several.")
    ] = False,
    articles: Annotated[str, typer.Option(metavar="FILE", help="Your labelled articles.")] = "articles.csv",
) -> None:
    """Write a config for labels of your own."""
    from pipeline import starter

    path = starter.write(
        name, labels=[label.strip() for label in labels.split(",")], single=single, articles_path=articles
    )
    column = "label" if single else "labels"
    say(
        f"Wrote {path}. Put your articles into {articles} (columns id, title, text, {column}), then:\n"
        f"  mirsad train {path}"
    )
