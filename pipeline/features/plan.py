"""What is read of an article: texts, for blocks over its fields, and n-grams of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.features.alphabet import BINARY, SUBLINEAR

FIELDS = ("title", "lede", "body")


class Analysis(NamedTuple):
    """What a block reads.

    Attributes
    ----------
    words : bool
        N-grams of words; otherwise of characters.
    padded : bool
        Characters within words, a blank on each side (``char_wb``).
    low, high : int
        Shortest and longest n-gram.
    fields : tuple of int
        Fields, in order.
    """

    words: bool
    padded: bool
    low: int
    high: int
    fields: tuple[int, ...]


class TextPlan(NamedTuple):
    """Texts to read of each article.

    Attributes
    ----------
    sources : list of tuple of int
        For each text, the fields of the article that it joins by line ends.
    wholes : list of bool
        For each text, whether it is read as one chunk, for n-grams that cross white space.
    fields : list of tuple of int
        For each block, the texts it counts.
    """

    sources: list[tuple[int, ...]]
    wholes: list[bool]
    fields: list[tuple[int, ...]]

    def documents(self, articles: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
        """Texts of each article (title, lede, body)."""
        if all(len(source) == 1 for source in self.sources):
            order = [source[0] for source in self.sources]
            return (tuple([article[field] for field in order]) for article in articles)
        return (
            tuple(["\n".join([article[field] for field in source]) for source in self.sources]) for article in articles
        )


def plan_texts(blocks: Iterable[tuple[Sequence[str], bool]]) -> TextPlan:
    """Plan the reading of blocks, each given by the names of its fields and whether it is read whole.

    Raises
    ------
    ConfigError
        For an unknown field, or a block without fields.
    """
    sources: list[tuple[tuple[int, ...], bool]] = []
    fields: list[tuple[int, ...]] = []
    for names, whole in blocks:
        unknown = [name for name in names if name not in FIELDS]
        if unknown or not names:
            found = f"unknown field {unknown[0]!r}" if unknown else "a block without fields"
            raise ConfigError(f"{found} in a block of features", hint=f"The fields are: {', '.join(FIELDS)}.")
        indices = tuple(FIELDS.index(name) for name in names)
        wanted = [(indices, True)] if whole else [((index,), False) for index in indices]
        for source in wanted:
            if source not in sources:
                sources.append(source)
        fields.append(tuple(sources.index(source) for source in wanted))
    return TextPlan([source for source, _ in sources], [whole for _, whole in sources], fields)


def worth(counts: NDArray[Any], counting: int) -> NDArray[np.float64]:
    """What counts are worth: ``LINEAR`` the count, ``SUBLINEAR`` 1 + log(count), ``BINARY`` 1; what is not there, 0."""
    if counting == BINARY:
        return (counts > 0).astype(float)
    values: NDArray[np.float64] = counts.astype(float)
    return np.where(counts > 0, 1.0 + np.log(np.maximum(values, 1.0)), 0.0) if counting == SUBLINEAR else values


def threads(n_jobs: int) -> int:
    """Number of threads that n_jobs stands for."""
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
