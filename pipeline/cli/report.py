"""mirsad report DIR, and what commands that write a report share."""

from __future__ import annotations

import shlex
import sys
from typing import Annotated, Any, Literal

import typer

from pipeline.cli import app
from pipeline.cli.tables import say

FailOn = Annotated[
    Literal["error", "warning"] | None,
    typer.Option("--fail-on", help="End with exit code 1 when a check of the report finds this, or worse."),
]
FAILED = 1


@app.command()
def report(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The folder of a model or an evaluation, or its report.json.")
    ],
) -> None:
    """Write a report again from its saved numbers."""
    from pipeline.report import page

    say(f"Report: {page.rebuild(folder)}")


def command_line() -> str:
    """The command that runs, as a person would type it again."""
    return shlex.join(["mirsad", *sys.argv[1:]])


def end_on(report: dict[str, Any], level: str | None) -> None:
    """End with an exit code where a check found something as bad as the level."""
    from pipeline.report import checks

    found = checks.failing(report["checks"], level) if level else []
    for row in found:
        say(f"{row['severity']} {row['code']} {row['title']}: {row['sentence']}")
    if found:
        raise typer.Exit(FAILED)
