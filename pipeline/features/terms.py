"""How much an article is about the subject of each list of terms: where the terms stand, and how densely."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.features.lexicon import Found, Lexicon, Measures, Spoken, Texts, grouped, tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

MEASURES = ("in title", "in lede", "share of sentences", "early")
"""What is measured of each group: between 0 and 1 each, whatever the article's length, so that a model which learned
from short articles is not misled by the asides of long ones."""

COUNT = "occurrences"
"""What may be measured beside it, as log(1 + count), where texts are short and about equally long, as posts are."""


class TermsBlock:
    """Salience of term groups.

    A subject is told from an aside by the place of its words: title and lede, early, in many sentences. Each measure of
    each group is a feature of its own.

    Parameters
    ----------
    lexicon : Lexicon
    counts : bool
        Whether occurrences are counted as well.
    """

    counts = False  # models from before they could be counted do not say

    def __init__(self, lexicon: Lexicon, *, counts: bool = False) -> None:
        self.lexicon = lexicon
        self.counts = counts

    @property
    def names(self) -> list[str]:
        """One name a column: the group and the measure."""
        return [f"{group} {measure}" for measure in self._measured for group in self.lexicon.names]

    @property
    def _measured(self) -> tuple[str, ...]:
        return (*MEASURES, COUNT) if self.counts else MEASURES

    @property
    def lexicons(self) -> list[Lexicon]:
        """What is looked for."""
        return [self.lexicon]

    def measure(self, title: Texts, lede: Texts, body: Texts) -> Measures:
        """Measure raw articles."""
        return self.measured(self.lexicon.find(title, lede, body))

    def measured(self, found: Found) -> Measures:
        """Measure articles in which the lexicon was looked for."""
        sentence, group = grouped(found, self.lexicon.membership)
        shape = (len(found.words), len(self.lexicon.groups))
        article, zone = found.article[sentence], found.zone[sentence]

        def count(rows: NDArray[np.bool_]) -> NDArray[np.float64]:
            return tally(article[rows], group[rows], shape)

        # one entry a sentence and group, for what is counted in sentences
        said, of = np.divmod(np.unique(sentence[zone > 0] * shape[1] + group[zone > 0]), shape[1])
        holder = found.article[said]
        sentences = tally(holder, of, shape)
        total = np.bincount(found.article[found.zone > 0], minlength=shape[0])[:, None].clip(1)
        first = np.full(shape, np.inf)
        np.minimum.at(first, (holder, of), found.position[said])
        measures = [count(zone == 0) > 0, count(zone == 1) > 0, sentences / total, 1 / (1 + first)]
        if self.counts:
            measures.append(np.log1p(count(zone >= 0)))
        return Measures(np.hstack([np.asarray(m, dtype=np.float64) for m in measures]))

    def spoken(self, title: Texts, lede: Texts, body: Texts) -> Spoken:
        """Which words of raw articles each column measures."""
        found = self.lexicon.find(title, lede, body)
        hit, group = np.nonzero(self.lexicon.membership[found.term])
        sentence = found.sentence[hit]
        article, zone, position = found.article[sentence], found.zone[sentence], found.position[sentence]
        first = np.full((len(title), len(self.lexicon.groups)), np.inf)
        in_text = zone > 0
        np.minimum.at(first, (article[in_text], group[in_text]), position[in_text])
        earliest = in_text & (position == first[article, group])
        measured = (zone == 0, zone == 1, in_text, earliest, zone >= 0)
        rows = [np.nonzero(of)[0] for _, of in zip(self._measured, measured, strict=False)]
        column = [group[r] + i * len(self.lexicon.groups) for i, r in enumerate(rows)]
        return found.spoken(hit[np.concatenate(rows)], np.concatenate(column))
