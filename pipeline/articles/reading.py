"""Read articles: files in, batches of clean articles out, what is no article set aside."""

from __future__ import annotations

import codecs
import io
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from pipeline.articles import formats
from pipeline.articles.article import FIELDS, Article, Columns
from pipeline.articles.cleaning import clean
from pipeline.articles.decoding import DAMAGE, SAMPLE, BombError, detect, open_source
from pipeline.articles.pieces import Piece, opened
from pipeline.articles.rejects import Reject, Rejects
from pipeline.articles.rules import Rules, judge
from pipeline.articles.sources import STDIN, Source, sources
from pipeline.errors import InputError

_READERS = {".txt": formats.txt, ".csv": formats.delimited, ".tsv": formats.delimited, ".jsonl": formats.jsonl}
_BATCH_CHARACTERS = 1 << 22
_HALF = re.compile("[\ud800-\udfff]")
_BROKEN_BYTE = re.compile("[\udc80-\udcff]")


def read(
    inputs: str | Path | Iterable[str | Path],
    *,
    columns: Columns | None = None,
    rules: Rules | None = None,
    batch_size: int = 512,
    rejects: Rejects | None = None,
) -> Iterator[list[Article]]:
    """Read articles in batches, in constant memory and a fixed order.

    Parameters
    ----------
    inputs : str, Path or iterable of them
        Files (.txt, .csv, .tsv, .jsonl, .parquet, each also with .gz), folders, globs, or "-" for standard input.
    columns : Columns, optional
        What the input calls its columns.
    rules : Rules, optional
        What is accepted as an article.
    batch_size : int
        Articles in a batch; the last one, and one of very long articles, may have fewer.
    rejects : Rejects, optional
        Collects what is not an article, and which encodings were used.

    Returns
    -------
    iterator of list of Article

    Raises
    ------
    InputError
        An input does not exist or matches nothing, or an encoding is unknown (at the call); a table lacks a column that
        was asked for (while reading).
    """
    rules = checked(rules or Rules())
    # The files are found at the call, so that a wrong path fails before any work is done.
    pieces = [Piece(source) for source in sources(inputs)]
    return read_pieces(pieces, columns or Columns(), rules, batch_size, rejects if rejects is not None else Rejects())


def checked(rules: Rules) -> Rules:
    """Rules with their encoding by its one name; an InputError where there is no such encoding."""
    if rules.encoding is None:
        return rules
    try:
        "".encode(rules.encoding)  # refuses codecs that are no encodings of text
        return replace(rules, encoding=codecs.lookup(rules.encoding).name)
    except (LookupError, ValueError):  # ValueError: a name with a NUL in it, the codec "undefined"
        raise InputError(f"there is no encoding {rules.encoding!r}", hint="Say one such as utf-8 or cp1256.") from None


def read_pieces(
    pieces: Iterable[Piece], columns: Columns, rules: Rules, batch_size: int, rejects: Rejects
) -> Iterator[list[Article]]:
    """Read articles of files or pieces of them, as `read` does; the rules are `checked`."""
    batch, length = list[Article](), 0
    seen: set[int] | None = set() if rules.unique_ids else None
    for piece in pieces:
        for row, item in _rows(piece, columns, rules, rejects):
            item = _accept(item, rules, seen)
            if isinstance(item, Reject):
                rejects.add(item, file=piece.source.name, row=row)
                continue
            rejects.articles += 1
            batch.append(item)
            length += len(item.text)
            if len(batch) == batch_size or length > _BATCH_CHARACTERS:
                yield batch
                batch, length = [], 0
    if batch:
        yield batch


def _accept(item: Article | Reject, rules: Rules, seen: set[int] | None) -> Article | Reject:
    if isinstance(item, Reject):
        return item
    try:
        "".join((item.id, item.title, item.text, item.source, item.date, item.url)).encode()
    except UnicodeEncodeError:
        mended = _mended(item)
        if isinstance(mended, Reject):
            return mended
    if rules.clean:
        item.title, item.text = clean(item.title, item.text)
    refusal = judge(item, rules)
    if refusal is not None:
        return refusal
    if seen is not None:
        key = hash(item.id)
        if key in seen:
            return Reject("duplicate_id", id=item.id, excerpt=item.text)
        seen.add(key)
    return item


def _mended(item: Article) -> Article | Reject:
    """Mend an article that cannot be encoded, or reject it where that is because of bytes that could not be decoded."""
    for name in FIELDS:
        value = getattr(item, name)
        if _BROKEN_BYTE.search(value):
            return Reject("undecodable", f"in its {name}", item.id, value)
        # Half an emoji, cut off by whoever shortened the text: no reason to lose the article.
        setattr(item, name, _HALF.sub("�", value))
    return item


def _rows(piece: Piece, columns: Columns, rules: Rules, rejects: Rejects) -> Iterator[formats.Row]:
    source = piece.source
    try:
        with open_source(source, max_ratio=rules.max_ratio) as stream:
            if source.format == ".parquet":
                with _seekable(stream, source) as file:
                    yield from formats.parquet(file, source.name, columns, rules, piece.start, piece.stop)
                return
            yield from _text_rows(stream, piece, columns, rules, rejects)
    except BombError as error:
        yield None, Reject("bomb", str(error))
    except UnicodeError as error:  # only where the encoding was told and cannot be: UTF-16 without its mark
        yield None, Reject("undecodable", str(error))
    except DAMAGE as error:
        yield None, Reject("broken_file", str(error))
    except OSError as error:
        yield None, Reject("unreadable", error.strerror or str(error))


def _text_rows(
    stream: io.BufferedReader, piece: Piece, columns: Columns, rules: Rules, rejects: Rejects
) -> Iterator[formats.Row]:
    source = piece.source
    sample = stream.peek(SAMPLE)
    if not sample:
        yield None, Reject("empty", id=source.name if source.format == ".txt" else "")
        return
    encoding, how = rules.encoding, "as told"
    if encoding is None:
        found = detect(sample, complete=len(sample) < SAMPLE)
        if found is None:
            yield None, Reject("binary" if b"\0" in sample else "undecodable")
            return
        encoding, how = found
    if not piece.start:  # told once a file
        rejects.note_encoding(source.name, encoding, how)
    reader = _READERS.get(source.format)
    if reader is None:
        reader = formats.sniff(sample.decode(encoding, errors="replace").lstrip("\ufeff"), columns)
    errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
    newline = "" if reader is formats.delimited else None
    with io.TextIOWrapper(opened(stream, piece), encoding=encoding, errors=errors, newline=newline) as text:
        yield from reader(text, source.name, columns, rules, piece.lines)


def _seekable(stream: io.BufferedReader, source: Source) -> BinaryIO:
    """Give a stream that can be read from its end, as Parquet is."""
    if not source.gzipped and source.path != STDIN:
        return stream
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(stream, file)
    file.seek(0)
    return file
