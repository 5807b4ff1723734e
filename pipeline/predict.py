"""Predict: from articles to rows of labels, in one stream."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import articles, jobs, store
from pipeline.articles import Columns, Rejects, Rules
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.articles import Article
    from pipeline.scoring import Scorer

JOB = "predict_files"
jobs.callable_module(__name__)

Row = dict[str, Any]
DIGITS = 4
"""Decimals of a probability: a model of this kind knows no more."""


@dataclass
class Summary:
    """What a prediction run did.

    Attributes
    ----------
    rows : int
    rejects : Counter of str
        By reason.
    flags : Counter of str
    seconds : float
    notes : list of str
        What the user should know, such as files that were not UTF-8.
    """

    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    def sentence(self) -> str:
        """The summary in a line."""
        parts = [f"{self.rows:,} articles labelled in {self.seconds:.1f} s"]
        if self.rejects:
            parts.append("left out " + ", ".join(f"{count:,} {reason}" for reason, count in self.rejects.most_common()))
        if self.flags:
            parts.append("flagged " + ", ".join(f"{count:,} {flag}" for flag, count in self.flags.most_common()))
        return "; ".join(parts)


def predict_files(
    inputs: str | Path | Sequence[str | Path],
    model: str | Path,
    *,
    output: str | Path | None = None,
    format: str | None = None,
    explain: bool = False,
    rejects_to: str | Path | None = None,
    columns: Columns | None = None,
    rules: Rules | None = None,
    batch_size: int = 512,
    n_jobs: int = -1,
    progress: Callable[[int], None] = lambda _: None,
) -> Summary:
    """Label the articles of files, and write one row each.

    Parameters
    ----------
    inputs : str, Path or sequence of them
        As `articles.read` takes them.
    model : str or Path
        The model folder.
    output : str or Path, optional
        Appears whole or not at all; standard output if not given.
    format : {"jsonl", "csv", "parquet"}, optional
    explain : bool
        Whether rows tell the words that decided.
    rejects_to : str or Path, optional
        Where rows that are no article go.
    columns : Columns, optional
    rules : Rules, optional
    batch_size : int
        Articles in memory at a time.
    n_jobs : int
        Threads; -1 for one a core.
    progress : callable
        Told the number of rows after each batch.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        Where an input is missing, or nothing in the inputs is an article; then no output is written.
    ModelError
    """
    start = time.perf_counter()
    summary = Summary()
    with Rejects(rejects_to) as rejects:
        batches = articles.read(inputs, columns=columns, rules=rules, batch_size=batch_size, rejects=rejects)
        scorer, manifest = store.load_scorer(model)
        labelled = predict(scorer, batches, model=store.short_name(manifest), n_jobs=n_jobs)
        if explain:
            from pipeline.explain import explained

            labelled = explained(store.load(model)[0], batches, model=store.short_name(manifest))
        with articles.writer(output or "-", format) as out:
            for rows in labelled:
                out.write(rows)
                summary.rows += len(rows)
                summary.flags.update(flag for row in rows for flag in row["flags"])
                progress(summary.rows)
            if not summary.rows and rejects.total:
                reasons = ", ".join(f"{count:,} {reason}" for reason, count in rejects.counts.most_common())
                raise InputError(
                    "nothing in the input is an article",
                    where=", ".join(map(str, [inputs] if isinstance(inputs, str | Path) else inputs)),
                    hint=f"Left out: {reasons}."
                    + ("" if rejects_to else " Write down which and why with: --rejects rejects.jsonl"),
                )
    summary.rejects, summary.notes = rejects.counts, list(rejects.notes)
    summary.seconds = time.perf_counter() - start
    return summary


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
    answers = scorer.ask(articles.split_fields(batch), n_jobs=n_jobs)
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
