"""All blocks of listed terms of a model, measured in one pass over the articles."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.features.lexicon import Lexicons, Measures, Texts
from pipeline.features.pair import PairBlock
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock

LexicalBlock = TermsBlock | TargetBlock | PairBlock


class Listed:
    """Measures articles by several blocks; what finds the terms is built once.

    Parameters
    ----------
    blocks : sequence of TermsBlock, TargetBlock or PairBlock
    """

    def __init__(self, blocks: Sequence[LexicalBlock]) -> None:
        self._blocks = list(blocks)
        self._lexicons = Lexicons(
            [lexicon for block in blocks if not isinstance(block, PairBlock) for lexicon in block.lexicons]
        )

    def measure(self, title: Texts, lede: Texts, body: Texts) -> list[Measures]:
        """What each block measures of raw articles."""
        found = iter(self._lexicons.find(title, lede, body))
        return [
            block.measure(title, lede, body)
            if isinstance(block, PairBlock)
            else block.measured(*(next(found) for _ in block.lexicons))
            for block in self._blocks
        ]
