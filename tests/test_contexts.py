"""Weights by context: what they are worked by hand, that they help, and that a saved model uses them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from pipeline import config, contexts, predict, store, train
from pipeline.articles import Article
from pipeline.errors import ConfigError
from pipeline.estimators import Linear, Task
from pipeline.explain import explain
from pipeline.heads import fit_head

X = csr_matrix(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))


def test_spread_by_hand():
    assert contexts.spread(X, np.array([0, 1, 2]), 2).toarray().tolist() == [
        [1, 2, 0, 0, 0, 0, 0, 0],
        [3, 4, 3, 4, 1, 0, 0, 0],
        [5, 6, 0, 0, 0, 5, 6, 1],
    ]


def test_what_is_gathered_decides_as_what_was_spread():
    random = np.random.default_rng(0)
    linear = Linear(random.normal(size=(3, 8)), random.normal(size=3))
    places = np.array([0, 1, 2])
    found = contexts.gather(linear, 2, 2)
    assert found.coef.shape == (9, 2)
    meant = found.decision(X).reshape(3, 3, 3)[np.arange(3), places]
    np.testing.assert_allclose(meant, linear.decision(contexts.spread(X, places, 2)))


def test_classes_are_balanced_within_each_part():
    settings = config.Estimator()
    task = Task(settings, np.arange(6), np.array([0, 0, 0, 1, 0, 1]), np.array([1, 1, 1, 1, 2, 2]))
    # the first part has three of class 0 and one of class 1, the second one of each
    assert task.weights(2) == pytest.approx([4 / 6, 4 / 6, 4 / 6, 4 / 2, 1, 1])
    assert task._replace(within=None).weights(2) == pytest.approx([6 / 8] * 3 + [6 / 4] + [6 / 8] + [6 / 4])


def test_one_feature_may_mean_opposite_things():
    random = np.random.default_rng(0)
    feature, second = random.integers(0, 2, 200), random.integers(0, 2, 200) == 1
    y = np.where(second, 1 - feature, feature)
    head = config.HeadConfig(kind="single", labels=["a", "b"], column="x", by="of")
    rows = csr_matrix(np.column_stack([feature, 1 - feature]).astype(float))
    folds = [(np.nonzero(np.arange(200) % 4 != k)[0], np.nonzero(np.arange(200) % 4 == k)[0]) for k in range(4)]
    of = np.where(second, "second", "first").tolist()
    found = fit_head("x", head, rows, y, folds, seed=0, n_jobs=1, of=of)
    assert found.contexts == ["first", "second"]
    scores = found.linear.decision(rows)
    decided = found.decide(found.probabilities(found.meant(scores, found.places(200, {"of": of}))))
    assert (decided[:, 1] == (y == 1)).all()
    unknown = found.meant(scores, found.places(200, {}))  # what they share says nothing here
    assert np.abs(unknown).max() < 0.1 * np.abs(scores).max()


CALM, STORM = "الطقس هادئ جدا هذا اليوم", "الطقس عاصف جدا هذا اليوم"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Calm is good for sailors' rest, storm for their sails: one word, two meanings."""
    folder = tmp_path_factory.mktemp("contexts")
    rows = [
        {"id": f"{i}", "text": f"{text} في الميناء رقم {i}", "of": of, "label": label, "part": part}
        for i, (text, of, label, part) in enumerate(
            (text, of, "good" if (text == CALM) == (of == "rest") else "bad", part)
            for part in ["old"] * 8 + ["new"] * 2
            for text in (CALM, STORM)
            for of in ("rest", "sails")
        )
    ]
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    settings = config.parse(
        {
            "n_jobs": 1,
            "data": {"sources": [{"path": str(source)}]},
            "cleaning": {"duplicates": 1.0},
            "split": {"kind": "column", "column": "part", "test_values": ["new"], "folds": 2},
            "features": {"words": {"kind": "tfidf"}},
            "heads": {
                "x": {
                    "kind": "single",
                    "labels": ["good", "bad"],
                    "column": "label",
                    "by": "of",
                    "score": {"labels": ["good"], "by": "of"},
                }
            },
            "evaluation": {"learning_curve": []},
            "output": {"name": "weather", "folder": str(folder)},
        }
    )
    return train.train(settings), folder


def test_the_column_parts_and_the_score_is_told(model):
    held_out = model[0].metrics["held_out"]["heads"]["x"]
    assert held_out["n"] == 8
    assert held_out["score"]["parts"] == {"rest": 1.0, "sails": 1.0}
    assert held_out["score"]["value"] == 1.0
    assert model[0].report["how"] == "held_out"
    page = (model[1] / "weather" / "report" / "report.html").read_text(encoding="utf-8")
    assert "mean F1 of good, averaged over of" in page


def test_prediction_reads_the_column(model, tmp_path):
    asked = tmp_path / "asked.jsonl"
    asked.write_text(
        "".join(json.dumps({"id": of, "text": CALM, "of": of}, ensure_ascii=False) + "\n" for of in ("rest", "sails")),
        encoding="utf-8",
    )
    for explain_too in (False, True):
        predict.predict_files(asked, model[1] / "weather", output=tmp_path / "rows.jsonl", explain=explain_too)
        rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
        assert [row["x"] for row in rows] == ["good", "bad"]


def test_compiled_saved_and_explained_alike(model):
    saved, manifest = store.load(model[1] / "weather")
    scorer, _ = store.load_scorer(model[1] / "weather")
    assert manifest["heads"]["x"]["by"] == "of"
    assert scorer.columns == ["of"]
    fields = ([""] * 3, [CALM] * 3, [""] * 3)
    cells = {"of": ["rest", "sails", "unheard of"]}
    compiled = scorer.ask(fields, cells).decisions["x"]
    np.testing.assert_allclose(compiled, saved.decisions(saved.matrix(fields), cells)["x"], atol=1e-4)
    assert len(set(compiled[:, 0].round(6))) == 3
    articles = [Article("", "", CALM, labels={"of": of}) for of in cells["of"]]
    for explanation, decision in zip(explain(saved, articles), compiled, strict=True):
        assert explanation.decision("x") == pytest.approx(decision, abs=1e-4)


def test_mistakes_of_a_config():
    head = {"kind": "multilabel", "labels": ["a"], "column": "x", "by": "of"}
    tree = {
        "data": {"sources": [{"corpus": "mawqif"}]},
        "split": {"kind": "column"},
        "features": {"words": {"kind": "tfidf"}},
        "heads": {"x": head, "y": {"kind": "single", "labels": ["a", "b"], "column": "x", "score": {"labels": ["c"]}}},
        "output": {"name": "x"},
    }
    with pytest.raises(ConfigError) as caught:
        config.parse(tree)
    for part in ("by belongs to", "needs column", "a label that the head does not have"):
        assert part in str(caught.value)
