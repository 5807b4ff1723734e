"""Training on many articles, held to what it promises on few."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import tiny_config

from pipeline import config as configs
from pipeline import crossfit, dataset, estimators, splits, train
from pipeline import model as models
from pipeline.features.featurizer import Featurizer
from pipeline.report import summary


@pytest.fixture
def many(monkeypatch):
    """Some forty articles count as many."""
    monkeypatch.setattr(crossfit, "MANY", 10)
    monkeypatch.setattr(estimators.Rotated, "MAX_ARTICLES", 10)


@pytest.fixture
def still(monkeypatch):
    """Folds that do not depend on labels."""
    plain = splits.folds
    monkeypatch.setattr(splits, "folds", lambda stratum, groups, k, seed: plain(np.zeros_like(stratum), groups, k, seed=seed))  # fmt: skip  # noqa: E501


def settings(tiny, tmp_path, **more) -> configs.Config:
    return configs.parse(tiny_config(tiny.articles, tmp_path, **({"evaluation": {"learning_curve": [0.6]}} | more)))


def halves(data) -> tuple[np.ndarray, np.ndarray]:
    """A split of its own, which is no fold of the cross-validation."""
    test = np.arange(len(data)) % 3 == 0
    return np.flatnonzero(~test), np.flatnonzero(test)


def test_a_whole_run(many, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "MOST", 12)
    trained = train.train(settings(tiny, tmp_path))
    report = trained.report
    assert report["provenance"]["features_once"]
    assert report["sample"] == {"shown": 12, "judged": len(trained.data)}
    assert len(report["articles"]) == 12
    shown = {line["id"] for line in report["articles"]}
    assert {error["id"] for error in report["errors"]} <= shown
    assert report["labels"]["topics"]["n"] == len(trained.data)
    assert "learned once" in (trained.folder / "report" / "report.html").read_text(encoding="utf-8")
    for judged in ("held_out", "cross_validation"):
        for name in ("topics", "stance"):
            ours, theirs = (t.metrics[judged]["heads"][name]["macro_f1"] for t in (trained, tiny.trained))
            assert ours["interval"][0] < theirs["interval"][1]
            assert theirs["interval"][0] < ours["interval"][1]


def test_the_saved_model_is_the_one_of_the_plain_way(many, tiny, tmp_path):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    everything = np.arange(len(data))
    ours = crossfit.fit(config, data, everything, everything[:0]).model
    X = ours.matrix(data.fields())
    theirs = models.fit(config, data, everything)
    np.testing.assert_allclose(X.toarray(), theirs.matrix(data.fields()).toarray(), atol=1e-12)
    for name, found in theirs.decisions(X).items():
        assert np.abs(ours.decisions(X)[name] - found).max() < 0.05


def test_a_run_is_the_same_again(many, tiny, tmp_path):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    first, second = (crossfit.fit(config, data, *halves(data)) for _ in range(2))
    for ours, theirs in zip(first.judged.values(), second.judged.values(), strict=True):
        assert (ours.probabilities["stance"] == theirs.probabilities["stance"]).all()


@pytest.mark.parametrize("judged", ["held_out", "cross_validation"])
def test_no_answer_depends_on_the_labels_of_those_asked(many, still, tiny, tmp_path, judged):
    tables = tiny_config(tiny.articles, tmp_path)
    heads = {name: head | {"calibration": "none"} for name, head in tables["heads"].items()}
    heads["topics"]["threshold"] = {"rule": "fixed", "at": 0.5}
    config = settings(tiny, tmp_path, heads=heads)
    data = dataset.load(config)
    train_rows, test_rows = halves(data)
    _, fold = splits.folds(splits.strata(data.labels), data.groups, config.split.folds, seed=config.seed)[0]
    asked = test_rows if judged == "held_out" else fold
    before = crossfit.fit(config, data, train_rows, test_rows).judged[judged]
    data.labels["topics"][asked] = 1 - data.labels["topics"][asked]
    after = crossfit.fit(config, data, train_rows, test_rows).judged[judged]
    rows = np.isin(before.rows, asked)
    assert (before.probabilities["topics"][rows] == after.probabilities["topics"][rows]).all()
    if judged == "cross_validation":  # the labels do matter to the others
        assert (before.probabilities["topics"][~rows] != after.probabilities["topics"][~rows]).any()


def test_held_out_labels_do_not_calibrate_either(many, still, tiny, tmp_path):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    before = crossfit.fit(config, data, *halves(data)).judged["held_out"]
    data.labels["topics"][before.rows] = 1 - data.labels["topics"][before.rows]
    after = crossfit.fit(config, data, *halves(data)).judged["held_out"]
    assert (before.probabilities["topics"] == after.probabilities["topics"]).all()
    assert (before.decided["topics"] == after.decided["topics"]).all()


def test_a_fold_that_is_held_out_is_judged_once(many, tiny, tmp_path):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    train_rows, test_rows = splits.folds(splits.strata(data.labels), data.groups, 2, seed=config.seed)[1]
    fitted = crossfit.fit(config, data, train_rows, test_rows)
    held_out, whole = fitted.judged["held_out"], fitted.judged["cross_validation"]
    assert held_out.rows.tolist() == test_rows.tolist()
    assert (held_out.probabilities["topics"] == whole.probabilities["topics"][test_rows]).all()
    assert [n for n, _ in fitted.parts] in ([], [round(0.6 * len(train_rows))])


@pytest.mark.parametrize(("sign", "best"), [(1, 0.001), (-1, 4.0)])
def test_the_setting_of_least_loss_is_taken(many, tiny, tmp_path, monkeypatch, sign, best):
    monkeypatch.setattr(crossfit, "calibrated_loss", lambda scores, y, n_classes: sign * float(np.abs(scores).mean()))
    tables = tiny_config(tiny.articles, tmp_path)
    grid = {"estimator": {"grid": {"C": [0.001, 4.0]}, "class_weight": "none"}}
    config = settings(tiny, tmp_path, heads={"topics": tables["heads"]["topics"] | grid})
    data = dataset.load(config)
    head = crossfit.fit(config, data, np.arange(len(data)), np.arange(0)).model.heads["topics"]
    plain = settings(tiny, tmp_path, heads={"topics": tables["heads"]["topics"] | {"estimator": {"C": best, "class_weight": "none"}}})  # fmt: skip  # noqa: E501
    alone = crossfit.fit(plain, data, np.arange(len(data)), np.arange(0)).model.heads["topics"]
    if sign < 0:  # the larger C has the larger scores, but for what the intercept does
        assert head.chosen == {"syria": {"C": best}, "ukraine": {"C": best}}
        assert (head.linear.coef == alone.linear.coef).all()
    else:
        assert set(head.chosen) == {"syria", "ukraine"}


@pytest.mark.parametrize("name", ["linear_svm", "complement_nb"])
def test_other_estimators_go_the_same_way(many, tiny, tmp_path, name):
    tables = tiny_config(tiny.articles, tmp_path)
    heads = {"topics": tables["heads"]["topics"] | {"estimator": {"name": name}}}
    config = settings(tiny, tmp_path, heads=heads)
    data = dataset.load(config)
    judged = crossfit.fit(config, data, *halves(data)).judged["held_out"]
    assert judged.probabilities["topics"].shape == (len(halves(data)[1]), 2)


def test_tied_weights_are_told_as_those_of_words(many, tiny, tmp_path):
    tables = tiny_config(tiny.articles, tmp_path)
    latent = {"kind": "latent", "components": 5, "max_features": 200}
    heads = {"topics": {key: of for key, of in tables["heads"]["topics"].items() if key != "blocks"}}
    config = settings(tiny, tmp_path, features={"words": tables["features"]["words"], "alike": latent}, heads=heads)
    data = dataset.load(config)
    featurizer, X = crossfit.features(config, data, None)
    assert X.shape == (len(data), 300 + 5)
    model = crossfit.fit(config, data, np.arange(len(data)), np.arange(0)).model
    coef = model.heads["topics"].linear.coef[:, model.featurizer.slices["alike"]]
    assert np.linalg.matrix_rank(coef) == 2
    tied = featurizer.tie(["alike"]).toarray()
    solved = tied @ np.linalg.lstsq(tied, coef.T, rcond=None)[0]
    np.testing.assert_allclose(solved, coef.T, atol=2e-3)  # weights are rounded to three digits


def test_a_drawn_vocabulary_and_the_idf_of_all(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(crossfit, "LEARN_FROM", 20)
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    featurizer, X = crossfit.features(config, data, None)
    everything = Featurizer(config.features, config.text.normalization)
    everything.fit_transform(*data.fields())
    ours, theirs = (of.tfidf.blocks_[0][2] for of in (featurizer, everything))
    known = dict(zip(theirs.terms.strings(), theirs.idf_.tolist(), strict=True))
    shared = [(idf, known[term]) for term, idf in zip(ours.terms.strings(), ours.idf_.tolist(), strict=True) if term in known]  # fmt: skip  # noqa: E501
    assert len(shared) > 100
    assert [ours for ours, _ in shared] == [theirs for _, theirs in shared]
    whole = featurizer.transform(*data.fields()).toarray()
    np.testing.assert_allclose(X.csr(np.arange(len(data))).toarray(), whole, atol=1e-4)


def test_few_articles_and_contexts_go_the_plain_way(tiny, tmp_path, monkeypatch):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    assert not crossfit.suits(config, data)
    monkeypatch.setattr(crossfit, "MANY", 10)
    assert crossfit.suits(config, data)
    tables = tiny_config(tiny.articles, tmp_path)
    tables["heads"]["stance"]["by"] = "source"
    assert not crossfit.suits(settings(tiny, tmp_path, heads=tables["heads"]), data)


def test_the_sample_of_a_report_is_told_by_ids(tiny, tmp_path, monkeypatch):
    config = settings(tiny, tmp_path)
    data = dataset.load(config)
    monkeypatch.setattr(crossfit, "MANY", 10)
    judged = crossfit.fit(config, data, *halves(data)).judged["cross_validation"]
    monkeypatch.setattr(summary, "MOST", 8)
    sample = summary.sampled(judged, data)
    assert len(sample.rows) == len(sample.asked) == len(sample.decided["topics"]) == 8
    assert (sample.probabilities["stance"] == judged.probabilities["stance"][sample.rows]).all()
    monkeypatch.setattr(summary, "MOST", 9)
    assert set(sample.rows) < set(summary.sampled(judged, data).rows)
    assert json.dumps(sample.rows.tolist()) == json.dumps(sorted(sample.rows.tolist()))
