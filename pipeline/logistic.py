"""Logistic regression for many tasks over the same articles at once.

A head asks for dozens of fits: every label, every fold, every value of C. In the space of the articles they all share
one dense matrix, so their L-BFGS runs (Liu and Nocedal, 1989) go in step, each with its own curvature, and spend their
time in matrix products instead of in memory: a task more costs a fraction of a fit. The optimum is the one that
scikit-learn's LogisticRegression has.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TOLERANCE = 4e-6
"""Largest entry of the gradient at which a run ends, with the objective divided by the number of articles."""

MEMORY, MOST_STEPS = 12, 500


def fit(
    Z: NDArray[np.float64], truth: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit tasks with a common design matrix.

    Parameters
    ----------
    Z : ndarray of shape (n_articles, n_features)
    truth : ndarray of shape (n_articles, n_tasks, n_outputs), 0 or 1
        With one output a task is a yes or no; with several, exactly one of them is 1 for each article.
    weight : ndarray of shape (n_articles, n_tasks)
        C times the class weight; 0 for an article that a task must not see.

    Returns
    -------
    coef : ndarray of shape (n_tasks, n_outputs, n_features)
    intercept : ndarray of shape (n_tasks, n_outputs)
        Not penalized.
    """
    n = len(Z)
    # the intercept takes up the mean of every column; without it the problem is far better conditioned
    mean = Z.mean(axis=0)
    centred = Z - mean
    loss = _binary if truth.shape[2] == 1 else _exclusive

    def evaluate(theta: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scores = np.tensordot(centred, theta[:-1], axes=1) + theta[-1]
        value, slope = loss(scores, truth, weight)
        gradient = np.concatenate([theta[:-1] + np.tensordot(centred.T, slope, axes=1), slope.sum(axis=0)[None]])
        return (0.5 * _dot(theta[:-1], theta[:-1]) + value) / n, gradient / n

    theta = _minimize(evaluate, np.zeros((Z.shape[1] + 1, *truth.shape[1:])))
    intercept = theta[-1] - np.tensordot(mean, theta[:-1], axes=1)
    return np.ascontiguousarray(theta[:-1].transpose(1, 2, 0)), intercept


def _minimize(evaluate: Callable[..., tuple[Array, Array]], theta: Array) -> Array:
    """L-BFGS for every task along the second axis; `evaluate` gives value (n_tasks,) and gradient."""
    value, gradient = evaluate(theta)
    steps: deque[tuple[Array, Array, Array]] = deque(maxlen=MEMORY)
    for _ in range(MOST_STEPS):
        if np.abs(gradient).max() < TOLERANCE:
            break
        direction = -_by_inverse_hessian(gradient, steps)
        slope = _dot(direction, gradient)
        length = np.ones_like(value) if steps else np.minimum(1.0, 1.0 / np.sqrt(_dot(gradient, gradient)))
        for _ in range(30):
            moved = theta + length[:, None] * direction
            new_value, new_gradient = evaluate(moved)
            short = new_value > value + 1e-4 * length * slope + 1e-15
            if not short.any():
                break
            length = np.where(short, 0.5 * length, length)
        step, change = moved - theta, new_gradient - gradient
        curvature = _dot(step, change)
        # a task that has arrived moves no more, and has no curvature to remember
        inverse = np.where(curvature > 1e-18, 1.0 / np.maximum(curvature, 1e-18), 0.0)
        steps.append((step, change, inverse))
        theta, value, gradient = moved, new_value, new_gradient
    return theta


def _by_inverse_hessian(gradient: Array, steps: deque[tuple[Array, Array, Array]]) -> Array:
    """The two loops over remembered steps."""
    q, factors = gradient.copy(), []
    for step, change, inverse in reversed(steps):
        factor = inverse * _dot(step, q)
        q -= factor[:, None] * change
        factors.append(factor)
    if steps:
        step, change, _ = steps[-1]
        size = _dot(change, change)
        q *= np.where(size > 0, _dot(step, change) / np.maximum(size, 1e-300), 1.0)[:, None]
    for (step, change, inverse), factor in zip(steps, reversed(factors), strict=True):
        q += (factor - inverse * _dot(change, q))[:, None] * step
    return q


def _dot(a: Array, b: Array) -> Array:
    """Dot product of each task."""
    return np.asarray(np.einsum("ftk,ftk->t", a, b))


def _binary(scores: Array, truth: Array, weight: Array) -> tuple[Array, Array]:
    sign = 1.0 - 2.0 * truth
    margin = sign * scores
    small = np.exp(-np.abs(margin))
    value = np.sum(weight[:, :, None] * (np.maximum(margin, 0) + np.log1p(small)), axis=(0, 2))
    share = np.where(margin >= 0, 1.0, small) / (1.0 + small)
    return value, weight[:, :, None] * sign * share


def _exclusive(scores: Array, truth: Array, weight: Array) -> tuple[Array, Array]:
    scores = scores - scores.max(axis=2, keepdims=True)
    power = np.exp(scores)
    total = power.sum(axis=2, keepdims=True)
    value = np.sum(weight * (np.log(total[:, :, 0]) - (scores * truth).sum(axis=2)), axis=0)
    return value, weight[:, :, None] * (power / total - truth)
