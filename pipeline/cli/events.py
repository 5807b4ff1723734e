"""What happens, as JSON lines: for programs that watch a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import typer

from pipeline.errors import MirsadError

STDERR = "-"


@contextmanager
def log(path: str | None) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Where events go, one JSON object a line, written as they happen; the last one is "end" or "error".

    Parameters
    ----------
    path : str, optional
        "-" is standard error, which then holds nothing else. None: nowhere.
    """
    if path is None:
        yield lambda *_: None
        return
    with _opened(path) as out:

        def tell(event: str, fields: Mapping[str, Any]) -> None:
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in fields.items()}
            out.write(json.dumps({"time": now, "event": event, **rounded}, ensure_ascii=False) + "\n")
            out.flush()

        try:
            yield tell
        except MirsadError as error:
            facts = {"what": error.what, "where": error.where, "hint": error.hint, "exit_code": error.exit_code}
            tell("error", facts)
            if path == STDERR:
                raise typer.Exit(error.exit_code) from error
            raise
        except BaseException as error:
            code = 130 if isinstance(error, KeyboardInterrupt) else getattr(error, "code", 1)
            tell("error", {"what": repr(error), "where": None, "hint": None, "exit_code": code})
            if path == STDERR and isinstance(error, KeyboardInterrupt):
                raise typer.Exit(code) from error
            raise


@contextmanager
def _opened(path: str) -> Iterator[IO[str]]:
    if path == STDERR:
        yield sys.stderr
        return
    try:
        file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 - an error while it is open is not one of opening it
    except OSError as error:
        raise MirsadError(f"cannot be written: {error.strerror}", where=path, hint="Name another --log-json.") from None
    with file:
        yield file
