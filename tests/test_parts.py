"""Parts: however an input is cut, each row is read once, in its place, under its number."""

from __future__ import annotations

import csv
import gzip
import io
import json
import pickle
import random
from dataclasses import replace

import pytest

from pipeline import articles, parts, store
from pipeline.articles import Columns, Rejects, Rules
from pipeline.articles.pieces import Piece, cut, weight
from pipeline.articles.reading import read_pieces
from pipeline.articles.sources import sources
from pipeline.errors import InputError, MachineError, ModelError

SENTENCE = "وصلت السفينة إلى الميناء بعد رحلة طويلة في بحر هائج."


def some_rows(n: int = 300) -> list[dict[str, str]]:
    """Articles of all sizes; some without an id, some too short, some over lines and with quotes."""
    chance = random.Random(7)
    return [
        {
            "id": "" if i % 7 == 0 else f"a{i}",
            "title": f'خبر "{i}"',
            "text": "قصير" if i % 11 == 0 else f'{SENTENCE * chance.randint(1, 9)}\nقال: "{i}", ثم مضى\r\nإلى بيته.',
        }
        for i in range(n)
    ]


def as_jsonl() -> bytes:
    ends = ("\n", "\r\n", "\r", "\n\n", "\n{broken\n")
    rows = (json.dumps(row, ensure_ascii=False) + ends[i % 5] for i, row in enumerate(some_rows()))
    return "".join(rows).encode()


def as_csv(encoding: str, delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    out.write("\r\n")  # a blank line before the header
    table = csv.writer(out, delimiter=delimiter)
    table.writerow(["id", "title", "text"])
    for i, row in enumerate(some_rows()):
        table.writerow(row.values())
        if i % 20 == 0:  # a quote in its wrong place, a quote that means nothing, a row of too few cells
            out.write(f'x{delimiter}"bad"x{delimiter}y\r\nz{delimiter}5" wide{delimiter}{SENTENCE}\r\nfew\r\n')
    return out.getvalue().encode(encoding)


def as_parquet() -> bytes:
    import pyarrow
    import pyarrow.parquet

    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(some_rows()), out, row_group_size=70)
    return out.getvalue()


FILES = {
    "a.jsonl": as_jsonl,
    "a.jsonl.gz": lambda: gzip.compress(as_jsonl()),
    "b.csv": lambda: as_csv("utf-8-sig"),
    "c.csv": lambda: as_csv("cp1256", ";"),
    "c.tsv": lambda: as_csv("utf-8", "\t"),
    "b.csv.gz": lambda: gzip.compress(as_csv("utf-8")),
    "d.parquet": as_parquet,
}


def told(pieces: list[Piece]) -> tuple[list, list]:
    """Articles and rejects of pieces, and which files they were said to be in which encoding."""
    found = []

    class Noted(Rejects):
        def add(self, reject, *, file, row=None):
            found.append((file, row, reject))

    rejects = Noted()
    read = [a for batch in read_pieces(pieces, Columns(), Rules(), 50, rejects) for a in batch]
    return [read, found], rejects.encodings.total()


@pytest.mark.parametrize("size", [300, 5_000, 40_000])
@pytest.mark.parametrize("name", FILES)
def test_pieces_have_the_rows_of_the_file(tmp_path, name, size):
    (tmp_path / name).write_bytes(FILES[name]())
    (source,) = sources(tmp_path / name)
    whole, times = told([Piece(source)])
    pieces = cut(source, Columns(), Rules(), size)
    one_by_one = [told([piece]) for piece in pieces]
    assert [[item for each, _ in one_by_one for item in each[i]] for i in (0, 1)] == whole
    assert sum(count for _, count in one_by_one) == times  # the encoding of a file is told once
    assert (len(pieces) > 1) == (weight(source) > size)
    assert len(pieces) <= 8 or not name.endswith(".gz")


def test_a_cut_that_can_be_followed_by_hand(tmp_path):
    (tmp_path / "a.jsonl").write_text("{1}\n{22}\n\n{333}\n{4}\n")
    (source,) = sources(tmp_path / "a.jsonl")
    pieces = cut(source, Columns(), Rules(), 6)
    # byte 6 is within the second line, which ends before byte 9; six bytes on is the last line
    assert [(p.start, p.stop, p.lines) for p in pieces] == [(0, 9, 0), (9, 16, 2), (16, None, 4)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_bytes_of_utf16_are_no_lines(tmp_path, name):
    data = FILES["a.jsonl" if name == "a.jsonl" else "b.csv"]()
    (tmp_path / name).write_bytes(data.decode("utf-8-sig").encode("utf-16"))
    (source,) = sources(tmp_path / name)
    assert cut(source, Columns(), Rules(), 1000) == [Piece(source)]


def test_damage_is_met_once_by_who_reads_it(tmp_path):
    data = gzip.compress(as_jsonl())
    (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
    (source,) = sources(tmp_path / "a.jsonl.gz")
    pieces = cut(source, Columns(), Rules(), 1000)
    assert len(pieces) > 1
    rejects = [reject.reason for piece in pieces for _, _, reject in told([piece])[0][1]]
    assert rejects.count("broken_file") == 1


class TestPlan:
    def test_small_files_come_together_and_big_ones_are_cut(self, tmp_path):
        for name, lines in (("a", 3), ("b", 3), ("c", 5), ("d", 25), ("e", 3)):
            (tmp_path / f"{name}.jsonl").write_text("123456789\n" * lines)
        plan = parts.plan(tmp_path, size=100)
        assert [part.number for part in plan] == [0, 1, 2, 3, 4, 5]
        assert [[(piece.source.name[0], piece.start) for piece in part.pieces] for part in plan] == [
            [("a", 0), ("b", 0)],  # 60 bytes; 50 more would be too many
            [("c", 0)],
            [("d", 0)],
            [("d", 100)],
            [("d", 200)],
            [("e", 0)],
        ]
        assert parts.plan(tmp_path, size=100) == plan

    def test_its_articles_are_those_of_reading_in_their_order(self, tmp_path):
        for name, data in FILES.items():
            (tmp_path / name).write_bytes(data())
        read = [a for batch in articles.read(tmp_path) for a in batch]
        pieces = [piece for part in parts.plan(tmp_path, size=3000) for piece in part.pieces]
        assert [a for batch in read_pieces(pieces, Columns(), Rules(), 64, Rejects()) for a in batch] == read

    def test_a_table_without_the_column_is_refused_where_it_is_cut(self, tmp_path):
        (tmp_path / "a.csv").write_text("id,body\n" + "1,x\n" * 100)
        with pytest.raises(InputError, match="no 'text' among its columns"):
            parts.plan(tmp_path / "a.csv", size=100)

    def test_a_missing_input(self, tmp_path):
        with pytest.raises(InputError, match="there is no such file"):
            parts.plan(tmp_path / "none.jsonl")


@pytest.fixture
def task(tiny, tmp_path):
    """A task for the tiny model."""
    manifest = store.read_manifest(tiny.folder)
    return parts.Task(str(tiny.folder), manifest["files"][store.SCORER]["sha256"], str(tmp_path), rejects=True)


class TestLabelPart:
    def test_it_depends_on_part_and_task_alone(self, tiny, tmp_path, task):
        plan = parts.plan(tiny.articles, size=20_000)
        assert len(plan) > 2
        done = [parts.label_part(*pickle.loads(pickle.dumps((part, task)))) for part in reversed(plan)]
        assert sum(each.rows for each in done) == len(tiny.rows())
        files = [task.file(part.number) for part in plan]
        assert [file.name for file in files[:2]] == ["part-00000.jsonl", "part-00001.jsonl"]
        rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        assert [row["id"] for row in rows] == [row["id"] for row in tiny.rows()]
        first = files[0].read_bytes()
        assert (done[-1].size, parts.label_part(plan[0], task).sha256) == (len(first), done[-1].sha256)
        assert files[0].read_bytes() == first

    def test_rejects_go_beside_it(self, tiny, tmp_path, task):
        (tmp_path / "in.jsonl").write_text(json.dumps(tiny.rows()[0], ensure_ascii=False) + "\n{broken\n")
        (part,) = parts.plan(tmp_path / "in.jsonl")
        assert parts.label_part(part, task).rejects == {"malformed": 1}
        (line,) = task.rejects_file(0).read_text().splitlines()
        assert (json.loads(line)["row"], json.loads(line)["reason"]) == (2, "malformed")
        parts.label_part(parts.plan(tiny.articles)[0], task)
        assert not task.rejects_file(0).exists()  # it was of the other input

    def test_another_model_in_its_place(self, tiny, task):
        (part,) = parts.plan(tiny.articles)
        with pytest.raises(ModelError, match="was changed since this run began"):
            parts.label_part(part, replace(task, seal="0" * 64))

    def test_a_full_disk(self, tiny, tmp_path, task, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        (part,) = parts.plan(tiny.articles)
        with pytest.raises(MachineError, match=r"part-00000.jsonl: cannot be written: No space left"):
            parts.label_part(part, task)
        assert not list(tmp_path.iterdir())
