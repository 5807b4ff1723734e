"""All blocks of listed terms of a model, measured in one pass over the articles."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.features.lexicon import Found, Lexicon, Lexicons, Measures, Texts
from pipeline.features.pair import PairBlock
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock

LexicalBlock = TermsBlock | TargetBlock | PairBlock


class Listed:
    """Measures articles by several blocks; what finds the terms is built once.

    Parameters
    ----------
    blocks : sequence of TermsBlock, TargetBlock or PairBlock
    more : sequence of Lexicon
        Terms that others want to know the places of.
    """

    def __init__(self, blocks: Sequence[LexicalBlock], more: Sequence[Lexicon] = ()) -> None:
        self._blocks = list(blocks)
        own = [lexicon for block in blocks if not isinstance(block, PairBlock) for lexicon in block.lexicons]
        self._lexicons = Lexicons([*own, *more])

    def measure(self, title: Texts, lede: Texts, body: Texts) -> list[Measures]:
        """What each block measures of raw articles."""
        return self.look(title, lede, body)[0]

    def look(self, title: Texts, lede: Texts, body: Texts) -> tuple[list[Measures], list[Found]]:
        """The same, and where the other terms are."""
        found = iter(self._lexicons.find(title, lede, body))
        measures = [
            block.measure(title, lede, body)
            if isinstance(block, PairBlock)
            else block.measured(*(next(found) for _ in block.lexicons))
            for block in self._blocks
        ]
        return measures, list(found)
