"""The journal of an output folder that is named by a URL, where nothing can be appended to a file, or locked.

It has the same lines as on a disk, and is written anew as a whole, every few seconds: a run that is killed does those
seconds' parts again. Two runs at once would do the same work twice, and write the same bytes under the same names.
"""

from __future__ import annotations

import json
import time
from types import TracebackType
from typing import Any

from pipeline import places
from pipeline.errors import MirsadError
from pipeline.journal import JOURNAL, PART, RESTART, TEMPORARY, Journal
from pipeline.parts import Labelled, Task

EVERY = 5.0
"""Seconds after which the journal is written again; with what it holds the pause grows."""


class RemoteJournal(Journal):
    """The journal of an output folder that is named by a URL.

    Parameters
    ----------
    url : str
    restart : bool
        Whether to remove the run that is there, and its parts.

    Raises
    ------
    MirsadError
        The folder holds what is not of such a run, or cannot be reached.
    """

    def __init__(self, url: str, *, restart: bool = False) -> None:
        self.where = url.rstrip("/")
        self.done: dict[int, Labelled] = {}
        self.finished = False
        self._head: dict[str, Any] | None = None
        self._lines = b""
        self._written = self._cost = 0.0
        there = places.names(self.where)
        ours = (JOURNAL, *filter(PART.fullmatch, there)) if JOURNAL in there else ()
        strange = [name for name in there if name not in ours and not name.startswith(".")]
        if strange:
            raise MirsadError(
                f"holds what is not of a run with a journal: {strange[0]}",
                where=self.where,
                hint="Name a new or an empty folder.",
            )
        places.remove(self.where, filter(TEMPORARY.fullmatch, there))
        if restart:
            places.remove(self.where, [JOURNAL, *filter(PART.fullmatch, there)])
        elif JOURNAL in there:
            self._lines = places.read(places.within(self.where, JOURNAL))
            with self._understood():
                for line in self._lines.splitlines():
                    self._take(json.loads(line))
        self._sizes = places.sizes(self.where) if self.done else {}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write()
        except MirsadError:
            if kind is None:
                raise

    def finish(self) -> None:
        """Write down that the run came to its end."""
        super().finish()
        self._write()

    def _append(self, line: dict[str, Any]) -> None:
        self._lines += json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        if time.monotonic() > self._written + EVERY + 10 * self._cost:
            self._write()

    def _write(self) -> None:
        if self._lines:
            start = time.monotonic()
            places.write(places.within(self.where, JOURNAL), self._lines)
            self._written = time.monotonic()
            self._cost = self._written - start

    def _check(self, task: Task, labelled: Labelled) -> None:
        """Make sure that a finished part is there in its size: reading all of them would cost as much as the run."""
        name = task.file(labelled.number).name
        if self._sizes.get(name) != labelled.size:
            raise MirsadError(
                "is gone or was changed, and was done",
                where=places.within(self.where, name),
                hint=f"Put it back. {RESTART}",
            )
