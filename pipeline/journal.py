"""The record of a run whose output is a folder: what it is of, which parts are done, and who is at work on it.

`run.journal` is JSON Lines: first what the run is of (version, model, options, files of the input with size and time
of change) and how the input is cut; then a line a finished part, written after the part bears its final name; at last
the end. It is only ever appended to, so a run that is killed leaves at worst half a last line, which the next one
drops. The process at work has the file locked, and the lock dies with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pipeline import __version__, places
from pipeline.articles.pieces import Piece
from pipeline.articles.sources import Source
from pipeline.articles.writing import explained
from pipeline.errors import InputError, MirsadError
from pipeline.parts import Labelled, Part, Task

JOURNAL = "run.journal"
FORMAT = 1
RESTART = "To label everything anew: --restart. To keep what is there, name another folder."

_KEPT = ("rows", "rejects", "flags", "notes", "size", "sha256", "seconds")
PART = re.compile(r"part-\d{5,}\.(jsonl|csv|parquet|rejects)")
TEMPORARY = re.compile(r"\.part-\d{5,}\..+\.[0-9a-f]{8}\.part")


class Journal:
    """The journal of an output folder, which is made if it is not there; a context that holds the folder's lock.

    Parameters
    ----------
    folder : str or Path
    restart : bool
        Whether to remove the run that is there, and its parts.
    beside : str or Path, optional
        A file that may be in the folder too: where rejects go.

    Attributes
    ----------
    done : dict of int to Labelled
        Finished parts by number.
    finished : bool
        Whether the run came to its end.

    Raises
    ------
    MirsadError
        The folder is a link, holds what is not of such a run, cannot be written, or another process is at work in it.
    """

    def __init__(self, folder: str | Path, *, restart: bool = False, beside: str | Path | None = None) -> None:
        self.folder = Path(folder)
        self.where = str(self.folder)
        self.path = self.folder / JOURNAL
        self.done: dict[int, Labelled] = {}
        self.finished = False
        self._beside = None
        if beside is not None and Path(beside).absolute().parent == self.folder.absolute():
            self._beside = Path(beside).name
            if self._beside == JOURNAL or PART.fullmatch(self._beside):
                raise MirsadError("is a name that the run itself uses", where=str(beside), hint="Name another file.")
        self._head: dict[str, Any] | None = None
        if self.folder.is_symlink():
            raise MirsadError(
                "is a link, and nothing is written through links",
                where=str(self.folder),
                hint=f"Name the folder itself: {self.folder.resolve()}",
            )
        with explained(self.folder):
            self.folder.mkdir(exist_ok=True)
            self._refuse_strangers()
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            self._file = os.fdopen(handle, "r+b")
        try:
            self._lock()
            self._remove(TEMPORARY)
            if restart:
                self._remove(PART)
                self._file.truncate()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(MirsadError):  # where the folder is not ours any more, the next run tidies up
            self._remove(TEMPORARY)  # of workers that were ended
        with suppress(OSError):  # a full disk refuses what it refused before
            self._file.close()

    # ------------------------------------------------------------------------------------------------- one run's story

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return self._head is not None

    def begin(self, of: dict[str, Any], parts: Sequence[Part], sources: Sequence[Source]) -> None:
        """Write down what a new run is of.

        Parameters
        ----------
        of : dict
            As `terms` makes them.
        parts : sequence of Part
        sources : sequence of Source
            Of the pieces of the parts.
        """
        index = {source: number for number, source in enumerate(sources)}
        cuts = [[[index[p.source], p.start, p.stop, p.lines, p.header] for p in part.pieces] for part in parts]
        self._head = {"format": FORMAT, **of, "parts": cuts}
        self._append(self._head)

    def go_on(self, of: dict[str, Any], sources: Sequence[Source], task: Task) -> list[Part]:
        """Make sure that a run can go on, and give its parts.

        Raises
        ------
        MirsadError
            It was of something else, or a finished part is not as it was written.
        """
        assert self._head is not None
        with self._understood():
            changes = list(_changes(self._head, of))
        if changes:
            raise MirsadError("holds a run of something else", where=self.where, hint="\n  ".join([*changes, RESTART]))
        with self._understood():
            for labelled in self.done.values():
                self._check(task, labelled)
            return [
                Part(number, tuple(Piece(sources[index], *place) for index, *place in cuts))
                for number, cuts in enumerate(self._head["parts"])
            ]

    def add(self, labelled: Labelled) -> None:
        """Write down that a part is done."""
        self._append({"part": labelled.number} | {key: getattr(labelled, key) for key in _KEPT})
        self.done[labelled.number] = labelled

    def finish(self) -> None:
        """Write down that the run came to its end."""
        self._append({"end": sum(labelled.rows for labelled in self.done.values())})
        self.finished = True

    # ------------------------------------------------------------------------------------------------------- the file

    def _append(self, line: dict[str, Any]) -> None:
        with explained(self.path):
            self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MirsadError(
                "another run is at work in this folder", where=str(self.folder), hint="Wait for it, or stop it."
            ) from None
        except OSError as error:
            raise MirsadError(f"cannot be locked: {error.strerror}", where=str(self.path)) from error

    def _read(self) -> None:
        whole = 0
        with self._understood():
            for line in self._file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self._take(json.loads(line))
        with explained(self.path):
            self._file.seek(whole)
            if whole < self.path.stat().st_size:
                self._file.truncate()

    @contextmanager
    def _understood(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise MirsadError(f"is not a journal: {error!r}", where=f"{self.where}/{JOURNAL}", hint=RESTART) from None

    def _take(self, line: dict[str, Any]) -> None:
        if self._head is None:
            if line["format"] != FORMAT or not line.keys() >= {"mirsad", "model", "options", "input", "parts"}:
                raise ValueError(f"its first line is not one of format {FORMAT}")
            self._head = line
        elif "end" in line:
            self.finished = True
        else:
            kept: dict[str, Any] = {
                key: Counter(line[key]) if key in ("rejects", "flags") else line[key] for key in _KEPT
            }
            self.done[line["part"]] = Labelled(line["part"], **kept)

    def _check(self, task: Task, labelled: Labelled) -> None:
        _check(task.file(labelled.number), labelled)

    def _remove(self, names: re.Pattern[str]) -> None:
        with explained(self.folder):
            for path in self.folder.iterdir():
                if names.fullmatch(path.name):
                    path.unlink(missing_ok=True)

    def _refuse_strangers(self) -> None:
        """Refuse a folder with what no run wrote: it may be dear to someone, or lead elsewhere."""
        begun = self.path.is_file() and self.path.stat().st_size > 0
        strange = []
        for path in sorted(self.folder.iterdir()):
            ours = path.name in (JOURNAL, self._beside) or (begun and PART.fullmatch(path.name))
            if ours or TEMPORARY.fullmatch(path.name):
                with suppress(FileNotFoundError):  # given its final name by another run, which the lock will tell of
                    if stat.S_ISREG(path.lstat().st_mode):
                        continue
                    raise MirsadError(
                        "is a link or no file, and nothing is written there", where=str(path), hint="Remove it."
                    )
            elif PART.fullmatch(path.name) or not path.name.startswith("."):
                strange.append(path.name)
        if strange:
            raise MirsadError(
                f"holds what is not of a run with a journal: {', '.join(strange[:3])}"
                + (f" and {len(strange) - 3:,} more" if len(strange) > 3 else ""),
                where=str(self.folder),
                hint="Name a new or an empty folder.",
            )


def terms(sources: Sequence[Source], model: dict[str, str], options: dict[str, Any]) -> dict[str, Any]:
    """What must be the same for a run to go on.

    Parameters
    ----------
    sources : sequence of Source
        The input; of each file path, size and time of change count.
    model : dict
        `name`, as rows have it, and `sha256`.
    options : dict
        Whatever changes rows or rejects.

    Raises
    ------
    InputError
        A file is gone.
    """
    files = []
    for source in sources:
        try:
            if places.is_url(source.path):
                files.append([source.path, *places.facts(source.path)])
                continue
            found = Path(source.path).stat()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}", where=source.path) from None
        files.append([str(Path(source.path).absolute()), found.st_size, found.st_mtime_ns])
    of = {"mirsad": __version__, "model": model, "options": options, "input": files}
    return json.loads(json.dumps(of))  # type: ignore[no-any-return]  # as it will be read again: tuples become lists


def _changes(then: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    """What is not as it was, a line each."""
    if then["mirsad"] != now["mirsad"]:
        yield f"mirsad: {then['mirsad']} then, {now['mirsad']} now"
    if then["model"] != now["model"]:
        yield f"model: {then['model']['name']} then, {now['model']['name']} now"
    for key in sorted(then["options"].keys() | now["options"].keys()):
        old, new = then["options"].get(key), now["options"].get(key)
        if old != new:
            yield f"{key}: {old!r} then, {new!r} now"
    before, after = ({path: facts for path, *facts in of["input"]} for of in (then, now))
    for word, paths in (
        ("new", after.keys() - before.keys()),
        ("gone", before.keys() - after.keys()),
        ("changed", {path for path in before.keys() & after.keys() if before[path] != after[path]}),
    ):
        if paths:
            yield f"input: {len(paths):,} file{'s' * (len(paths) > 1)} {word}, such as {min(paths)}"
    if before == after and then["input"] != now["input"]:
        yield "input: the same files in another order, or another number of times"


def _check(path: Path, labelled: Labelled) -> None:
    """Make sure that a finished part is as it was written."""
    try:
        with path.open("rb") as file:
            same = hashlib.file_digest(file, "sha256").hexdigest() == labelled.sha256
    except FileNotFoundError:
        raise MirsadError("is gone, and was done", where=str(path), hint=f"Put it back. {RESTART}") from None
    except OSError as error:
        raise MirsadError(f"cannot be read: {error.strerror}", where=str(path)) from error
    if not same:
        raise MirsadError("was changed after it was written", where=str(path), hint=f"Put it back. {RESTART}")
