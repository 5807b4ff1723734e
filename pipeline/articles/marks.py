"""Marks on sentences: what single sentences of articles say, and sentences that stand alone."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import InputError, LabelError

SEPARATOR = "|"


class Marks(NamedTuple):
    """What the sentences of an article say.

    Attributes
    ----------
    read : int
        How many sentences were read, the title among them.
    said : dict of int to tuple of int
        By number of the sentence (0 is the title), the numbers of its labels; sentences that say nothing are left out.
    """

    read: int
    said: dict[int, tuple[int, ...]]


class Lone(NamedTuple):
    """Sentences that belong to no article, and the numbers of what each says."""

    texts: list[str]
    said: list[tuple[int, ...]]


class Origin(NamedTuple):
    """Which articles some are: their ids, and which are copies of each other (as `duplicate_groups` numbers them)."""

    ids: Sequence[str]
    groups: Sequence[int]


NO_SENTENCES = Lone([], [])


def read_marks(path: str | Path, labels: Sequence[str], *, several: bool = True) -> dict[str, Marks]:
    """Read what sentences of articles say.

    Parameters
    ----------
    path : str or Path
        A CSV with the columns `id`, `read` (how many sentences, the title among them) and `marks`: `0:favor 3:against`,
        with several labels of a sentence joined by `|`.
    labels : sequence of str
        Their names.
    several : bool
        Whether a sentence may have several.

    Returns
    -------
    dict of str to Marks

    Raises
    ------
    InputError
        Where the file cannot be read.
    LabelError
        Where a row is not as it should be.
    """
    number = {label: i for i, label in enumerate(labels)}
    found: dict[str, Marks] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"id", "read", "marks"} <= set(rows.fieldnames or ()):
                raise LabelError(
                    "lacks a column of id, read, marks",
                    where=str(path),
                    hint=f"Found: {', '.join(rows.fieldnames or ['nothing'])}.",
                )
            for row in rows:
                article = row["id"] or ""
                where = f"{path}, line {rows.line_num}"
                if article in found:
                    raise LabelError(f"article {article!r} is marked a second time", where=where)
                try:
                    read = int(row["read"] or "")
                    said = {}
                    for mark in (row["marks"] or "").split():
                        sentence, _, names = mark.partition(":")
                        if not 0 <= int(sentence) < read or int(sentence) in said:
                            raise ValueError
                        said[int(sentence)] = _numbers(names.split(SEPARATOR), number, several)
                except (KeyError, ValueError):
                    raise LabelError(
                        f"{(row['marks'] or '')[:80]!r} are no marks of {row['read']!r} sentences",
                        where=where,
                        hint=f"Write them as 0:{labels[0]} 3:{labels[-1]}, each number once and below `read`; "
                        f"{_known(labels, several)}.",
                    ) from None
                found[article] = Marks(read, said)
    except FileNotFoundError:
        raise InputError("no such file of marked sentences", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read as CSV: {error}", where=str(path)) from None
    return found


def read_lone(path: str | Path, labels: Sequence[str], *, several: bool = True) -> Lone:
    """Read sentences that stand alone: JSON lines with `text` and `says`, a list of labels. As `read_marks`."""
    number = {label: i for i, label in enumerate(labels)}
    texts, said = [], []
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            lines = list(file)
    except FileNotFoundError:
        raise InputError("no such file of sentences", where=str(path)) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise InputError(f"cannot be read as UTF-8: {error}", where=str(path)) from None
    for i, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            text, says = row["text"], row["says"]
            if not isinstance(text, str) or not isinstance(says, list):
                raise TypeError
            said.append(_numbers(says, number, several))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise LabelError(
                f"{line.strip()[:80]!r} is no sentence with labels",
                where=f"{path}, line {i}",
                hint=f'Write {{"text": "...", "says": ["{labels[0]}"]}}; {_known(labels, several)}.',
            ) from None
        texts.append(text)
    return Lone(texts, said)


def _numbers(labels: Sequence[str], number: Mapping[str, int], several: bool) -> tuple[int, ...]:
    if len(labels) > 1 and not several:
        raise ValueError
    return tuple(number[label] for label in labels)


def _known(labels: Sequence[str], several: bool) -> str:
    return f"labels are {', '.join(labels)}{'' if several else ', at most one a sentence'}"
