"""From scores to probabilities to decisions."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

from pipeline import metrics
from pipeline.calibration import choose_threshold, fit_binary, fit_exclusive
from pipeline.config import Threshold


@pytest.fixture
def noisy():
    """Scores whose true log odds are 2 s - 1, for two labels."""
    random = np.random.default_rng(0)
    scores = random.normal(0, 2, (3000, 2))
    return scores, (random.random(scores.shape) < 1 / (1 + np.exp(1 - 2 * scores))).astype(np.int64)


class TestSideBySide:
    def test_sigmoid_finds_the_curve_that_made_the_data(self, noisy):
        curve = fit_binary("sigmoid", *noisy)
        assert curve.slope == pytest.approx([2, 2], abs=0.2)
        assert curve.offset == pytest.approx([-1, -1], abs=0.15)

    def test_sigmoid_is_platts_as_scikit_learn_has_it(self, noisy):
        scores, truth = noisy
        curve = fit_binary("sigmoid", scores, truth)
        for i in range(2):
            a, b = _sigmoid_calibration(scores[:, i], truth[:, i])
            assert [curve.slope[i], curve.offset[i]] == pytest.approx([-a, -b], rel=1e-3)

    def test_isotonic_is_scikit_learns(self, noisy):
        scores, truth = noisy
        points = np.linspace(-9, 9, 181)
        theirs = IsotonicRegression(out_of_bounds="clip", y_min=1e-3, y_max=0.999).fit(scores[:, 1], truth[:, 1])
        ours = fit_binary("isotonic", scores, truth)(np.column_stack([points, points]))[:, 1]
        np.testing.assert_allclose(ours, theirs.predict(points), atol=1e-12)

    def test_none_reads_scores_as_log_odds(self):
        scores = np.array([[0.0], [np.log(3)], [-np.log(3)]])
        assert fit_binary("none", scores, np.array([[0], [1], [0]]))(scores)[:, 0] == pytest.approx([0.5, 0.75, 0.25])

    @pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
    def test_probabilities_are_calibrated(self, noisy, kind):
        scores, truth = noisy
        p = fit_binary(kind, scores[:1500], truth[:1500])(scores[1500:])
        assert metrics.calibration_error(truth[1500:, 0] == 1, p[:, 0]) < 0.04

    @pytest.mark.parametrize("kind", ["sigmoid", "isotonic"])
    def test_scores_that_separate_stay_short_of_certainty(self, kind):
        scores, truth = np.linspace(-1, 1, 20)[:, None], np.repeat([0, 1], 10)[:, None]
        p = fit_binary(kind, scores, truth)(np.array([[-100.0], [100.0]]))[:, 0]
        assert 0 <= p[0] < 0.1
        assert 0.9 < p[1] <= 1
        assert ((fit_binary(kind, scores, truth)(scores) > 0.5) == truth).all()

    def test_scores_that_point_the_wrong_way_give_the_base_rate(self):
        scores, truth = np.arange(10.0)[:, None], np.array([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])[:, None]
        p = fit_binary("sigmoid", scores, truth)(scores)[:, 0]
        assert p == pytest.approx([4 / 12] * 10)  # (3 + 1) against (7 + 1)

    def test_constant_scores_give_the_base_rate(self):
        p = fit_binary("sigmoid", np.full((30, 1), 0.2), (np.arange(30) < 6).astype(int)[:, None])(np.array([[0.2]]))
        assert p[0, 0] == pytest.approx(0.2, abs=0.05)


class TestExclusive:
    @pytest.mark.parametrize(("kind", "outputs", "classes"), [("sigmoid", 3, 3), ("sigmoid", 1, 2), ("none", 3, 3), ("none", 1, 2)])  # fmt: skip  # noqa: E501
    def test_rows_sum_to_one_and_follow_the_scores(self, kind, outputs, classes):
        random = np.random.default_rng(0)
        truth = random.integers(0, classes, 500)
        scores = random.normal(0, 1, (500, outputs))
        scores += 3 * (truth[:, None] == np.arange(outputs)) if outputs > 1 else 3.0 * truth[:, None] - 1.5
        p = fit_exclusive(kind, scores, truth, classes)(scores)
        assert p.shape == (500, classes)
        assert p.sum(axis=1) == pytest.approx(np.ones(500))
        assert (p.argmax(axis=1) == truth).mean() > 0.85

    def test_none_is_the_softmax(self):
        scores = np.log([[1.0, 2.0, 5.0]])
        assert fit_exclusive("none", scores, np.array([2]), 3)(scores)[0] == pytest.approx([0.125, 0.25, 0.625])
        assert fit_exclusive("none", np.array([[np.log(4)]]), np.array([1]), 2)(np.array([[np.log(4)]]))[
            0
        ] == pytest.approx([0.2, 0.8])

    def test_huge_scores_overflow_nothing(self):
        truth = np.arange(30) % 3
        scores = 1e4 * (truth[:, None] == np.arange(3))
        p = fit_exclusive("sigmoid", scores, truth, 3)(scores * 100)
        assert np.isfinite(p).all()
        assert (p.argmax(axis=1) == truth).all()


class TestThreshold:
    p = np.array([0.9, 0.8, 0.6, 0.4, 0.2])
    truth = np.array([1, 1, 0, 1, 0])

    def test_best_f1_by_hand(self):
        # taking 1, 2, 3, 4, 5 articles gives F1 2/4, 4/5, 4/6, 6/7, 6/8: four of them, between 0.4 and 0.2
        assert choose_threshold(Threshold(), self.p, self.truth) == pytest.approx(0.3)

    def test_precision_at_the_best_recall_that_keeps_it(self):
        assert choose_threshold(Threshold(rule="precision", at=0.9), self.p, self.truth) == pytest.approx(0.7)
        assert choose_threshold(Threshold(rule="precision", at=0.75), self.p, self.truth) == pytest.approx(0.3)

    def test_recall_at_the_best_precision_that_keeps_it(self):
        assert choose_threshold(Threshold(rule="recall", at=0.6), self.p, self.truth) == pytest.approx(0.7)
        assert choose_threshold(Threshold(rule="recall", at=0.7), self.p, self.truth) == pytest.approx(0.3)

    def test_what_cannot_be_reached_is_come_near(self):
        # the best precision there is: 1/2, with two articles taken
        p, truth = np.array([0.9, 0.8, 0.1]), np.array([0, 1, 0])
        assert choose_threshold(Threshold(rule="precision", at=0.9), p, truth) == pytest.approx(0.45)

    def test_a_fixed_one_is_kept(self):
        assert choose_threshold(Threshold(rule="fixed", at=0.37), self.p, self.truth) == 0.37

    def test_equal_scores_are_never_parted(self):
        assert choose_threshold(Threshold(), np.array([0.7, 0.7, 0.3]), np.array([1, 0, 0])) == pytest.approx(0.5)

    def test_it_stays_within_reach(self):
        assert choose_threshold(Threshold(), np.array([1e-4, 2e-4, 0.0]), np.array([1, 1, 0])) == 0.01
        assert choose_threshold(Threshold(), np.ones(3), np.ones(3, dtype=int)) == 0.5

    @pytest.mark.parametrize("seed", range(5))
    def test_no_threshold_has_a_better_f1(self, seed):
        random = np.random.default_rng(seed)
        p = random.random(40).round(1)
        truth = (random.random(40) < p).astype(int)
        chosen = choose_threshold(Threshold(), p, truth)
        best = max(metrics.f1((truth == 1)[:, None], (p >= t)[:, None])[0] for t in np.linspace(0.01, 0.99, 99))
        assert metrics.f1((truth == 1)[:, None], (p >= chosen)[:, None])[0] == pytest.approx(best)
