"""A corpus in a few lines: where it is, what it holds, how often each label stands in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pipeline.corpora.base import Corpus
from pipeline.corpora.labels import FOLDER, Annotation, read_annotations
from pipeline.corpora.written import Written
from pipeline.errors import CorpusError

_WIDTH = 11


def describe(corpus: Corpus | Written) -> list[str]:
    """Give the lines of ``mirsad corpora info``; see ``corpora.describe``."""
    facts = _written(corpus) if isinstance(corpus, Written) else _public(corpus)
    return [f"{name:<{_WIDTH}}{value}" for name, value in facts]


def _public(corpus: Corpus) -> Iterator[tuple[str, object]]:
    yield "name", corpus.name
    yield "about", corpus.about
    yield "address", corpus.address
    yield "commit", corpus.commit
    yield "SHA-256", corpus.sha256
    yield "size", f"{corpus.size:,} bytes"
    yield "licence", corpus.licence
    yield "cite", corpus.citation
    yield "articles", f"{corpus.count:,}"
    try:
        here = corpus.path()
    except CorpusError as error:
        if error.where:  # an archive that is here and wrong is told; one that is nowhere is only not fetched yet
            raise
        here = None
    yield "archive", here or f"not here yet; mirsad corpora get {corpus.name}"
    file = FOLDER / f"{corpus.name}.csv"
    if file.is_file():
        yield from _codebook(list(read_annotations(file)))
    elif here is not None:
        rows = [article.labels or {} for article in corpus.articles(clean=False)]
        for column in dict.fromkeys(column for row in rows for column in row):
            counts = Counter(row.get(column, "") for row in rows)
            # an id or a date that stands among the labels is no label
            if len(counts) <= len(rows) / 10:
                yield column, _counts(counts)


def _written(corpus: Written) -> Iterator[tuple[str, object]]:
    yield "name", corpus.name
    yield "about", corpus.about
    yield "file", corpus.path()
    yield "size", f"{corpus.path().stat().st_size:,} bytes"
    yield "licence", corpus.licence
    yield "cite", corpus.citation
    yield "articles", f"{len(corpus.rows()):,}"
    yield from _codebook(list(corpus.annotations()))
    yield "years", _counts(Counter(_year(row) for row in corpus.rows()), by_name=True)
    if genres := Counter(row["genre"] for row in corpus.rows() if row.get("genre")):
        yield "genres", _counts(genres)


def _codebook(rows: list[Annotation]) -> Iterator[tuple[str, str]]:
    yield "labelled", f"{len(rows):,}"
    yield "topics", _counts(Counter(topic for row in rows for topic in row.topics or ("none",)))
    yield "stance", _counts(Counter(row.stance for row in rows))
    yield "relevant", f"{sum(row.relevant for row in rows):,}"


def _year(row: dict[str, Any]) -> str:
    return str(row.get("date") or "")[:4] or "undated"


def _counts(counts: Counter[str], *, by_name: bool = False) -> str:
    pairs: Iterable[tuple[str, int]] = sorted(counts.items()) if by_name else counts.most_common()
    return ", ".join(f"{name or '(empty)'} {count:,}" for name, count in pairs)
