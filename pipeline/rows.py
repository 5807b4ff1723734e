"""Rows: what a model says of articles, as it is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import articles, store

if TYPE_CHECKING:
    from pipeline.articles import Article
    from pipeline.scoring import Scorer

Row = dict[str, Any]
Labeller = Callable[[Iterable[list["Article"]]], Iterator[list[Row]]]
DIGITS = 4
"""Decimals of a probability: a model of this kind knows no more."""


def labeller(model: str | Path, *, explain: bool = False, n_jobs: int = 1) -> tuple[Labeller, dict[str, Any]]:
    """What makes rows of articles, and the manifest of its model.

    Parameters
    ----------
    model : str or Path
        The model folder.
    explain : bool
        Whether rows tell the words that decided.
    n_jobs : int
        Threads; explaining has one.

    Returns
    -------
    labeller : callable
        From batches of articles to batches of rows, one an article: id, title, source, date; for each head its labels
        (a list, or one label) and `<head>_scores` (probability by label); flags; model; and evidence, see
        `explain.explained`.
    manifest : dict

    Raises
    ------
    ModelError
    """
    if explain:
        from pipeline.explain import explained

        fitted, manifest = store.load(model)
        name = store.short_name(manifest)
        return lambda batches: explained(fitted, batches, model=name), manifest
    scorer, manifest = store.load_scorer(model)
    name = store.short_name(manifest)
    return lambda batches: (label(scorer, batch, model=name, n_jobs=n_jobs) for batch in batches), manifest


def label(scorer: Scorer, batch: list[Article], *, model: str, n_jobs: int = 1) -> list[Row]:
    """Label one batch of articles; rows as a `labeller` without explanations gives them."""
    columns = {name: [(article.labels or {}).get(name, "") for article in batch] for name in scorer.columns}
    answers = scorer.ask(articles.split_fields(batch), columns, n_jobs=n_jobs)
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
