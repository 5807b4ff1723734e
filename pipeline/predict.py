"""Predict: from articles to rows of labels, in one stream."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import articles, jobs, rows
from pipeline.articles import Columns, Rejects, Rules
from pipeline.errors import InputError

JOB = "predict_files"
jobs.callable_module(__name__)


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
        label, _ = rows.labeller(model, explain=explain, n_jobs=n_jobs)
        with articles.writer(output or "-", format) as out:
            for batch in label(batches):
                out.write(batch)
                summary.rows += len(batch)
                summary.flags.update(flag for row in batch for flag in row["flags"])
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
