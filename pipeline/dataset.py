"""From a config's sources to labelled articles: read, cleaned, with labels as numbers and duplicates grouped."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline import articles, corpora
from pipeline.articles import Article, Columns, Fields, Reject, Rejects, Rules
from pipeline.articles.marks import Origin
from pipeline.corpora.labels import FOLDER
from pipeline.errors import InputError, LabelError
from pipeline.heads import encode

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.config import Cleaning, Config, HeadConfig, Source

SURE = "sure"
"""Column that tells how sure an annotator was; nothing learns from it, reports look at it."""


class LeftOut(Rejects):
    """Rejects that remember ids: a label whose article was read and left out is no label without an article."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()

    def add(self, reject: Reject, *, file: str, row: int | None = None) -> None:
        """Count a reject and remember its id."""
        super().add(reject, file=file, row=row)
        self.ids.add(reject.id)


@dataclass
class Dataset:
    """Labelled articles, ready for features.

    Attributes
    ----------
    table : DataFrame of n articles
        Columns id, title, text, source, date, url, origin (which corpus or path), the label columns as they were
        read, and `sure` where a source tells how sure its labels are.
    labels : dict of str to ndarray
        By head: as `heads.encode` gives them, with -1 in the (first) cell of an article that the head has no label for.
    groups : ndarray of shape (n,), int
        Equal for exact and near duplicates.
    rejects : Rejects
        What was left out while reading.
    """

    table: pd.DataFrame
    labels: dict[str, NDArray[np.int64]]
    groups: NDArray[np.int64]
    rejects: Rejects

    def __len__(self) -> int:
        return len(self.table)

    def fields(self, rows: NDArray[np.int64] | None = None) -> Fields:
        """Title, lede and body of some articles, as three lists."""
        table = self.table if rows is None else self.table.iloc[rows]
        return table_fields(table)

    def origin(self, rows: NDArray[np.int64]) -> Origin:
        """Which articles some are."""
        return Origin(self.table["id"].iloc[rows].tolist(), self.groups[rows].tolist())

    def batches(self, rows: NDArray[np.int64] | None = None, size: int = 2048) -> Iterator[NDArray[np.int64]]:
        """Rows, of all articles if not given, in parts: what is made of texts should not be there for all at once."""
        rows = np.arange(len(self)) if rows is None else rows
        for start in range(0, len(rows), size):
            yield rows[start : start + size]

    def labelled(self, head: str) -> NDArray[np.bool_]:
        """Which articles a head has a label for."""
        y = self.labels[head]
        return np.asarray((y if y.ndim == 1 else y[:, 0]) >= 0)

    @property
    def digest(self) -> str:
        """SHA-256 of ids, texts and labels: names what a model was trained on."""
        seal = hashlib.sha256()
        for row in self.table.drop(columns=["origin", "source", "url", SURE], errors="ignore").itertuples(index=False):
            seal.update("\x1f".join(map(str, row)).encode("utf-8", "surrogatepass") + b"\x1e")
        return seal.hexdigest()


def table_fields(table: pd.DataFrame) -> Fields:
    """Title, lede and body of a table's articles, as three lists."""
    return articles.split_fields(
        Article(id="", title=title, text=text) for title, text in zip(table["title"], table["text"], strict=True)
    )


def load(config: Config) -> Dataset:
    """Read every source of a config.

    Raises
    ------
    InputError, LabelError, CorpusError
        Where a source cannot be read, an id stands in two sources, or a label is unknown. Within the files of one
        source the first article of an id is taken and the others are left out.
    """
    import pandas as pd

    rejects = LeftOut()
    columns = columns_of(config)
    tables = [read_source(source, columns, config.cleaning, rejects) for source in config.data.sources]
    table = pd.concat(tables, ignore_index=True)
    if SURE in table:
        table[SURE] = table[SURE].fillna("")
    if table.empty:
        raise InputError(
            "no labelled article was read",
            where="[data] sources",
            hint=f"{rejects_hint(rejects)}\n  Labels are looked for in the columns {', '.join(columns)}.",
        )
    twice = table["id"][table["id"].duplicated()]
    if not twice.empty:
        raise LabelError(
            f"the id {twice.iloc[0]!r} stands twice{f', and {len(twice) - 1} more do' if len(twice) > 1 else ''}",
            where="[data] sources",
            hint=f"Ids must be unique over all sources. It is in: "
            f"{', '.join(table['origin'][table['id'] == twice.iloc[0]])}.",
        )
    labels = {name: encode_column(name, head, table, config.data.separator) for name, head in config.heads.items()}
    texts = (f"{title}\n{text}" for title, text in zip(table["title"], table["text"], strict=True))
    return Dataset(
        table, labels, np.asarray(articles.duplicate_groups(texts, threshold=config.cleaning.duplicates)), rejects
    )


def columns_of(config: Config) -> list[str]:
    """Columns that a run reads beside an article's own: labels and gates, contexts, what the split asks for."""
    heads = config.heads.values()
    more = [*(head.by for head in heads), *(head.score.by for head in heads if head.score), config.split.column]
    return list(dict.fromkeys([*label_columns(config.heads), *filter(None, more)]))


def label_columns(heads: dict[str, HeadConfig]) -> list[str]:
    """Columns that heads read their labels and gates from."""
    return list(dict.fromkeys(column for head in heads.values() for column in (head.column, head.gate) if column))


def read_source(source: Source, columns: list[str], cleaning: Cleaning, rejects: LeftOut) -> pd.DataFrame:
    """One source as a table with an `origin` column; `columns` are the label columns to bring along ([] for none)."""
    if source.corpus:
        found = _from_corpus(source.corpus, columns, clean=cleaning.page_noise)
    else:
        found = _from_files(source, columns, cleaning, rejects)
    table = articles.table(found)
    if table.empty:
        table = table.reindex(columns=[*articles.FIELDS, *columns])
    sure = [SURE] if columns and SURE in table and SURE not in columns else []
    return table[[*articles.FIELDS, *columns, *sure]].assign(origin=source.corpus or source.path)


def _from_corpus(name: str, columns: list[str], *, clean: bool) -> list[Article]:
    corpus = corpora.get(name)
    if not columns:
        return list(corpus.articles(clean=clean))
    file = FOLDER / f"{name}.csv"
    if file.is_file():
        labels = {
            a.id: {
                "topics": "|".join(a.topics) or "none",
                "relevant": str(a.relevant),
                "stance": a.stance,
                "sure": str(a.sure),
            }
            for a in corpora.read_annotations(file)
        }
        found = join_labels(list(corpus.articles(ids=labels.keys(), clean=clean)), labels, str(file.name))
    else:
        found = list(corpus.articles(clean=clean))
    there = (found[0].labels or {}) if found else dict.fromkeys(columns)
    for column in columns:
        if column not in there:
            raise LabelError(
                f"has no labels {column!r}", where=f"corpus {name!r}", hint=f"It has: {', '.join(there) or 'none'}."
            )
    return found


def _from_files(source: Source, columns: list[str], cleaning: Cleaning, rejects: LeftOut) -> list[Article]:
    assert source.path is not None
    rules = Rules(
        min_words=cleaning.min_words, min_arabic=cleaning.min_arabic, clean=cleaning.page_noise, unique_ids=True
    )
    named = Columns(**source.columns.model_dump(), labels=() if source.labels else tuple(columns))
    found = [
        article
        for batch in articles.read(source.path, columns=named, rules=rules, rejects=rejects)
        for article in batch
    ]
    if source.labels and columns:
        return join_labels(found, read_labels(source.labels, columns), source.labels, left_out=rejects.ids)
    return found


def read_labels(path: str, columns: list[str]) -> dict[str, dict[str, str]]:
    """Stand-off labels: a CSV with a column `id` and the label columns, by id.

    Raises
    ------
    InputError
        Where the file cannot be read.
    LabelError
        Where it lacks a column, or labels an id twice.
    """
    import csv
    from pathlib import Path

    found: dict[str, dict[str, str]] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            for column in ["id", *columns]:
                if column not in (rows.fieldnames or ()):
                    raise LabelError(
                        f"has no column {column!r}",
                        where=path,
                        hint=f"Found: {', '.join(rows.fieldnames or ['nothing'])}.",
                    )
            for row in rows:
                article = (row["id"] or "").strip()
                if article in found:
                    raise LabelError(
                        f"article {article!r} is labelled a second time", where=f"{path}, line {rows.line_num}"
                    )
                found[article] = {column: row[column] or "" for column in columns}
    except FileNotFoundError:
        raise InputError("no such file of labels", where=path) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=path) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read as CSV: {error}", where=path) from None
    return found


def join_labels(
    batch: list[Article], labels: dict[str, dict[str, str]], where: str, *, left_out: Collection[str] = ()
) -> list[Article]:
    """Articles that have labels, with them; every label must find its article, if only among those left out.

    Raises
    ------
    LabelError
        For a label whose id no article has.
    """
    missing = sorted(labels.keys() - {article.id for article in batch} - set(left_out))
    if missing:
        raise LabelError(
            f"{len(missing)} of {len(labels)} ids belong to no article, the first is {missing[0]!r}",
            where=where,
            hint="Remove the line, or add the article. A .txt file's id is its file name, with the ending.",
        )
    found = [article for article in batch if article.id in labels]
    for article in found:
        article.labels = labels[article.id]
    return found


def encode_column(name: str, head: HeadConfig, table: pd.DataFrame, separator: str) -> NDArray[np.int64]:
    """A head's labels as numbers, -1 where the cell is empty (an article without any label says `none`)."""
    cells = table[head.column].astype(str)
    known = (cells.str.strip() != "").to_numpy()
    if not known.any():
        raise LabelError(
            f"no article has a label in column {head.column!r}",
            where=f"head {name!r}",
            hint="An article without any label says none; an empty cell means not labelled.",
        )
    rows = table[known]
    gate = rows[head.gate].astype(str).tolist() if head.gate else None
    encoded = encode(name, head, cells[known].tolist(), gate, separator, rows["id"].tolist())
    y = np.full((len(table), *encoded.shape[1:]), -1, dtype=np.int64)
    y[known] = encoded
    return y


def rejects_hint(rejects: Rejects) -> str:
    """What was left out, in words."""
    return articles.told(rejects.counts) if rejects.total else "The sources hold no articles."
