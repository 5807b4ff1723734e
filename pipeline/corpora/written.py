"""The written corpus: the project's own articles, in its own words, with their labels."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pipeline.articles.article import Article
from pipeline.corpora.labels import DATA, Annotation, annotation
from pipeline.errors import CorpusError


class Written:
    """The articles of ``data/articles.jsonl``; the same face as a public corpus, but nothing to fetch or check."""

    name = "written"
    about = "Articles written for this project, with labels for topics and stance."
    licence = "Apache-2.0"
    citation = "This project."

    def __init__(self, file: Path = DATA / "articles.jsonl") -> None:
        self._file = file

    def path(self) -> Path:
        """Find the file.

        Raises
        ------
        CorpusError
            It is not there, as in an installation without the source tree.
        """
        if not self._file.is_file():
            raise CorpusError(
                "the written corpus is not here", where=str(self._file), hint="It comes with the source tree."
            )
        return self._file

    def articles(self, *, ids: Collection[str] | None = None, clean: bool = False) -> Iterator[Article]:
        """Read the articles; there is no page noise to remove."""
        for row in self.rows():
            if ids is None or row["id"] in ids:
                labels = {name: _plain(row[name]) for name in ("topics", "relevant", "stance", "sure")}
                fields = {name: row.get(name, "") for name in ("source", "date", "url")}
                yield Article(row["id"], row["title"], row["text"], **fields, labels=labels)

    def annotations(self) -> Iterator[Annotation]:
        """Give the label of each article, checked against the codebook."""
        for row in self.rows():
            values = {name: _plain(row[name]) for name in ("topics", "relevant", "stance", "sure")}
            yield annotation(row["id"], **values, where=str(self._file))

    def rows(self) -> list[dict[str, Any]]:
        """Give the lines of the file as they are, with what an article does not carry on, such as its genre."""
        with self.path().open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines if not line.isspace()]


def _plain(value: object) -> str:
    return ("|".join(value) or "none") if isinstance(value, list) else str(value)


CORPUS = Written()
