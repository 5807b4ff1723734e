"""What a run that was killed left beside its output: hidden files and folders, of names of ours, that no process holds.

Who writes under such a name has it locked, and the lock dies with the process.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.articles.writing import explained


@contextmanager
def folder(output: str | Path | None) -> Iterator[str]:
    """Make a folder for parts on the disk that the output is on, and remove it in the end.

    Parameters
    ----------
    output : str or Path, optional
        A file; the folder is elsewhere if not given.
    """
    beside = None if output is None else Path(output)
    while True:
        with explained(Path(output or tempfile.gettempdir())):
            made = tempfile.mkdtemp(
                prefix=f".{beside.name}." if beside else "mirsad.",
                suffix=".parts",
                dir=beside.parent if beside else None,
            )
            handle = os.open(made, os.O_RDONLY | os.O_CLOEXEC)
        with suppress(OSError):  # a disk without locks: nothing is cleared there either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if Path(made).is_dir():
            break
        os.close(handle)  # another run took it for left, before it was locked
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(handle)


def clear(output: str | Path) -> list[str]:
    """Remove what runs that were killed left beside a file that they were to write.

    Parameters
    ----------
    output : str or Path

    Returns
    -------
    list of str
        The names of what was removed.
    """
    output = Path(output)
    ours = re.compile(rf"\.{re.escape(output.name)}\.(?:[0-9a-f]{{8}}\.part|[a-z0-9_]{{8}}\.parts)")
    try:
        found = sorted(path for path in output.parent.iterdir() if ours.fullmatch(path.name))
    except OSError:  # is told when the output is opened
        return []
    return [path.name for path in found if _removed(path)]


def _removed(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mode = os.fstat(handle).st_mode
        if path.suffix == ".parts" and stat.S_ISDIR(mode):
            shutil.rmtree(path)
        elif path.suffix == ".part" and stat.S_ISREG(mode):
            path.unlink()
        else:
            return False
    except OSError:  # another run is at work on it, or it is not ours to remove
        return False
    finally:
        os.close(handle)
    return True
