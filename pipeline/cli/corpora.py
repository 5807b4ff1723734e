"""mirsad corpora list | get NAME | info NAME."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import app

corpora_app = typer.Typer(
    help="Public corpora of Arabic news: where they are, what they hold.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(corpora_app, name="corpora")

From = Annotated[str | None, typer.Option("--from", metavar="FOLDER", help="A folder that has the archives already.")]


@corpora_app.command("list")
def list_corpora() -> None:
    """Name the corpora."""
    from pipeline import corpora

    for name in corpora.names():
        typer.echo(f"{name:<10} {corpora.get(name).about}")


@corpora_app.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the corpus.")], from_dir: From = None
) -> None:
    """Fetch a corpus, and check it.

    Prints where the archive lies: where it was found already, or in the user's cache.
    """
    from pipeline import corpora

    typer.echo(corpora.get(name, from_dir=from_dir, download=from_dir is None).path())


@corpora_app.command()
def info(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the corpus.")], from_dir: From = None
) -> None:
    """Say what a corpus holds, and under which licence."""
    from pipeline import corpora

    for line in corpora.describe(name, from_dir=from_dir):
        typer.echo(line)
