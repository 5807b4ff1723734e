"""Dual coordinate ascent: the optimum that scikit-learn has, for many tasks at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from pipeline import dual
from pipeline.estimators import Linear
from pipeline.packed import Packed


def articles(n: int = 400, columns: int = 1500, classes: int = 2, seed: int = 0):
    """Sparse rows of length 1, some columns of which tell the class three times in four."""
    random = np.random.default_rng(seed)
    y = random.integers(0, classes, n)
    X = sparse.random(n, columns, density=0.02, random_state=seed, format="lil")
    shown = np.where(random.random(n) < 0.75, y, random.integers(0, classes, n))
    for row in range(n):
        X[row, shown[row] * 10 + random.integers(0, 10, 2)] = 0.7
    X = X.tocsr()
    return sparse.diags(1 / np.sqrt(X.multiply(X).sum(axis=1).A1)) @ X, y


def packed(X) -> Packed:
    return Packed.of([X], X.shape[0])


def test_two_articles_by_hand():
    # by symmetry the intercept is 0, and the slope of 0.5 t^2 + 2 log(1 + exp(-t)) is 0 where t = 2 / (1 + exp(t))
    X, y = sparse.csr_matrix(np.array([[1.0], [-1.0]])), np.array([[1], [0]])
    coef, intercept = dual.fit(packed(X), y, np.ones((2, 1)), 2)
    [[[t]]] = coef.tolist()
    assert t == pytest.approx(2 / (1 + np.exp(t)), abs=0.02)
    assert intercept.tolist() == [[pytest.approx(0, abs=0.02)]]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("C", [0.5, 20.0])
def test_the_optimum_is_scikit_learns(classes, C):
    X, y = articles(classes=classes)
    weight = np.where(y == 0, 5.0, 1.0)  # as for a rare class
    theirs = LogisticRegression(C=C, tol=1e-8, max_iter=5000).fit(X, y, sample_weight=weight)
    coef, intercept = dual.fit(packed(X), y[:, None], C * weight[:, None], classes)
    ours = Linear(coef[0], intercept[0]).decision(X)
    expected = theirs.decision_function(X).reshape(len(y), -1)
    assert np.abs(ours - expected).max() < 0.1
    assert np.sqrt(np.mean((ours - expected) ** 2)) < 0.01 * expected.std()


@pytest.mark.parametrize("classes", [2, 3])
def test_tasks_do_not_disturb_each_other(classes):
    X, y = articles(classes=classes)
    weight = np.ones((len(y), 3))
    weight[:100, 1] = 0
    weight[:, 2] = 4
    together = dual.fit(packed(X), np.tile(y[:, None], 3), weight, classes)
    seen = np.arange(len(y)) >= 100
    alone = dual.fit(packed(X[seen]), y[seen, None], weight[seen, 1:2], classes)
    ours, theirs = (Linear(coef[i], b[i]).decision(X) for (coef, b), i in ((together, 1), (alone, 0)))
    assert np.abs(ours - theirs).max() < 0.05
    assert np.abs(together[0][2]).sum() > 1.5 * np.abs(together[0][0]).sum()  # a larger C, larger weights


def test_an_article_without_weight_is_not_looked_at():
    X, y = articles()
    weight = np.ones((len(y), 1))
    weight[:50] = 0
    other, spoiled = y.copy(), X.copy()
    other[:50] = -1
    spoiled.data[: spoiled.indptr[50]] = 1e6
    first, second = (
        dual.fit(packed(matrix), truth[:, None], weight, 2) for matrix, truth in ((X, y), (spoiled, other))
    )
    assert (first[0] == second[0]).all()
    assert (first[1] == second[1]).all()


def test_columns_that_are_not_used_might_as_well_not_be_there():
    X, y = articles()
    used = np.arange(X.shape[1]) % 3 > 0
    coef, intercept = dual.fit(packed(X), y[:, None], np.ones((len(y), 1)), 2, used=used)
    fewer, without = dual.fit(packed(X[:, used]), y[:, None], np.ones((len(y), 1)), 2)
    assert not coef[0, 0, ~used].any()
    np.testing.assert_allclose(coef[0, 0, used], fewer[0, 0], atol=2e-3)
    np.testing.assert_allclose(intercept, without, atol=2e-3)


def test_threads_change_nothing_but_the_time(monkeypatch):
    monkeypatch.setattr(dual, "LEAST", 1)
    X, y = articles(classes=3)
    labels = np.column_stack([y == label for label in range(3)]).astype(int)
    one, two = (dual.fit(packed(X), labels, np.ones(labels.shape), 2, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()


def test_scores_of_some_columns():
    X, _ = articles()
    columns = np.array([3, 5, 11])
    linear = Linear(np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 1.0]]), np.array([0.5, -1.0]))
    np.testing.assert_allclose(
        dual.scores(packed(X), linear, columns, n_jobs=2), linear.decision(X[:, columns]), atol=1e-4
    )
