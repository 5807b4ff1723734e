"""Groups of terms from a TOML file, and where they stand in articles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline import toml
from pipeline.errors import ConfigError
from pipeline.text import DEFAULT_STEPS, Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

Texts = Sequence[str]


def load_groups(path: str | Path) -> dict[str, list[str]]:
    """Read term groups.

    Parameters
    ----------
    path : str or Path
        A TOML file whose tables hold lists of terms: `[syria]` with `strong = [...]` gives the group "syria/strong".

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    ConfigError
        Where the file is missing or holds something else.
    """
    try:
        tree = toml.read(path)
    except FileNotFoundError:
        raise ConfigError(
            "no such file of terms", where=str(path), hint="Paths in a config start where the command runs."
        ) from None
    groups: dict[str, list[str]] = {}
    for table, lists in tree.items():
        for name, terms in lists.items() if isinstance(lists, dict) else [("", lists)]:
            if not isinstance(terms, list) or not all(isinstance(term, str) and term.strip("* ") for term in terms):
                raise ConfigError(
                    f"[{table}] {name}: expected a list of terms",
                    where=str(path),
                    hint='A list looks like ["دمشق", "سوري*"].',
                )
            groups[f"{table}/{name}".rstrip("/")] = list(dict.fromkeys(terms))
    if not groups:
        raise ConfigError("holds no terms", where=str(path))
    return groups


class Found(NamedTuple):
    """Terms of a lexicon in the sentences of some articles.

    Every article is one run of sentences: those of its title, its lede, its body.

    Attributes
    ----------
    article, zone : ndarray of shape (n_sentences,), int
        Which article each sentence belongs to, and where it stands: 0 title, 1 lede, 2 body.
    position : ndarray of shape (n_sentences,), int
        Number of the sentence within lede and body, from 0; 0 in the title.
    sentence, word, term : ndarray of shape (n_hits,), int
        Which sentence a hit is in, at which word (any number that tells words apart), of which term.
    start, end : ndarray of shape (n_hits,), int
        Characters of the normalized title, lede or body that a hit covers, from the start of its first word.
    words : ndarray of shape (n_articles,), int
        Words of lede and body.
    """

    article: NDArray[np.int64]
    zone: NDArray[np.int64]
    position: NDArray[np.int64]
    sentence: NDArray[np.int64]
    word: NDArray[np.int64]
    term: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    words: NDArray[np.int64]

    def spoken(self, hit: NDArray[np.int64], column: NDArray[np.int64]) -> Spoken:
        """Say that columns speak of hits; one entry a pair."""
        sentence = self.sentence[hit]
        return Spoken(column, self.article[sentence], self.zone[sentence], self.start[hit], self.end[hit])


NOTHING = Found(*[np.zeros(0, dtype=np.int64)] * 9)
"""What is found in no articles."""


class Spoken(NamedTuple):
    """What in an article the columns of a block speak of; one entry for a column and a place.

    Attributes
    ----------
    column, article, zone : ndarray of shape (n,), int
        Column of the block, article, and 0 title, 1 lede, 2 body.
    start, end : ndarray of shape (n,), int
        Characters of that part of the article, normalized.
    """

    column: NDArray[np.int64]
    article: NDArray[np.int64]
    zone: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]


class Measures(NamedTuple):
    """What a block measures of some articles: a dense part, and terms that few articles have.

    Attributes
    ----------
    dense : ndarray of shape (n_articles, n_dense), float64
    article, term : ndarray of shape (n_hits,), int
        One entry an occurrence; a term's column has scale * (1 + log of its count), after the dense columns.
    scale : float
    value : ndarray of shape (n_hits,), optional
        What a term's column has instead, with one entry for an article and term.
    """

    dense: NDArray[np.float64]
    article: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    term: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    scale: float = 1.0
    value: NDArray[np.float64] | None = None

    def counted(self, n_terms: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Article, term and value of each pair that occurs."""
        if self.value is not None:
            return self.article, self.term, self.value
        pair, count = np.unique(self.article * n_terms + self.term, return_counts=True)
        return pair // max(n_terms, 1), pair % max(n_terms, 1), self.scale * (1 + np.log(count))

    def matrix(self, n_columns: int) -> csr_matrix:
        """All columns, as a csr matrix of shape (n_articles, n_columns)."""
        from scipy.sparse import csr_matrix, hstack

        n_terms = n_columns - self.dense.shape[1]
        article, term, value = self.counted(n_terms)
        return hstack(
            [csr_matrix(self.dense), csr_matrix((value, (article, term)), shape=(len(self.dense), n_terms))],
            format="csr",
        )

    def scores(self, coef: NDArray[np.float64]) -> NDArray[np.float64]:
        """Dot products with weights of shape (n_columns, n_outputs), without a matrix."""
        n_dense = self.dense.shape[1]
        scores = np.asarray(self.dense @ coef[:n_dense])
        article, term, value = self.counted(len(coef) - n_dense)
        np.add.at(scores, article, coef[n_dense + term] * value[:, None])
        return scores


class Lexicon:
    """Term groups, compiled when they are first used.

    Parameters
    ----------
    groups : mapping of str to sequence of str
        A term may stand in several groups.
    normalization : sequence of str
        Steps of the normalization that terms and texts go through.
    """

    def __init__(self, groups: Mapping[str, Sequence[str]], normalization: Sequence[str] = DEFAULT_STEPS) -> None:
        self.groups = {name: list(terms) for name, terms in groups.items()}
        self.normalization = list(normalization)

    def __getstate__(self) -> dict[str, object]:
        return {"groups": self.groups, "normalization": self.normalization}

    @property
    def names(self) -> list[str]:
        """The groups' names."""
        return list(self.groups)

    @property
    def terms(self) -> list[str]:
        """Every term once."""
        return list(dict.fromkeys(term for terms in self.groups.values() for term in terms))

    @property
    def membership(self) -> NDArray[np.bool_]:
        """Which terms are in which groups, shape (n_terms, n_groups)."""
        position = {term: i for i, term in enumerate(self.terms)}
        member = np.zeros((len(position), len(self.groups)), dtype=bool)
        for column, terms in enumerate(self.groups.values()):
            member[[position[term] for term in terms], column] = True
        return member

    def find(self, title: Texts, lede: Texts, body: Texts) -> Found:
        """Hits by sentence in raw articles."""
        if not hasattr(self, "_alone"):
            self._alone = Lexicons([self])
        return self._alone.find(title, lede, body)[0]


class Lexicons:
    """Several lexicons, looked for in one pass.

    Parameters
    ----------
    lexicons : sequence of Lexicon
        Of one normalization.
    """

    def __init__(self, lexicons: Sequence[Lexicon]) -> None:
        from pipeline.features.automaton import Automaton

        normalizer = Normalizer(lexicons[0].normalization if lexicons else DEFAULT_STEPS)
        # a term that several have is looked for once; one that a lexicon spells twice is the last of them
        spellings: dict[tuple[str, bool], str] = {}
        numbers = []
        for lexicon in lexicons:
            keys = [(normalizer.plainly(term.removesuffix("*")).strip(), term.endswith("*")) for term in lexicon.terms]
            spellings |= dict(zip(keys, lexicon.terms, strict=True))
            numbers.append({key: number for number, key in enumerate(keys)})
        self._numbers = [np.array([of.get(key, -1) for key in spellings], dtype=np.int64) for of in numbers]
        self._automaton = Automaton(list(spellings.values()), normalizer)

    def find(self, title: Texts, lede: Texts, body: Texts) -> list[Found]:
        """Hits of each lexicon by sentence in raw articles."""
        if not self._numbers:
            return []
        n = len(title)
        hits = self._automaton.scan([*title, *lede, *body])
        # texts come title by title, lede by lede; articles want title, lede, body one after another
        zone_of_text = np.repeat(np.arange(3), n)
        article_of_text = np.tile(np.arange(n), 3)
        order = np.lexsort((zone_of_text, article_of_text))
        counts = hits.sentences[order].astype(np.int64)
        starts = np.empty(3 * n, dtype=np.int64)
        starts[order] = np.cumsum(counts) - counts
        article = np.repeat(article_of_text[order], counts)
        zone = np.repeat(zone_of_text[order], counts)
        within = np.arange(len(article)) - np.repeat(np.cumsum(counts) - counts, counts)
        position = np.where(zone == 2, within + hits.sentences[n : 2 * n][article], within)
        position[zone == 0] = 0
        words = (hits.words[n : 2 * n] + hits.words[2 * n :]).astype(np.int64)
        found = []
        for number in self._numbers:
            own = np.nonzero(number[hits.term] >= 0)[0]
            text, word = hits.text[own], hits.word[own].astype(np.int64)
            found.append(
                Found(
                    article,
                    zone,
                    position,
                    starts[text] + hits.sentence[own],
                    word + text.astype(np.int64) * (1 << 32),
                    number[hits.term[own]],
                    word,
                    hits.end[own].astype(np.int64),
                    words,
                )
            )
        return found


def grouped(found: Found, membership: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sentence and group of each word that a group's terms hit; a word counts once a group, by however many terms."""
    hit, group = np.nonzero(membership[found.term])
    # words have numbers up to their texts times 2 ** 32: in an int64 there is room for the group beside it
    _, first = np.unique(found.word[hit] * membership.shape[1] + group, return_index=True)
    return found.sentence[hit[first]], group[first]


def tally(rows: NDArray[np.int64], columns: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """How often each pair of row and column occurs, as a matrix."""
    return np.bincount(rows * shape[1] + columns, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
