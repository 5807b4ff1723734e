"""Rows out of files: one generator a format, each giving articles and rejects with their place in the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any, BinaryIO

from pipeline.articles.article import FIELDS, Article, Columns
from pipeline.articles.decoding import GRACE, BombError
from pipeline.articles.parts import split_title
from pipeline.articles.rejects import Reject
from pipeline.articles.rules import Rules
from pipeline.errors import InputError

Row = tuple[int | None, Article | Reject]

_DELIMITERS = ",;\t|"
_BUFFER = 1 << 20
_ROWS = 64  # of Parquet at a time: what stands there once may fill every one of them
_PATIENCE = 100  # rows without a text key before a JSONL file is taken to have none


def txt(stream: io.TextIOWrapper, name: str, columns: Columns, rules: Rules, before: int = 0) -> Iterator[Row]:
    """Read one article from a plain text: the first line is the title where it reads like one."""
    text = stream.read(rules.max_chars + 1)
    if len(text) > rules.max_chars:
        yield None, Reject("too_long", f"more than {rules.max_chars:,} characters", name, text)
        return
    title, text = split_title(text)
    yield None, Article(name, title, text, labels=dict.fromkeys(columns.labels, "") if columns.labels else None)


def delimited(stream: io.TextIOWrapper, name: str, columns: Columns, rules: Rules, before: int = 0) -> Iterator[Row]:
    """Read CSV or TSV. The delimiter is the one under which the header names the text column.

    Of a piece of a file, the stream has the header and then the piece; `before` is the lines of the file before it.
    """
    lines = Lines(stream, rules.max_chars)
    header_line = next((line for line in lines if line.strip()), "")
    if not header_line:
        yield None, Reject("empty", "not even a header")
        return
    lines.number = max(lines.number, before)
    header, delimiter = read_header(header_line, name, columns)
    make = _by_position(header, name, columns)
    csv.field_size_limit(rules.max_chars)
    # strict: an unclosed quote is an error with a line number instead of hundreds of rows swallowed as one text.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = lines.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            too_long = "field limit" in str(error)
            if too_long:
                # The cell is quoted and spans lines, else the limit on lines had caught it: go on after its quote.
                next((line for line in lines if line.count('"') % 2), None)
            yield number, Reject("too_long" if too_long else "malformed", str(error))
            continue
        if lines.overlong:
            lines.overlong.clear()
            yield number, Reject("too_long", f"more than {rules.max_chars:,} characters on one line")
            if cells is not None:
                continue
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(header):
            detail = f"{len(cells)} cells where the header has {len(header)}"
            yield number, Reject("malformed", detail, excerpt=delimiter.join(cells))
            continue
        yield number, make(cells, number)


def jsonl(stream: io.TextIOWrapper, name: str, columns: Columns, rules: Rules, before: int = 0) -> Iterator[Row]:
    """Read JSON Lines: one object a line; `before` is the lines of the file before this piece of it."""
    lines = Lines(stream, rules.max_chars)
    lines.number = before
    seen_text, without = before > 0, 0
    first_keys: Sequence[str] = ()
    for line in lines:
        if line.isspace():
            continue
        number = lines.number
        if lines.overlong:
            lines.overlong.clear()
            yield number, Reject("too_long", f"more than {rules.max_chars:,} characters on one line", excerpt=line)
            continue
        try:
            value = json.loads(line)
        except RecursionError:
            yield number, Reject("too_deep", excerpt=line)
            continue
        except ValueError as error:
            yield number, Reject("malformed", str(error), excerpt=line)
            continue
        if not isinstance(value, dict):
            yield number, Reject("malformed", f"a JSON object is expected, not {_kind(value)}", excerpt=line)
            continue
        if columns.text not in value:
            first_keys = first_keys or list(value)
            without += 1
            if not seen_text and without == _PATIENCE:
                break
            yield number, Reject("missing_text", f"no key {columns.text!r}", excerpt=line)
            continue
        seen_text = True
        yield number, from_mapping(value, name, number, columns)
    if without and not seen_text:
        raise _no_column(columns.text, first_keys, name, "keys")
    if not lines.number:
        yield None, Reject("empty")


def parquet(
    stream: BinaryIO, name: str, columns: Columns, rules: Rules, start: int = 0, stop: int | None = None
) -> Iterator[Row]:
    """Read Parquet in batches, the rows from start to stop; only the columns that are asked for are unpacked."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("reading Parquet needs pyarrow", where=name, hint="pip install 'mirsad[parquet]'") from error
    import pyarrow

    try:
        # a buffer: a group of rows may be the whole file, and would be held
        file = pyarrow.parquet.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False)
        header = list(file.schema_arrow.names)
        for column in columns.required():
            if column not in header:
                raise _no_column(column, header, name, "columns")
        wanted = [c for c in (*(getattr(columns, f) for f in FIELDS), *columns.labels) if c in header]
        groups, number = _groups_from(file.metadata, start)
        came, packed = 0, stream.seek(0, io.SEEK_END)
        for batch in file.iter_batches(batch_size=_ROWS, row_groups=groups, columns=list(dict.fromkeys(wanted))):
            skipped = min(max(start - number, 0), len(batch))
            number += skipped
            values = batch.slice(skipped).to_pylist()
            came += sum(len(cell) for value in values for cell in value.values() if isinstance(cell, str))
            if came > GRACE and came > rules.max_ratio * packed:
                raise BombError(f"{came:,} characters came out of {packed:,} bytes")
            for value in values:
                if number == stop:
                    return
                number += 1
                yield number, from_mapping(value, name, number, columns)
    except UnicodeDecodeError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError) as error:  # dates outside the calendar, too
        yield None, Reject("broken_file", (str(error).splitlines() or [type(error).__name__])[0])
        return
    if not number:
        yield None, Reject("empty")


def _groups_from(metadata: Any, start: int) -> tuple[list[int], int]:
    """The groups of rows of a Parquet file from the one that holds row `start` on, and the rows before them."""
    before = 0
    for group in range(metadata.num_row_groups):
        size = metadata.row_group(group).num_rows
        if before + size > start:
            return list(range(group, metadata.num_row_groups)), before
        before += size
    return [], before


def from_mapping(value: dict[str, Any], name: str, number: int, columns: Columns) -> Article | Reject:
    """Make an article of a mapping of columns to values of any type."""
    for key in columns.required():
        if key not in value:
            return Reject("malformed", f"no key {key!r}")
    try:
        id_, title, text, source, date, url = (
            _plain(getattr(columns, f), value.get(getattr(columns, f))) for f in FIELDS
        )
        labels = {key: _label(key, value[key]) for key in columns.labels} if columns.labels else None
    except TypeError as error:
        return Reject("malformed", str(error))
    return Article(id_ or f"{name}#{number}", title, text, source, date, url, labels)


def sniff(head: str, columns: Columns) -> Callable[..., Iterator[Row]]:
    """Choose the format of standard input by its first characters."""
    head = head.lstrip()
    if head.startswith("{"):
        return jsonl
    first = head.split("\n", 1)[0].rstrip("\r")
    header = next((cells for cells in map(partial(_cells, first), _DELIMITERS) if columns.text in cells), None)
    return delimited if header else txt


class Lines:
    """The lines of a stream, none longer than a limit: what a longer one has beyond it is passed over."""

    def __init__(self, stream: io.TextIOWrapper, limit: int) -> None:
        self._read = partial(stream.readline, limit)
        self._limit = limit
        self.number = 0
        self.overlong: list[int] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == self._limit and not line.endswith("\n"):
            self.overlong.append(self.number)
            rest = self._read()
            while rest and not rest.endswith("\n"):
                rest = self._read()
        return line


def read_header(line: str, name: str, columns: Columns) -> tuple[list[str], str]:
    """Names of a table's columns and its delimiter, the one under which the text column is among them."""
    splits = {delimiter: _cells(line, delimiter) for delimiter in _DELIMITERS}
    delimiter = next((d for d, cells in splits.items() if columns.text in cells), None)
    if delimiter is None:
        delimiter = max(splits, key=lambda d: len(splits[d]))
    header = splits[delimiter]
    for column in columns.required():
        if column not in header:
            raise _no_column(column, header, name, "columns")
        if header.count(column) > 1:
            raise InputError(
                f"the header names the column {column!r} {header.count(column)} times",
                where=name,
                hint="Rename all but one of them.",
            )
    return header, delimiter


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]
    except (csv.Error, StopIteration):
        return []


def _by_position(header: list[str], name: str, columns: Columns) -> Callable[[list[str], int], Article]:
    places = [header.index(c) if (c := getattr(columns, field)) in header else -1 for field in FIELDS]
    labels = [(label, header.index(label)) for label in columns.labels]

    def make(cells: list[str], number: int) -> Article:
        id_, title, text, source, date, url = (cells[place] if place >= 0 else "" for place in places)
        named = {key: cells[place].strip() for key, place in labels} if labels else None
        return Article(id_.strip() or f"{name}#{number}", title, text, source.strip(), date.strip(), url.strip(), named)

    return make


def _plain(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise TypeError(f"{key!r} should be text, not {_kind(value)}")


def _label(key: str, value: object) -> str:
    """Write a label as the codebook does: a list is joined by bars, and an empty one is ``none``."""
    if isinstance(value, list):
        return "|".join(_plain(key, item) for item in value) or "none"
    return str(int(value)) if isinstance(value, bool) else _plain(key, value)


def _kind(value: object) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return kinds.get(type(value), "nothing" if value is None else type(value).__name__)


def _no_column(column: str, found: Sequence[str], name: str, kind: str) -> InputError:
    shown = ", ".join(repr(c[:40]) for c in found[:20]) or "nothing"
    near = get_close_matches(column, found, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    return InputError(
        f"no {column!r} among its {kind}: {shown}",
        where=name,
        hint=f"{hint}Say what it is called: --text-column NAME to mirsad predict, columns in a config.",
    )
