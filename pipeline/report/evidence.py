"""Words that decided: over all judged articles, and marked in the text of those that went wrong."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import articles
from pipeline.articles import Article
from pipeline.explain import Explainer, Explanation
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.report.view import View

BATCH = 64
TOP, NAMED, LEAST_ARTICLES = 20, 4, 3
LEAST_SHARE = 0.02
"""Of the weight of the strongest word of a label: what weighs less is not listed."""
LEVELS = (0.2, 0.45, 0.7)
"""Shares of an article's strongest word from which a word is marked weakly, clearly, strongly."""
TEXT_BUDGET = 300_000
"""Characters of article text in a report; where wrong articles have more, their telling passages are kept."""
SHORTEST, LONGEST = 300, 6000

_PASSAGE = re.compile(r"[^\n.!?؟…]*(?:[\n.!?؟…]+\s*|$)")


@dataclass
class Evidence:
    """What was gathered from the explanations of all judged articles.

    Attributes
    ----------
    top : dict of str to dict of str to dict
        By head and label, "for" and "against": the words that weighed most, with the articles that they were in and
        their mean weight there.
    shares : dict of str to dict of str to dict of str to float
        By head and label: the part that each feature block has in what spoke for the label, where it was given.
    words : dict of str to dict of int to dict of str to list of str
        By head, position and given label (but the default): the words that spoke most for it in that article.
    kept : dict of int to Explanation
        Explanations of the articles that will be shown, by position.
    """

    top: dict[str, dict[str, dict[str, list[dict[str, Any]]]]] = field(default_factory=dict)
    shares: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    words: dict[str, dict[int, dict[str, list[str]]]] = field(default_factory=dict)
    kept: dict[int, Explanation] = field(default_factory=dict)


def article(data: Dataset, row: int) -> Article:
    """An article of a dataset."""
    cells = data.table.iloc[row]
    identity, title, text, source, date, url = (str(cells[name]) for name in articles.FIELDS)
    labels = {str(name): str(cell) for name, cell in cells.items() if name not in articles.FIELDS}
    return Article(identity, title, text, source, date, url, labels)


def gather(data: Dataset, judged: Judged, heads: dict[str, View], *, keep: NDArray[np.int64]) -> Evidence:
    """Explain every judged article by the model that judged it.

    Parameters
    ----------
    data : Dataset
    judged : Judged
    heads : dict of str to View
    keep : ndarray of int
        Positions in `judged.rows` whose explanations are wanted whole.

    Returns
    -------
    Evidence
    """
    found = Evidence(words={name: {} for name in heads})
    kept = set(keep.tolist())
    tallies = {name: _Tally(view) for name, view in heads.items()}
    position = {name: {at: i for i, at in enumerate(view.at.tolist())} for name, view in heads.items()}
    for number, model in enumerate(judged.models):
        explainer = Explainer(model)
        normalize = Normalizer(model.featurizer.normalization)
        mine = np.nonzero(judged.asked == number)[0]
        for start in range(0, len(mine), BATCH):
            batch = mine[start : start + BATCH]
            items = [article(data, row) for row in judged.rows[batch]]
            for at, item, explanation in zip(batch.tolist(), items, explainer(items), strict=True):
                if at in kept:
                    found.kept[at] = explanation
                words = [normalize(getattr(item, s.field)[s.start : s.end][:60]) for s in explanation.spans]
                for name, tally in tallies.items():
                    if (i := position[name].get(at)) is not None:
                        found.words[name][at] = tally.add(i, words, explanation)
    for name, tally in tallies.items():
        found.top[name] = tally.top()
        found.shares[name] = block_shares(data, judged, heads[name])
    return found


class _Tally:
    """Weights of words over articles, for every label of a head."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.number: dict[str, int] = {}
        self.total = np.zeros((1024, len(view.labels)))
        self.articles: Counter[int] = Counter()

    def add(self, i: int, words: list[str], explanation: Explanation) -> dict[str, list[str]]:
        """Count one article; returns the words that spoke most for its given labels."""
        numbers = np.array([self.number.setdefault(word, len(self.number)) for word in words], dtype=np.int64)
        while len(self.number) > len(self.total):
            self.total = np.vstack([self.total, np.zeros_like(self.total)])
        weights = np.column_stack([explanation.weights(self.view.rule, label) for label in self.view.labels])
        distinct, place = np.unique(numbers, return_inverse=True)
        sums = np.zeros((len(distinct), weights.shape[1]))
        np.add.at(sums, place, weights)
        self.total[distinct] += sums
        self.articles.update(distinct.tolist())
        spelled = dict(zip(numbers.tolist(), words, strict=True))
        return {
            self.view.labels[k]: [
                spelled[int(distinct[j])] for j in np.argsort(-sums[:, k], kind="stable")[:NAMED] if sums[j, k] > 0
            ]
            for k in np.nonzero(self.view.decided[i])[0]
            if k in self.view.telling
        }

    def top(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        names = list(self.number)
        total = self.total[: len(names)]
        count = np.array([self.articles[k] for k in range(len(names))])
        often = np.array([any(c.isalpha() for c in name) for name in names]) & (count >= LEAST_ARTICLES)
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for k, label in enumerate(self.view.labels):
            found[label] = {}
            for side, sign in (("for", 1), ("against", -1)):
                weight = np.where(often, sign * total[:, k], 0)
                order = np.argsort(-weight, kind="stable")[:TOP]
                least = weight[order[0]] * LEAST_SHARE if len(order) else 0.0
                found[label][side] = [
                    {"word": names[j], "articles": int(count[j]), "weight": float(total[j, k] / count[j])}
                    for j in order
                    if weight[j] > least
                ]
        return found


def block_shares(data: Dataset, judged: Judged, view: View) -> dict[str, dict[str, float]]:
    """By label and feature block: its part in what spoke for the label, over the articles that were given it."""
    from pipeline.explain import output_of

    sums = {label: dict.fromkeys(judged.models[0].featurizer.slices, 0.0) for label in view.labels}
    for number, model in enumerate(judged.models):
        mine = np.nonzero((judged.asked[view.at] == number) & view.decided.any(axis=1))[0]
        if not len(mine):
            continue
        head = model.heads[view.name]
        X = model.matrix(data.fields(view.rows[mine]))
        columns = model.columns(head)
        cells = {head.by: data.table[head.by].iloc[view.rows[mine]].tolist()} if head.by else {}
        places = head.places(len(mine), cells)
        coef = np.zeros((X.shape[1], head.width))
        coef[columns] = head.linear.coef.T
        for block, of in model.featurizer.slices.items():
            scores = head.meant(X[:, of] @ coef[of], places)
            for k, label in enumerate(view.labels):
                output, sign = output_of(head, label)
                sums[label][block] += float(sign * scores[view.decided[mine, k], output].sum())
    shares = {}
    for label, blocks in sums.items():
        positive = {block: max(value, 0.0) for block, value in blocks.items()}
        whole = sum(positive.values())
        shares[label] = {block: value / whole if whole else 0.0 for block, value in positive.items()}
    return shares


def marked(item: Article, explanation: Explanation, view: View, label: str, limit: int) -> dict[str, list[list[Any]]]:
    """Title and text as pieces, with the words that spoke for and against a label.

    Parameters
    ----------
    item : Article
    explanation : Explanation
    view : View
    label : str
    limit : int
        Characters of text to keep: of a longer one the beginning, and the passages with the strongest words.

    Returns
    -------
    dict
        "title" and "text": lists of [text, level]; level is 0 for plain text, 1 to 3 for words that speak for the
        label, -1 to -3 for words against it, and None for a gap between passages.
    """
    weights = explanation.weights(view.rule, label)
    strongest = float(np.abs(weights).max(initial=0.0)) or 1.0
    level = (np.sign(weights) * np.searchsorted(LEVELS, np.abs(weights) / strongest, side="right")).astype(int)
    pieces = {}
    for name in ("title", "text"):
        mine = [k for k, span in enumerate(explanation.spans) if span.field == name]
        text = getattr(item, name)
        passages = _passages(text, [(explanation.spans[k].start, abs(float(weights[k]))) for k in mine], limit)
        marks = [(explanation.spans[k].start, explanation.spans[k].end, int(level[k])) for k in mine if level[k]]
        pieces[name] = _pieces(text, passages, marks)
    return pieces


def _passages(text: str, weights: list[tuple[int, float]], limit: int) -> list[tuple[int, int]]:
    """The parts of a text to show: all of it, or its opening and its heaviest sentences up to the limit."""
    if len(text) <= limit:
        return [(0, len(text))]
    found = [m.span() for m in _PASSAGE.finditer(text) if m.end() > m.start()]
    starts = np.array([start for start, _ in found])
    heavy = np.zeros(len(found))
    for place, weight in weights:
        heavy[np.searchsorted(starts, place, side="right") - 1] += weight
    heavy[0] = np.inf
    chosen, room = [], limit
    for k in np.argsort(-heavy, kind="stable"):
        start, end = found[k]
        if room <= 0:
            break
        if end - start > room:  # cut between words, and in a word only where there is nothing else
            blank = max(text.rfind(" ", start, start + room), text.rfind("\n", start, start + room))
            end = blank + 1 if blank > start else start + room
            room = 0
        chosen.append((start, end))
        room -= end - start
    merged: list[tuple[int, int]] = []
    for start, end in sorted(chosen):
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _pieces(text: str, passages: list[tuple[int, int]], marks: list[tuple[int, int, int]]) -> list[list[Any]]:
    pieces: list[list[Any]] = []
    at = 0
    for start, end in passages:
        if start > at:
            pieces.append(["", None])
        at = start
        for first, last, level in marks:
            if start <= first < end:
                last = min(last, end)
                if first > at:
                    pieces.append([text[at:first], 0])
                pieces.append([text[first:last], level])
                at = last
        if end > at:
            pieces.append([text[at:end], 0])
        at = end
    if at < len(text):
        pieces.append(["", None])
    return pieces
