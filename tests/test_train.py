"""Training and judging: the same again byte for byte, and figures from articles that a model has not seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import some_articles, tiny_config

from pipeline import config as configs
from pipeline import dataset, evaluate, predict, store, train
from pipeline import model as models
from pipeline.errors import ConfigError, LabelError, ModelError


@pytest.fixture
def articles(tiny, tmp_path):
    """A copy of the tiny model's articles."""
    return Path(shutil.copy(tiny.articles, tmp_path / "articles.jsonl"))


def small(articles, tmp_path, **more) -> configs.Config:
    """A config that trains in a second: words alone, nothing held out."""
    words = {"words": {"kind": "tfidf", "max_features": 200}}
    topics = {"kind": "multilabel", "labels": ["syria", "ukraine"], "column": "topics"}
    tables = {
        "features": words,
        "heads": {"topics": topics},
        "split": {"kind": "none", "folds": 2},
        "evaluation": {},
    }
    return configs.parse(tiny_config(articles, tmp_path / "models", **(tables | more)))


def test_the_same_again_gives_the_same_bytes(tiny, tmp_path):
    again = train.train(configs.load(tiny.config, [f"output.folder={json.dumps(str(tmp_path))}"]))
    assert (again.folder / "metrics.json").read_bytes() == (tiny.folder / "metrics.json").read_bytes()
    for folder, name in ((tiny.folder, "a.jsonl"), (again.folder, "b.jsonl")):
        predict.predict_files(tiny.articles, folder, output=tmp_path / name, n_jobs=1)
    rows = [
        [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]
        for name in ("a.jsonl", "b.jsonl")
    ]
    assert rows[0] == rows[1]  # down to the hash of the model's file


def test_metrics_hold_every_judgement_and_baseline(tiny):
    metrics = json.loads((tiny.folder / "metrics.json").read_text(encoding="utf-8"))
    n = len(tiny.rows())
    assert list(metrics) == ["held_out", "cross_validation"]
    assert metrics["cross_validation"]["heads"]["topics"]["n"] == n
    assert 0.15 * n < metrics["held_out"]["heads"]["topics"]["n"] < 0.5 * n
    for judged in metrics.values():
        assert set(judged["heads"]) == {"topics", "stance"}
        assert set(judged["baselines"]) == {"majority", "terms"}
        assert set(judged["baselines"]["terms"]) == {"topics"}  # there are no terms of stances
        assert judged["heads"]["topics"]["macro_f1"]["value"] > judged["baselines"]["majority"]["topics"]["macro_f1"]["value"]  # fmt: skip  # noqa: E501


def test_cross_validation_asks_about_each_article_once_a_model_without_it(tiny):
    config, data = configs.load(tiny.config), tiny.trained.data
    judged = evaluate.cross_validate(config, data)
    assert judged.rows.tolist() == list(range(len(data)))
    assert len(judged.models) == config.split.folds
    for fold, model in enumerate(judged.models):
        rows = np.nonzero(judged.asked == fold)[0]
        alone = evaluate.judge(model, data, rows)
        for name in config.heads:
            np.testing.assert_array_equal(alone.probabilities[name], judged.probabilities[name][rows])
        copies = np.isin(data.groups, data.groups[rows])
        assert copies.sum() == len(rows)
        rest = models.fit(config, data, np.nonzero(judged.asked != fold)[0])
        np.testing.assert_array_equal(
            evaluate.judge(rest, data, rows).probabilities["stance"], judged.probabilities["stance"][rows]
        )


def test_the_majority_baseline_by_hand(tiny):
    config, data = configs.load(tiny.config), tiny.trained.data
    rows = np.arange(len(data))
    found = evaluate.baselines(config, data, rows)["majority"]
    truth, _ = evaluate.true_labels(config.heads["stance"], data.labels["stance"])
    commonest = np.bincount(truth).argmax()
    assert found["stance"]["accuracy"]["value"] == pytest.approx((truth == commonest).mean())


def test_articles_without_a_label_for_one_head_teach_the_other(tiny, tmp_path):
    rows = tiny.rows()
    for row in rows[::3]:
        row["stance"] = ""
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    result = train.train(small(path, tmp_path, heads=tiny_config(path, tmp_path)["heads"] | {"topics": {
        "kind": "multilabel", "labels": ["syria", "ukraine"], "column": "topics"}}))  # fmt: skip
    heads = result.metrics["cross_validation"]["heads"]
    assert heads["topics"]["n"] == len(rows)
    assert heads["stance"]["n"] == len(rows) - len(rows[::3])


@pytest.mark.parametrize("kind", ["terms", "target"])
def test_models_of_term_lists_alone(tiny, tmp_path, kind):
    block = tiny_config(tiny.articles, tmp_path)["features"][kind]
    config = small(tiny.articles, tmp_path, features={kind: block})
    result = train.train(config)
    scorer, _ = store.load_scorer(result.folder)
    assert scorer.tfidf is None
    fields = result.data.fields()
    np.testing.assert_allclose(
        scorer.ask(fields).decisions["topics"], result.model.decisions(result.model.matrix(fields))["topics"], atol=1e-9
    )


def test_articles_without_labels_lend_their_document_frequencies(tiny, tmp_path):
    config = small(tiny.articles, tmp_path)
    background = tmp_path / "more"
    background.mkdir()
    for i in range(5):
        (background / f"{i}.txt").write_text("خبر\nأعلنت الوزارة افتتاح مركز جديد في المدينة", encoding="utf-8")
    with_more = configs.parse(
        tiny_config(tiny.articles, tmp_path / "models", **{
            **{key: config.model_dump(mode="json")[key] for key in ("features", "heads", "split", "evaluation")},
            "data": {"sources": [{"path": str(tiny.articles)}], "unlabelled": [{"path": str(background)}]},
        })
    )  # fmt: skip
    idf = [train.train(c).model.featurizer.tfidf.blocks_[0][2].idf_ for c in (config, with_more)]
    assert len(idf[0]) == len(idf[1])
    assert (idf[0] != idf[1]).any()


def test_evaluating_needs_nothing_but_the_folder(tiny, tmp_path, monkeypatch):
    """The lists of terms that a model was trained with may be elsewhere by then."""
    manifest = json.loads((tiny.folder / "manifest.json").read_text())
    folder = shutil.copytree(tiny.folder, tmp_path / "copy")
    for feature in manifest["config"]["features"].values():
        if feature["kind"] != "tfidf":
            feature["path"] = "gone.toml"
    manifest["config"]["evaluation"] = {"terms": "gone.toml", "second": "gone.csv", "learning_curve": []}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    monkeypatch.chdir(tmp_path)
    result = evaluate.evaluate_files([str(tiny.articles)], folder, output=tmp_path / "out")
    assert set(result.metrics["baselines"]) == {"majority"}
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == result.metrics
    assert (tmp_path / "out" / "report.html").is_file()


class TestRefused:
    def test_three_articles(self, articles, tmp_path):
        path = tmp_path / "three.jsonl"
        lines = articles.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(lines[:3]), encoding="utf-8")
        with pytest.raises(LabelError, match="3 labelled articles are too few to train on"):
            train.train(small(path, tmp_path))

    def test_one_class_only(self, articles, tmp_path):
        config = small(articles, tmp_path)
        data = dataset.load(config)
        data.labels["topics"][:, 0] = 0
        with pytest.raises(LabelError, match="head 'topics': 'syria' has 0 training articles"):
            models.fit(config, data, np.arange(len(data)))

    def test_no_feature_is_frequent_enough(self, articles, tmp_path):
        config = small(articles, tmp_path, features={"words": {"kind": "tfidf", "min_df": 1000}})
        with pytest.raises(ConfigError, match=r"\[features\]: no features can be made of \d+ articles"):
            train.train(config)

    def test_a_place_that_holds_something_else_before_any_work(self, articles, tmp_path):
        (tmp_path / "models" / "tiny").mkdir(parents=True)
        (tmp_path / "models" / "tiny" / "mine.txt").write_text("x")
        said: list[str] = []
        with pytest.raises(ModelError, match="holds something else than a model"):
            train.train(small(articles, tmp_path), say=said.append)
        assert said == []

    def test_missing_terms(self, articles, tmp_path):
        config = small(articles, tmp_path, features={"terms": {"kind": "terms", "path": "none.toml"}})
        with pytest.raises(ConfigError, match=r"none\.toml: no such file of terms"):
            train.train(config)


def test_the_tiny_corpus_is_what_its_tests_take_it_for():
    rows = some_articles()
    assert 30 <= len(rows) <= 60
    assert {row["stance"] for row in rows} == {"favor", "against", "neutral"}
