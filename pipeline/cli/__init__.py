"""The command `mirsad`: one file a command, each parses and calls one function."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipeline.errors import MirsadError

app = typer.Typer(
    name="mirsad",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from pipeline import __version__

        typer.echo(f"mirsad {__version__}")
        raise typer.Exit


@app.callback()
def mirsad(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Label Arabic news: which topics an article is about, and what stance it takes."""


def main() -> None:
    """Run the command; a user's mistake ends with one message and exit code 2, never with a traceback."""
    # each registers its command
    from pipeline.cli import compare, corpora, data, evaluate, init, predict, report, train  # noqa: F401

    try:
        app(prog_name="mirsad")
    except MirsadError as error:
        typer.secho(f"error: {error}", err=True, fg="red" if sys.stderr.isatty() else None)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        typer.secho("stopped", err=True)
        sys.exit(130)
