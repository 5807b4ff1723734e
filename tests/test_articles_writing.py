"""Results appear whole or not at all."""

import csv
import errno
import io
import json
import sys

import pytest

from pipeline.articles import Columns, read, write, writer
from pipeline.articles.writing import Replacement
from pipeline.errors import MirsadError

ROWS = [
    {
        "id": "=1+1",
        "title": 'عنوان، "مقتبس"',
        "topics": ["syria", "ukraine"],
        "topics_scores": {"syria": 0.75, "ukraine": 0.5},
        "stance": "favor",
        "flags": [],
        "score": -0.5,
    },
    {
        "id": "b",
        "title": "@عنوان",
        "topics": [],
        "topics_scores": {"syria": 0.25, "ukraine": 0.0},
        "stance": "-",
        "flags": ["short"],
        "score": 1.0,
    },
]


def test_json_lines_come_back_as_they_were(tmp_path):
    assert write(iter(ROWS), tmp_path / "out.jsonl", batch_size=1) == 2
    lines = (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert "عنوان" in lines[0]


def test_csv_has_a_mark_and_runs_no_formula(tmp_path):
    write(ROWS, tmp_path / "out.csv")
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    header, first, second = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert header == [
        "id",
        "title",
        "topics",
        "topics_scores.syria",
        "topics_scores.ukraine",
        "stance",
        "flags",
        "score",
    ]
    assert first == ["'=1+1", 'عنوان، "مقتبس"', "syria|ukraine", "0.75", "0.5", "favor", "", "-0.5"]
    assert second == ["b", "'@عنوان", "", "0.25", "0.0", "'-", "short", "1.0"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_each_start_of_a_formula_is_guarded(tmp_path, start):
    write([{f"{start}key": f"{start}cmd|'/c calc'!A1"}], tmp_path / "out.csv")
    rows = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_text("utf-8-sig"), newline="")))
    assert all(row[0].startswith("'") for row in rows)


def test_parquet_keeps_lists_and_scores(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    write(ROWS, tmp_path / "out.parquet", batch_size=1)
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == ROWS


def test_parquet_keeps_evidence_where_the_first_article_has_none(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    word = {"text": "سورية", "field": "text", "start": 3, "end": 8, "weight": 0.25}
    rows = [{"id": "1", "evidence": {"syria": {"for": found, "against": []}}} for found in ([], [word])]
    write(rows, tmp_path / "out.parquet", batch_size=1)
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == rows


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_no_rows_still_make_a_file(tmp_path, ending):
    assert write([], tmp_path / f"out.{ending}") == 0
    assert (tmp_path / f"out.{ending}").exists()


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_nothing_is_left_when_the_rows_break_off(tmp_path, ending):
    def rows():
        yield ROWS[0]
        raise KeyboardInterrupt

    (tmp_path / f"out.{ending}").write_text("the old one")
    with pytest.raises(KeyboardInterrupt):
        write(rows(), tmp_path / f"out.{ending}", batch_size=1)
    assert [path.name for path in tmp_path.iterdir()] == [f"out.{ending}"]
    assert (tmp_path / f"out.{ending}").read_text() == "the old one"


def test_file_appears_only_when_the_block_ends(tmp_path):
    with writer(tmp_path / "out.jsonl") as out:
        out.write(ROWS)
        assert not (tmp_path / "out.jsonl").exists()
    assert (tmp_path / "out.jsonl").exists()


def test_full_disk_is_one_message_and_leaves_nothing(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pipeline.articles.writing.os.fsync", full)
    with pytest.raises(MirsadError, match="cannot be written: No space left on device"):
        write(ROWS, tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_one_message(tmp_path):
    with pytest.raises(MirsadError, match=r"out\.jsonl: cannot be written"):
        write(ROWS, tmp_path / "missing" / "out.jsonl")
    with pytest.raises(MirsadError, match="is a folder"):
        write(ROWS, tmp_path, "jsonl")


def test_unknown_ending_asks_for_a_format(tmp_path):
    with pytest.raises(MirsadError, match=r"'\.xlsx'"):
        write(ROWS, tmp_path / "out.xlsx")
    write(ROWS, tmp_path / "out.xlsx", "csv")
    assert (tmp_path / "out.xlsx").exists()


def test_link_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "out.jsonl"
    link.symlink_to(victim)
    write(ROWS, link)
    assert victim.read_text() == "precious"
    assert not link.is_symlink()


def test_link_under_the_temporary_name_gets_nothing(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("pipeline.articles.writing.secrets.token_hex", lambda size: "known")
    (tmp_path / ".out.jsonl.known.part").symlink_to(victim)
    with pytest.raises(MirsadError, match="cannot be written"):
        Replacement(tmp_path / "out.jsonl")
    assert victim.read_text() == "precious"


def test_standard_output_gets_rows_and_stays_open(monkeypatch):
    stream = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(stream))
    write(ROWS, "-")
    assert [json.loads(line) for line in stream.getvalue().splitlines()] == ROWS


def test_what_was_written_can_be_read_again(tmp_path):
    text = "افتتح المعرض أبوابه مساء الجمعة أمام جمهور كبير من الزوار."
    write([{"id": "1", "text": text, "stance": "favor"}], tmp_path / "out.csv")
    ((article,),) = read(tmp_path / "out.csv", columns=Columns(labels=("stance",)))
    assert (article.id, article.text, article.labels) == ("1", text, {"stance": "favor"})
