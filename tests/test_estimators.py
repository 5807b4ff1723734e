"""Linear classifiers: the decision functions of scikit-learn's, and the same ones from a smaller space."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from pipeline.config import Estimator
from pipeline.estimators import Linear, Rotated, Task, fit_linear, fit_tasks


def articles(n: int = 120, columns: int = 900, classes: int = 2, seed: int = 0) -> tuple[sparse.csr_matrix, np.ndarray]:
    """Few rows of many sparse columns of which some tell the class, as n-grams do; rows of length 1."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    X = sparse.random(n, columns, density=0.05, random_state=seed, format="lil")
    for row in range(n):
        X[row, y[row] * 10 + random.integers(0, 10, 2)] = 1.0
    X = X.tocsr()
    return sparse.diags(1 / np.sqrt(X.multiply(X).sum(axis=1).A1)) @ X, y


def test_a_decision_by_hand():
    linear = Linear(np.array([[1.0, -2.0], [0.0, 3.0]]), np.array([0.5, -1.0]))
    for X in (np.array([[1.0, 1.0], [2.0, 0.0]]), sparse.csr_matrix([[1.0, 1.0], [2.0, 0.0]])):
        assert linear.decision(X).tolist() == [[-0.5, 2.0], [2.5, -1.0]]


@pytest.mark.parametrize("weight", ["balanced", "none"])
@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_is_scikit_learns(classes, weight):
    X, y = articles(classes=classes)
    linear = fit_linear(Estimator(C=2.0, class_weight=weight), X, y, classes, seed=0)
    theirs = LogisticRegression(C=2.0, class_weight=None if weight == "none" else weight, tol=1e-5, max_iter=300).fit(
        X, y
    )
    assert linear.coef.shape == (1 if classes == 2 else 3, X.shape[1])
    np.testing.assert_allclose(linear.decision(X).squeeze(), theirs.decision_function(X), atol=1e-9)


def test_linear_svm_is_scikit_learns():
    X, y = articles(classes=3)
    linear = fit_linear(Estimator(name="linear_svm", C=0.5), X, y, 3, seed=0)
    theirs = LinearSVC(C=0.5, class_weight="balanced", random_state=0, max_iter=2000).fit(X, y)
    np.testing.assert_allclose(linear.decision(X), theirs.decision_function(X), atol=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
def test_complement_nb_decides_as_scikit_learns(classes):
    X, y = articles(classes=classes)
    linear = fit_linear(Estimator(name="complement_nb"), X, y, classes, seed=0)
    theirs = ComplementNB(alpha=1.0, norm=True).fit(X, y)
    decision = linear.decision(X)
    decided = (decision[:, 0] > 0).astype(int) if classes == 2 else decision.argmax(axis=1)
    assert (decided == theirs.predict(X)).all()
    assert (decided == y).mean() > 0.9


def test_stochastic_descent_learns_and_repeats():
    X, y = articles()
    fits = [fit_linear(Estimator(name="sgd"), X, y, 2, seed=seed) for seed in (1, 1, 2)]
    assert ((fits[0].decision(X)[:, 0] > 0) == y).mean() > 0.95
    assert (fits[0].coef == fits[1].coef).all()
    assert (fits[0].coef != fits[2].coef).any()


def test_the_dummy_knows_shares_and_nothing_else():
    X, _ = articles(n=10)
    two = fit_linear(Estimator(name="dummy"), X, np.array([0] * 8 + [1] * 2), 2, seed=0)
    assert two.decision(X)[:, 0] == pytest.approx([np.log(2 / 8)] * 10)
    three = fit_linear(Estimator(name="dummy"), X, np.array([0] * 5 + [1] * 3 + [2] * 2), 3, seed=0)
    assert np.exp(three.decision(X)[0]) == pytest.approx([0.5, 0.3, 0.2])


class TestRotated:
    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("name", ["logistic_regression", "linear_svm"])
    def test_it_decides_as_a_plain_fit(self, name, classes):
        X, y = articles(classes=classes)
        unseen, _ = articles(classes=classes, seed=1)
        settings = Estimator(name=name, C=3.0)
        assert Rotated.suits(settings, X)
        rotated = Rotated(X)
        linear = rotated.back(fit_linear(settings, rotated.Z, y, classes, seed=0))
        if name == "logistic_regression":
            plain = LogisticRegression(C=3.0, class_weight="balanced", tol=1e-6, max_iter=1000).fit(X, y)
        else:
            plain = LinearSVC(C=3.0, class_weight="balanced", tol=1e-6, max_iter=100_000, random_state=0).fit(X, y)
        for rows in (X, unseen):
            np.testing.assert_allclose(linear.decision(rows).squeeze(), plain.decision_function(rows), atol=1e-3)

    def test_dot_products_stay(self):
        X, _ = articles()
        Z = Rotated(X).Z
        np.testing.assert_allclose(Z @ Z.T, (X @ X.T).toarray(), atol=1e-7)

    def test_copies_of_an_article_do_no_harm(self):
        X, y = articles(n=40)
        twice, labels = sparse.vstack([X, X, X], format="csr"), np.tile(y, 3)
        rotated = Rotated(twice)
        linear = rotated.back(fit_linear(Estimator(), rotated.Z, labels, 2, seed=0))
        plain = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-6, max_iter=1000).fit(twice, labels)
        np.testing.assert_allclose(linear.decision(X)[:, 0], plain.decision_function(X), atol=1e-3)

    def test_a_fold_of_it_decides_as_a_plain_fit_of_the_fold(self):
        X, y = articles()
        train = np.arange(len(y)) % 3 > 0
        held_out = fit_linear(Estimator(), Rotated(X).Z[train], y[train], 2, seed=0).decision(Rotated(X).Z[~train])
        plain = LogisticRegression(class_weight="balanced", tol=1e-6, max_iter=1000).fit(X[train], y[train])
        np.testing.assert_allclose(held_out[:, 0], plain.decision_function(X[~train]), atol=1e-3)

    def test_whom_it_suits(self):
        wide, _ = articles(n=20, columns=50)
        tall = sparse.csr_matrix(make_classification(n_samples=50, n_features=20, random_state=0)[0])
        assert not Rotated.suits(Estimator(), tall)
        assert not Rotated.suits(Estimator(name="sgd"), wide)
        assert not Rotated.suits(Estimator(name="complement_nb"), wide)


@pytest.mark.parametrize("classes", [2, 3])
def test_softened_weights_are_roots_of_balanced_ones(classes):
    X, y = articles(classes=classes)
    count = np.bincount(y)
    weight = {label: (len(y) / (classes * count[label])) ** 0.5 for label in range(classes)}
    theirs = LogisticRegression(C=2.0, class_weight=weight, tol=1e-5, max_iter=300).fit(X, y)
    settings = Estimator(C=2.0, class_weight="softened")
    linear = fit_linear(settings, X, y, classes, seed=0)
    np.testing.assert_allclose(linear.decision(X).squeeze(), theirs.decision_function(X), atol=1e-6)
    [dense] = fit_tasks(X.toarray(), [Task(settings, np.arange(len(y)), y)], classes, seed=0, n_jobs=1)
    np.testing.assert_allclose(dense.decision(X).squeeze(), theirs.decision_function(X), atol=2e-2)
