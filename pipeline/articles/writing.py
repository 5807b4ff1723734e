"""Results appear whole or not at all: rows stream to a temporary name, which becomes the final one at the end."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from pipeline.errors import MachineError, MirsadError

FORMATS = ("jsonl", "csv", "parquet")
STDOUT = "-"
Row = Mapping[str, Any]

_WORD = {"text": "", "field": "", "start": 0, "end": 0, "weight": 0.0}  # of evidence
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Replacement:
    """A file under a temporary name beside its final one, which it takes when it is committed.

    Parameters
    ----------
    path : str or Path
        The final name. If it is a symbolic link, the link is replaced, never what it points to.

    Attributes
    ----------
    stream : binary file
        Where to write.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        with explained(self.path):
            if self.path.is_dir():
                raise MirsadError("is a folder; name a file in it", where=str(path))
            # O_EXCL: whoever put a link under this name before us does not get our bytes.
            handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):  # a disk without locks
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # tells this file from one that a killed run left
        self.stream: BinaryIO = os.fdopen(handle, "wb")

    def commit(self) -> None:
        """Close the file and give it its final name."""
        try:
            with explained(self.path):
                self.stream.flush()
                os.fsync(self.stream.fileno())
                self.stream.close()
                self._temporary.replace(self.path)
        except MirsadError:
            self.discard()
            raise

    def discard(self) -> None:
        """Close the file and remove it."""
        with suppress(OSError):  # a full disk refuses the last buffer too; the file is given up anyway
            self.stream.close()
        with suppress(OSError):  # the folder may be gone, or not be ours any more
            self._temporary.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()


def write_text(path: str | Path, text: str) -> None:
    """Write a text file that appears whole or not at all.

    Parameters
    ----------
    path : str or Path
    text : str
        Written as UTF-8; a half of an emoji, which has no bytes there, becomes a question mark.

    Raises
    ------
    MirsadError
        The file cannot be written.
    """
    with Replacement(path) as file, explained(file.path):
        file.stream.write(text.encode("utf-8", "replace"))


class Writer(Protocol):
    """Something that takes rows, all with the same keys."""

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""

    def append(self, path: Path) -> None:
        """Write the rows of a file that has this format."""

    def finish(self) -> None:
        """Write what comes after the last row."""


def format_of(path: str | Path, format: str | None = None) -> str:
    """The format that a file is written in; a MirsadError where its ending tells none."""
    name = format or ("jsonl" if str(path) == STDOUT else Path(path).suffix.removeprefix(".").lower())
    if name not in FORMATS:
        raise MirsadError(
            f"cannot tell the format from the ending {Path(path).suffix!r}",
            where=str(path),
            hint=f"Say one of {', '.join(FORMATS)}.",
        )
    return name


@contextmanager
def writer(path: str | Path, format: str | None = None) -> Iterator[Writer]:
    """Open a file for rows; it appears under its name when the block ends well, otherwise not at all.

    Parameters
    ----------
    path : str or Path
        Where to write; "-" is standard output, which gets rows as they come.
    format : {"jsonl", "csv", "parquet"}, optional
        By default the ending of the path, and JSON Lines on standard output.

    Yields
    ------
    Writer
        ``write(rows)`` takes a list of mappings. Lists and mappings stay such in JSON Lines and Parquet; in CSV a
        list is joined by "|", and a mapping becomes one column a key, named ``column.key``.

    Raises
    ------
    MirsadError
        The ending names no format, or the file cannot be written.
    """
    name = format_of(path, format)
    if str(path) == STDOUT:
        out = _WRITERS[name](sys.stdout.buffer)
        yield out
        out.finish()
        sys.stdout.buffer.flush()
        return
    with Replacement(path) as file, explained(Path(path)):
        out = _WRITERS[name](file.stream)
        try:
            yield out
        except BaseException:
            with suppress(Exception):  # a Parquet file must be closed, though it is about to be removed
                out.finish()
            raise
        out.finish()


def write(rows: Iterable[Row], path: str | Path, format: str | None = None, *, batch_size: int = 512) -> int:
    """Write rows to a file that appears whole or not at all.

    Parameters
    ----------
    rows : iterable of mapping
        Taken as they come; never all in memory.
    path, format
        As for ``writer``.
    batch_size : int
        Rows written at once.

    Returns
    -------
    int
        Number of rows written.
    """
    count = 0
    with writer(path, format) as out:
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            count += 1
            if len(batch) == batch_size:
                out.write(batch)
                batch = []
        if batch:
            out.write(batch)
    return count


class _JsonLines:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

    def write(self, rows: Sequence[Row]) -> None:
        self._stream.write("".join(self._encode(row) + "\n" for row in rows).encode("utf-8", "replace"))

    def append(self, path: Path) -> None:
        with path.open("rb") as file:
            shutil.copyfileobj(file, self._stream)

    def finish(self) -> None:
        pass


class _Csv:
    """CSV as spreadsheets read it: a byte order mark, CR LF, and no cell that would be run as a formula."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._header: list[str] | None = None

    def write(self, rows: Sequence[Row]) -> None:
        buffer = io.StringIO(newline="")
        out = csv.writer(buffer)
        for row in rows:
            cells = dict(_flat(row))
            if self._header is None:
                self._header = list(cells)
                buffer.write("\ufeff")
                out.writerow(map(_guarded, self._header))
            out.writerow([_guarded(cells.get(name, "")) for name in self._header])
        self._stream.write(buffer.getvalue().encode("utf-8", "replace"))

    def append(self, path: Path) -> None:
        with path.open("rb") as file:
            header = file.readline()  # no name of a column goes over lines
            if self._header is None and header:
                self._stream.write(header)
                self._header = []
            shutil.copyfileobj(file, self._stream)

    def finish(self) -> None:
        pass


class _Parquet:
    def __init__(self, stream: BinaryIO) -> None:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise MirsadError("writing Parquet needs pyarrow", hint="pip install 'mirsad[parquet]'") from error
        self._arrow = pyarrow
        self._stream = stream
        self._out: Any = None

    def write(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        if self._out is None:
            schema = self._arrow.schema([(name, self._type(value)) for name, value in rows[0].items()])
            self._out = self._arrow.parquet.ParquetWriter(self._stream, schema, compression="zstd")
        self._out.write_table(self._arrow.Table.from_pylist(list(rows), schema=self._out.schema))

    def append(self, path: Path) -> None:
        with self._arrow.parquet.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                if self._out is None:
                    self._out = self._arrow.parquet.ParquetWriter(self._stream, table.schema, compression="zstd")
                self._out.write_table(table)

    def finish(self) -> None:
        if self._out is None:
            self._out = self._arrow.parquet.ParquetWriter(self._stream, self._arrow.schema([]))
        self._out.close()

    def _type(self, value: object, depth: int = 0) -> Any:
        """Give the type of a column by its first value.

        An empty list is one of texts, as labels and flags are; below two mappings, of words of evidence.
        """
        arrow = self._arrow
        if isinstance(value, Mapping):
            return arrow.struct([(str(key), self._type(item, depth + 1)) for key, item in value.items()])
        if isinstance(value, list | tuple):
            return arrow.list_(self._type(value[0] if value else _WORD if depth == 2 else "", depth))
        for kind, made in ((bool, arrow.bool_), (int, arrow.int64), (float, arrow.float64)):
            if isinstance(value, kind):
                return made()
        return arrow.string()


_WRITERS: dict[str, type[_JsonLines | _Csv | _Parquet]] = {"jsonl": _JsonLines, "csv": _Csv, "parquet": _Parquet}


def _flat(row: Row) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}.{key}", item) for key, item in value.items())
        elif isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            yield name, "|".join(value)
        elif isinstance(value, list | tuple):
            yield name, json.dumps(value, ensure_ascii=False)
        else:
            yield name, value


def _guarded(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in one message what the system refused: a MachineError where it gave out, else a MirsadError."""
    try:
        yield
    except OSError as error:
        gave_out = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
        raise (MachineError if gave_out else MirsadError)(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="Check that the folder exists, is yours, and has room left. Nothing half-written was left behind.",
        ) from error
