"""From files to labelled articles: every row used, left out for a reason, or refused by name."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline import config as configs
from pipeline import dataset
from pipeline.errors import CorpusError, InputError, LabelError

TEXTS = [
    "أعلنت وزارة الصحة في العاصمة افتتاح ثلاثة مراكز جديدة للتطعيم",
    "فاز المنتخب المضيف بهدفين مقابل هدف واحد في المباراة الافتتاحية",
    "هبطت أسعار النفط للأسبوع الثاني على التوالي وسط مخاوف من الركود",
    "وقع البلدان اتفاقا للتعاون في مجال الطاقة الشمسية والرياح",
]


def row(i: int, **more: str) -> dict[str, str]:
    return {"id": f"a{i}", "title": f"خبر {i}", "text": TEXTS[i % 4] + f" رقم {i}", "topics": "sport"} | more


def write_csv(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


def config(*sources: dict[str, object], heads: dict[str, object] | None = None, **more: object) -> configs.Config:
    topics = {"kind": "multilabel", "labels": ["sport", "economy"], "column": "topics"}
    return configs.parse(
        {
            "data": {"sources": list(sources)} | more,
            "features": {"words": {"kind": "tfidf"}},
            "heads": heads or {"topics": topics},
            "output": {"name": "x"},
        }
    )


def test_a_table_with_labels(tmp_path):
    rows = [row(0), row(1, topics="economy|sport"), row(2, topics="none"), row(3, topics="")]
    data = dataset.load(config({"path": str(write_csv(tmp_path / "a.csv", rows))}))
    assert data.table["id"].tolist() == ["a0", "a1", "a2", "a3"]
    assert data.labels["topics"].tolist() == [[1, 0], [1, 1], [0, 0], [-1, -1]]
    assert data.labelled("topics").tolist() == [True, True, True, False]  # an empty cell is no label, none is one
    assert len(set(data.groups)) == 4
    assert data.table["origin"].tolist() == [str(tmp_path / "a.csv")] * 4


def test_columns_by_other_names(tmp_path):
    rows = [{"nr": str(i), "head": "خبر", "content": TEXTS[i], "topics": "none"} for i in range(3)]
    path = write_csv(tmp_path / "a.csv", rows)
    data = dataset.load(config({"path": str(path), "columns": {"id": "nr", "title": "head", "text": "content"}}))
    assert data.table["id"].tolist() == ["0", "1", "2"]
    assert data.table["text"].tolist() == TEXTS[:3]


def test_labels_as_lists_in_json(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    rows = [row(0) | {"topics": ["economy", "sport"]}, row(1) | {"topics": []}]
    with gzip.open(path, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)
    assert dataset.load(config({"path": str(path)})).labels["topics"].tolist() == [[1, 1], [0, 0]]


def test_labels_of_their_own_file(tmp_path):
    for i in range(3):
        (tmp_path / f"{i}.txt").write_text(f"خبر\n{TEXTS[i]}", encoding="utf-8")
    labels = write_csv(
        tmp_path / "labels.csv", [{"id": "2.txt", "topics": "economy"}, {"id": "0.txt", "topics": "none"}]
    )
    data = dataset.load(config({"path": str(tmp_path / "*.txt"), "labels": str(labels)}))
    assert data.table["id"].tolist() == ["0.txt", "2.txt"]  # an article without a label is not learned from
    assert data.labels["topics"].tolist() == [[0, 0], [0, 1]]


def test_copies_are_one_group(tmp_path):
    rows = [row(0), row(1), row(0, id="b", title="عنوان آخر للخبر ذاته")]
    rows = [r | {"text": r["text"] + " " + " ".join(TEXTS[i % 2 :: 2])} for i, r in enumerate(rows)]
    data = dataset.load(config({"path": str(write_csv(tmp_path / "a.csv", rows))}))
    assert data.groups[0] == data.groups[2] != data.groups[1]


def test_the_digest_tells_texts_and_labels_but_not_places(tmp_path):
    def digest(name: str, rows: list[dict[str, str]]) -> str:
        return dataset.load(config({"path": str(write_csv(tmp_path / name, rows))})).digest

    first = digest("a.csv", [row(0), row(1)])
    assert digest("b.csv", [row(0), row(1)]) == first
    assert digest("c.csv", [row(0), row(1, topics="none")]) != first
    assert digest("d.csv", [row(0), row(1, text=TEXTS[3])]) != first
    assert digest("e.csv", [row(1), row(0)]) != first


def test_fields_add_up_to_the_text(tmp_path):
    data = dataset.load(config({"path": str(write_csv(tmp_path / "a.csv", [row(i) for i in range(4)]))}))
    title, lede, body = data.fields(np.array([2, 0]))
    assert title == ["خبر 2", "خبر 0"]
    assert [a + b for a, b in zip(lede, body, strict=True)] == [data.table["text"][2], data.table["text"][0]]


class TestLeftOut:
    def test_what_is_no_article_is_counted(self, tmp_path):
        rows = [row(0), row(1, text=""), row(2, text="قصير جدا"), row(3, text="no Arabic words are in here at all")]
        data = dataset.load(config({"path": str(write_csv(tmp_path / "a.csv", rows))}))
        assert data.table["id"].tolist() == ["a0"]
        assert data.rejects.counts == {"empty": 1, "too_short": 1, "no_arabic": 1}

    def test_the_second_article_of_an_id(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", [row(0), row(1), row(2, id="a0")])
        data = dataset.load(config({"path": str(path)}))
        assert data.table["id"].tolist() == ["a0", "a1"]
        assert data.rejects.counts == {"duplicate_id": 1}

    def test_a_label_whose_article_was_left_out_is_no_mistake(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", [row(0), row(1, text="قصير")])
        labels = write_csv(tmp_path / "l.csv", [{"id": "a0", "topics": "sport"}, {"id": "a1", "topics": "none"}])
        data = dataset.load(config({"path": str(path), "labels": str(labels)}))
        assert data.table["id"].tolist() == ["a0"]


class TestRefused:
    def refused(self, *sources: dict[str, object], kind: type[Exception] = LabelError, **more: object) -> str:
        with pytest.raises(kind) as caught:
            dataset.load(config(*sources, **more))
        return str(caught.value)

    def test_an_id_in_two_sources(self, tmp_path):
        paths = [write_csv(tmp_path / f"{name}.csv", [row(0), row(1)]) for name in "ab"]
        said = self.refused(*({"path": str(path)} for path in paths))
        assert "the id 'a0' stands twice, and 1 more do\n" in said
        assert f"It is in: {paths[0]}, {paths[1]}." in said

    @pytest.mark.parametrize("content", [b"", b"id,title,text,topics\n", b"\n\n"])
    def test_a_file_without_articles(self, tmp_path, content):
        (tmp_path / "a.csv").write_bytes(content)
        said = self.refused({"path": str(tmp_path / "a.csv")}, kind=InputError)
        assert "a.csv" in said or "no labelled article was read" in said

    def test_nothing_but_rejects(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", [row(0, text="قصير"), row(1, text="")])
        said = self.refused({"path": str(path)}, kind=InputError)
        assert said.startswith("[data] sources: no labelled article was read\n  Left out: 1 too_short, 1 empty.\n")
        assert said.endswith("\n  Labels are looked for in the columns topics.")

    def test_a_missing_file(self, tmp_path):
        write_csv(tmp_path / "articles.csv", [row(0)])
        said = self.refused({"path": str(tmp_path / "article.csv")}, kind=InputError)
        assert "there is no such file or folder\n  Did you mean articles.csv?" in said

    def test_a_binary_file(self, tmp_path):
        (tmp_path / "a.csv").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)))
        said = self.refused({"path": str(tmp_path / "a.csv")}, kind=InputError)
        assert "Left out: 1 binary." in said

    def test_no_label_column(self, tmp_path):
        rows = [{key: value for key, value in row(0).items() if key != "topics"}]
        said = self.refused({"path": str(write_csv(tmp_path / "a.csv", rows))}, kind=InputError)
        assert "a.csv: no 'topics' among its columns: 'id', 'title', 'text'" in said

    def test_no_text_column(self, tmp_path):
        rows = [{"id": "1", "txt": TEXTS[0], "topics": "none"}]
        said = self.refused({"path": str(write_csv(tmp_path / "a.csv", rows))}, kind=InputError)
        assert "no 'text' among its columns" in said
        assert "Did you mean 'txt'?" in said

    def test_an_unknown_label(self, tmp_path):
        said = self.refused({"path": str(write_csv(tmp_path / "a.csv", [row(0), row(1, topics="sprot")]))})
        assert "article a1: 'sprot' is not a label of head 'topics'" in said
        assert "Known: sport, economy." in said

    def test_no_label_at_all(self, tmp_path):
        said = self.refused({"path": str(write_csv(tmp_path / "a.csv", [row(0, topics=""), row(1, topics="")]))})
        assert "no article has a label in column 'topics'" in said

    def test_an_unknown_corpus(self):
        said = self.refused({"corpus": "antt"}, kind=CorpusError)
        assert "there is no corpus 'antt'" in said
        assert "ant, osac" in said

    def test_a_corpus_without_that_label(self):
        head = {"kind": "multilabel", "labels": ["a"], "column": "mood"}
        said = self.refused({"corpus": "written"}, heads={"x": head})
        assert "corpus 'written': has no labels 'mood'\n  It has: topics, relevant, stance, sure." in said


class TestLabelFiles:
    def refused(self, tmp_path, content: str | bytes, kind: type[Exception] = LabelError) -> str:
        path = write_csv(tmp_path / "a.csv", [row(0), row(1)])
        labels = tmp_path / "l.csv"
        labels.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(kind) as caught:
            dataset.load(config({"path": str(path), "labels": str(labels)}))
        assert str(caught.value).startswith(str(labels))
        return str(caught.value)

    def test_an_id_without_an_article(self, tmp_path):
        said = self.refused(tmp_path, "id,topics\na0,sport\nzz,none\n")
        assert "1 of 2 ids belong to no article, the first is 'zz'" in said

    def test_an_id_labelled_twice(self, tmp_path):
        said = self.refused(tmp_path, "id,topics\na0,sport\na1,none\na0,none\n")
        assert "line 4: article 'a0' is labelled a second time" in said

    @pytest.mark.parametrize("content", ["", "id\na0\n", "name,topics\na0,sport\n", "id;topics\na0;sport\n"])
    def test_a_missing_column(self, tmp_path, content):
        assert "has no column '" in self.refused(tmp_path, content)

    def test_no_text(self, tmp_path):
        assert "cannot be read as CSV" in self.refused(tmp_path, b"id,topics\n\xff\xfe\x00\n", InputError)

    def test_no_file(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", [row(0)])
        for labels, said in (("none.csv", "no such file of labels"), (".", "cannot be read: Is a directory")):
            with pytest.raises(InputError, match=said):
                dataset.load(config({"path": str(path), "labels": str(tmp_path / labels)}))

    def test_a_line_that_is_cut_short_is_no_label(self, tmp_path):
        path = write_csv(tmp_path / "a.csv", [row(0), row(1)])
        (tmp_path / "l.csv").write_text("id,topics\na0,sport\na1\n")
        data = dataset.load(config({"path": str(path), "labels": str(tmp_path / "l.csv")}))
        assert data.labels["topics"].tolist() == [[1, 0], [-1, -1]]
