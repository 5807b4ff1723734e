"""How much of an article is about a stance's target, and what is said in the sentences that are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.errors import ConfigError
from pipeline.features.lexicon import NOTHING, Found, Lexicon, Measures, Spoken, Texts, grouped, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

BOTH, OTHERS = "both", "others"
"""Tables that are no side: terms that name the target itself, and third parties beside it."""

TERM_SCALE = 0.3
"""What a polarity term counts beside a measure: there are hundreds of them, and few measures."""


class Column(NamedTuple):
    """One measure: its name, its value for each article, and the hits it was taken from.

    Attributes
    ----------
    name : str
    values : ndarray of shape (n_articles,)
    sentences : ndarray of shape (n_sentences,), bool
        Sentences whose hits it counts.
    groups : list of int
        Groups whose hits it counts.
    """

    name: str
    values: NDArray[np.generic]
    sentences: Bools
    groups: list[int]


class TargetBlock:
    """Presence of a target's sides, and polarity where they meet.

    A sentence is about the target when it names every side, or a term of the table "both". Whether a stance can be
    asked for at all shows in how the sides are spread: in the title, in one sentence, one of them beside third parties
    ("others"). Each polarity term in a sentence about the target, or in a title that names a side, is a column.

    Parameters
    ----------
    sides : Lexicon
        One group a side; "both/..." and "others/..." are optional.
    polarity : Lexicon

    Raises
    ------
    ConfigError
        Where `sides` has no side.
    """

    def __init__(self, sides: Lexicon, polarity: Lexicon) -> None:
        self.sides, self.polarity = sides, polarity
        tables = [name.split("/")[0] for name in sides.names]
        self._both = [i for i, table in enumerate(tables) if table == BOTH]
        self._others = [i for i, table in enumerate(tables) if table == OTHERS]
        self._each = {table: i for i, table in enumerate(tables) if table not in (BOTH, OTHERS)}
        if not self._each:
            raise ConfigError("a target needs at least one side: a table with a list of terms")

    @property
    def names(self) -> list[str]:
        """One name a column."""
        columns = self._columns(NOTHING, self._named(NOTHING))
        return [*(column.name for column in columns), *(f"about target: {term}" for term in self.polarity.terms)]

    @property
    def lexicons(self) -> list[Lexicon]:
        """What is looked for."""
        return [self.sides, self.polarity]

    def measure(self, title: Texts, lede: Texts, body: Texts) -> Measures:
        """Measure raw articles."""
        return self.measured(*(lexicon.find(title, lede, body) for lexicon in self.lexicons))

    def measured(self, sides: Found, words: Found) -> Measures:
        """Measure articles in which the lexicons were looked for."""
        named = self._named(sides)
        inside = self._telling(sides, named)[words.sentence]
        dense = np.column_stack([column.values for column in self._columns(sides, named)])
        return Measures(
            dense.astype(np.float64), words.article[words.sentence[inside]], words.term[inside], scale=TERM_SCALE
        )

    def spoken(self, title: Texts, lede: Texts, body: Texts) -> Spoken:
        """Which words of raw articles each column measures."""
        sides, words = self.sides.find(title, lede, body), self.polarity.find(title, lede, body)
        named = self._named(sides)
        columns = self._columns(sides, named)
        member = self.sides.membership[sides.term]
        of = [c.sentences[sides.sentence] & member[:, c.groups].any(axis=1) for c in columns]
        hit, column = np.nonzero(np.column_stack(of))
        about = np.nonzero(self._telling(sides, named)[words.sentence])[0]
        parts = sides.spoken(hit, column), words.spoken(about, words.term[about] + len(columns))
        return Spoken(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _named(self, sides: Found) -> Bools:
        """Which groups each sentence names, shape (n_sentences, n_groups)."""
        sentence, group = grouped(sides, self.sides.membership)
        return tally(sentence, group, (len(sides.article), len(self.sides.groups))) > 0

    def _about(self, named: Bools) -> Bools:
        return np.asarray(named[:, [*self._each.values()]].all(axis=1) | named[:, self._both].any(axis=1))

    def _telling(self, sides: Found, named: Bools) -> Bools:
        """Sentences whose polarity counts."""
        return np.asarray(
            self._about(named) | ((sides.zone == 0) & named[:, [*self._each.values(), *self._both]].any(axis=1))
        )

    def _columns(self, sides: Found, named: Bools) -> list[Column]:
        n, each = len(sides.words), [*self._each.values()]
        everywhere: Bools = np.ones(len(sides.zone), dtype=bool)
        is_title: Bools = sides.zone == 0
        is_lede: Bools = sides.zone == 1
        about: Bools = self._about(named)

        def count(sentences: Bools) -> NDArray[np.int64]:
            return np.bincount(sides.article[sentences], minlength=n)

        total, meeting = count(everywhere).clip(1), count(about)
        of_side = np.column_stack([count(named[:, side]) for side in each])
        scarce, common = of_side.min(axis=1), of_side.max(axis=1)
        first = np.full(n, np.inf)
        np.minimum.at(first, sides.article[about], sides.position[about])

        def together(sentences: Bools) -> Bools:
            return np.asarray(np.all([count(sentences & named[:, side]) > 0 for side in each], axis=0))

        every = each + self._both
        columns = [
            Column("about target, sentences", np.log1p(meeting), about, every),
            Column("about target, share of sentences", meeting / total, about, every),
            Column(
                "about target, share of those that name a side",
                meeting / count(np.any(named[:, every], axis=1)).clip(1),
                about,
                every,
            ),
            Column("about target, early", 1 / (1 + first), about & (sides.position == first[sides.article]), every),
            Column("about target, title", count(about & is_title) > 0, about & is_title, every),
            Column("about target, lede", count(about & is_lede) / count(is_lede).clip(1), about & is_lede, every),
            *(
                Column(f"about target, {least} sentences or more", meeting >= least, about, every)
                for least in (1, 2, 3, 5)
            ),
            Column("scarcer side, sentences", np.log1p(scarce), everywhere, each),
            Column("scarcer side, share of sentences", scarce / total, everywhere, each),
            Column("scarcer side against the other", scarce / common.clip(1), everywhere, each),
            Column("every side, title", together(is_title), is_title, each),
            Column("every side, title or lede", together(is_title | is_lede), is_title | is_lede, each),
            Column("every side", together(everywhere), everywhere, each),
        ]
        for name, side in self._each.items():
            columns += self._presence(name, [side], named[:, side], count, (everywhere, is_title, is_lede))
            columns.append(Column(f"{name}, absent", ~(count(named[:, side]) > 0), everywhere, [side]))
        if self._others:
            other: Bools = np.asarray(np.any(named[:, self._others], axis=1))
            columns += self._presence(OTHERS, self._others, other, count, (everywhere, is_title, is_lede))
            columns.append(Column(f"{OTHERS}, apart", count(other & ~about) / total, ~about, self._others))
            columns.append(
                Column(f"{OTHERS}, about target", count(other & about) / meeting.clip(1), about, self._others)
            )
        return columns

    @staticmethod
    def _presence(name: str, groups: list[int], of: Bools, count, zones) -> list[Column]:  # type: ignore[no-untyped-def]
        everywhere, is_title, is_lede = zones
        return [
            Column(f"{name}, share of sentences", count(of) / count(everywhere).clip(1), everywhere, groups),
            Column(f"{name}, title", count(of & is_title) > 0, is_title, groups),
            Column(f"{name}, lede", count(of & is_lede) > 0, is_lede, groups),
        ]
