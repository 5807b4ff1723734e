"""Input that means harm: bombs, giants, nests, damage, and anything at all."""

import gzip
import json
import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.articles import REASONS, Article, Rejects, Rules, clean, fields, read
from pipeline.errors import InputError, visible

TEXT = "عاد الهدوء إلى الميناء بعد يومين من الإضراب الذي عطل حركة السفن."


def reasons(path, **rules):
    rejects = Rejects()
    articles = [a for batch in read(path, rules=Rules(**rules), rejects=rejects) for a in batch]
    return dict(rejects.counts), [a.id for a in articles]


def test_bomb_is_stopped_long_before_it_is_unpacked(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(300):
            file.write(b" " * (1 << 20))
    begun = time.perf_counter()
    counts, _ = reasons(path)
    assert counts == {"bomb": 1}
    assert time.perf_counter() - begun < 3


def test_repetitive_honest_archive_is_no_bomb(tmp_path):
    row = json.dumps({"text": TEXT}, ensure_ascii=False) + "\n"
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(row.encode() * 2000))
    assert len(reasons(path)[1]) == 2000


@pytest.mark.parametrize("cut", [0.5, 0.9])
def test_truncated_archive_gives_what_was_before_the_damage(tmp_path, cut):
    rows = "".join(json.dumps({"id": i, "text": f"{TEXT} {i * i}"}) + "\n" for i in range(5000))
    data = gzip.compress(rows.encode())
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data[: int(len(data) * cut)])
    counts, ids = reasons(path)
    assert counts["broken_file"] == 1
    assert 0 < len(ids) < 5000


def test_what_only_claims_to_be_gzipped_is_a_reject(tmp_path):
    (tmp_path / "a.txt.gz").write_text(TEXT)
    assert reasons(tmp_path)[0] == {"broken_file": 1}


def test_what_only_claims_to_be_parquet_is_a_reject(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_text(TEXT)
    (tmp_path / "b.parquet").write_bytes(b"")
    assert reasons(tmp_path)[0] == {"broken_file": 2}


class TestParquet:
    """A table can say of one cell that it stands in every row, and hold what no article is."""

    def read(self, tmp_path, **columns):
        pa = pytest.importorskip("pyarrow")
        import pyarrow.parquet

        path = tmp_path / "a.parquet"
        pyarrow.parquet.write_table(pa.table(columns), path, compression="zstd")
        return reasons(path)[0]

    def test_one_long_text_in_a_million_rows_is_a_bomb(self, tmp_path):
        pa = pytest.importorskip("pyarrow")
        rows = pa.DictionaryArray.from_arrays(pa.array([0] * 1_000_000, pa.int32()), pa.array([TEXT * 10_000]))
        begun = time.perf_counter()
        assert self.read(tmp_path, text=rows) == {"bomb": 1}
        assert (tmp_path / "a.parquet").stat().st_size < 10_000
        assert time.perf_counter() - begun < 5

    def test_a_day_outside_the_calendar(self, tmp_path):
        pa = pytest.importorskip("pyarrow")
        assert self.read(tmp_path, text=[TEXT], date=pa.array([2**30], pa.date32())) == {"broken_file": 1}

    def test_two_fields_of_one_name(self, tmp_path):
        pa = pytest.importorskip("pyarrow")
        twice = pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
        assert self.read(tmp_path, text=[TEXT], title=twice) == {"broken_file": 1}

    @pytest.mark.parametrize("text", [[TEXT], {"a": TEXT}, TEXT.encode(), True])
    def test_a_text_that_is_none(self, tmp_path, text):
        assert self.read(tmp_path, text=[text]) == {"malformed": 1}

    def test_an_id_of_two_million_characters(self, tmp_path):
        assert self.read(tmp_path, text=[TEXT], id=["x" * 2_000_000]) == {"too_long": 1}


def test_very_long_articles_come_in_small_batches(tmp_path):
    text = (TEXT + "\n") * 10_000
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps({"id": i, "text": text}, ensure_ascii=False) + "\n" for i in range(20))
    )
    batches = [len(batch) for batch in read(tmp_path / "a.jsonl", rules=Rules(clean=False))]
    assert sum(batches) == 20
    assert max(batches) < 10


@pytest.mark.parametrize("name", ["undefined", "a\0b", "rot13", "hex", "", "../utf-8"])
def test_what_is_no_encoding(tmp_path, name):
    (tmp_path / "a.txt").write_text(TEXT)
    with pytest.raises(InputError, match="there is no encoding"):
        read(tmp_path / "a.txt", rules=Rules(encoding=name))


@pytest.mark.parametrize("name", ["idna", "punycode", "unicode_escape", "utf-7", "utf-16", "utf-32"])
def test_an_encoding_that_the_file_is_not_in(tmp_path, name):
    (tmp_path / "a.jsonl").write_text(f'{{"id": "1", "text": "{TEXT}"}}\n')
    assert set(reasons(tmp_path, encoding=name)[0]) <= set(REASONS)


class TestFolders:
    """What lies in a folder and is no file is passed over; what goes away meanwhile is a reject."""

    def test_pipes_devices_rings_and_folders_with_an_ending(self, tmp_path):
        os.mkfifo(tmp_path / "pipe.txt")
        (tmp_path / "device.txt").symlink_to("/dev/zero")
        (tmp_path / "ring").symlink_to(tmp_path)
        (tmp_path / "self.txt").symlink_to("self.txt")
        (tmp_path / "gone.txt").symlink_to("nothing")
        (tmp_path / "folder.txt").mkdir()
        (tmp_path / "folder.txt" / "b.txt").write_text(TEXT)
        assert reasons(tmp_path) == ({}, ["b.txt"])

    def test_a_file_that_goes_away(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / f"{name}.txt").write_text(TEXT)
        rejects = Rejects()
        batches = read(tmp_path, rejects=rejects, batch_size=1)
        next(batches)
        (tmp_path / "b.txt").unlink()
        assert list(batches) == []
        assert rejects.counts == {"unreadable": 1}

    def test_a_file_that_gets_shorter(self, tmp_path):
        row = json.dumps({"text": TEXT}) + "\n"
        path = tmp_path / "a.jsonl"
        path.write_text(row * 5000)
        batches = read(path, batch_size=1)
        next(batches)
        path.write_text(row)
        assert sum(map(len, batches)) < 5000

    def test_names_that_steer_a_terminal(self, tmp_path):
        (tmp_path / "\x1b[2J\n.txt").write_bytes("عاد الهدوء إلى الميناء أمس بعد الإضراب.".encode("cp1256") * 5)
        rejects = Rejects()
        assert [a.id for batch in read(tmp_path, rejects=rejects) for a in batch] == ["\x1b[2J\n.txt"]
        assert visible(rejects.notes[0]).startswith("\\x1b[2J")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt"])
def test_giant_line_is_passed_over_without_being_held(tmp_path, name):
    import tracemalloc

    good = {"a.jsonl": f'{{"id": "ok", "text": "{TEXT}"}}\n', "a.csv": f"ok,{TEXT}\n", "a.txt": ""}[name]
    giant = {"a.jsonl": '{"id": "bad", "text": "', "a.csv": "bad,", "a.txt": ""}[name]
    path = tmp_path / name
    with path.open("w") as file:
        file.write("id,text\n" if name == "a.csv" else "")
        file.write(giant)
        for _ in range(200):
            file.write("x" * 100_000)
        file.write("\n" + good)
    tracemalloc.start()
    counts, ids = reasons(path, max_chars=50_000)
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()
    assert counts == {"too_long": 1}
    assert ids == (["ok"] if good else [])


def test_giant_quoted_cell_is_bounded_too(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,"' + "سطر قصير من نص طويل جدا\n" * 5_000 + f'"\n2,{TEXT}\n')
    counts, ids = reasons(path, max_chars=50_000)
    assert counts["too_long"] >= 1
    assert ids == ["2"]


@pytest.mark.parametrize("nest", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000])
def test_deeply_nested_json_is_a_reject(tmp_path, nest):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"id": 1, "text": "{TEXT}", "x": {nest}}}\n{{"id": 2, "text": "{TEXT}"}}\n')
    assert reasons(path) == ({"too_deep": 1}, ["2"])


def test_number_of_a_million_digits_is_a_reject(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"id": {"9" * 900_000}, "text": "{TEXT}"}}\n{{"id": 2, "text": "{TEXT}"}}\n')
    assert reasons(path) == ({"malformed": 1}, ["2"])


def test_ids_that_look_like_paths_are_only_ids(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(f'{{"id": "../../etc/passwd", "text": "{TEXT}"}}\n')
    assert reasons(path)[1] == ["../../etc/passwd"]


@pytest.mark.parametrize(
    "piece",
    [
        "اقرأ أيضا: " * 5,
        "نقلاً عن ",
        "- " * 60,
        "فيسبوك | ",
        "رويترز / ",
        "<a ",
        "&#12345",
        "12/12/",
        "(CNN) -- ",
        "تعليق (",
        " " * 50 + "\t",
        "الجزيرة نت - ",
        "كلمة\n",
        "؟\n",
    ],
)
def test_cleaning_takes_no_time_whatever_is_repeated(piece):
    text = piece * (200_000 // len(piece))
    begun = time.perf_counter()
    clean(text, text)
    clean(text[:300], "\n".join(text[i : i + 120] for i in range(0, len(text), 120)))
    assert time.perf_counter() - begun < 2


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), ending=st.sampled_from([".txt", ".csv", ".tsv", ".jsonl", ".txt.gz", ".jsonl.gz"]))
def test_no_bytes_at_all_end_a_run_with_anything_but_a_known_message(tmp_path, data, ending):
    from pipeline.errors import InputError

    path = tmp_path / f"a{ending}"
    path.write_bytes(data)
    try:
        counts, _ = reasons(path)
    except InputError:
        return
    assert set(counts) <= set(REASONS)


_PIECES = st.sampled_from(
    [
        TEXT,
        "\n",
        "   ",
        ".",
        "اقرأ أيضا:",
        "(CNN) --",
        "1,",
        '"',
        "&quot;",
        "<b>",
        "آخر تحديث:",
        "فيسبوك",
        "\u202b",
        "\0",
    ]
)


@settings(max_examples=300, deadline=None)
@given(title=st.text(max_size=40), text=st.lists(_PIECES | st.text(max_size=20), max_size=30).map("".join))
def test_clean_and_fields_take_any_text(title, text):
    found, kept = clean(title, text)
    assert clean(found, kept)[1] is not None
    assert "\n\n" not in kept
    assert kept == kept.strip()
    _, lede, body = fields(Article("1", found, kept))
    assert lede + body == kept
