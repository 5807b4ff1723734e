"""Why an article was labelled as it was: each feature's weight times its value, on the words of the original text.

A linear head's decision value is its intercept plus a sum over features. Nothing of that sum is left out here: every
feature's part is put on the words that it counts or measures, and what has no place is listed by its name, so that the
parts add up to the decision value again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline import rows
from pipeline.articles import split_fields
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.articles import Article, Fields
    from pipeline.features.lexicon import Spoken
    from pipeline.features.tfidf import ArabicTfidfVectorizer
    from pipeline.heads import Rule
    from pipeline.model import Model

STRONGEST = 12
"""Words that a row of `mirsad predict --explain` names for a label, and as many against it."""
DIGITS = 4
_WORD, _TOKEN = re.compile(r"\S+"), re.compile(r"(?u)\b\w\w+\b")
_MAX_REMEMBERED, _LONGEST_REMEMBERED = 200_000, 40


class Span(NamedTuple):
    """A word of an article: `getattr(article, field)[start:end]`, without the punctuation around it."""

    field: str
    start: int
    end: int


@dataclass(frozen=True)
class Explanation:
    """What speaks for and against each output of a model, in one article.

    Attributes
    ----------
    spans : list of Span
        Every word of title and text.
    words : dict of str to ndarray of shape (n_words, n_outputs), float64
        By head, what each word adds to each decision value.
    measures : dict of str to dict of str to ndarray of shape (n_outputs,), float64
        By head, what features without a place in the text add, by their names.
    intercept : dict of str to ndarray of shape (n_outputs,), float64
    """

    spans: list[Span]
    words: dict[str, NDArray[np.float64]]
    measures: dict[str, dict[str, NDArray[np.float64]]]
    intercept: dict[str, NDArray[np.float64]]

    def decision(self, head: str) -> NDArray[np.float64]:
        """The decision values that all parts add up to, shape (n_outputs,)."""
        parts = [self.intercept[head], self.words[head].sum(axis=0), *self.measures[head].values()]
        return np.asarray(np.sum(parts, axis=0))

    def weights(self, rule: Rule, label: str) -> NDArray[np.float64]:
        """What each word adds for a label (below 0: against it), shape (n_words,)."""
        output, sign = output_of(rule, label)
        return sign * self.words[rule.name][:, output]

    def unplaced(self, rule: Rule, label: str) -> dict[str, float]:
        """What each measure without a place adds for a label, the weightiest first."""
        output, sign = output_of(rule, label)
        found = {name: float(sign * parts[output]) for name, parts in self.measures[rule.name].items()}
        return dict(sorted(found.items(), key=lambda item: -abs(item[1])))


def output_of(rule: Rule, label: str) -> tuple[int, int]:
    """Number of the output that speaks for a label, and its sign: two exclusive labels share one output."""
    if label in rule.outputs:
        return rule.outputs.index(label), 1
    return 0, -1


class Explainer:
    """Explains articles by one model; its look-ups are built once.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._slices = slices = model.featurizer.slices
        self.blocks = [
            (slices[name].start, tuple(fields), _Occurrences(vectorizer))
            for name, fields, vectorizer in (model.featurizer.tfidf.blocks_ if model.featurizer.tfidf.blocks else ())
        ]
        self._normalize = Normalizer(model.featurizer.normalization)
        self._outputs: dict[str, slice] = {}
        start = 0
        for name, head in model.heads.items():
            self._outputs[name] = slice(start, start + len(head.outputs))
            start += len(head.outputs)
        self._weights: dict[tuple[int, ...], tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]] = {}

    def __call__(self, articles: Sequence[Article]) -> list[Explanation]:
        """Explain articles; see `explain`."""
        articles = list(articles)
        if not articles:
            return []
        fields = self.model.featurizer.top(*split_fields(articles))
        X = self.model.matrix(fields)
        X.sort_indices()
        parts = zip(*fields, strict=True)
        pages = [_Page(article, part, self._normalize) for article, part in zip(articles, parts, strict=True)]
        spoken = self._spoken(pages, fields)
        explanations = []
        for i, page in enumerate(pages):
            columns, values = X.indices[X.indptr[i] : X.indptr[i + 1]], X.data[X.indptr[i] : X.indptr[i + 1]]
            entries = [spoken[i]]
            for start, names, occurrences in self.blocks:
                column, unit, part = occurrences(*page.joined(names))
                entries.append((column + start, unit, part))
            coef, intercept = self._linear(articles[i])
            explanations.append(self._spread(page, columns, values[:, None] * coef[columns], entries, intercept))
        return explanations

    def _linear(self, article: Article) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
        """Weights (n_features, n_outputs) and intercepts that are meant for an article's context."""
        heads = self.model.heads
        cells = {name: [cell] for name, cell in (article.labels or {}).items()}
        places = tuple(int(head.places(1, cells)[0]) for head in heads.values())
        if places not in self._weights:
            n_features = max(of.stop for of in self._slices.values())
            coef = np.zeros((n_features, sum(len(head.outputs) for head in heads.values())))
            intercept = {}
            for (name, head), place in zip(heads.items(), places, strict=True):
                linear = head.at(place)
                coef[self.model.columns(head), self._outputs[name]] = linear.coef.T
                intercept[name] = linear.intercept
            self._weights[places] = coef, intercept
        return self._weights[places]

    def _name(self, column: int) -> str:
        """A feature's name: its block and what it counts or measures."""
        name = next(name for name, of in self._slices.items() if of.start <= column < of.stop)
        return f"{name}: {self._names[column]}"

    @cached_property
    def _names(self) -> NDArray[np.object_]:
        return self.model.featurizer.names()

    def _spoken(self, pages: Sequence[_Page], fields: Fields) -> list[_Entries]:
        """Entries of the blocks that measure listed terms and sentences, by article."""
        featurizer = self.model.featurizer
        spoken = {name: block.spoken(*fields) for name, block in featurizer.lexical.items()}
        for name, of in featurizer.sentences.items():
            said = of.spoken(*fields, lambda sentences, name=name: featurizer.read(name, sentences))  # type: ignore[misc]
            spoken[name] = _normalized(said, pages)
        found: list[list[_Entries]] = [[_NOTHING] for _ in pages]
        for name, said in spoken.items():
            order = np.argsort(said.article, kind="stable")
            edges = np.searchsorted(said.article[order], np.arange(len(pages) + 1))
            for i, page in enumerate(pages):
                rows = order[edges[i] : edges[i + 1]]
                places = [
                    np.unique(page.parts[z][1][a:b])
                    for z, a, b in zip(said.zone[rows], said.start[rows], said.end[rows], strict=True)
                ]
                places = [place[place >= 0] for place in places]
                sizes = np.array([len(place) for place in places], dtype=np.int64)
                found[i].append(
                    (
                        np.repeat(said.column[rows] + self._slices[name].start, sizes),
                        np.concatenate([*places, np.zeros(0, np.int64)]),
                        np.repeat(1 / np.maximum(sizes, 1), sizes),
                    )
                )
        return [_beside(entries) for entries in found]

    def _spread(
        self,
        page: _Page,
        columns: NDArray[np.int32],
        contributions: NDArray[np.float64],
        entries: list[_Entries],
        intercept: dict[str, NDArray[np.float64]],
    ) -> Explanation:
        """Put each column's contribution evenly on its entries; `contributions` has shape (n_columns, n_outputs)."""
        from scipy.sparse import csr_matrix

        column, unit, part = _beside(entries)
        at = np.searchsorted(columns, column)
        there = (at < len(columns)) & (unit >= 0)
        there[there] = columns[at[there]] == column[there]
        at, unit, part = at[there], unit[there], part[there]
        total = np.bincount(at, part, len(columns))
        spread = csr_matrix((part / total[at], (unit, at)), shape=(len(page.spans), len(columns)))
        words = np.asarray(spread @ contributions)
        unplaced = np.nonzero((total == 0) & contributions.any(axis=1))[0]
        return Explanation(
            page.spans,
            {name: words[:, of] for name, of in self._outputs.items()},
            {
                name: {self._name(columns[k]): contributions[k, of] for k in unplaced}
                for name, of in self._outputs.items()
            },
            intercept,
        )


def explain(model: Model, articles: Sequence[Article]) -> list[Explanation]:
    """Say what speaks for and against each label in some articles.

    A TF-IDF feature's contribution (weight times value) is divided evenly over the occurrences of its n-gram, and that
    of an n-gram of words over its words; a measure of listed terms is divided over the terms that it counts. What falls
    on parts of a word is summed by the word of the original, as it is written there.

    Parameters
    ----------
    model : Model
        For many batches keep an `Explainer`: its look-ups are built once.
    articles : sequence of Article

    Returns
    -------
    list of Explanation
        For every head, intercept, words and measures add up to the decision values (to rounding).
    """
    return Explainer(model)(articles)


def explained(fitted: Model, batches: Iterable[list[Article]], *, model: str) -> Iterator[list[rows.Row]]:
    """Label batches of articles and say which words decided.

    Parameters
    ----------
    fitted : Model
    batches : iterable of list of Article
    model : str
        Name that every row carries.

    Yields
    ------
    list of dict
        Rows as `rows.label` gives them, and "evidence": by label (`head/label` where two heads have a label of the
        same name), "for" and "against", each a list of {"text", "field", "start", "end", "weight"}, the strongest
        first; `start` and `end` are characters of the article's title or text.
    """
    explainer, scorer = Explainer(fitted), fitted.compile()
    for batch in batches:
        labelled = rows.label(scorer, batch, model=model)
        for row, article, explanation in zip(labelled, batch, explainer(batch), strict=True):
            row["evidence"] = evidence(list(fitted.heads.values()), article, explanation)
        yield labelled


def evidence(rules: Sequence[Rule], article: Article, explanation: Explanation) -> dict[str, Any]:
    """The strongest words for and against every label, as `explained` puts them into a row."""
    names = [label for rule in rules for label in rule.labels]
    found = {}
    for rule in rules:
        for label in rule.labels:
            weights = explanation.weights(rule, label)
            order = np.argsort(-np.abs(weights), kind="stable")
            found[label if names.count(label) == 1 else f"{rule.name}/{label}"] = {
                side: [_word(article, explanation.spans[k], weights[k]) for k in picked[:STRONGEST]]
                for side, picked in (("for", order[weights[order] > 0]), ("against", order[weights[order] < 0]))
            }
    return found


def _word(article: Article, span: Span, weight: float) -> dict[str, Any]:
    text = getattr(article, span.field)[span.start : span.end]
    return {"text": text} | span._asdict() | {"weight": round(float(weight), DIGITS)}


# Columns, words and parts: an occurrence of a feature that lies in k words has k entries of 1 / k.
_Entries = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]"]
_NOTHING: _Entries = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def _beside(entries: Sequence[_Entries]) -> _Entries:
    column, unit, part = (np.concatenate(parts) for parts in zip(*entries, strict=True))
    return column, unit, part


def _normalized(said: Spoken, pages: Sequence[_Page]) -> Spoken:
    """Places in raw parts as places in the normalized ones."""
    rows = list(zip(said.article, said.zone, said.start, said.end, strict=True))
    edges = [np.searchsorted(pages[a].offsets[zone], (start, end)) for a, zone, start, end in rows]
    start, end = np.array(edges, dtype=np.int64).reshape(-1, 2).T
    return said._replace(start=start, end=end)


class _Page:
    """An article's words, and which of them each character of its normalized parts comes from."""

    def __init__(self, article: Article, parts: tuple[str, str, str], normalize: Normalizer) -> None:
        self.spans: list[Span] = []
        units = {field: self._number(field, getattr(article, field)) for field in ("title", "text")}
        self.parts: list[tuple[str, NDArray[np.int64]]] = []
        self.offsets: list[NDArray[np.int64]] = []
        for field, start, part in (("title", 0, parts[0]), ("text", 0, parts[1]), ("text", len(parts[1]), parts[2])):
            normalized, offsets = normalize.with_offsets(part)
            self.parts.append((normalized, units[field][start + offsets[:-1]]))
            self.offsets.append(offsets[:-1])

    def joined(self, fields: tuple[str, ...]) -> tuple[str, NDArray[np.int64]]:
        """Some parts as a vectorizer reads them, and the word of each character (-1: white space)."""
        found = [self.parts[("title", "lede", "body").index(field)] for field in fields]
        gap = np.array([-1])
        units = [piece for _, unit in found for piece in (gap, unit)][1:]
        return "\n".join(text for text, _ in found), np.concatenate(units)

    def _number(self, field: str, text: str) -> NDArray[np.int64]:
        units = np.full(len(text) + 1, -1, dtype=np.int64)
        for match in _WORD.finditer(text):
            units[match.start() : match.end()] = len(self.spans)
            self.spans.append(Span(field, *_trimmed(text, match.start(), match.end())))
        return units


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """A word without the punctuation and marks around it; all of it where it is nothing else."""
    first, last = start, end
    while first < last and not text[first].isalnum():
        first += 1
    while last > first and not (text[last - 1].isalnum() or unicodedata.category(text[last - 1]).startswith("M")):
        last -= 1
    return (first, last) if first < last else (start, end)


class _Occurrences:
    """Where the n-grams of a vectorizer's vocabulary stand in a normalized text."""

    def __init__(self, vectorizer: ArabicTfidfVectorizer) -> None:
        self.low, self.high = vectorizer.ngram_range
        self.analyzer = vectorizer.analyzer
        self.columns = vectorizer.vocabulary_
        normalize = vectorizer.build_preprocessor()
        self.stops = {normalize(word) for word in vectorizer.stop_words or ()}
        self._remembered: dict[str, NDArray[np.int64]] = {}

    def __call__(self, text: str, units: NDArray[np.int64]) -> _Entries:
        """Entries of one text; `units` has the word of each character."""
        if self.analyzer == "char_wb":
            found = [(self._of_word(match.group()), units[match.start()]) for match in _WORD.finditer(text)]
            sizes = [len(columns) for columns, _ in found]
            column = np.concatenate([columns for columns, _ in found] or [np.zeros(0, np.int64)])
            return column, np.repeat(np.array([unit for _, unit in found], dtype=np.int64), sizes), np.ones(len(column))
        entries = list(self._of_words(text, units) if self.analyzer == "word" else self._of_characters(text, units))
        column, unit, part = np.array(entries).T if entries else _NOTHING
        return column.astype(np.int64), unit.astype(np.int64), part.astype(np.float64)

    def _of_word(self, word: str) -> NDArray[np.int64]:
        """Columns of the n-grams of characters in a word with its blanks, each as often as it occurs."""
        known = self._remembered.get(word)
        if known is None:
            padded = f" {word} "
            grams = (
                padded[i : i + n]
                for n in range(min(self.low, len(padded)), self.high + 1)
                for i in range(len(padded) - n + 1)
            )
            known = np.array([self.columns[gram] for gram in grams if gram in self.columns], dtype=np.int64)
            if len(word) <= _LONGEST_REMEMBERED and len(self._remembered) < _MAX_REMEMBERED:
                self._remembered[word] = known
        return known

    def _of_words(self, text: str, units: NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
        tokens = [m for m in _TOKEN.finditer(text) if m.group() not in self.stops]
        words, places = [m.group() for m in tokens], [units[m.start()] for m in tokens]
        for n in range(self.low, self.high + 1):
            for i in range(len(words) - n + 1):
                column = self.columns.get(" ".join(words[i : i + n]))
                if column is not None:
                    for place in places[i : i + n]:
                        yield column, place, 1 / n

    def _of_characters(self, text: str, units: NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
        # a run of white space counts as one blank
        kept = [i for i in range(len(text)) if not (i and text[i].isspace() and text[i - 1].isspace())]
        blank = [text[i].isspace() and text[i + 1 : i + 2].isspace() for i in kept]
        plain = "".join(" " if run else text[i] for i, run in zip(kept, blank, strict=True))
        for n in range(self.low, self.high + 1):
            for i in range(len(plain) - n + 1):
                column = self.columns.get(plain[i : i + n])
                if column is not None:
                    places = {int(units[k]) for k in kept[i : i + n]} - {-1}
                    for place in places:
                        yield column, place, 1 / len(places)
