"""Which files an input means: a file, a folder, a glob or standard input."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipeline.errors import InputError

FORMATS = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read.

    Parameters
    ----------
    path : str
        Where it is; "-" is standard input.
    name : str
        What its articles are called after: the file name, or the path below the folder where file names clash.
    format : str
        One of ``FORMATS``; "" is standard input, whose format shows in its first characters.
    gzipped : bool
    """

    path: str
    name: str
    format: str
    gzipped: bool = False


def sources(inputs: str | Path | Iterable[str | Path]) -> list[Source]:
    """Find the files that the inputs mean, in a fixed order.

    Parameters
    ----------
    inputs : str, Path or iterable of them
        Files, folders (searched to any depth; hidden files and unknown endings are passed over), globs, or "-".

    Returns
    -------
    list of Source
        In the order of the inputs; within a folder or glob sorted by path.

    Raises
    ------
    InputError
        An input does not exist, matches nothing, or has an ending that cannot be read.
    """
    given = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    if not given:
        raise InputError("no input was given", hint=f"Name a file, a folder, a glob, or {STDIN} for standard input.")
    return [source for item in given for source in _resolve(os.fspath(item))]


def format_of(path: str) -> tuple[str, bool] | None:
    """Give the ending that tells the format, and whether it is gzipped; None for an ending that is not known."""
    stem, ending = os.path.splitext(path.lower())
    gzipped = ending == ".gz"
    if gzipped:
        ending = os.path.splitext(stem)[1]
    return (ending, gzipped) if ending in FORMATS else None


def _resolve(item: str) -> list[Source]:
    if item == STDIN:
        return [Source(STDIN, "stdin", "")]
    if os.path.isdir(item):
        return _named(_walk(item), root=item, item=item)
    if os.path.exists(item):
        found = format_of(item)
        if found is None:
            raise InputError(f"its ending is none of those that can be read: {_endings()}", where=item)
        return [Source(item, os.path.basename(item), *found)]
    if glob.has_magic(item):
        paths = sorted(p for p in glob.glob(item, recursive=True) if os.path.isfile(p) and format_of(p))
        # The folder before the first wildcard is what clashing names are told relative to.
        parts = Path(item).parts
        fixed = next(i for i, part in enumerate(parts) if glob.has_magic(part))
        return _named(paths, root=str(Path(*parts[:fixed])), item=item)
    near = get_close_matches(Path(item).name, _siblings(item), n=1)
    raise InputError("there is no such file or folder", where=item, hint=f"Did you mean {near[0]}?" if near else None)


def _walk(root: str) -> list[str]:
    paths = []
    for folder, folders, names in os.walk(root):  # links to folders are not followed: they can form rings
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        paths += [os.path.join(folder, n) for n in sorted(names) if not n.startswith(".") and format_of(n)]
    return [path for path in paths if os.path.isfile(path)]


def _named(paths: list[str], *, root: str, item: str) -> list[Source]:
    if not paths:
        raise InputError(f"holds no file that can be read ({_endings()})", where=item)
    names = [os.path.basename(path) for path in paths]
    if max(Counter(names).values()) > 1:
        names = [Path(os.path.relpath(path, root)).as_posix() for path in paths]
    return [Source(p, name, *(format_of(p) or ("", False))) for p, name in zip(paths, names, strict=True)]


def _siblings(item: str) -> list[str]:
    try:
        return os.listdir(Path(item).parent)
    except OSError:
        return []


def _endings() -> str:
    return ", ".join(FORMATS) + ", each also with .gz"
