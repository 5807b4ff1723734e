"""What is said in the sentences that name the sides of a stance's target, and how much of the article they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import ConfigError
from pipeline.features.lexicon import Found, Lexicon, Measures, Spoken, Texts, grouped, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

ZONES = ("about target", "title", "lede", "whole")
PRESENCE = ("sentences about target", "share about target", "early", "title about target", "lede about target")


class TargetBlock:
    """Polarity of what is said about a target.

    A sentence is about the target when it names every side, or a term of the group "both". Polarity words are counted
    there, in the title, in the lede and over the whole; each polarity term that occurs in a sentence about the target
    (or in a title that names a side) is a feature of its own.

    Parameters
    ----------
    sides : Lexicon
        One group a side, and a group "both/terms" of terms that name the target itself.
    polarity : Lexicon
        Groups "favor/...", "against/..." and others.
    """

    def __init__(self, sides: Lexicon, polarity: Lexicon) -> None:
        self.sides, self.polarity = sides, polarity
        self._both = next((i for i, name in enumerate(sides.names) if name.split("/")[0] == "both"), None)
        if len(sides.names) - (self._both is not None) < 1:
            raise ConfigError("a target needs at least one side: a table with a list of terms")

    @property
    def names(self) -> list[str]:
        """One name a column."""
        side_names = [name.split("/")[0] for i, name in enumerate(self.sides.names) if i != self._both]
        return [
            *PRESENCE,
            *(f"{side} {measure}" for side in side_names for measure in ("share of sentences", "in title", "in lede")),
            *(
                f"{zone}: {group} {measure}"
                for zone in ZONES
                for measure in ("count", "rate")
                for group in self.polarity.names
            ),
            *(f"{zone}: {measure}" for zone in ZONES for measure in ("favor share", "against share", "balance")),
            *(f"about target: {term}" for term in self.polarity.terms),
        ]

    def measure(self, title: Texts, lede: Texts, body: Texts) -> Measures:
        """Measure normalized articles."""
        n = len(title)
        sides = self.sides.find(title, lede, body)
        words = self.polarity.find(title, lede, body)
        named = self._named(sides)
        about = self._about(named)
        is_title, is_lede = sides.zone == 0, sides.zone == 1
        spoken = about | (is_title & named.any(axis=1))

        def share(rows: NDArray[np.bool_], of: NDArray[np.bool_]) -> NDArray[np.float64]:
            return np.asarray(np.bincount(sides.article, rows & of, n) / np.bincount(sides.article, of, n).clip(1))

        everywhere = np.ones(len(about), dtype=bool)
        first = np.full(n, np.inf)
        np.minimum.at(first, sides.article[about], sides.position[about])
        columns = [
            np.log1p(np.bincount(sides.article, about, n)),
            share(about, everywhere),
            1 / (1 + first),
            share(about, is_title),
            share(about, is_lede),
        ]
        for side in range(named.shape[1]):
            if side != self._both:
                columns += [
                    share(named[:, side], everywhere),
                    share(named[:, side], is_title),
                    share(named[:, side], is_lede),
                ]
        counts, balances = self._polarity(words, (spoken, is_title, is_lede, everywhere), n)
        inside = spoken[words.sentence]
        return Measures(
            np.column_stack([*columns, *counts, *balances]), words.article[words.sentence[inside]], words.term[inside]
        )

    def _named(self, sides: Found) -> NDArray[np.bool_]:
        """Which sides each sentence names, shape (n_sentences, n_groups)."""
        sentence, group = grouped(sides, self.sides.membership)
        return tally(sentence, group, (len(sides.article), len(self.sides.groups))) > 0

    def _about(self, named: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which sentences are about the target."""
        if self._both is None:
            return np.asarray(named.all(axis=1))
        return np.asarray(np.delete(named, self._both, axis=1).all(axis=1) | named[:, self._both])

    def _polarity(
        self, words: Found, zones: tuple[NDArray[np.bool_], ...], n: int
    ) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
        """Counts and rates of each group in each zone, and how favor and against balance there."""
        names = self.polarity.names
        favor = [i for i, name in enumerate(names) if name.startswith("favor")]
        against = [i for i, name in enumerate(names) if name.startswith("against")]
        sentence, group = grouped(words, self.polarity.membership)
        counts: list[NDArray[np.float64]] = []
        balances: list[NDArray[np.float64]] = []
        for zone in zones:
            inside = zone[sentence]
            count = tally(words.article[sentence[inside]], group[inside], (n, len(names)))
            sentences = np.bincount(words.article, zone, n).clip(1)[:, None]
            counts += [*np.log1p(count).T, *(count / sentences).T]
            f, a = count[:, favor].sum(axis=1), count[:, against].sum(axis=1)
            balances += [f / (f + a + 1), a / (f + a + 1), (f - a) / (f + a + 2)]
        return counts, balances

    def spoken(self, title: Texts, lede: Texts, body: Texts) -> Spoken:
        """Which words of normalized articles each column measures."""
        sides, words = self.sides.find(title, lede, body), self.polarity.find(title, lede, body)
        named = self._named(sides)
        about, is_title, is_lede = self._about(named), sides.zone == 0, sides.zone == 1
        first = np.full(len(title), np.inf)
        np.minimum.at(first, sides.article[about], sides.position[about])
        earliest = about & (sides.position == first[sides.article])
        zones = (about | (is_title & named.any(axis=1)), is_title, is_lede, np.ones(len(about), dtype=bool))
        of_side, of_group = self.sides.membership[sides.term], self.polarity.membership[words.term]
        # hits that each column measures, in the order of `names`; first those of the sides, then those of polarity
        side_columns = [zone[sides.sentence] for zone in (about, about, earliest, about & is_title, about & is_lede)]
        for side in range(named.shape[1]):
            if side != self._both:
                side_columns += [of_side[:, side] & zone[sides.sentence] for zone in (zones[3], is_title, is_lede)]
        inside = [zone[words.sentence][:, None] for zone in zones]
        favor, against = (
            of_group[:, [i for i, name in enumerate(self.polarity.names) if name.startswith(side)]].any(axis=1)
            for side in ("favor", "against")
        )
        shares = np.column_stack([favor, against, favor | against])
        counts_and_rates = [zone & of_group for zone in inside for _ in range(2)]
        word_columns = np.hstack([*counts_and_rates, *(zone & shares for zone in inside)])
        hit, column = np.nonzero(np.column_stack(side_columns))
        one = sides.spoken(hit, column)
        hit, column = np.nonzero(word_columns)
        about_hits = np.nonzero(inside[0][:, 0])[0]
        start = len(side_columns)
        column = np.concatenate([column + start, words.term[about_hits] + start + word_columns.shape[1]])
        two = words.spoken(np.concatenate([hit, about_hits]), column)
        return Spoken(*(np.concatenate(parts) for parts in zip(one, two, strict=True)))
