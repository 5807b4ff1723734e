"""Which files an input means: a file, a folder, a glob, those of a URL, or standard input."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pipeline import places
from pipeline.errors import InputError

FORMATS = (".txt", ".csv", ".tsv", ".jsonl", ".parquet")
STDIN = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """One file to read.

    Parameters
    ----------
    path : str
        Where it is, a URL perhaps; "-" is standard input.
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
        Files, folders (searched to any depth; hidden files and unknown endings are passed over), globs, URLs of any of
        these, or "-".

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


def format_of(path: Path) -> tuple[str, bool] | None:
    """Give the ending that tells the format, and whether it is gzipped; None for an ending that is not known."""
    gzipped = path.suffix.lower() == ".gz"
    ending = (path.with_suffix("") if gzipped else path).suffix.lower()
    return (ending, gzipped) if ending in FORMATS else None


def _resolve(item: str) -> list[Source]:
    if item == STDIN:
        return [Source(STDIN, "stdin", "")]
    if places.is_url(item):
        return _remote(item)
    path = Path(item)
    if path.is_dir():
        return _named(_walk(path), root=path, item=item)
    if path.exists():
        found = format_of(path)
        if found is None:
            raise InputError(f"its ending is none of those that can be read: {_endings()}", where=item)
        return [Source(item, path.name, *found)]
    if glob.has_magic(item):
        # The folder before the first wildcard is what clashing names are told relative to.
        fixed = next(i for i, part in enumerate(path.parts) if glob.has_magic(part))
        root = Path(*path.parts[:fixed])
        matches = sorted(root.glob(str(Path(*path.parts[fixed:]))))
        return _named([p for p in matches if p.is_file() and format_of(p)], root=root, item=item)
    near = get_close_matches(path.name, _siblings(path), n=1)
    raise InputError("there is no such file or folder", where=item, hint=f"Did you mean {near[0]}?" if near else None)


def _walk(root: Path) -> list[Path]:
    paths = []
    for folder, folders, names in os.walk(root):  # links to folders are not followed: they can form rings
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        files = (Path(folder, name) for name in sorted(names) if not name.startswith("."))
        paths += [path for path in files if format_of(path) and path.is_file()]
    return paths


def _remote(url: str) -> list[Source]:
    found = [
        (path, below, kind)
        for path, below in places.files(url)
        if (kind := format_of(Path(below))) and not any(part.startswith(".") for part in Path(below).parts)
    ]
    if not found:
        raise InputError(f"matches no file that can be read ({_endings()})", where=url)
    names = [Path(below).name for _, below, _ in found]
    if len(set(names)) < len(names):
        names = [below for _, below, _ in found]
    return [Source(path, name, *kind) for (path, _, kind), name in zip(found, names, strict=True)]


def _named(paths: list[Path], *, root: Path, item: str) -> list[Source]:
    if not paths:
        does = "holds" if Path(item).is_dir() else "matches"
        raise InputError(f"{does} no file that can be read ({_endings()})", where=item)
    names = [path.name for path in paths]
    if len(set(names)) < len(names):
        names = [path.relative_to(root).as_posix() for path in paths]
    return [Source(str(p), name, *(format_of(p) or ("", False))) for p, name in zip(paths, names, strict=True)]


def _siblings(path: Path) -> list[str]:
    try:
        return [other.name for other in path.parent.iterdir()]
    except OSError:
        return []


def _endings() -> str:
    return ", ".join(FORMATS) + ", each also with .gz"
