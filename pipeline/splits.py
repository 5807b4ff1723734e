"""Keep apart what a model learns from and what it is judged on; duplicates never stand on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pipeline.config import Split

    Rows = NDArray[np.int64]


RARE = 20
"""Articles below which a label is a stratum by itself."""


def strata(labels: dict[str, NDArray[np.int64]]) -> Rows:
    """One number for each combination of labels that occurs, so that folds have alike shares of them.

    An article with a rare label counts by the rarest of its labels alone (as in pruned sets; Read, Pfahringer and
    Holmes, 2008): few articles have few combinations in common, and all of a label's could fall into one fold.
    """
    columns = np.column_stack([y if y.ndim == 2 else y[:, None] for y in labels.values()])
    stratum = np.unique(columns, axis=0, return_inverse=True)[1].ravel()
    has = np.column_stack([y == 1 if y.ndim == 2 else y[:, None] == np.unique(y[y >= 0]) for y in labels.values()])
    count = has.sum(axis=0)
    rare = np.nonzero((count > 0) & (count < RARE))[0]
    for label in rare[np.argsort(-count[rare], kind="stable")]:
        stratum[has[:, label]] = len(has) + label
    return np.asarray(np.unique(stratum, return_inverse=True)[1])


def held_out(split: Split, table: pd.DataFrame, stratum: Rows, groups: Rows, *, seed: int) -> tuple[Rows, Rows]:
    """Rows to train on and rows to judge on.

    A group of duplicates that reaches both sides goes to the training side as a whole, so that no test article has been
    seen; only a column is taken at its word, since others judge on the very rows that it names. Test rows are empty for
    kind "none".

    Raises
    ------
    InputError
        Where a side would be empty, or articles lack the date or source that the split asks for.
    """
    n = len(table)
    if split.kind == "none":
        return np.arange(n), np.arange(0)
    if split.kind == "random":
        n_folds = max(2, round(1 / split.test_size))
        train, test = folds(stratum, groups, n_folds, seed=seed)[0]
        return train, test
    if split.kind == "date":
        dates = table["date"].astype(str)
        undated = int((dates == "").sum())
        if undated:
            raise InputError(
                f"{undated} of {n} articles have no date, which a split by date needs",
                where="[split] kind",
                hint='Use kind = "random", or give the dates.',
            )
        start = split.test_from or str(np.sort(dates.to_numpy())[int(n * (1 - split.test_size))])
        wanted = (dates >= start).to_numpy()
    elif split.kind == "column":
        wanted = table[split.column].isin(split.test_values).to_numpy()
    else:
        wanted = (table["source"].isin(split.test_sources) | table["origin"].isin(split.test_sources)).to_numpy()
    leaking = np.isin(groups, np.unique(groups[~wanted])) & (split.kind != "column")
    train, test = np.nonzero(~wanted | leaking)[0], np.nonzero(wanted & ~leaking)[0]
    for side, rows in (("train on", train), ("judge on", test)):
        if not len(rows):
            raise InputError(
                f"leaves no article to {side}", where=f'[split] kind = "{split.kind}"', hint=_there(split, table)
            )
    return train, test


def _there(split: Split, table: pd.DataFrame) -> str:
    """What the articles have of what a split asks for."""
    if split.kind == "date":
        return f"Dates: {table['date'].min()} to {table['date'].max()}."
    if split.kind == "column":
        return f"Column {split.column!r} holds: {', '.join(sorted(set(table[split.column])))[:300]}."
    sources, origins = (", ".join(sorted(set(table[name]) - {""})) or "none" for name in ("source", "origin"))
    return f"Sources: {sources[:300]}; origins: {origins[:300]}."


def folds(stratum: Rows, groups: Rows, n_folds: int, *, seed: int) -> list[tuple[Rows, Rows]]:
    """Stratified folds that keep groups whole; greedy, the largest groups first.

    Returns
    -------
    list of (train, test) index arrays
        Fewer than `n_folds` where there are fewer groups.
    """
    random = np.random.default_rng(seed)
    _, stratum = np.unique(stratum, return_inverse=True)
    _, group = np.unique(groups, return_inverse=True)
    n_folds = min(n_folds, int(group.max()) + 1)
    if n_folds < 2:
        raise InputError(
            "all articles are copies of one: nothing is left to judge on",
            where="[data] sources",
            hint="Add other articles. How alike copies are is set by [cleaning] duplicates.",
        )
    counts = np.zeros((group.max() + 1, stratum.max() + 1), dtype=np.int64)
    np.add.at(counts, (group, stratum), 1)
    order = random.permutation(len(counts))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    filled = np.zeros((n_folds, counts.shape[1]))
    fold_of = np.zeros(len(counts), dtype=np.int64)
    share = np.maximum(counts.sum(axis=0), 1)
    for g in order:
        # the fold that has least of what this group brings, then the smallest fold
        need = (filled / share) @ counts[g] + 1e-6 * filled.sum(axis=1)
        fold_of[g] = int(np.argmin(need))
        filled[fold_of[g]] += counts[g]
    fold = fold_of[group]
    return [(np.nonzero(fold != k)[0], np.nonzero(fold == k)[0]) for k in range(n_folds)]
