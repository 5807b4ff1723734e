"""Title and text as a pair: what each says that the other does not, and where they say opposite things."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.features.automaton import PROCLITICS
from pipeline.features.lexicon import Lexicon, Measures, Spoken, Texts, grouped, tally
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

ALIKE = 0.6
"""Likeness from which two words are taken for forms of one."""

LIST_SCALE, NEW_SCALE = 0.15, 0.5
"""What a list of opposites, and the new words of a side, count beside a measure: there are many of them."""

_WORD = re.compile(r"\w+")
_PARTICLES = sorted(filter(None, PROCLITICS), key=len, reverse=True)
_SIDES = ("title", "text")
_OF_SIDE = ("new, weighted", "new", "new, number", "alike", "length", "nothing new", "other numbers")
_OF_BOTH = ("new in both, weighted", "new in both, number", "new in title times new in text")


class PairBlock:
    """How title and text of an article agree: for pairs such as a claim and a headline about it.

    A word of one side is *new* where no word of the other is a form of it. Shares of new words tell how much the sides
    have in common; each new word is a column, since what one side adds or leaves out tells why they differ. In a table
    of two lists of opposites, a side leans to the list that it alone has words of; the sides are opposed where they
    lean to different ones.

    Parameters
    ----------
    opposites : Lexicon
        Tables with two lists are opposites; lists of other tables are looked for on each side.
    words : list of str
        Vocabulary, learned by `fit`.
    rarity : ndarray of shape (n_words + 1,), optional
        Inverse document frequency of each word; the last entry is that of all other words.
    """

    def __init__(
        self, opposites: Lexicon, words: Sequence[str] = (), rarity: NDArray[np.float64] | None = None
    ) -> None:
        self.opposites = opposites
        self.words = list(words)
        self.rarity = np.ones(len(self.words) + 1) if rarity is None else rarity

    def fit(self, title: Texts, lede: Texts, body: Texts) -> PairBlock:
        """Learn from raw articles which words there are, and how rare each is."""
        seen = Counter(word for side in self._words(title, lede, body) for words in side for word in set(words))
        n = 2 * len(title)
        self.words = sorted(word for word, count in seen.items() if count > 1)
        self.rarity = 1 + np.log((1 + n) / (1 + np.array([*(seen[word] for word in self.words), 1])))
        return self

    @property
    def names(self) -> list[str]:
        """One name a column."""
        return [*self._dense_names(), *(f"new in {side}: {word}" for side in _SIDES for word in self.words)]

    def measure(self, title: Texts, lede: Texts, body: Texts) -> Measures:
        """Measure raw articles."""
        number = self._number()
        n = len(_OF_SIDE)
        dense, hits = np.zeros((len(title), 2 * n + len(_OF_BOTH))), []
        for i, (a, b) in enumerate(zip(*self._words(title, lede, body), strict=True)):
            for side, (mine, theirs, alike) in enumerate(zip((a, b), (b, a), likeness(a, b), strict=True)):
                known = np.array([number.get(word, len(self.words)) for word in mine], dtype=np.int64)
                rarity, new = self.rarity[known], alike < ALIKE
                if mine:
                    dense[i, n * side : n * side + n] = (
                        rarity @ new / rarity.sum(),
                        new.mean(),
                        np.log1p(new.sum()) / 2,
                        rarity @ alike / rarity.sum(),
                        np.log1p(len(mine)) / 4,
                        not new.any(),
                        bool(_numbers(mine) - _numbers(theirs)),
                    )
                columns = np.unique(known[new & (known < len(self.words))])
                values = self.rarity[columns]
                values = NEW_SCALE * values / np.sqrt(np.maximum(values @ values, 1e-12))
                hits.append((np.full(len(columns), i), columns + side * len(self.words), values))
            one, other = dense[i, :n], dense[i, n : 2 * n]
            dense[i, 2 * n :] = min(one[0], other[0]), min(one[2], other[2]), one[0] * other[0]
        article, term, value = (np.concatenate(part) for part in zip(*hits, strict=True)) if hits else _NOTHING
        return Measures(np.hstack([dense, LIST_SCALE * self._leanings(title, lede, body)]), article, term, value=value)

    def spoken(self, title: Texts, lede: Texts, body: Texts) -> Spoken:
        """Which words of raw articles each column measures: new words are placed, measures are not."""
        number, edge = self._number(), len(self._dense_names())
        normalize = Normalizer(self.opposites.normalization)
        entries: list[tuple[int, int, int, int, int]] = []
        for i, parts in enumerate(zip(title, lede, body, strict=True)):
            placed: list[list[tuple[str, int, int, int]]] = [[], []]
            for zone, part in enumerate(parts):
                placed[zone > 0] += [(bare(m.group()), zone, *m.span()) for m in _WORD.finditer(normalize(part))]
            found = likeness(*([word for word, *_ in side] for side in placed))
            for side, (mine, alike) in enumerate(zip(placed, found, strict=True)):
                for (word, zone, start, end), like in zip(mine, alike, strict=True):
                    if like < ALIKE and word in number:
                        entries.append((edge + number[word] + side * len(self.words), i, zone, start, end))
        return Spoken(*np.array(entries, dtype=np.int64).reshape(-1, 5).T)

    def _words(self, title: Texts, lede: Texts, body: Texts) -> Iterator[list[list[str]]]:
        """The words of each title, and of each text."""
        normalize = Normalizer(self.opposites.normalization)
        for side in _sides(title, lede, body):
            yield [[bare(word) for word in _WORD.findall(normalize(text))] for text in side]

    def _number(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def _axes(self) -> dict[str, list[int]]:
        """Lists of each table of opposites."""
        tables: dict[str, list[int]] = {}
        for i, name in enumerate(self.opposites.names):
            tables.setdefault(name.split("/")[0], []).append(i)
        return {table: lists for table, lists in tables.items() if len(lists) == 2}

    def _dense_names(self) -> list[str]:
        groups = self.opposites.names
        return [
            *(f"{side}: {name}" for side in _SIDES for name in _OF_SIDE),
            *_OF_BOTH,
            *(f"{table}: {name}" for table in self._axes() for name in ("opposed", "the same")),
            "opposed",
            *(f"{side}: {group}" for side in _SIDES for group in groups),
            *(f"one side only: {group}" for group in groups),
        ]

    def _leanings(self, title: Texts, lede: Texts, body: Texts) -> NDArray[np.float64]:
        """Lists of opposites by side, and how the sides lean."""
        has = []
        for texts in _sides(title, lede, body):
            nothing = [""] * len(texts)
            found = self.opposites.find(nothing, texts, nothing)
            sentence, group = grouped(found, self.opposites.membership)
            has.append(tally(found.article[sentence], group, (len(texts), len(self.opposites.groups))) > 0)
        one, other = (side.astype(np.float64) for side in has)
        lean = [(one[:, up] - one[:, down]) * (other[:, up] - other[:, down]) for up, down in self._axes().values()]
        pairs = [column for product in lean for column in (product < 0, product > 0)]
        opposed = np.sum([product < 0 for product in lean], axis=0) if lean else np.zeros(len(one))
        return np.column_stack([*pairs, opposed, one, other, np.abs(one - other)]).astype(np.float64)


_NOTHING = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _sides(title: Texts, lede: Texts, body: Texts) -> tuple[Texts, Texts]:
    return title, [f"{first}{rest}" for first, rest in zip(lede, body, strict=True)]


def _numbers(words: Sequence[str]) -> set[str]:
    return {word for word in words if word.isdigit()}


@lru_cache(maxsize=100_000)
def bare(word: str) -> str:
    """A normalized word without the particles written onto it, where three letters or more remain."""
    for particles in _PARTICLES:
        if word.startswith(particles) and len(word) - len(particles) >= 3:
            return word[len(particles) :]
    return word


def likeness(words: Sequence[str], others: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How like the likest of the others each word is, shape (n_words,), and each other word likewise, (n_others,).

    Dice's coefficient of pairs of letters (Dice, 1945), with the ends of a word as letters; numbers are equal or not
    alike at all.
    """
    table = np.array([[_dice(word, other) for other in others] for word in words]).reshape(len(words), len(others))
    return table.max(axis=1, initial=0.0), table.max(axis=0, initial=0.0)


def _dice(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if one.isdigit() or other.isdigit():
        return 0.0
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b))


@lru_cache(maxsize=100_000)
def _pairs(word: str) -> frozenset[str]:
    padded = f" {word} "
    return frozenset(padded[i : i + 2] for i in range(len(padded) - 1))
