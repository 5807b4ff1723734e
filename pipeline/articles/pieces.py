"""Pieces of a file that can be read by themselves, so that one big file can be read by many and from its middle."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline import places
from pipeline.articles.article import Columns
from pipeline.articles.decoding import DAMAGE, SAMPLE, BombError, Stream, detect, open_raw, open_source
from pipeline.articles.formats import Lines, read_header
from pipeline.articles.rules import Rules
from pipeline.articles.sources import STDIN, Source

PACKED = 4
"""Bytes that a byte of a gzipped or Parquet file is taken to hold."""

_MOST_OF_GZIPPED = 8
_BLOCK = 1 << 20
_LONGEST = 1 << 24  # bytes of a table's line


@dataclass(frozen=True, slots=True)
class Piece:
    """A file, or those of its rows that begin between two places.

    Parameters
    ----------
    source : Source
    start : int
        Where its first row begins: a byte of the file as it unpacks; of Parquet, a row. 0 is the beginning of the file.
    stop : int, optional
        Where the next piece begins; None is the end of the file.
    lines : int
        Lines before its first row, so that rows are numbered as in the file.
    header : int
        Bytes at the beginning of the file without which no row can be read: a table's header.
    """

    source: Source
    start: int = 0
    stop: int | None = None
    lines: int = 0
    header: int = 0


def weight(source: Source) -> int:
    """Bytes of text that a file holds, about, told without opening it; 0 where it cannot be known."""
    try:
        size = places.facts(source.path)[0] if places.is_url(source.path) else Path(source.path).stat().st_size
    except OSError:  # standard input, or a file that is gone: reading says so
        return 0
    return size * PACKED if source.gzipped or source.format == ".parquet" else size


def cut(source: Source, columns: Columns, rules: Rules, size: int) -> list[Piece]:
    """Cut a file into pieces between its rows.

    A file of lines is read through once to find where rows begin: a gigabyte in one to ten seconds. Whoever reads a
    piece of a gzipped file has to unpack what comes before, so there are few of those. What cannot be cut (UTF-16, a
    gzipped Parquet file, standard input) is one piece.

    Parameters
    ----------
    source : Source
    columns : Columns
    rules : Rules
    size : int
        Bytes of text that a piece holds, about.

    Returns
    -------
    list of Piece
        One at least. The rows of all, one after the other, are the rows of the file.

    Raises
    ------
    InputError
        A table has no such columns.
    """
    whole = [Piece(source)]
    if source.path == STDIN or weight(source) <= size:
        return whole
    if source.format == ".parquet":
        return whole if source.gzipped else _rows_of_parquet(source, size)
    if source.format == ".txt":
        return whole
    places: list[tuple[int, int]] = []
    header = 0
    try:
        with open_source(source, max_ratio=rules.max_ratio) as stream:
            encoding = rules.encoding or (detect(stream.peek(SAMPLE), complete=False) or ("", ""))[0]
            if not _cuttable(encoding):
                return whole
            if source.format == ".jsonl":
                places.extend(_lines(stream, size))
            else:
                with io.TextIOWrapper(stream, "latin-1", newline="") as text:
                    found = _table_rows(text, encoding, source.name, columns, size)
                    header = next(found)[0]
                    places.extend(found)
    except (*DAMAGE, BombError, OSError, StopIteration):
        pass  # whoever reads the last piece meets the damage, and says so
    if source.gzipped:
        step = -(-(len(places) + 1) // _MOST_OF_GZIPPED)
        places = places[step - 1 :: step]
    starts = [(0, 0), *places]
    stops = [start for start, _ in places] + [None]
    return [
        Piece(source, start, stop, lines, header if start else 0)
        for (start, lines), stop in zip(starts, stops, strict=True)
    ]


def opened(stream: io.BufferedReader, piece: Piece) -> io.BufferedReader:
    """The bytes of a piece out of the stream of its whole file: the header, then the rows that begin in the piece."""
    if not piece.start and piece.stop is None:
        return stream
    return io.BufferedReader(_Section(stream, piece), SAMPLE)


class _Section(Stream):
    """The header of a file, then a range of its bytes."""

    def __init__(self, stream: io.BufferedReader, piece: Piece) -> None:
        super().__init__(stream)
        self._start, self._stop = piece.start, sys.maxsize if piece.stop is None else piece.stop
        self._at, self._left = 0, piece.header if piece.start else self._stop

    def _read(self, size: int) -> bytes:
        if not self._left and self._start:
            self._skip()
        data = super()._read(min(size, self._left))
        self._at += len(data)
        self._left -= len(data)
        return data

    def _skip(self) -> None:
        if self._stream.seekable():
            self._stream.seek(self._start)
        else:
            while self._at < self._start and (block := self._stream.read(min(_BLOCK, self._start - self._at))):
                self._at += len(block)
        self._left, self._start = self._stop - self._start, 0


def _cuttable(encoding: str) -> bool:
    """Whether bytes that look like line feeds, quotes and delimiters are such."""
    if encoding.startswith("utf-8"):
        return True
    marks = '\r\n",;\t|'
    try:
        return len(bytes(range(256)).decode(encoding, "replace")) == 256 and marks.encode(encoding) == marks.encode()
    except (LookupError, UnicodeError):
        return False


def _lines(stream: io.BufferedReader, size: int) -> Iterator[tuple[int, int]]:
    """Where a line begins next after each `size` bytes: its byte and the lines before it."""
    at = lines = 0
    target, ended = size, False
    while block := stream.readline(_BLOCK):
        if at >= target and ended:
            yield at, lines
            target = at + size
        ended = block.endswith(b"\n")
        at += len(block)
        # a carriage return alone ends a line too, as it does for whoever reads the piece
        lines += ended + block.count(b"\r") - block.endswith(b"\r\n")


def _table_rows(
    text: io.TextIOWrapper, encoding: str, name: str, columns: Columns, size: int
) -> Iterator[tuple[int, int]]:
    """Where the header ends, and then where a row begins next after each `size` bytes; a character is a byte here."""
    at = 0

    def counted() -> Iterator[str]:
        nonlocal at
        for line in lines:
            at += len(line)
            if lines.overlong:  # what follows it is not counted: no more cuts
                return
            yield line

    lines = Lines(text, _LONGEST)
    rows = counted()
    decoded = (line.encode("latin-1").decode(encoding, "replace") for line in rows)
    _, delimiter = read_header(next((line for line in decoded if line.strip()), ""), name, columns)
    yield at, 0
    csv.field_size_limit(_LONGEST)
    reader = csv.reader(rows, delimiter=delimiter, strict=True)
    target = at + size
    while True:
        try:
            if next(reader, None) is None:
                return
        except csv.Error:
            continue
        if at >= target and not lines.overlong:
            yield at, lines.number
            target = at + size


def _rows_of_parquet(source: Source, size: int) -> list[Piece]:
    try:
        import pyarrow.parquet

        with io.BufferedReader(open_raw(source.path)) as stream, pyarrow.parquet.ParquetFile(stream) as file:
            rows = file.metadata.num_rows
    except (ImportError, OSError, pyarrow.ArrowException):
        return [Piece(source)]
    step = max(1, -(-rows // -(-weight(source) // size)))
    starts = range(0, max(rows, 1), step)
    return [Piece(source, start, start + step if start + step < rows else None, start) for start in starts]
