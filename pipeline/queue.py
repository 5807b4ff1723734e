"""What to label next: articles that a model doubts most, unlike each other, and some at random.

Labels cost reading time, and most articles teach a model nothing that it does not know. The next to be read are those
near the border of a decision (uncertainty sampling: Lewis & Gale 1994, "A sequential algorithm for training text
classifiers"; Settles 2009, "Active learning literature survey"), taken one at a time, each marked down by its
similarity to those taken before (maximal marginal relevance: Carbonell & Goldstein 1998), so that a hundred articles
are not one doubt a hundred times. Heads take turns, and so do the labels of each: most doubts are about the common
labels, most is to be learned about the rare ones. Such a choice says nothing about how good a model is; one in five is
therefore drawn at random and says so.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import articles, config, corpora, dataset, rows, store
from pipeline.articles import Article, Columns, Rejects, Rules, writing
from pipeline.errors import InputError, MirsadError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.config import Config
    from pipeline.heads import Rule
    from pipeline.scoring import Scorer

RANDOM = "random"
UNCERTAIN = "uncertain"
DRAWN = 5
"""One article in this many is drawn at random."""
RESERVE = 20
"""Candidates held for each article wanted: near duplicates and look-alikes drop out."""
Asker = tuple[str, str]
"""A head and one of its labels."""
_LOT = (RANDOM, "")


@dataclass(slots=True)
class Candidate:
    """An article that may be chosen.

    Attributes
    ----------
    article : Article
    row : dict
        What the model says of it, as `rows.label` gives it.
    doubt : dict of (str, str) to float
        By head and label, 0 (certain) to 1 (on the border).
    chosen : str
        "uncertain" or "random", once it is.
    why : str
    """

    article: Article
    row: rows.Row
    doubt: dict[Asker, float]
    chosen: str = ""
    why: str = ""

    @property
    def text(self) -> str:
        """Title and text."""
        return f"{self.article.title}\n{self.article.text}"


@dataclass
class Summary:
    """What was chosen, of what.

    Attributes
    ----------
    chosen : Counter of str
        By head, and "random".
    read, passed : int
        Articles that were read, and those of them that are labelled already.
    rejects : Counter of str
    notes : list of str
    """

    chosen: Counter[str]
    read: int
    passed: int
    rejects: Counter[str]
    notes: list[str]

    def sentence(self) -> str:
        """The summary in a line."""
        parts = [
            f"{number:,} {'at random' if name == RANDOM else f'for {name}'}" for name, number in self.chosen.items()
        ]
        said = f"{self.chosen.total():,} of {self.read:,} articles chosen ({', '.join(parts)})"
        said += f"; {self.passed:,} were labelled already" if self.passed else ""
        left_out = ", ".join(f"{number:,} {reason}" for reason, number in self.rejects.most_common())
        return said + (f"; left out {left_out}" if left_out else "")


def queue_files(
    inputs: str | Path | Sequence[str | Path],
    model: str | Path,
    *,
    output: str | Path,
    n: int = 100,
    heads: Sequence[str] = (),
    labelled: Sequence[str] = (),
    seed: int = 0,
    columns: Columns | None = None,
    rules: Rules | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Choose articles to label next, and write them as a table to fill in.

    Memory does not grow with the input: about `RESERVE` candidates are held for each article wanted.

    Parameters
    ----------
    inputs : str, Path or sequence of them
        As `articles.read` takes them.
    model : str or Path
        The model folder. Articles that it was trained on are passed over, where they can be read.
    output : str or Path
        A new file; its columns are told in docs/queue.md.
    n : int
        Articles wanted; fewer are written where no more are left.
    heads : sequence of str, optional
        Whose doubts count; all heads', in turns, if not given.
    labelled : sequence of str
        Files of articles, or names of corpora, that are labelled already or on someone's desk.
    seed : int
        Of the random share: the same input gives the same table.
    columns : Columns, optional
    rules : Rules, optional
    progress : callable
        Told the number of articles read now and then.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        Where an input is missing, or nothing in it is left to label.
    ModelError, ConfigError
    MirsadError
        The model has no such head; the output is there already, or cannot be written.
    """
    scorer, manifest = store.load_scorer(model)
    settings = config.parse(manifest["config"], where=f"config in {model}")
    rules_of = [rule for rule in scorer.rules if rule.name in heads or not heads]
    unknown = sorted(set(heads) - {rule.name for rule in scorer.rules})
    if unknown:
        known = ", ".join(rule.name for rule in scorer.rules)
        raise MirsadError(f"has no head {unknown[0]!r}", where=str(model), hint=f"It has: {known}.")
    if Path(output).exists():
        raise MirsadError("is there already, and may hold labels", where=str(output), hint="Name a new file.")
    columns = replace(columns or Columns(), labels=tuple(scorer.columns))
    rejects = Rejects()
    batches = articles.read(inputs, columns=columns, rules=rules, rejects=rejects)
    given = [inputs] if isinstance(inputs, str | Path) else inputs
    with writing.writer(output) as out:
        known_texts, notes = _labelled(settings, labelled)
        pool = Pool(scorer, rules_of, n, seed=seed, model=store.short_name(manifest))
        for batch in batches:
            pool.add([article for article in batch if article.id not in known_texts], read=len(batch))
            progress(pool.read)
        found = choose(pool, n, known=list(known_texts.values()))
        if not found:
            raise InputError(
                "no article is left to label" if pool.read else "nothing in the input is an article",
                where=", ".join(map(str, given)),
                hint=f"All {pool.read:,} that were read are labelled already, or copies of such that are."
                if pool.read
                else articles.told(rejects.counts),
            )
        out.write([_row(candidate, settings, scorer) for candidate in found])
    chosen = Counter(_asked_by(candidate) for candidate in found)
    return Summary(chosen, pool.read, pool.read - pool.seen, rejects.counts, [*notes, *rejects.notes])


class Pool:
    """The best candidates of a stream: by the doubts of each head about each of its labels, and by lot.

    Parameters
    ----------
    scorer : Scorer
    rules : list of Rule
        Heads whose doubts count.
    n : int
        Articles that will be chosen.
    seed : int
    model : str
        What the model is called in rows.

    Attributes
    ----------
    read, seen : int
        Articles of the stream, and those of them that may be chosen.
    """

    def __init__(self, scorer: Scorer, rules: Sequence[Rule], n: int, *, seed: int = 0, model: str = "") -> None:
        self.scorer, self.rules, self.model = scorer, rules, model
        self.read = self.seen = 0
        self._lot = random.Random(seed)
        self.askers = [(rule.name, label) for rule in rules for label in rule.labels]
        self._size = max(n, RESERVE * (1 + n // len(self.askers)))
        self._best: dict[Asker, list[tuple[float, int, Candidate]]] = {asker: [] for asker in (*self.askers, _LOT)}

    def add(self, batch: list[Article], *, read: int | None = None) -> None:
        """Take some articles of the stream; `read` counts those that were passed over too."""
        self.read += len(batch) if read is None else read
        if not batch:
            return
        said = rows.label(self.scorer, batch, model=self.model, n_jobs=-1)
        doubts = np.hstack(
            [doubt(rule, np.array([list(row[f"{rule.name}_scores"].values()) for row in said])) for rule in self.rules]
        ).tolist()
        for article, row, doubted in zip(batch, said, doubts, strict=True):
            self.seen += 1
            candidate = Candidate(article, row, dict(zip(self.askers, doubted, strict=True)))
            for asker, rank in (candidate.doubt | {_LOT: self._lot.random()}).items():
                # the number breaks ties, for the earlier article
                entry = (rank, -self.seen, candidate)
                if len(self._best[asker]) < self._size:
                    heapq.heappush(self._best[asker], entry)
                else:
                    heapq.heappushpop(self._best[asker], entry)

    def drawn(self) -> list[Candidate]:
        """Candidates in the order of their lots."""
        return [candidate for *_, candidate in sorted(self._best[_LOT], reverse=True)]

    def candidates(self) -> list[Candidate]:
        """All candidates, each once, in the order of the stream."""
        found = {-number: candidate for best in self._best.values() for _, number, candidate in best}
        return [found[number] for number in sorted(found)]


def doubt(rule: Rule, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How near to the border a head's decision about each of its labels is.

    Parameters
    ----------
    rule : Rule
    probabilities : ndarray of shape (n_articles, n_labels)

    Returns
    -------
    ndarray of shape (n_articles, n_labels)
        1 on the border, 0 for certainty. Of a multilabel head: 1 minus the way from the label's threshold to its
        probability, as part of the way to 0 or to 1. Of a single head: 1 minus the distance between the label and the
        likeliest other one, which for the likeliest label is margin sampling.
    """
    p = probabilities
    if rule.kind == "multilabel":
        at = np.array(rule.thresholds)
        return np.asarray(1 - np.where(p >= at, (p - at) / (1 - at), (at - p) / at))
    rivals = np.stack([np.delete(p, i, axis=1).max(axis=1) for i in range(p.shape[1])], axis=1)
    return np.asarray(1 - np.abs(p - rivals))


def choose(pool: Pool, n: int, *, known: Sequence[str] = (), share: int = DRAWN) -> list[Candidate]:
    """Choose among the candidates of a pool.

    Parameters
    ----------
    pool : Pool
    n : int
    known : sequence of str
        Texts that need no label: their near duplicates are passed over.
    share : int
        One in this many is drawn at random.

    Returns
    -------
    list of Candidate
        At most n, no two of them near duplicates; those drawn at random are spread evenly among the others, so that
        whoever stops early has both.
    """
    from pipeline.features.tfidf import ArabicTfidfVectorizer

    found = pool.candidates()
    if not found:
        return []
    groups = articles.duplicate_groups([*known, *(candidate.text for candidate in found)])
    groups, taken = groups[len(known) :], groups[: len(known)]
    is_open = ~np.isin(groups, taken)
    vectors = ArabicTfidfVectorizer(sublinear_tf=True).fit_transform(candidate.text for candidate in found)
    nearest = np.zeros(len(found))
    doubts = {asker: np.array([candidate.doubt[asker] for candidate in found]) for asker in pool.askers}

    def take(i: int, chosen: str, why: str) -> Candidate:
        is_open[groups == groups[i]] = False
        np.maximum(nearest, (vectors @ vectors[[i]].T).toarray().ravel(), out=nearest)
        found[i].chosen, found[i].why = chosen, why
        return found[i]

    place = {id(candidate): i for i, candidate in enumerate(found)}
    drawn: list[Candidate] = []
    for i in (place[id(candidate)] for candidate in pool.drawn()):
        if len(drawn) < n // share and is_open[i]:
            drawn.append(take(i, RANDOM, "drawn at random: to judge a model by"))
    doubted: list[Candidate] = []
    while is_open.any() and len(drawn) + len(doubted) < n:
        turn, place_of_head = divmod(len(doubted), len(pool.rules))
        rule = pool.rules[place_of_head]
        label = rule.labels[turn % len(rule.labels)]
        i = int(np.where(is_open, doubts[rule.name, label] * (1 - nearest), -1.0).argmax())
        doubted.append(take(i, UNCERTAIN, _why(rule, label, found[i].row)))
    for number, candidate in enumerate(drawn, start=1):
        doubted.insert(number * share - 1, candidate)
    return doubted


def _why(rule: Rule, label: str, row: rows.Row) -> str:
    """What a head doubts of an article, in words."""
    scores = row[f"{rule.name}_scores"]
    if rule.kind == "multilabel":
        at = f"{scores[label]:.2f}, and it is given from {rule.thresholds[rule.labels.index(label)]:.2f} on"
        return f"{rule.name}: {label} or not? Its probability is {at}"
    rival = max((name for name in rule.labels if name != label), key=scores.__getitem__)
    return f"{rule.name}: {label} ({scores[label]:.2f}) or {rival} ({scores[rival]:.2f})?"


def _asked_by(candidate: Candidate) -> str:
    return RANDOM if candidate.chosen == RANDOM else candidate.why.partition(":")[0]


def _row(candidate: Candidate, settings: Config, scorer: Scorer) -> dict[str, Any]:
    """A line to fill in: the article, its label columns without labels, why it was chosen, what the model says."""
    article = candidate.article
    row = {name: getattr(article, name) for name in articles.FIELDS}
    row |= {name: (article.labels or {}).get(name, "") for name in scorer.columns}
    row |= dict.fromkeys(dataset.label_columns(settings.heads), "")
    said: dict[str, Any] = {"chosen": candidate.chosen, "why": candidate.why}
    for rule in scorer.rules:
        said |= {f"model_{key}": candidate.row[key] for key in (rule.name, f"{rule.name}_scores")}
    said["model"] = candidate.row["model"]
    return row | {key: value for key, value in said.items() if key not in row}


def _labelled(settings: Config, more: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Texts by id of articles that need no label, and notes on sources of the model that could not be read."""
    columns = dataset.label_columns(settings.heads)
    texts: dict[str, str] = {}
    notes: list[str] = []

    def add(source: config.Source) -> None:
        table = dataset.read_source(source, columns, settings.cleaning, dataset.LeftOut())
        table = table[(table[columns] != "").any(axis=1)]
        texts.update(zip(table["id"], table["title"] + "\n" + table["text"], strict=True))

    for source in settings.data.sources:
        try:
            add(source)
        except MirsadError as error:
            notes.append(f"what the model learned from could not be passed over: {str(error).splitlines()[0]}")
    for name in more:
        if name in corpora.names():
            add(config.Source(corpus=name))
        else:
            for batch in articles.read(name):
                texts |= {article.id: f"{article.title}\n{article.text}" for article in batch}
    return texts, notes
