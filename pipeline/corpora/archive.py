"""The data files of a corpus, streamed from its archive and checked; nothing is ever unpacked to disk."""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import CorpusError

MAX_MEMBER = 16 << 20
MAX_TOTAL = 1 << 30


class Member(NamedTuple):
    """One data file.

    Parameters
    ----------
    name : str
        Its path below the archive's single top folder.
    data : bytes
    """

    name: str
    data: bytes


def members(path: Path, pattern: re.Pattern[str], *, wanted: frozenset[str] | None = None) -> Iterator[Member]:
    """Stream the data files of an archive, in the archive's order.

    Parameters
    ----------
    path : Path
        A gzipped tar file.
    pattern : re.Pattern
        Which names, below the top folder, are data files. Its group ``id``, if it has one, is the article's id.
    wanted : frozenset of str, optional
        Ids to read; the data of others is passed over unread.

    Yields
    ------
    Member

    Raises
    ------
    CorpusError
        The archive is damaged, or larger than any corpus is.
    """
    total = 0
    try:
        # Unpacked by gzip, which notices an archive cut short; tarfile's own stream takes that for its end.
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for info in archive:
                # Only regular files are read, and a name is only compared, never used as a path: links, devices and
                # names that climb out of the folder have nothing to take hold of.
                total += max(info.size, 0)
                if info.size > MAX_MEMBER or total > MAX_TOTAL:
                    raise CorpusError(f"{info.name!r} makes it larger than any corpus is", where=str(path))
                _, _, name = info.name.partition("/")
                found = pattern.fullmatch(name)
                if not info.isfile() or not found or (wanted is not None and found["id"] not in wanted):
                    continue
                file = archive.extractfile(info)
                if file is not None:
                    yield Member(name, file.read())
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise CorpusError(
            f"cannot be read: {error}", where=str(path), hint="Remove it and fetch it again: mirsad corpora get NAME"
        ) from error


def file_sha256(path: Path) -> str:
    """Hash a file as it is."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_sha256(path: Path, pattern: re.Pattern[str]) -> str:
    r"""Hash the data files of an archive, whatever else is packed with them, and in whatever order.

    Parameters
    ----------
    path : Path
    pattern : re.Pattern
        Which names are data files.

    Returns
    -------
    str
        SHA-256, in hexadecimal, of one line ``<sha256 of the data>  <name>\\n`` a data file, sorted by name as UTF-8.
    """
    lines = sorted((m.name.encode(), hashlib.sha256(m.data).hexdigest().encode()) for m in members(path, pattern))
    whole = hashlib.sha256()
    for name, digest in lines:
        whole.update(digest + b"  " + name + b"\n")
    return whole.hexdigest()
