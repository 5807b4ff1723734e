"""TOML files of a user, within bounds."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError

MAX_BYTES = 1 << 20
"""A config has a few thousand bytes, a long list of terms some hundred thousand."""
MAX_DOTS = 1000
"""On one line: the time that a key of many parts takes grows with the square of their number."""


def read(path: str | Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises
    ------
    FileNotFoundError
    ConfigError
        Where it cannot be read, is too large, or is not TOML.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"is not UTF-8: byte {error.object[error.start]:#04x} at {error.start:,}",
            where=str(path),
            hint="Save it as UTF-8.",
        ) from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"has more than {MAX_BYTES:,} bytes", where=str(path), hint="Is it the right file?")
    if any(line.count(".") > MAX_DOTS for line in text.splitlines()):
        raise ConfigError(f"has a line with more than {MAX_DOTS:,} dots", where=str(path), hint="Break the line.")
    try:
        return tomllib.loads(text)
    except RecursionError:
        problem = "its lists or tables are nested too deeply"
    except ValueError as error:  # beside its own error for numbers of thousands of digits
        problem = str(error)
    raise ConfigError(
        f"is not TOML: {problem}",
        where=str(path),
        hint="Text needs quotes, a table starts with [name], a list looks like [1, 2].",
    )
