"""What single sentences say, as a model reads them that learned from marked sentences.

A label says nothing of where in an article it comes from; marks on its sentences do ("annotator rationales"; Zaidan,
Eisner and Piatko, 2007). A linear model learns from them to read a sentence by its n-grams and by which listed terms
are named in it, before it and in the title. An article is then measured by what its sentences were found to say: the
title, the first ones, those that say it most, and all of them.

The sentences of an article that a model learned from must not be read by that model, or they would look far surer than
those of any other article: they are read by one that learned from the other articles (`learn`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.articles.parts import sentence_spans
from pipeline.errors import ConfigError
from pipeline.features.lexicon import Found, Lexicon, Measures, Spoken, Texts, tally
from pipeline.features.target import BOTH, OTHERS

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.articles.marks import Lone, Marks

    Floats = NDArray[np.float64]
    Read = Callable[["Sentences"], Floats]

MEASURES = ("in title", "in first sentences", "where most", "in top three", "on average")
"""How the sentences' probabilities of a label are put together."""

SCALES = (1.0, 1.2, 0.8, 1.0, 2.0)
"""What each measure, between 0 and 1, is multiplied by: they vary differently, and are to weigh alike."""

FIRST, TOP = 2, 3

CUE_SCALE = 0.4
"""What a cue counts beside n-grams, which have length 1 a block: there are few cues, and each says much."""

LONE_WEIGHT = 0.5
"""What a sentence that stands alone counts beside one of an article: it is written to be hard, the other is real."""

FOLDS = 5

MOST_GROUPS = 200
"""Groups of terms: there is a weight for each pair of them."""


class Sentences(NamedTuple):
    """Sentences of some articles that are worth reading.

    Attributes
    ----------
    article, number : ndarray of shape (n_sentences,), int
        Which article, and which of its sentences: 0 is the title.
    texts : list of str
    cues : ndarray of shape (n_sentences, n_cues), float64
        Which groups of terms are named in it, before it, in the title; and which of them together.
    total : ndarray of shape (n_articles,), int
        Sentences of each article, read or not, the title among them.
    """

    article: NDArray[np.int64]
    number: NDArray[np.int64]
    texts: list[str]
    cues: Floats
    total: NDArray[np.int64]

    def only(self, rows: NDArray[np.int64]) -> Sentences:
        """Some of them."""
        texts = [self.texts[i] for i in rows]
        return Sentences(self.article[rows], self.number[rows], texts, self.cues[rows], self.total)


class Reading(NamedTuple):
    """Weights of a model of sentences.

    Attributes
    ----------
    ngrams : ndarray of shape (n_outputs, n_ngrams), float32
    cues : ndarray of shape (n_outputs, n_cues), float32
    intercept : ndarray of shape (n_outputs,), float64
    """

    ngrams: NDArray[np.float32]
    cues: NDArray[np.float32]
    intercept: Floats


class SentencesBlock:
    """What the sentences of articles say.

    Read are those that name a term of the lists, those next to them, and the title, in articles that have any such
    term at all.

    Parameters
    ----------
    lexicon : Lexicon
        Groups of terms; the table "others" is a cue, but not by itself a reason to read a sentence.
    labels : list of str
        What a sentence may say; beside them, none of it.
    several : bool
        Whether it may say several at once.
    reads : list of str
        TF-IDF blocks whose n-grams are read.
    every : bool
        Whether only articles are read that name a term of every list, or one of the table "both" (as of `TargetBlock`).

    Raises
    ------
    ConfigError
        Where the lexicon has more than `MOST_GROUPS` groups.

    Attributes
    ----------
    ngrams, cues, intercept
        As of `Reading`.
    can_read : bool
        Whether it has learned to read; before, no sentence says anything.
    """

    def __init__(
        self, lexicon: Lexicon, labels: Sequence[str], *, several: bool, reads: Sequence[str], every: bool = False
    ) -> None:
        self.lexicon, self.labels = lexicon, list(labels)
        # one label alone is a question of yes or no
        self.several, self.reads, self.every = several or len(self.labels) == 1, list(reads), every
        n = len(self.lexicon.groups)
        if n > MOST_GROUPS:
            raise ConfigError(
                f"a block of sentences takes at most {MOST_GROUPS} groups of terms, and these are {n:,}",
                hint="Give it a file of its own, with fewer tables and lists.",
            )
        n_cues = 3 * n + 1 + n * (n - 1) // 2 + 2 * n * n
        self.ngrams = np.zeros((self.n_outputs, 0), np.float32)
        self.cues = np.zeros((self.n_outputs, n_cues), np.float32)
        self.intercept = np.zeros(self.n_outputs)
        self.can_read = False

    def take(self, reading: Reading) -> None:
        """Read with these weights from now on."""
        self.ngrams, self.cues, self.intercept = reading
        self.can_read = True

    @property
    def n_outputs(self) -> int:
        """Scores a sentence has: one a label, and one for none of them where only one may be."""
        return len(self.labels) + (not self.several)

    @property
    def names(self) -> list[str]:
        """One name a column."""
        return [f"{label} {measure}" for measure in MEASURES for label in self.labels]

    # ------------------------------------------------------------------------------------------------------ measuring

    def measure(self, title: Texts, lede: Texts, body: Texts, read: Read) -> Measures:
        """Measure raw articles; `read` tells the probabilities of sentences."""
        found = self.look(title, lede, body)
        return self.measured(found, read(found))

    def measured(self, found: Sentences, said: Floats) -> Measures:
        """Measure articles by what their sentences say, shape (n_sentences, n_labels)."""
        return Measures(self._put_together(found, said))

    def probabilities(self, found: Sentences, scores: Floats, reading: Reading | None = None) -> Floats:
        """What each sentence says, shape (n_sentences, n_labels), by the scores of its n-grams."""
        if not self.can_read:
            return np.zeros((len(scores), len(self.labels)))
        cues, intercept = (self.cues, self.intercept) if reading is None else reading[1:]
        scores = scores + found.cues @ cues.T + intercept
        if self.several:
            return np.asarray(1 / (1 + np.exp(-scores)))
        scores = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
        return np.asarray((scores / scores.sum(axis=1, keepdims=True))[:, :-1])

    def look(self, title: Texts, lede: Texts, body: Texts, where: Found | None = None) -> Sentences:
        """The sentences worth reading; `where` is what `lexicon` finds in these articles, if that is known."""
        hits = self.lexicon.find(title, lede, body) if where is None else where
        n, member = len(title), self.lexicon.membership
        number = np.where(hits.zone == 0, 0, hits.position + 1)
        # a title may be several sentences, and is read as one
        key = (hits.article << 32) + number
        kept, row = np.unique(key, return_inverse=True)
        article, number = kept >> 32, kept & 0xFFFFFFFF
        hit, group = np.nonzero(member[hits.term])
        named = tally(row[hits.sentence[hit]], group, (len(kept), member.shape[1])) > 0
        title_of = np.searchsorted(article, article)
        before, after = np.zeros_like(named), np.zeros_like(named)
        before[1:], after[:-1] = named[:-1], named[1:]
        before[number == 0] = False
        after[:-1][number[1:] == 0] = False
        telling = self._telling()
        asked = self._asked(article, named, n)[article]
        near = asked & ((named | before | after)[:, telling].any(axis=1) | (number == 0))
        rows = np.nonzero(near)[0]
        places = _places(article[rows], number[rows], title, lede, body)
        parts = (title, lede, body)
        texts = [parts[zone][a][start:stop] for a, (zone, start, stop) in zip(article[rows], places, strict=True)]
        rows = rows[np.array([bool(text) for text in texts], dtype=bool)]
        cues = _cues(named[rows], before[rows], named[title_of[rows]], number[rows] == 0)
        total = np.bincount(article, minlength=n)
        return Sentences(article[rows], number[rows], [text for text in texts if text], cues, total)

    def alone(self, texts: list[str]) -> Sentences:
        """Sentences that belong to no article."""
        n, named = len(texts), self._named(texts)
        nothing = np.zeros_like(named)
        cues = _cues(named, nothing, nothing, np.zeros(n, dtype=bool))
        return Sentences(np.arange(n), np.ones(n, np.int64), texts, cues, np.ones(n, np.int64))

    def spoken(self, title: Texts, lede: Texts, body: Texts, read: Read) -> Spoken:
        """Which sentences of raw articles each column measures, by their places in the *raw* parts."""
        found = self.look(title, lede, body)
        said = read(found)
        k = len(self.labels)
        rank = _ranks(said, found.article)
        of = [found.number == 0, (found.number > 0) & (found.number <= FIRST), rank == 0, rank < TOP, rank >= 0]
        places = _places(found.article, found.number, title, lede, body)
        entries = [
            (i * k + label, found.article[row], *places[row])
            for i, where in enumerate(of)
            for row, label in zip(*np.nonzero(np.broadcast_to(where.T, (k, len(said))).T), strict=True)
        ]
        return Spoken(*np.array(entries, dtype=np.int64).reshape(-1, 5).T)

    def _telling(self) -> list[int]:
        return [i for i, name in enumerate(self.lexicon.names) if name.split("/")[0] != OTHERS]

    def _asked(self, article: NDArray[np.int64], named: NDArray[np.bool_], n: int) -> NDArray[np.bool_]:
        """Which articles have sentences that are worth reading, by which groups each sentence names."""
        of_article = np.zeros((n, named.shape[1]), dtype=bool)
        np.logical_or.at(of_article, article, named)
        telling = self._telling()
        if not self.every:
            return np.asarray(of_article[:, telling].any(axis=1))
        both = [i for i in telling if self.lexicon.names[i].split("/")[0] == BOTH]
        sides = [i for i in telling if i not in both]
        return np.asarray(of_article[:, sides].all(axis=1) | of_article[:, both].any(axis=1))

    def _named(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Which groups each text names."""
        nothing, member = [""] * len(texts), self.lexicon.membership
        hits = self.lexicon.find(texts, nothing, nothing)
        hit, group = np.nonzero(member[hits.term])
        return tally(hits.article[hits.sentence[hit]], group, (len(texts), member.shape[1])) > 0

    def _put_together(self, found: Sentences, said: Floats) -> Floats:
        k, n = len(self.labels), len(found.total)
        top = _ranks(said, found.article)

        def total(weight: NDArray[Any]) -> Floats:
            sums = np.zeros((n, k))
            np.add.at(sums, found.article, said * weight)
            return sums

        is_first = (found.number > 0) & (found.number <= FIRST)
        parts = [
            total((found.number == 0)[:, None]),
            total(is_first[:, None]) / FIRST,
            total(top == 0),
            total(top < TOP) / TOP,
            total(np.ones((1, 1))) / found.total.clip(1)[:, None],
        ]
        return np.hstack([scale * part for scale, part in zip(SCALES, parts, strict=True)])


def _cues(named: NDArray, before: NDArray, title: NDArray, is_title: NDArray) -> Floats:  # type: ignore[type-arg]
    """Groups named in a sentence, before it, in the title; each pair of them; scaled to stand beside n-grams."""
    one, other = np.triu_indices(named.shape[1], 1)
    shape = (len(named), named.shape[1] ** 2)
    pairs = [(named[:, :, None] & there[:, None, :]).reshape(shape) for there in (before, title)]
    together = [named, before, title, is_title[:, None], named[:, one] & named[:, other], *pairs]
    return CUE_SCALE * np.hstack(together).astype(np.float64)


def _ranks(said: Floats, article: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many sentences of its article say a label more than each does; shape (n_sentences, n_labels)."""
    ranks = np.zeros(said.shape, np.int64)
    starts = np.searchsorted(article, article)
    for label in range(said.shape[1]):
        order = np.lexsort((-said[:, label], article))
        ranks[order, label] = np.arange(len(order)) - starts
    return ranks


def _places(
    article: NDArray[np.int64], number: NDArray[np.int64], title: Texts, lede: Texts, body: Texts
) -> list[tuple[int, int, int]]:
    """Zone, start and end of sentences, ordered by article."""
    places, last, spans = [], -1, []
    for a, n in zip(article.tolist(), number.tolist(), strict=True):
        if a != last:
            last, spans = a, [(0, 0, len(title[a]))]
            for zone, part in ((1, lede[a]), (2, body[a])):  # a part without words has one sentence, which is empty
                spans += [(zone, *span) for span in sentence_spans(part) or [(0, 0)]]
        places.append(spans[n] if n < len(spans) else (0, 0, 0))
    return places


# ------------------------------------------------------------------------------------------------------------- learning


class Learned(NamedTuple):
    """Models of sentences.

    Attributes
    ----------
    of_all : Reading
        Of all sentences.
    without : list of Reading
        Each without a fold of the articles.
    fold : dict of str to int
        Which of them has not seen an article, by its id.
    """

    of_all: Reading
    without: list[Reading]
    fold: dict[str, int]


def learn(
    block: SentencesBlock,
    ngrams: Callable[[list[str]], csr_matrix],
    fields: tuple[Texts, Texts, Texts],
    ids: Sequence[str],
    groups: Sequence[int],
    marks: Mapping[str, Marks],
    lone: Lone,
    *,
    C: float,
    seed: int = 0,
    n_jobs: int = 1,
) -> Learned | None:
    """Learn to read sentences.

    Parameters
    ----------
    block : SentencesBlock
    ngrams : callable
        Features of texts, shape (n_texts, n_ngrams).
    fields : (titles, ledes, bodies)
        Articles that may be learned from.
    ids, groups : sequences
        Their ids, and which are copies of each other (as `duplicate_groups` numbers them).
    marks : mapping of str to Marks
        What sentences of articles say, by the article's id; of other articles too.
    lone : Lone
        Sentences that stand alone, and what they say.
    C : float
        Inverse strength of the L2 penalty.
    seed, n_jobs : int

    Returns
    -------
    Learned or None
        None where nothing is marked.
    """
    from scipy.sparse import csr_matrix, hstack

    from pipeline import dual
    from pipeline.packed import Packed

    rows = [i for i, article in enumerate(ids) if article in marks]
    title, lede, body = ([field[i] for i in rows] for field in fields)
    found = block.look(title, lede, body)
    of_article = [marks[ids[i]] for i in rows]
    read = np.array([n < of_article[a].read for a, n in zip(found.article, found.number, strict=True)], dtype=bool)
    said = [of_article[a].said.get(int(n), ()) for a, n in zip(found.article[read], found.number[read], strict=True)]
    alone = block.alone(list(lone.texts))
    texts = [text for text, yes in zip(found.texts, read, strict=True) if yes] + alone.texts
    if not texts:
        return None
    truth = np.zeros((len(texts), len(block.labels)), np.int64)
    for row, labels in enumerate([*said, *lone.said]):
        truth[row, list(labels)] = 1
    order = np.random.default_rng(seed).permutation(len(ids))
    fold_of_row = order[np.unique(np.asarray(groups)[rows], return_inverse=True)[1]] % FOLDS if rows else np.zeros(0)
    fold = np.concatenate([fold_of_row[found.article[read]], np.full(len(alone.texts), -1)]).astype(np.int64)
    weight = np.where(fold < 0, LONE_WEIGHT, 1.0)
    folds = sorted(set(fold.tolist()) - {-1})
    cues = np.concatenate([found.cues[read], alone.cues])
    features = ngrams(texts)
    X = Packed.of([hstack([features, csr_matrix(cues)], format="csr").astype(np.float32)], len(texts))
    answers = list(truth.T) if block.several else [np.where(truth.any(axis=1), truth.argmax(axis=1), truth.shape[1])]
    classes = 2 if block.several else block.n_outputs
    tasks = [(y, np.where(fold == k, 0.0, weight)) for k in [*folds, None] for y in answers]
    coef, intercept = dual.fit(
        X,
        np.column_stack([y for y, _ in tasks]),
        np.column_stack([C * w * _balance(y, w, classes)[y] for y, w in tasks]),
        classes,
        seed=seed,
        n_jobs=n_jobs,
    )
    coef = coef.reshape(len(folds) + 1, block.n_outputs, -1)
    intercept = intercept.reshape(len(folds) + 1, -1)
    edge = features.shape[1]
    readings = [
        Reading(_short(c[:, :edge]), np.ascontiguousarray(c[:, edge:]), i) for c, i in zip(coef, intercept, strict=True)
    ]
    number = {k: i for i, k in enumerate(folds)}
    held = {ids[i]: number[int(k)] for i, k in zip(rows, fold_of_row, strict=True) if int(k) in number}
    return Learned(readings[-1], readings[:-1], held)


def _short(coef: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights without the small ones, below half their standard deviation, and of two digits: a third of the size.

    The last 18 bits of a single-precision number are cleared, so that its relative error stays below 2 ** -6.
    """
    bits = np.where(np.abs(coef) < 0.5 * coef.std(), np.float32(0), coef).astype(np.float32).view(np.uint32)
    return ((bits + np.uint32(1 << 17)) & np.uint32(0xFFFC0000)).view(np.float32)


def _balance(y: NDArray[np.int64], weight: Floats, classes: int) -> Floats:
    """Weights of classes, by the square root of how rare they are."""
    return np.asarray((weight.sum() / classes / np.bincount(y, weight, minlength=classes).clip(1)) ** 0.5)
