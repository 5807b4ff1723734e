"""Metrics: worked examples, and scikit-learn's on random data."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as theirs

from pipeline import metrics

LABELS = ["a", "b", "c"]


@pytest.fixture(params=range(4))
def drawn(request):
    """Truth, decisions and probabilities with ties; with some seeds the last label never occurs."""
    random = np.random.default_rng(request.param)
    truth = random.random((60, 3)) < [0.5, 0.2, 0.1 * (request.param % 2)]
    probabilities = random.random((60, 3)).round(1)
    return truth, probabilities >= 0.6, probabilities


def test_f1_by_hand():
    truth = np.array([[1], [1], [1], [0]], dtype=bool)
    decided = np.array([[1], [1], [0], [1]], dtype=bool)
    # 2 found, 1 missed, 1 too many: precision 2/3, recall 2/3
    assert metrics.f1(truth, decided) == pytest.approx([2 / 3])
    assert metrics.f1(~truth & False, ~truth & False) == [0.0]


def test_average_precision_by_hand():
    # in order of score: right, wrong, right; precision 1 at recall 1/2, precision 2/3 at recall 1
    assert metrics.average_precision(np.array([True, False, True]), np.array([0.9, 0.5, 0.2])) == pytest.approx(
        1 / 2 * 1 + 1 / 2 * 2 / 3
    )
    # all scores equal: one point, precision 2/3
    assert metrics.average_precision(np.array([True, False, True]), np.full(3, 0.5)) == pytest.approx(2 / 3)
    assert metrics.average_precision(np.zeros(3, dtype=bool), np.full(3, 0.5)) is None


def test_calibration_error_by_hand():
    probability = np.array([0.1, 0.1, 0.9, 0.9])
    truth = np.array([False, True, True, True])
    # two bins of two: mean 0.1 against share 0.5, mean 0.9 against share 1
    assert metrics.calibration_bins(truth, probability, 2) == [
        (2, pytest.approx(0.1), 0.5),
        (2, pytest.approx(0.9), 1.0),
    ]
    assert metrics.calibration_error(truth, probability, 2) == pytest.approx((0.4 + 0.1) / 2)
    assert metrics.calibration_error(truth, truth.astype(float)) == 0


def test_bins_hold_every_article_once():
    random = np.random.default_rng(0)
    bins = metrics.calibration_bins(random.random(100) < 0.3, random.random(100))
    assert [count for count, _, _ in bins] == [7] * 10 + [6] * 5
    means = [mean for _, mean, _ in bins]
    assert means == sorted(means)
    assert [count for count, _, _ in metrics.calibration_bins(np.ones(3, dtype=bool), np.ones(3))] == [1, 1, 1]


def test_multilabel_is_scikit_learns(drawn):
    truth, decided, probabilities = drawn
    found = metrics.multilabel(LABELS, truth, decided, probabilities)
    precision, recall, f1, support = theirs.precision_recall_fscore_support(truth, decided, zero_division=0)
    for i, label in enumerate(LABELS):
        row = found["labels"][label]
        assert (row["precision"] or 0) == pytest.approx(precision[i])
        assert (row["recall"] or 0) == pytest.approx(recall[i])
        assert row["f1"] == pytest.approx(f1[i])
        assert (row["support"], row["predicted"]) == (support[i], decided[:, i].sum())
        if support[i]:
            assert row["average_precision"] == pytest.approx(
                theirs.average_precision_score(truth[:, i], probabilities[:, i])
            )
        else:
            assert row["recall"] is row["average_precision"] is None
    for key, value in {
        "macro_f1": theirs.f1_score(truth, decided, average="macro", zero_division=0),
        "micro_f1": theirs.f1_score(truth, decided, average="micro", zero_division=0),
        "exact_match": theirs.accuracy_score(truth, decided),
        "hamming_loss": theirs.hamming_loss(truth, decided),
    }.items():
        assert found[key]["value"] == pytest.approx(value), key
        low, high = found[key]["interval"]
        assert low <= found[key]["value"] <= high, key
    assert found["n"] == 60


def test_single_is_scikit_learns():
    random = np.random.default_rng(0)
    truth, probabilities = random.integers(0, 3, 80), random.dirichlet([1, 1, 1], 80)
    applies = random.random(80) < 0.5
    found = metrics.single(LABELS, truth, probabilities, applies=applies)
    decided = probabilities.argmax(axis=1)
    assert found["confusion"] == theirs.confusion_matrix(truth, decided).tolist()
    assert found["macro_f1"]["value"] == pytest.approx(theirs.f1_score(truth, decided, average="macro"))
    assert found["accuracy"]["value"] == pytest.approx(theirs.accuracy_score(truth, decided))
    for row, f1 in zip(found["labels"].values(), theirs.f1_score(truth, decided, average=None), strict=True):
        assert row["f1"] == pytest.approx(f1)
    alone = found["where_applicable"]
    assert alone["n"] == applies.sum()
    assert alone["confusion"] == theirs.confusion_matrix(truth[applies], decided[applies]).tolist()


@pytest.mark.parametrize("applies", [None, np.ones(4, dtype=bool), np.zeros(4, dtype=bool)])
def test_a_question_that_always_or_never_applies_is_judged_once(applies):
    found = metrics.single(["a", "b"], np.array([0, 1, 0, 1]), np.tile([0.6, 0.4], (4, 1)), applies=applies)
    assert "where_applicable" not in found
    assert found["confusion"] == [[2, 0], [2, 0]]
    assert found["labels"]["b"]["precision"] is None
    assert found["labels"]["b"]["f1"] == 0


def test_intervals_are_those_of_articles_drawn_one_by_one(drawn):
    truth, decided, probabilities = drawn
    found = metrics.multilabel(LABELS, truth, decided, probabilities, seed=3)
    random = np.random.default_rng(3)
    draws = [random.integers(0, len(truth), len(truth)) for _ in range(metrics.RESAMPLES)]
    figures = {
        "macro_f1": [metrics.f1(truth[rows], decided[rows]).mean() for rows in draws],
        "micro_f1": [metrics.f1(truth[rows].reshape(-1, 1), decided[rows].reshape(-1, 1))[0] for rows in draws],
        "exact_match": [(truth[rows] == decided[rows]).all(axis=1).mean() for rows in draws],
        "hamming_loss": [(truth[rows] != decided[rows]).mean() for rows in draws],
    }
    for name, values in figures.items():
        assert found[name]["interval"] == pytest.approx(np.percentile(values, [2.5, 97.5]))
    each = np.array([metrics.f1(truth[rows], decided[rows]) for rows in draws])
    for i, label in enumerate(LABELS):
        assert found["labels"][label]["f1_interval"] == pytest.approx(np.percentile(each[:, i], [2.5, 97.5]))


def test_intervals_cover_what_they_should_and_repeat():
    # 400 coins with 70 % heads: the interval of accuracy is about 0.7 ± 1.96 * sqrt(0.7 * 0.3 / 400)
    truth = np.zeros(400, dtype=np.int64)
    probabilities = np.where((np.arange(400) < 280)[:, None], [0.9, 0.1], [0.1, 0.9])
    found = metrics.single(["a", "b"], truth, probabilities, seed=1)
    assert found["accuracy"]["value"] == 0.7
    assert found["accuracy"]["interval"] == pytest.approx([0.655, 0.745], abs=0.006)
    assert metrics.single(["a", "b"], truth, probabilities, seed=1) == found
    assert metrics.single(["a", "b"], truth, probabilities, seed=2) != found


def test_no_number_is_infinite_or_nan():
    import json

    nothing = np.zeros((5, 3), dtype=bool)
    for decided in (nothing, ~nothing):
        json.dumps(metrics.multilabel(LABELS, nothing, decided, np.full((5, 3), 0.5)), allow_nan=False)
