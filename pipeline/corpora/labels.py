"""Stand-off labels: what a reader of the articles decided, kept apart from the articles and joined to them by id."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import LabelError

DATA = Path(__file__).resolve().parents[2] / "data"
FOLDER = DATA / "annotations"

# The labels of data/CODEBOOK.md.
TOPICS = ("arms_control", "election_interference", "ukraine", "syria")
STANCES = ("favor", "against", "neutral")


class Annotation(NamedTuple):
    """The labels of one article.

    Parameters
    ----------
    id : str
    topics : tuple of str
        The most prominent first; empty for none.
    relevant : int
        1 where relations between Washington and Moscow are a subject, else 0.
    stance : str
        favor, against or neutral.
    sure : int
        3 certain, 2 fairly, 1 a guess.
    """

    id: str
    topics: tuple[str, ...]
    relevant: int
    stance: str
    sure: int


def annotation(id: str, topics: str, relevant: str, stance: str, sure: str, *, where: str) -> Annotation:
    """Read the labels of one article as a label file writes them.

    Raises
    ------
    LabelError
        A label is not in the codebook; the message names the article and the label.
    """
    named = tuple(topics.split("|")) if topics != "none" else ()
    for topic in named:
        _known(topic, TOPICS, "topic", id, where)
    if len(set(named)) < len(named):
        raise LabelError(f"article {id!r} has a topic twice: {topics}", where=where)
    _known(relevant, ("0", "1"), "relevant", id, where)
    _known(stance, STANCES, "stance", id, where)
    _known(sure, ("1", "2", "3"), "sure", id, where)
    return Annotation(id, named, int(relevant), stance, int(sure))


def read_annotations(path: Path) -> Iterator[Annotation]:
    """Read a label file: CSV with the columns id, topics, relevant, stance, sure.

    Raises
    ------
    LabelError
        The file is not there, lacks a column, names an article twice, or has a label that is not in the codebook.
    """
    if not path.is_file():
        raise LabelError("there is no such label file", where=str(path))
    seen: set[str] = set()
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines)
        if missing := set(Annotation._fields) - set(reader.fieldnames or ()):
            raise LabelError(f"lacks the columns {', '.join(sorted(missing))}", where=str(path))
        for row in reader:
            where = f"{path.name}, line {reader.line_num}"
            values = {name: (row[name] or "").strip() for name in Annotation._fields}
            if values["id"] in seen:
                raise LabelError(f"article {values['id']!r} is labelled a second time", where=where)
            seen.add(values["id"])
            yield annotation(**values, where=where)


def _known(value: str, known: tuple[str, ...], what: str, id: str, where: str) -> None:
    if value not in known:
        raise LabelError(
            f"article {id!r} has the {what} {value!r}, which the codebook does not know; it knows {', '.join(known)}",
            where=where,
        )
