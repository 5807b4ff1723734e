"""Predict: from articles to rows of labels, in one stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from pipeline import articles

if TYPE_CHECKING:
    from pipeline.articles import Article
    from pipeline.dataset import Fields
    from pipeline.scoring import Scorer

Row = dict[str, Any]
DIGITS = 4
"""Decimals of a probability: a model of this kind knows no more."""


def predict(scorer: Scorer, batches: Iterable[list[Article]], *, model: str, n_jobs: int = 1) -> Iterator[list[Row]]:
    """Label batches of articles.

    Parameters
    ----------
    scorer : Scorer
    batches : iterable of list of Article
    model : str
        Name that every row carries.
    n_jobs : int
        Threads.

    Yields
    ------
    list of dict
        One row an article: id, title, source, date; for each head its labels (a list, or one label) and `<head>_scores`
        (probability by label); flags; model.
    """
    for batch in batches:
        yield label(scorer, batch, model=model, n_jobs=n_jobs)


def label(scorer: Scorer, batch: list[Article], *, model: str, n_jobs: int = 1) -> list[Row]:
    """Label one batch of articles; rows as `predict` gives them."""
    answers = scorer.ask(split_fields(batch), n_jobs=n_jobs)
    flags = scorer.flags(answers)
    rows: list[Row] = [{"id": a.id, "title": a.title, "source": a.source, "date": a.date} for a in batch]
    for rule in scorer.rules:
        probabilities = answers.probabilities[rule.name].round(DIGITS).tolist()
        decided = answers.decided[rule.name].tolist()
        for row, p, d in zip(rows, probabilities, decided, strict=True):
            given = [name for name, yes in zip(rule.labels, d, strict=True) if yes]
            # the most probable first, as the codebook names the most prominent topic first
            given.sort(key=lambda name, p=p: -p[rule.labels.index(name)])  # type: ignore[misc]
            row[rule.name] = given if rule.kind == "multilabel" else given[0]
            row[f"{rule.name}_scores"] = dict(zip(rule.labels, p, strict=True))
    for row, flagged in zip(rows, flags, strict=True):
        row |= {"flags": flagged, "model": model}
    return rows


def split_fields(batch: list[Article]) -> Fields:
    """Title, lede and body of articles, as three lists."""
    parts = [articles.fields(article) for article in batch]
    return [p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts]
