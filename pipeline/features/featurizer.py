"""Every feature block of a config, side by side in one matrix."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.config import LatentBlock as LatentConfig
from pipeline.config import PairBlock as PairConfig
from pipeline.config import TargetBlock as TargetConfig
from pipeline.config import TermsBlock as TermsConfig
from pipeline.config import TfidfBlock as TfidfConfig
from pipeline.features import latent
from pipeline.features.blocks import TfidfBlocks
from pipeline.features.learning import Learned
from pipeline.features.lexicon import Lexicon, Texts, load_groups
from pipeline.features.listed import LexicalBlock, Listed
from pipeline.features.pair import PairBlock
from pipeline.features.plan import FIELDS
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock
from pipeline.features.tfidf import ArabicTfidfVectorizer
from pipeline.features.vocabulary import Terms
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.articles import Fields
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
        self._latent = {name: block for name, block in blocks.items() if isinstance(block, LatentConfig)}
        self._reweighed = [
            name for name, block in blocks.items() if isinstance(block, TfidfConfig) and block.idf == "all"
        ]
        self._coordinates: dict[str, NDArray[np.float64]] = {}
        self.lexical: dict[str, LexicalBlock] = {}
        for name, block in blocks.items():
            if isinstance(block, TermsConfig):
                self.lexical[name] = TermsBlock(Lexicon(load_groups(block.path), normalization), counts=block.counts)
            elif isinstance(block, PairConfig):
                self.lexical[name] = PairBlock(Lexicon(load_groups(block.path), normalization))
            elif isinstance(block, TargetConfig):
                self.lexical[name] = TargetBlock(
                    Lexicon(load_groups(block.path), normalization), Lexicon(load_groups(block.polarity), normalization)
                )

    def fit_transform(
        self, title: Texts, lede: Texts, body: Texts, *, background: tuple[Texts, Texts, Texts] | None = None
    ) -> csr_matrix:
        """Learn vocabulary and IDF from raw articles; csr matrix of shape (n_articles, n_features).

        With a background, IDF is learned from both together, unless a block is told otherwise: how rare a word is in
        the news at large is known better from many articles without labels than from few with them.
        """
        self._fit_pairs(title, lede, body)
        if background is not None or self._latent:
            if self.tfidf.blocks:
                self.tfidf.fit(title, lede, body)
            if self._reweighed and background is not None:
                both = ([*own, *more] for own, more in zip((title, lede, body), background, strict=True))
                self.tfidf.reweigh(*both, names=self._reweighed)
            for name, words in self._latent.items():
                self._learn(name, words, (title, lede, body), background)
            return self.transform(title, lede, body)
        tfidf = self.tfidf.fit_transform(title, lede, body) if self.tfidf.blocks else None
        return self._beside(tfidf, title, lede, body)

    def learn(
        self, sample: Fields, batches: Iterable[Fields], n_articles: int, background: Fields | None = None
    ) -> None:
        """Learn from more articles than there should be n-grams of at once.

        Parameters
        ----------
        sample : Fields
            Articles to learn the vocabulary from, and all else that a block learns beside IDF.
        batches : iterable of Fields
            All articles, for IDF.
        n_articles : int
            How many they are.
        background : Fields, optional
            As for `fit_transform`.
        """
        self._fit_pairs(*sample)
        if self.tfidf.blocks:
            self.tfidf.fit(*sample)
            frequency = self.tfidf.document_frequency(batches)
            self.tfidf.weigh(frequency, n_articles)
            if self._reweighed and background is not None:
                both = frequency + self.tfidf.document_frequency([background])
                self.tfidf.weigh(both, n_articles + len(background[0]), names=self._reweighed)
        for name, block in self._latent.items():
            self._learn(name, block, sample, background)

    def _fit_pairs(self, title: Texts, lede: Texts, body: Texts) -> None:
        for block in self.lexical.values():
            if isinstance(block, PairBlock):
                block.fit(title, lede, body)

    def _learn(
        self,
        name: str,
        block: LatentConfig,
        own: tuple[Texts, Texts, Texts],
        background: tuple[Texts, Texts, Texts] | None,
    ) -> None:
        """Learn a latent block: a vectorizer over single words, and the words' coordinates."""
        if block.company == "article":
            # from the others alone where there are any, and so once for all fits
            known = background.learned if isinstance(background, latent.Background) else {}
            if name not in known:
                known[name] = self._of_articles(block, own if background is None else background)
            vectorizer, coordinates = known[name]
            self.tfidf.add(name, tuple(block.fields), vectorizer)
            self._coordinates[name] = coordinates
            return
        vectorizer = ArabicTfidfVectorizer(sublinear_tf=True, normalization=self.normalization)
        normalize, cut = Normalizer(self.normalization), vectorizer.build_tokenizer()
        chosen = [FIELDS.index(field) for field in block.fields]

        def words(fields: tuple[Texts, Texts, Texts]) -> Iterator[list[str]]:
            for parts in zip(*(fields[i] for i in chosen), strict=True):
                yield cut(normalize("\n".join(parts)))

        found = latent.learn(words(own), words(background or ((), (), ())), block.components, block.max_features)
        vectorizer.take(Learned(Terms.of(found.words), found.documents), len(own[0]))
        self.tfidf.add(name, tuple(block.fields), vectorizer)
        self._coordinates[name] = found.coordinates

    def _of_articles(
        self, block: LatentConfig, fields: tuple[Texts, Texts, Texts]
    ) -> tuple[ArabicTfidfVectorizer, NDArray[np.float64]]:
        vectorizer = ArabicTfidfVectorizer(
            sublinear_tf=True, min_df=2, max_features=block.max_features, normalization=self.normalization
        )
        texts = ["\n".join(parts) for parts in zip(*(fields[FIELDS.index(f)] for f in block.fields), strict=True)]
        return vectorizer, latent.directions(vectorizer.fit_transform(texts), block.components)

    def tie(self, blocks: Collection[str] | None) -> csr_matrix | None:
        """What ties the weights of the named blocks' columns (of all blocks for None).

        Weights are the product of this csr matrix, of shape (n_columns, n_free), with as many as are free; None where
        all are. Known after a fit, and not kept with a model, whose weights are tied already.
        """
        from scipy.sparse import block_diag, csr_matrix, identity

        slices = {name: of for name, of in self.slices.items() if blocks is None or name in blocks}
        if not self._coordinates.keys() & slices.keys():
            return None
        parts = [
            csr_matrix(self._coordinates[name]) if name in self._coordinates else identity(of.stop - of.start)
            for name, of in slices.items()
        ]
        return block_diag(parts, format="csr")

    def free_columns(self, blocks: Collection[str] | None) -> NDArray[np.int64]:
        """Which of the free weights of all blocks, the columns of `tie(None)`, those of the named blocks are."""
        found, start = [], 0
        for name, of in self.slices.items():
            width = self._coordinates[name].shape[1] if name in self._coordinates else of.stop - of.start
            if blocks is None or name in blocks:
                found.append(np.arange(start, start + width))
            start += width
        return np.concatenate(found)

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

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
            measured = self._listed.measure(title, lede, body)
            parts += [
                measures.matrix(len(block.names)) * self.weights[name]
                for (name, block), measures in zip(self.lexical.items(), measured, strict=True)
            ]
        return hstack(parts, format="csr")

    @cached_property
    def _listed(self) -> Listed:
        return Listed([*self.lexical.values()])

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
