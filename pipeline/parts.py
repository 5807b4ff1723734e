"""A big run in parts: the input is cut the same way each time, and each part is labelled by itself into its own file.

`plan` cuts, `label_part` labels. Whoever runs them (this process, workers beside it, a cluster) need not agree on
anything else: a part's file depends on the part and on the task alone, and appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from pipeline import articles, memory, places
from pipeline.articles import Columns, Rejects, Rules
from pipeline.articles.pieces import Piece, cut, weight
from pipeline.articles.reading import checked, read_pieces
from pipeline.articles.sources import sources
from pipeline.articles.writing import explained
from pipeline.errors import ModelError

if TYPE_CHECKING:
    from pipeline.rows import Labeller

PART = 16 << 20
"""Bytes of text in a part, about: seconds of work, so that a run that is stopped loses no more."""


@dataclass(frozen=True, slots=True)
class Part:
    """What is labelled in one go: small files together, or a piece of a big one.

    Parameters
    ----------
    number : int
        From 0, in the order of the input.
    pieces : tuple of Piece
    """

    number: int
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """How parts are labelled; all of it can be sent to another process.

    Parameters
    ----------
    model : str
        The model folder.
    seal : str
        The model that is meant: SHA-256 of its scorer, as the manifest tells it.
    folder : str
        Where files of parts go; a URL perhaps.
    format : {"jsonl", "csv", "parquet"}
    explain : bool
        Whether rows tell the words that decided.
    rejects : bool
        Whether what is no article is written down, a file a part.
    columns : Columns
    rules : Rules
        As `reading.checked` gives them.
    batch_size : int
        Articles in memory at a time.
    """

    model: str
    seal: str
    folder: str
    format: str = "jsonl"
    explain: bool = False
    rejects: bool = False
    columns: Columns = field(default_factory=Columns)
    rules: Rules = field(default_factory=Rules)
    batch_size: int = 512

    def file(self, number: int) -> Path:
        """Where the rows of a part go."""
        return Path(self.folder, f"part-{number:05d}.{self.format}")

    def rejects_file(self, number: int) -> Path:
        """Where goes what is no article; there is none where everything is one."""
        return Path(self.folder, f"part-{number:05d}.rejects")


@dataclass
class Labelled:
    """What became of a part, or of several.

    Attributes
    ----------
    number : int
    rows : int
    rejects, flags : Counter of str
        By reason, and by flag.
    notes : list of str
        What the user should know, such as files that were not UTF-8.
    size : int
        Bytes of the part's file.
    sha256 : str
        Of the part's file.
    seconds : float
    memory : int
        The most bytes that the process has ever held.
    process : int
        Its number.
    """

    number: int
    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    size: int = 0
    sha256: str = ""
    seconds: float = 0.0
    memory: int = 0
    process: int = 0


def plan(
    inputs: str | Path | Iterable[str | Path],
    *,
    columns: Columns | None = None,
    rules: Rules | None = None,
    size: int = PART,
) -> list[Part]:
    """Cut the input into parts, the same way each time.

    Parameters
    ----------
    inputs : str, Path or iterable of them
        As `articles.read` takes them.
    columns : Columns, optional
    rules : Rules, optional
    size : int
        Bytes of text in a part, about: smaller files come together, bigger ones are cut.

    Returns
    -------
    list of Part
        Their articles, one part after the other, are those of `articles.read`, in its order.

    Raises
    ------
    InputError
        As `articles.read`.
    """
    columns, rules = columns or Columns(), checked(rules or Rules())
    parts: list[list[Piece]] = []
    room = 0  # in the last part
    for source in sources(inputs):
        heavy = weight(source)
        if heavy > size:
            parts += [[piece] for piece in cut(source, columns, rules, size)]
            room = 0
        elif parts and heavy <= room:
            parts[-1].append(Piece(source))
            room -= heavy
        else:
            parts.append([Piece(source)])
            room = size - heavy
    return [Part(number, tuple(pieces)) for number, pieces in enumerate(parts)]


def label_part(part: Part, task: Task) -> Labelled:
    """Label a part and write its rows under their final name.

    Parameters
    ----------
    part : Part
    task : Task

    Returns
    -------
    Labelled

    Raises
    ------
    InputError
        A table lacks a column that was asked for.
    ModelError
        The model cannot be used, or is not the one that is meant.
    MirsadError
        The file cannot be written.
    """
    if places.is_url(task.folder):
        return _put_part(part, task)
    start = perf_counter()
    done = Labelled(part.number)
    label = _labeller(task.model, task.seal, task.explain)
    with explained(task.rejects_file(part.number)):  # what an earlier try left is not to be taken for this one's
        task.rejects_file(part.number).unlink(missing_ok=True)
    with Rejects(task.rejects_file(part.number) if task.rejects else None) as rejects:
        batches = read_pieces(part.pieces, task.columns, task.rules, task.batch_size, rejects)
        with articles.writer(task.file(part.number), task.format) as out:
            for rows in label(batches):
                out.write(rows)
                done.rows += len(rows)
                done.flags.update(flag for row in rows for flag in row["flags"])
    done.rejects, done.notes = rejects.counts, rejects.notes
    with explained(task.file(part.number)), task.file(part.number).open("rb") as file:
        done.sha256, done.size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
    done.seconds, done.memory, done.process = perf_counter() - start, memory.peak(), os.getpid()
    return done


def _put_part(part: Part, task: Task) -> Labelled:
    """Label a part here, and put its files where they belong."""
    with tempfile.TemporaryDirectory(prefix="mirsad.") as folder:
        here = replace(task, folder=folder)
        done = label_part(part, here)
        for file in (here.rejects_file(part.number), here.file(part.number)):  # the rows last: then all is there
            if file.exists():
                places.put(file, places.within(task.folder, file.name))
            else:
                places.remove(task.folder, [file.name])
    return done


@lru_cache(maxsize=1)
def _labeller(model: str, seal: str, explain: bool) -> Labeller:
    """The model, loaded once a process."""
    # Few articles are scored without numba where it is not imported yet, and may differ in the last digit: a row is not
    # to depend on what else its process did.
    import numba  # noqa: F401

    from pipeline.rows import labeller
    from pipeline.store import SCORER

    found, manifest = labeller(model, explain=explain)
    if manifest["files"][SCORER]["sha256"] != seal:
        raise ModelError("was changed since this run began", where=model, hint="Start the run again.")
    return found
