"""The command `mirsad`: one file a command, each parses and calls one function."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated, Any

import typer
import typer.core

from pipeline.errors import MirsadError


class StoppedError(Exception):
    """Ctrl-C, of which typer would not say a word."""


class Commands(typer.core.TyperGroup):
    """All commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run one."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise StoppedError from None


app = typer.Typer(
    cls=Commands,
    name="mirsad",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Exit codes: 0 done; 1 a check of labelled data or of a report failed, or a fault of the program; 2"
    " something that you can put right; 3 the machine gave out (a full disk, a process that was ended), and the same"
    " command can be run again; 130 stopped by Ctrl-C; 143 ended by the system (SIGTERM).",
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
    """Run the command; a user's mistake ends with one message and its exit code, never with a traceback."""
    # each registers its command
    from pipeline.cli import compare, corpora, data, evaluate, init, predict, queue, report, train  # noqa: F401

    # ended by whoever schedules jobs: clean up as after Ctrl-C
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        app(prog_name="mirsad")
    except MirsadError as error:
        typer.secho(f"error: {error}", err=True, fg="red" if sys.stderr.isatty() else None)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (StoppedError, KeyboardInterrupt):
        typer.secho("stopped", err=True)
        sys.exit(130)
