"""Heads: labels as numbers, what cannot be learned, and answers from scores."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from pipeline import splits
from pipeline.calibration import MatrixScaling, Sigmoid
from pipeline.config import HeadConfig
from pipeline.errors import LabelError
from pipeline.heads import NOT_APPLICABLE, Rule, encode, fit_head, output_names

TOPICS = HeadConfig(kind="multilabel", labels=["syria", "ukraine"], column="topics")
STANCE = HeadConfig(
    kind="single", labels=["favor", "against", "neutral"], column="stance", gate="relevant", default="neutral"
)


class TestEncode:
    def test_topics(self):
        cells = ["syria", "ukraine|syria", "none", "", " ukraine | syria ", "syria|syria"]
        found = encode("topics", TOPICS, cells, None, "|", list("abcdef"))
        assert found.tolist() == [[1, 0], [1, 1], [0, 0], [0, 0], [1, 1], [1, 0]]

    def test_another_separator(self):
        assert encode("topics", TOPICS, ["syria; ukraine"], None, ";", ["a"]).tolist() == [[1, 1]]

    def test_stance_behind_its_gate(self):
        labels, gate = ["favor", "neutral", "neutral", "against"], ["1", "1", "0", ""]
        assert encode("stance", STANCE, labels, gate, "|", list("abcd")).tolist() == [0, 2, 3, 1]

    @pytest.mark.parametrize(("cell", "inside"), [("1", True), ("True", True), ("1.0", True), ("yes", True), ("0", False), ("FALSE", False), (" 0 ", False), ("0.0", False), ("no", False)])  # fmt: skip  # noqa: E501
    def test_what_a_gate_may_say(self, cell, inside):
        assert encode("stance", STANCE, ["favor"], [cell], "|", ["a"]).tolist() == [0 if inside else 3]

    @pytest.mark.parametrize("cell", ["2", "maybe", "relevant", "-1"])
    def test_what_it_may_not(self, cell):
        with pytest.raises(LabelError, match=f"article a: '{cell}' in column 'relevant' says neither yes nor no"):
            encode("stance", STANCE, ["favor"], [cell], "|", ["a"])

    @pytest.mark.parametrize(("config", "cell"), [(TOPICS, "syria|sirya"), (STANCE, "sirya")])
    def test_an_unknown_label_is_named_with_its_article(self, config, cell):
        with pytest.raises(LabelError, match=r"article b: 'sirya' is not a label of head 'x'\n  Known: ") as caught:
            encode("x", config, [config.labels[0], cell], None, "|", ["a", "b"])
        assert config.labels[-1] in str(caught.value)


def test_outputs():
    assert output_names(["a", "b"], None, "multilabel") == ["a", "b"]
    assert output_names(["a", "b"], None, "single") == ["b"]
    assert output_names(["a", "b", "c"], None, "single") == ["a", "b", "c"]
    assert output_names(["a", "b"], "a", "single") == ["a", "b", NOT_APPLICABLE]


class TestRule:
    topics = Rule(
        "topics", "multilabel", ["a", "b"], None, None, Sigmoid(np.ones(2), np.zeros(2)), [0.5, 0.3], 0.6
    )  # fmt: skip
    stance = Rule(
        "stance", "single", ["a", "b"], "b", None, MatrixScaling(np.eye(3), np.zeros(3)), [], 0.0
    )  # fmt: skip

    def test_each_label_has_its_threshold(self):
        p = np.array([[0.6, 0.2], [0.5, 0.3], [0.4, 0.4]])
        assert self.topics.decide(p).tolist() == [[True, False], [True, True], [False, True]]

    def test_confidence_is_that_of_the_least_sure_decision(self):
        p = np.array([[0.9, 0.2], [0.9, 0.35]])  # taken 0.9, left out 1 - 0.2; taken 0.9, taken 0.35
        assert self.topics.confidence(p) == pytest.approx([0.8, 0.35])

    def test_what_lies_outside_the_gate_counts_for_the_default(self):
        p = self.stance.probabilities(np.log([[0.5, 0.2, 0.3]]))
        assert p[0] == pytest.approx([0.5, 0.5])
        assert self.stance.probabilities(np.log([[0.45, 0.25, 0.3]]))[0] == pytest.approx([0.45, 0.55])

    def test_exactly_one_label_even_in_a_tie(self):
        assert self.stance.decide(np.array([[0.5, 0.5]])).tolist() == [[True, False]]


def matrix(y: np.ndarray, noise: float = 0.0) -> sparse.csr_matrix:
    """One telling column a class beside random ones."""
    random = np.random.default_rng(0)
    telling = (y[:, None] == np.arange(y.max() + 1)) * 1.0 if y.ndim == 1 else y * 1.0
    telling = telling + noise * random.normal(0, 1, telling.shape)
    return sparse.csr_matrix(np.hstack([telling, random.random((len(y), 3))]))


def fitted(config: HeadConfig, y: np.ndarray, *, noise: float = 0.0, n_folds: int = 3):
    folds = splits.folds(splits.strata({"x": y}), np.arange(len(y)), n_folds, seed=0)
    X = matrix(y, noise)
    return fit_head("x", config, X, y, folds, seed=0, n_jobs=1), X


class TestFit:
    def test_topics_that_can_be_told(self):
        y = np.array([[1, 0], [0, 1], [0, 0], [1, 1]] * 15)
        head, X = fitted(TOPICS, y)
        p = head.probabilities(head.linear.decision(X))
        assert (head.decide(p) == (y == 1)).all()
        assert head.outputs == ["syria", "ukraine"]
        assert head.confident_from == 0.0  # every answer is right, so none is doubtful

    def test_stance_with_its_gate(self):
        y = np.arange(60) % 4
        head, X = fitted(STANCE, y)
        decision = head.linear.decision(X)
        assert decision.shape == (60, 4)
        p = head.probabilities(decision)
        assert p.sum(axis=1) == pytest.approx(np.ones(60))
        assert (p.argmax(axis=1) == np.where(y == 3, 2, y)).all()

    def test_two_labels_share_one_output(self):
        y = np.arange(40) % 2
        head, X = fitted(HeadConfig(kind="single", labels=["no", "yes"], column="x"), y)
        decision = head.linear.decision(X)
        assert decision.shape == (40, 1)
        assert (head.probabilities(decision).argmax(axis=1) == y).all()

    def test_the_grid_prefers_what_predicts_better(self):
        config = TOPICS.model_copy(
            update={"estimator": TOPICS.estimator.model_copy(update={"grid": {"C": [1e-6, 10.0]}})}
        )
        head, _ = fitted(config, np.array([[1, 0], [0, 1], [0, 0], [1, 1]] * 15), noise=0.2)
        assert head.chosen == {"syria": {"C": 10.0}, "ukraine": {"C": 10.0}}

    def test_doubtful_answers_are_told_apart(self):
        """Confidence is chosen so that 95 % of what is said above it is right, on scores not seen in fitting."""
        y = np.arange(300) % 3
        head, X = fitted(HeadConfig(kind="single", labels=["a", "b", "c"], column="x"), y, noise=0.45)
        p = head.probabilities(head.linear.decision(X))
        sure = head.confidence(p) >= head.confident_from
        right = p.argmax(axis=1) == y
        assert 0 < sure.mean() < 1
        assert right[sure].mean() > 0.93 > right[~sure].mean()

    @pytest.mark.parametrize("name", ["logistic_regression", "linear_svm", "sgd", "complement_nb", "dummy"])
    def test_every_estimator_fits_both_kinds(self, name):
        for config, y in ((TOPICS, np.array([[1, 0], [0, 1], [0, 0], [1, 1]] * 10)), (STANCE, np.arange(40) % 4)):
            estimator = config.estimator.model_copy(update={"name": name})
            head, X = fitted(config.model_copy(update={"estimator": estimator}), y)
            p = head.probabilities(head.linear.decision(X))
            assert p.shape == (40, len(config.labels))
            assert np.isfinite(p).all()

    @pytest.mark.parametrize("calibration", ["sigmoid", "isotonic", "none"])
    def test_every_calibration(self, calibration):
        y = np.array([[1, 0], [0, 1], [0, 0], [1, 1]] * 15)
        head, X = fitted(TOPICS.model_copy(update={"calibration": calibration}), y)
        assert (head.decide(head.probabilities(head.linear.decision(X))) == (y == 1)).all()


class TestRefusals:
    def refused(self, config: HeadConfig, y: np.ndarray, folds=None) -> str:
        half = len(y) // 2
        folds = folds or [(np.arange(half), np.arange(half, len(y))), (np.arange(half, len(y)), np.arange(half))]
        with pytest.raises(LabelError) as caught:
            fit_head("x", config, matrix(y), y, folds, seed=0, n_jobs=1)
        return str(caught.value)

    def test_a_label_that_no_article_has(self):
        said = self.refused(TOPICS, np.array([[1, 0], [0, 0]] * 10))
        assert said.startswith("head 'x': 'ukraine' has 0 training articles, too few to learn from\n  Label 4 articles")

    def test_a_label_that_one_article_has(self):
        y = np.array([[1, 0], [0, 0]] * 10)
        y[0, 1] = 1
        assert "'ukraine' has 1 training article, too few" in self.refused(TOPICS, y)

    def test_a_label_that_every_article_has(self):
        said = self.refused(TOPICS, np.array([[1, 1], [1, 0]] * 10))
        assert "every training article is labelled 'syria'" in said

    def test_one_class_only(self):
        config = HeadConfig(kind="single", labels=["a", "b"], column="x")
        assert "every training article is labelled 'a'" in self.refused(config, np.zeros(20, dtype=np.int64))

    def test_a_gate_that_is_always_open(self):
        said = self.refused(STANCE, np.arange(30) % 3)
        assert "'0 in column relevant' has 0 training articles" in said
        assert "leave gate out of [heads.x]" in said

    def test_a_label_whose_articles_are_copies(self):
        y = np.array([[1, 0], [0, 1], [0, 0], [0, 1]] * 10)
        y[:, 1] = 0
        y[[1, 3], 1] = 1
        folds = [(np.arange(4, 40), np.arange(4)), (np.arange(20), np.arange(20, 40))]
        said = self.refused(TOPICS, y, folds)
        assert "'ukraine' has 2 of 40 training articles, and they cannot be spread over 2 folds" in said
        assert "copies of each other" in said
