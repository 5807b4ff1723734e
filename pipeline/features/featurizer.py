"""Every feature block of a config, side by side in one matrix."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from pipeline.articles.marks import NO_SENTENCES, Origin, read_lone, read_marks
from pipeline.articles.parts import top
from pipeline.config import LatentBlock as LatentConfig
from pipeline.config import PairBlock as PairConfig
from pipeline.config import SentencesBlock as SentencesConfig
from pipeline.config import TargetBlock as TargetConfig
from pipeline.config import TermsBlock as TermsConfig
from pipeline.config import TfidfBlock as TfidfConfig
from pipeline.features import latent
from pipeline.features import sentences as reading
from pipeline.features.blocks import TfidfBlocks
from pipeline.features.learning import Learned
from pipeline.features.lexicon import Lexicon, Texts, load_groups
from pipeline.features.listed import LexicalBlock, Listed
from pipeline.features.pair import PairBlock
from pipeline.features.plan import FIELDS, threads
from pipeline.features.sentences import Sentences, SentencesBlock
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
    """TF-IDF blocks in one fused pass, then the blocks of listed terms, then those of sentences.

    Parameters
    ----------
    blocks : mapping of str to Block
        The config's `[features]`.
    normalization : sequence of str
    first : int
        Characters of a text that are read; 0 for all.
    n_jobs : int
    """

    # models from before sentences were read have none
    sentences: dict[str, SentencesBlock] = {}  # noqa: RUF012
    _read: dict[str, reading.Learned | None] = {}  # noqa: RUF012
    first = 0  # and read all of a text

    def __init__(
        self, blocks: Mapping[str, Block], normalization: Sequence[str], *, first: int = 0, n_jobs: int = 1
    ) -> None:
        self.first = first
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
        self.sentences = {}
        self._marked = {name: block for name, block in blocks.items() if isinstance(block, SentencesConfig)}
        self._read = {}
        for name, block in self._marked.items():
            lexicon = Lexicon(load_groups(block.path), normalization)
            self.sentences[name] = SentencesBlock(
                lexicon, block.labels, several=block.several, reads=block.reads, every=block.every
            )

    def fit_transform(
        self,
        title: Texts,
        lede: Texts,
        body: Texts,
        *,
        background: tuple[Texts, Texts, Texts] | None = None,
        of: Origin | None = None,
    ) -> csr_matrix:
        """Learn vocabulary and IDF from raw articles; csr matrix of shape (n_articles, n_features).

        With a background, IDF is learned from both together, unless a block is told otherwise: how rare a word is in
        the news at large is known better from many articles without labels than from few with them. `of` tells which
        articles these are, for blocks that learn from marks on their sentences.
        """
        title, lede, body = self.top(title, lede, body)
        self._fit_pairs(title, lede, body)
        if background is not None or self._latent:
            if self.tfidf.blocks:
                self.tfidf.fit(title, lede, body)
            if self._reweighed and background is not None:
                both = ([*own, *more] for own, more in zip((title, lede, body), background, strict=True))
                self.tfidf.reweigh(*both, names=self._reweighed)
            for name, words in self._latent.items():
                self._learn(name, words, (title, lede, body), background)
            self._learn_to_read((title, lede, body), of)
            return self.transform(title, lede, body, of=of)
        tfidf = self.tfidf.fit_transform(title, lede, body) if self.tfidf.blocks else None
        self._learn_to_read((title, lede, body), of)
        return self._beside(tfidf, title, lede, body, of)

    def learn(
        self,
        sample: Fields,
        batches: Iterable[Fields],
        n_articles: int,
        background: Fields | None = None,
        of: Origin | None = None,
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
        of : Origin, optional
            Which articles those of the sample are.
        """
        sample = self.top(*sample)
        batches = (self.top(*batch) for batch in batches)
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
        self._learn_to_read(sample, of)

    def _learn_to_read(self, fields: tuple[Texts, Texts, Texts], of: Origin | None) -> None:
        """Learn the blocks of sentences, once the n-grams that they read are known."""
        for name, block in self._marked.items():
            self._read[name] = learned = reading.learn(
                self.sentences[name],
                partial(self._ngrams, block.reads),
                fields,
                of.ids if of else [],
                of.groups if of else [],
                read_marks(block.marks, block.labels, several=block.several) if of else {},
                read_lone(block.alone, block.labels, several=block.several) if block.alone else NO_SENTENCES,
                C=block.C,
                n_jobs=threads(self.tfidf.n_jobs),
            )
            if learned is not None:
                self.sentences[name].take(learned.of_all)

    def _ngrams(self, blocks: Sequence[str], texts: list[str]) -> csr_matrix:
        """N-grams of sentences, as the named blocks see them."""
        nothing = [""] * len(texts)
        return self.tfidf.transform(nothing, nothing, texts)[:, self._columns(blocks)]

    def _columns(self, blocks: Sequence[str]) -> NDArray[np.int64]:
        """Columns of named TF-IDF blocks."""
        slices = self.tfidf.slices
        return np.concatenate([np.arange(slices[name].start, slices[name].stop) for name in blocks])

    def read(self, name: str, found: Sentences, ids: Sequence[str] | None = None) -> NDArray[np.float64]:
        """What a block of sentences reads in some; shape (n_sentences, n_labels).

        With the ids of the articles, those that it learned from are read by a model that did not: known after a fit,
        and not kept with a model.
        """
        block, learned = self.sentences[name], self._read.get(name)
        if not block.can_read:
            return block.probabilities(found, np.zeros((len(found.texts), block.n_outputs)))
        X = self._ngrams(block.reads, found.texts)
        said = block.probabilities(found, X @ block.ngrams.T)
        if learned is not None and ids is not None:
            fold = np.array([learned.fold.get(ids[article], -1) for article in found.article], dtype=np.int64)
            for number, reading in enumerate(learned.without):
                rows = np.nonzero(fold == number)[0]
                said[rows] = block.probabilities(found.only(rows), X[rows] @ reading.ngrams.T, reading)
        return said

    def reading(self, n_ngrams: int) -> NDArray[np.float64]:
        """Weights by which sentences are read, of every block side by side; shape (n_ngrams, n_outputs)."""
        parts = []
        for block in self.sentences.values():
            coef = np.zeros((n_ngrams, block.n_outputs))
            if block.can_read:
                coef[self._columns(block.reads)] = block.ngrams.T
            parts.append(coef)
        return np.hstack(parts)

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

    def transform(self, title: Texts, lede: Texts, body: Texts, *, of: Origin | None = None) -> csr_matrix:
        """The matrix of raw articles, shape (n_articles, n_features); `of` as for `fit_transform`."""
        title, lede, body = self.top(title, lede, body)
        tfidf = self.tfidf.transform(title, lede, body) if self.tfidf.blocks else None
        return self._beside(tfidf, title, lede, body, of)

    def top(self, title: Texts, lede: Texts, body: Texts) -> Fields:
        """What is read of raw articles."""
        return top(title, lede, body, self.first)

    def _beside(
        self, tfidf: csr_matrix | None, title: Texts, lede: Texts, body: Texts, of: Origin | None
    ) -> csr_matrix:
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
        ids = of.ids if of else None
        for name, block in self.sentences.items():
            measures = block.measure(title, lede, body, lambda found, name=name: self.read(name, found, ids))  # type: ignore[misc]
            parts.append(measures.matrix(len(block.names)) * self.weights[name])
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
        for name, block in (self.lexical | self.sentences).items():
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
            + [np.array(block.names, dtype=object) for block in (self.lexical | self.sentences).values()]
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
