"""One article, and the one table type of the house."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

FIELDS = ("id", "title", "text", "source", "date", "url")


@dataclass(slots=True)
class Article:
    """One article as it was read.

    Parameters
    ----------
    id : str
        As the input gives it; numbers become their decimal text. A ``.txt`` file's id is its file name.
    title, text : str
        Without page noise when they were read with cleaning on. Paragraphs of the text are separated by line feeds.
    source : str
        The outlet, or "".
    date : str
        An ISO date (``2018-05-11``), or "".
    url : str
        Where it was published, or "".
    labels : dict of str to str, optional
        Raw labels by column name, when label columns were asked for; "" is a missing label.
    """

    id: str
    title: str
    text: str
    source: str = ""
    date: str = ""
    url: str = ""
    labels: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """The names that an input gives to its columns (CSV, TSV, Parquet) or keys (JSONL).

    The text column must be there, and so must the label columns and every other column that is named differently from
    the defaults here: who names a column means it.
    """

    id: str = "id"
    title: str = "title"
    text: str = "text"
    source: str = "source"
    date: str = "date"
    url: str = "url"
    labels: tuple[str, ...] = ()

    def required(self) -> list[str]:
        """Columns without which a file cannot be read as meant."""
        named = [getattr(self, f.name) for f in fields(self) if f.name in FIELDS and getattr(self, f.name) != f.default]
        return list(dict.fromkeys([self.text, *named, *self.labels]))


def table(articles: Iterable[Article]) -> pd.DataFrame:
    """Put articles into the one table of the house.

    Parameters
    ----------
    articles : iterable of Article

    Returns
    -------
    pandas.DataFrame
        One row an article in the order given; columns id, title, text, source, date, url and then one for each label,
        all of dtype object and holding str.
    """
    import pandas as pd

    rows = list(articles)
    data: dict[str, list[str]] = {name: [getattr(row, name) for row in rows] for name in FIELDS}
    names = dict.fromkeys(name for row in rows for name in row.labels or ())
    data.update({name: [(row.labels or {}).get(name, "") for row in rows] for name in names})
    return pd.DataFrame(data, dtype=object)
