"""Logistic regression over sparse rows for many tasks at once, where there are too many articles for a dense matrix.

Dual coordinate ascent (Yu, Huang and Lin, 2011, for two classes; Shalev-Shwartz and Zhang, 2013, for more): article by
article, its share of the weights is set to what is best while all others stay. The weights always are the sum of the
shares, so that each step touches the article's own columns only. Ten to twenty passes over the articles reach what
descent by gradients takes some hundred for. Labels, folds and settings stand side by side in one row a column: an
article is read once for all of them.

The intercept is not penalized: it is kept near where it was after the pass before, which moves no optimum (the proximal
point algorithm; Rockafellar, 1976).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipeline.features.compiled import compiled, inlined
from pipeline.packed import SECTION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.estimators import Linear
    from pipeline.packed import Packed

GAP = 1e-4
"""Duality gap, as a share of the objective, at which a task is done."""

MOVED = 0.01
"""What an intercept may still move in the last pass."""

MOST_PASSES, FIRST_FREE = 60, 2

LEAST = 32
"""Outputs that a thread has at least: finding an entry's column takes as long as adding to some dozen outputs."""


def fit(
    X: Packed,
    y: NDArray[np.integer],
    weight: NDArray[np.floating],
    n_classes: int,
    *,
    used: NDArray[np.bool_] | None = None,
    seed: int = 0,
    n_jobs: int = 1,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Fit tasks over the same articles.

    Parameters
    ----------
    X : Packed of shape (n_articles, n_features)
    y : ndarray of shape (n_articles, n_tasks), int
        Classes; not looked at where the weight is 0.
    weight : ndarray of shape (n_articles, n_tasks)
        C times the class weight; 0 for an article that a task must not see.
    n_classes : int
        2 gives one output, which speaks for class 1; more give one output a class.
    used : ndarray of shape (n_features,), bool, optional
        Columns that may have a weight.
    seed : int
        Of the order in which articles are taken.
    n_jobs : int
        Threads; the tasks are shared out among them, and the result does not depend on their number.

    Returns
    -------
    coef : ndarray of shape (n_tasks, n_outputs, n_features), float32
    intercept : ndarray of shape (n_tasks, n_outputs), float64
        Not penalized.
    """
    used = np.ones(X.shape[1], dtype=bool) if used is None else used
    squares = np.zeros(X.shape[0], np.float32)
    _squares(X.starts, X.columns, X.values, X.scale, used, squares)
    width = y.shape[1] * (1 if n_classes == 2 else n_classes)
    parts = np.array_split(np.arange(y.shape[1]), min(n_jobs, max(width // LEAST, 1)))
    with ThreadPoolExecutor(len(parts)) as pool:
        found = list(
            pool.map(
                lambda part: _fit(
                    X,
                    np.ascontiguousarray(y[:, part], np.int16),
                    np.array(weight[:, part], np.float32),
                    n_classes,
                    used,
                    squares,
                    seed,
                ),
                parts,
            )
        )
    return np.concatenate([coef for coef, _ in found]), np.concatenate([intercept for _, intercept in found])


def _fit(
    X: Packed,
    y: NDArray[np.int16],
    weight: NDArray[np.float32],
    n_classes: int,
    used: NDArray[np.bool_],
    squares: NDArray[np.float32],
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    n_tasks, n_outputs = y.shape[1], 1 if n_classes == 2 else n_classes
    width = n_tasks * n_outputs
    theta, share = np.zeros((X.shape[1], width), np.float32), np.zeros((X.shape[0], width), np.float32)
    intercept, anchor = np.zeros(width), np.zeros(width)
    random = np.random.default_rng(seed)
    ascend = _ascend_binary if n_outputs == 1 else _ascend_exclusive
    busy = np.ones(n_tasks, dtype=bool)
    for number in range(MOST_PASSES):
        loss, gap = np.zeros(n_tasks), np.zeros(n_tasks)
        ascend(
            random.permutation(len(y)), X.starts, X.columns, X.values, X.scale, used, squares, y, weight,
            theta, intercept, share, loss, gap,
        )  # fmt: skip
        objective = loss + 0.5 * np.einsum("ft,ft->t", theta, theta).reshape(n_tasks, n_outputs).sum(axis=1)
        moved = intercept - anchor
        busy &= (gap > GAP * objective) | (np.abs(moved).reshape(n_tasks, n_outputs).max(axis=1) > MOVED)
        weight[:, ~busy] = 0  # each task ends by itself, whichever stand beside it
        if not busy.any():
            break
        if FIRST_FREE <= number < MOST_PASSES - 1:  # before, an intercept still swings
            moved *= np.repeat(busy, n_outputs)
            anchor += moved
            intercept += moved
    return np.ascontiguousarray(theta.T).reshape(n_tasks, n_outputs, -1), intercept.reshape(n_tasks, n_outputs)


def scores(X: Packed, linear: Linear, columns: NDArray[np.int64], *, n_jobs: int = 1) -> NDArray[np.float32]:
    """Decision values of a linear function over some columns, shape (n_articles, n_outputs), without a copy of X."""
    theta = np.zeros((X.shape[1], len(linear.intercept)), np.float32)
    theta[columns] = linear.coef.T
    found = np.tile(linear.intercept.astype(np.float32), (X.shape[0], 1))
    bounds = np.linspace(0, X.shape[0], n_jobs + 1).astype(np.int64)
    with ThreadPoolExecutor(n_jobs) as pool:
        list(
            pool.map(
                lambda part: _add_scores(*part, X.starts, X.columns, X.values, X.scale, theta, found), pairwise(bounds)
            )
        )
    return found


@compiled
def _squares(starts, columns, values, scale, used, squares):  # type: ignore[no-untyped-def]
    """Squared length of each article, over the columns that are used."""
    sections = (len(starts) - 1) // len(scale)
    for i in range(len(scale)):
        total = 0.0
        for section in range(sections):
            for k in range(starts[i * sections + section], starts[i * sections + section + 1]):
                if used[section * SECTION + columns[k]]:
                    total += float(values[k]) ** 2
        squares[i] = total * scale[i] ** 2


@compiled
def _add_scores(first, last, starts, columns, values, scale, theta, scores):  # type: ignore[no-untyped-def]
    sections, width = (len(starts) - 1) // len(scale), theta.shape[1]
    for i in range(first, last):
        for section in range(sections):
            for k in range(starts[i * sections + section], starts[i * sections + section + 1]):
                value, column = scale[i] * values[k], section * SECTION + columns[k]
                for t in range(width):
                    scores[i, t] += value * theta[column, t]


@inlined
def _read(i, starts, columns, values, scale, used, theta, intercept, score):  # type: ignore[no-untyped-def]
    """Decision values of an article."""
    sections, width = (len(starts) - 1) // len(scale), len(score)
    for t in range(width):
        score[t] = intercept[t]
    for section in range(sections):
        for k in range(starts[i * sections + section], starts[i * sections + section + 1]):
            value, column = scale[i] * values[k], section * SECTION + columns[k]
            if used[column]:
                for t in range(width):
                    score[t] += value * theta[column, t]


@inlined
def _add(i, starts, columns, values, scale, used, theta, intercept, step):  # type: ignore[no-untyped-def]
    """Add an article, so many times for each output, to the weights."""
    sections, width = (len(starts) - 1) // len(scale), len(step)
    for t in range(width):
        intercept[t] += step[t]
    for section in range(sections):
        for k in range(starts[i * sections + section], starts[i * sections + section + 1]):
            value, column = scale[i] * values[k], section * SECTION + columns[k]
            if used[column]:
                for t in range(width):
                    theta[column, t] += value * step[t]


@compiled
def _ascend_binary(  # type: ignore[no-untyped-def]
    order, starts, columns, values, scale, used, squares, y, weight, theta, intercept, share, loss, gap
):
    """One pass; an article's share is its weight times y - p at the decision value that this very share leads to."""
    width = theta.shape[1]
    score, step = np.empty(width, np.float32), np.empty(width, np.float32)
    for i in order:
        if not weight[i].any():
            continue
        _read(i, starts, columns, values, scale, used, theta, intercept, score)
        for t in range(width):
            step[t] = 0.0
            w = np.float64(weight[i, t])
            if w == 0.0:
                continue
            truth, own, z = np.float64(y[i, t]), np.float64(share[i, t]), np.float64(score[t])
            value = max(z, 0.0) + np.log1p(np.exp(-abs(z))) - truth * z
            p = min(max(truth - own, 1e-12), 1.0 - 1e-12)
            loss[t] += w * value
            gap[t] += w * (value + p * np.log(p) + (1.0 - p) * np.log(1.0 - p) + z * own)
            # x = z + pull * (new - own) with new = truth - p(x): rising in x, so Newton between two bounds
            pull = w * (squares[i] + 1.0)
            low, high, x = z - pull, z + pull, z
            for _ in range(40):
                p = 1.0 / (1.0 + np.exp(-x))
                off = x - z + pull * (own - truth + p)
                if abs(off) < 1e-5:
                    break
                if off > 0:
                    high = x
                else:
                    low = x
                x -= off / (1.0 + pull * p * (1.0 - p))
                if not low < x < high:
                    x = 0.5 * (low + high)
            new = truth - 1.0 / (1.0 + np.exp(-x))
            step[t] = w * (new - own)
            share[i, t] = new
        _add(i, starts, columns, values, scale, used, theta, intercept, step)


@compiled
def _ascend_exclusive(  # type: ignore[no-untyped-def]
    order, starts, columns, values, scale, used, squares, y, weight, theta, intercept, share, loss, gap
):
    """One pass; as for two classes, with the softmax in place of p and the whole share set at once."""
    width, n_tasks = theta.shape[1], y.shape[1]
    n = width // n_tasks
    score, step = np.empty(width, np.float32), np.empty(width, np.float32)
    z, x, p, off, turn = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    tried = np.empty(n)
    for i in order:
        if not weight[i].any():
            continue
        _read(i, starts, columns, values, scale, used, theta, intercept, score)
        for task in range(n_tasks):
            at, w = task * n, np.float64(weight[i, task])
            step[at : at + n] = 0.0
            if w == 0.0:
                continue
            truth = y[i, task]
            z[:] = score[at : at + n]
            x[:] = z
            value = _softmax(z, p) - z[truth]
            loss[task] += w * value
            for c in range(n):
                own = np.float64(share[i, at + c])
                q = max((1.0 if c == truth else 0.0) - own, 1e-12)
                value += q * np.log(q) + z[c] * own
            gap[task] += w * value
            pull = w * (squares[i] + 1.0)
            now = _objective(x, z, pull, share, i, at, truth, p)
            for _ in range(40):
                # Newton's step, the curvature being a diagonal less a product of p with itself
                inner, left = 0.0, 0.0
                for c in range(n):
                    off[c] = x[c] - z[c] + pull * (share[i, at + c] - (1.0 if c == truth else 0.0) + p[c])
                    inner += p[c] * off[c] / (1.0 + pull * p[c])
                    left += p[c] / (1.0 + pull * p[c])
                slope, most = 0.0, 0.0
                for c in range(n):
                    turn[c] = -(off[c] + pull * p[c] * inner / left) / (1.0 + pull * p[c])
                    slope += turn[c] * off[c]
                    most = max(most, abs(turn[c]))
                if most < 1e-5:
                    break
                length = 1.0
                for _ in range(30):
                    for c in range(n):
                        tried[c] = x[c] + length * turn[c]
                    then = _objective(tried, z, pull, share, i, at, truth, p)
                    if then <= now + 1e-4 * length * slope + 1e-12 * abs(now):
                        break
                    length *= 0.5
                x[:] = tried
                now = then
            for c in range(n):
                new = (1.0 if c == truth else 0.0) - p[c]
                step[at + c] = w * (new - share[i, at + c])
                share[i, at + c] = new
        _add(i, starts, columns, values, scale, used, theta, intercept, step)


@compiled
def _softmax(x, p):  # type: ignore[no-untyped-def]
    """Fill in the probabilities; returns the logarithm of what they were divided by."""
    top = x.max()
    total = 0.0
    for c in range(len(x)):
        p[c] = np.exp(x[c] - top)
        total += p[c]
    for c in range(len(x)):
        p[c] /= total
    return top + np.log(total)


@compiled
def _objective(x, z, pull, share, i, at, truth, p):  # type: ignore[no-untyped-def]
    """What the decision values that a share leads to make smallest; fills in the probabilities at x."""
    value = pull * (_softmax(x, p) - x[truth])
    for c in range(len(x)):
        value += 0.5 * (x[c] - z[c]) ** 2 + pull * share[i, at + c] * x[c]
    return value
