"""Every feature block of a config, side by side in one matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config import TargetBlock as TargetConfig
from pipeline.config import TermsBlock as TermsConfig
from pipeline.config import TfidfBlock as TfidfConfig
from pipeline.features.blocks import TfidfBlocks
from pipeline.features.lexicon import Lexicon, Texts, load_groups
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock
from pipeline.features.tfidf import ArabicTfidfVectorizer
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.config import Block


class Featurizer:
    """TF-IDF blocks in one fused pass, then the blocks of listed terms.

    Parameters
    ----------
    blocks : mapping of str to Block
        The config's `[features]`.
    normalization : sequence of str
    n_jobs : int
    """

    def __init__(self, blocks: Mapping[str, Block], normalization: Sequence[str], *, n_jobs: int = 1) -> None:
        self.normalization = list(normalization)
        self.weights = {name: block.weight for name, block in blocks.items()}
        self.tfidf = TfidfBlocks(
            [
                (name, tuple(block.fields), _vectorizer(block, normalization))
                for name, block in blocks.items()
                if isinstance(block, TfidfConfig)
            ],
            n_jobs=n_jobs,
        )
        self.lexical: dict[str, TermsBlock | TargetBlock] = {}
        for name, block in blocks.items():
            if isinstance(block, TermsConfig):
                self.lexical[name] = TermsBlock(Lexicon(load_groups(block.path), normalization))
            elif isinstance(block, TargetConfig):
                self.lexical[name] = TargetBlock(
                    Lexicon(load_groups(block.path), normalization), Lexicon(load_groups(block.polarity), normalization)
                )

    def fit_transform(
        self, title: Texts, lede: Texts, body: Texts, *, background: tuple[Texts, Texts, Texts] | None = None
    ) -> csr_matrix:
        """Learn vocabulary and IDF from raw articles; csr matrix of shape (n_articles, n_features).

        With a background, IDF is learned from both together: how rare a word is in the news at large is known better
        from many articles without labels than from few with them.
        """
        if background is not None and self.tfidf.blocks:
            self.tfidf.fit(title, lede, body)
            self.tfidf.reweigh(*([*own, *more] for own, more in zip((title, lede, body), background, strict=True)))
            return self.transform(title, lede, body)
        tfidf = self.tfidf.fit_transform(title, lede, body) if self.tfidf.blocks else None
        return self._beside(tfidf, title, lede, body)

    def transform(self, title: Texts, lede: Texts, body: Texts) -> csr_matrix:
        """The matrix of raw articles, shape (n_articles, n_features)."""
        tfidf = self.tfidf.transform(title, lede, body) if self.tfidf.blocks else None
        return self._beside(tfidf, title, lede, body)

    def _beside(self, tfidf: csr_matrix | None, title: Texts, lede: Texts, body: Texts) -> csr_matrix:
        from scipy.sparse import hstack

        parts = (
            []
            if tfidf is None
            else [tfidf[:, columns] * self.weights[name] for name, columns in self.tfidf.slices.items()]
        )
        if self.lexical:
            normalize = Normalizer(self.normalization)
            texts = [[normalize(text) for text in field] for field in (title, lede, body)]
            parts += [
                block.measure(*texts).matrix(len(block.names)) * self.weights[name]
                for name, block in self.lexical.items()
            ]
        return hstack(parts, format="csr")

    @property
    def version(self) -> str:
        """Which normalization, as its version string."""
        return Normalizer(self.normalization).version

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of each block, by its name in the config."""
        found = dict(self.tfidf.slices) if self.tfidf.blocks else {}
        start = max((s.stop for s in found.values()), default=0)
        for name, block in self.lexical.items():
            found[name] = slice(start, start + len(block.names))
            start = found[name].stop
        return found

    def names(self) -> NDArray[np.object_]:
        """What each column is, by block: an n-gram, or a measure in words."""
        return np.concatenate(
            [
                vectorizer.get_feature_names_out()
                for _, _, vectorizer in (self.tfidf.blocks_ if self.tfidf.blocks else ())
            ]
            + [np.array(block.names, dtype=object) for block in self.lexical.values()]
        )


def _vectorizer(block: TfidfConfig, normalization: Sequence[str]) -> ArabicTfidfVectorizer:
    return ArabicTfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngram_range,
        min_df=block.min_df,
        max_df=block.max_df,
        max_features=block.max_features,
        sublinear_tf=block.sublinear_tf,
        normalization=list(normalization),
    )
