"""Rows for articles: every article once, in order, with its id as it was."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys

import pytest

from pipeline import articles, predict, store
from pipeline.articles import Article
from pipeline.errors import InputError, MirsadError, ModelError
from pipeline.rows import label


def labelled(tiny, tmp_path, inputs=None, name: str = "out.jsonl", **more) -> list[dict]:
    predict.predict_files(inputs or tiny.articles, tiny.folder, output=tmp_path / name, n_jobs=1, **more)
    return [json.loads(line) for line in (tmp_path / name).read_text(encoding="utf-8").splitlines()]


def test_a_row_holds_what_is_promised(tiny, tmp_path):
    rows = labelled(tiny, tmp_path)
    given = tiny.rows()
    assert [row["id"] for row in rows] == [row["id"] for row in given]
    assert [(row["source"], row["date"]) for row in rows] == [(row["source"], row["date"]) for row in given]
    name = store.short_name(store.read_manifest(tiny.folder))
    for row in rows:
        assert list(row) == [
            "id", "title", "source", "date", "topics", "topics_scores", "stance", "stance_scores", "flags", "model",
        ]  # fmt: skip
        assert row["model"] == name
        assert list(row["topics_scores"]) == ["syria", "ukraine"]
        assert sum(row["stance_scores"].values()) == pytest.approx(1, abs=2e-4)
        assert row["stance"] == max(row["stance_scores"], key=row["stance_scores"].get)
        assert set(row["topics"]) <= {"syria", "ukraine"}
        scores = [row["topics_scores"][topic] for topic in row["topics"]]
        assert scores == sorted(scores, reverse=True)


def test_the_model_has_learned_its_own_articles(tiny, tmp_path):
    rows, given = labelled(tiny, tmp_path), tiny.rows()
    assert sum(set(a["topics"]) == set(b["topics"]) for a, b in zip(rows, given, strict=True)) > 0.8 * len(rows)


def test_neither_batches_nor_threads_show(tiny, tmp_path):
    whole = labelled(tiny, tmp_path)
    assert labelled(tiny, tmp_path, batch_size=7) == whole
    predict.predict_files(tiny.articles, tiny.folder, output=tmp_path / "two.jsonl", n_jobs=2)
    assert (tmp_path / "two.jsonl").read_bytes() == (tmp_path / "out.jsonl").read_bytes()


def test_every_format_says_the_same(tiny, tmp_path):
    import pyarrow.parquet

    rows = labelled(tiny, tmp_path)
    for name in ("out.csv", "out.parquet"):
        predict.predict_files(tiny.articles, tiny.folder, output=tmp_path / name, n_jobs=1)
    assert pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist() == rows
    table = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8-sig"))))
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert [row["topics"] for row in table] == ["|".join(row["topics"]) for row in rows]
    assert [float(row["stance_scores.favor"]) for row in table] == [row["stance_scores"]["favor"] for row in rows]


def test_explanations_are_an_addition(tiny, tmp_path):
    plain, explained = labelled(tiny, tmp_path), labelled(tiny, tmp_path, explain=True, batch_size=20)
    assert [{key: row[key] for key in plain[0]} for row in explained] == plain
    assert set(explained[0]) > set(plain[0])


def test_folders_of_text_files_and_their_names(tiny, tmp_path):
    (tmp_path / "in").mkdir()
    for row in tiny.rows()[:3]:
        (tmp_path / "in" / f"{row['id']}.txt").write_text(f"{row['title']}\n\n{row['text']}", encoding="utf-8")
    rows = labelled(tiny, tmp_path, tmp_path / "in")
    assert sorted(row["id"] for row in rows) == sorted(f"{row['id']}.txt" for row in tiny.rows()[:3])


def test_one_article_from_standard_input(tiny, tmp_path, monkeypatch):
    row = tiny.rows()[0]
    piped = io.TextIOWrapper(io.BytesIO(f"{row['title']}\n\n{row['text']}".encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    (found,) = labelled(tiny, tmp_path, "-")
    assert found["title"] == row["title"]


def test_what_is_no_article_is_set_aside_and_the_rest_goes_on(tiny, tmp_path):
    lines = [json.dumps(row, ensure_ascii=False) for row in tiny.rows()[:2]]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join([lines[0], "{broken", '{"id": "x", "text": ""}', lines[1]]), encoding="utf-8")
    rejects = tmp_path / "rejects.jsonl"
    summary = predict.predict_files(path, tiny.folder, output=tmp_path / "out.jsonl", rejects_to=rejects, n_jobs=1)
    assert summary.rows == 2
    assert summary.rejects == {"malformed": 1, "empty": 1}
    assert "2 articles labelled in " in summary.sentence()
    assert "left out 1 malformed, 1 empty" in summary.sentence()
    found = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [(row["row"], row["reason"]) for row in found] == [(2, "malformed"), (3, "empty")]


def test_an_article_unlike_all_others_is_flagged(tiny):
    scorer, _ = store.load_scorer(tiny.folder)
    strange = Article("x", "ززز", "ظغظغ ثضثض ذظذظ غضغض ظثظث ضذضذ غثغث")
    (row,) = label(scorer, [strange], model="m")
    assert "out_of_scope" in row["flags"]
    rows = label(scorer, [a for batch in articles.read(tiny.articles) for a in batch], model="m")
    assert sum("out_of_scope" in row["flags"] for row in rows) <= 2


def test_doubtful_answers_are_flagged_by_head(tiny):
    scorer, _ = store.load_scorer(tiny.folder)
    batch = [a for batch in articles.read(tiny.articles) for a in batch]
    for rule in scorer.rules:
        rule.confident_from = 0.9
        sure = rule.confidence(scorer.ask(articles.split_fields(batch)).probabilities[rule.name]) >= 0.9
        rows = label(scorer, batch, model="m")
        assert [f"uncertain:{rule.name}" not in row["flags"] for row in rows] == sure.tolist()


def test_the_likeliest_topic_comes_first(tiny):
    scorer, _ = store.load_scorer(tiny.folder)
    scorer.rules[0].thresholds = [0.0, 0.0]  # every topic is given
    rows = label(scorer, [a for batch in articles.read(tiny.articles) for a in batch], model="m")
    assert {row["topics"][0] for row in rows} == {"syria", "ukraine"}
    for row in rows:
        assert row["topics"] == sorted(row["topics_scores"], key=row["topics_scores"].get, reverse=True)


def test_progress_counts_rows(tiny, tmp_path):
    counts: list[int] = []
    labelled(tiny, tmp_path, batch_size=20, progress=counts.append)
    assert counts == [20, 40, len(tiny.rows())]


def test_a_notebook_gets_the_same_answers(tiny, tmp_path):
    import pipeline

    model, _ = pipeline.load(tiny.folder)
    assert isinstance(model, pipeline.Model)
    read = [a for batch in articles.read(tiny.articles) for a in batch]
    found = model.predict(read)
    rows = labelled(tiny, tmp_path)
    assert found.to_dict("records") == [{k: v for k, v in row.items() if k != "model"} for row in rows]
    assert model.predict([read[0].text]).loc[0, "id"] == "0"
    assert model.predict([]).empty
    summary = pipeline.predict(tiny.articles, tiny.folder, output=tmp_path / "called.jsonl", n_jobs=1)
    assert summary.rows == len(rows)


def test_a_table_gets_the_same_answers(tiny):
    import pandas as pd

    model, _ = store.load(tiny.folder)
    read = [a for batch in articles.read(tiny.articles) for a in batch]
    table = articles.table(read).set_index("url", drop=False)  # rows are told by position, whatever the index
    assert model.predict(table).to_dict("records") == model.predict(read).to_dict("records")
    bare = model.predict(pd.DataFrame({"text": [a.text for a in read], 7: 0}))
    assert bare.to_dict("records") == model.predict([a.text for a in read]).to_dict("records")

    sparse = pd.DataFrame({"id": [7, None], "text": ["عاد الهدوء إلى الميناء", None], "title": [float("nan"), pd.NA]})
    sparse["id"] = sparse["id"].astype("Int64")
    sparse["date"] = pd.to_datetime(["2018-05-11", None])
    found = model.predict(sparse)
    assert found["id"].tolist() == ["7", "1"]
    assert found["title"].tolist() == ["", ""]
    assert found["date"].tolist() == ["2018-05-11T00:00:00", ""]
    assert model.predict(sparse[:0]).empty

    with pytest.raises(InputError, match=r"the table: no 'text' among its columns: 'id', 'title'"):
        model.predict(sparse[["id", "title"]])
    with pytest.raises(InputError, match=r"row 1 of the table: 'text' should be text, not a list"):
        model.predict(pd.DataFrame({"text": ["عاد الهدوء", ["عاد"]]}))


class TestRefused:
    def refused(self, tiny, tmp_path, inputs, kind=InputError, **more) -> str:
        with pytest.raises(kind) as caught:
            labelled(tiny, tmp_path, inputs, **more)
        assert not (tmp_path / "out.jsonl").exists()
        return str(caught.value)

    def test_nothing_but_rejects(self, tiny, tmp_path):
        (tmp_path / "in.jsonl").write_text("{broken\n")
        rejects = tmp_path / "rejects.jsonl"
        said = self.refused(tiny, tmp_path, tmp_path / "in.jsonl", rejects_to=rejects)
        assert "in.jsonl: nothing in the input is an article\n  Left out: 1 malformed." in said
        assert rejects.is_file()

    def test_a_missing_input_before_the_model_is_read(self, tmp_path):
        with pytest.raises(InputError, match="there is no such file"):
            predict.predict_files(tmp_path / "none.csv", tmp_path / "no-model", output=tmp_path / "out.jsonl")

    def test_a_missing_model(self, tiny, tmp_path):
        with pytest.raises(ModelError, match="is no model folder"):
            predict.predict_files(tiny.articles, tmp_path / "no-model", output=tmp_path / "out.jsonl")

    def test_a_folder_that_does_not_exist(self, tiny, tmp_path):
        said = self.refused(tiny, tmp_path, None, MirsadError, name="none/out.jsonl")
        assert "cannot be written" in said

    def test_a_table_without_the_text_halfway(self, tiny, tmp_path):
        """The first file is labelled already; no half result is left."""
        shutil.copy(tiny.articles, tmp_path / "a.jsonl")
        (tmp_path / "b.csv").write_text("id,body\n1,x\n")
        said = self.refused(tiny, tmp_path, [tmp_path / "a.jsonl", tmp_path / "b.csv"], batch_size=10)
        assert "no 'text' among its columns" in said
        assert not list(tmp_path.glob(".*"))
