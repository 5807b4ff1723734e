"""Encodings are recognized, never guessed silently."""

import codecs

import pytest

from pipeline.articles import Rejects, Rules, read
from pipeline.articles.decoding import detect

TEXT = "قالت الوزيرة إن المفاوضات الجارية بين الطرفين لم تصل بعد إلى نتيجة، وإن اللقاء القادم سيكون في نهاية الشهر."


def one(path, **rules):
    rejects = Rejects()
    articles = [a for batch in read(path, rules=Rules(**rules), rejects=rejects) for a in batch]
    return articles, rejects


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("cp1256", "cp1256"),
        ("iso8859_6", "iso8859_6"),
    ],
)
@pytest.mark.parametrize("form", ["txt", "csv", "jsonl"])
def test_encodings_are_recognized_and_told(tmp_path, encoding, name, form):
    path = tmp_path / f"a.{form}"
    whole = {"txt": TEXT, "csv": f"id,text\r\n1,{TEXT}\r\n", "jsonl": f'{{"id": 1, "text": "{TEXT}"}}\n'}[form]
    path.write_bytes(whole.encode(encoding))
    (article,), rejects = one(path)
    assert article.text == TEXT
    assert rejects.encodings == {name: 1}
    assert bool(rejects.notes) == (name != "utf-8")


def test_big_endian_utf16_is_told_by_its_mark():
    assert detect(codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), complete=True) == ("utf-16", "byte order mark")


def test_note_says_how_it_was_recognized(tmp_path):
    (tmp_path / "old.txt").write_bytes(TEXT.encode("cp1256"))
    _, rejects = one(tmp_path)
    assert rejects.notes == ["old.txt: read as cp1256 (charset-normalizer, checked by letter frequencies)"]


def test_notes_are_bounded(tmp_path):
    for i in range(30):
        (tmp_path / f"{i}.txt").write_bytes(TEXT.encode("cp1256"))
    _, rejects = one(tmp_path)
    assert rejects.encodings == {"cp1256": 30}
    assert len(rejects.notes) == rejects.max_notes


def test_encoding_may_be_forced(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXT.encode("utf-16-le"))  # no mark: cannot be told from a binary file
    assert one(path)[1].counts == {"binary": 1}
    (article,), rejects = one(path, encoding="utf-16-le")
    assert article.text == TEXT
    assert rejects.notes == ["a.txt: read as utf-16-le (as told)"]


@pytest.mark.parametrize("form", ["txt", "csv", "jsonl"])
def test_encoding_that_cannot_be_is_a_reject(tmp_path, form):
    (tmp_path / f"a.{form}").write_bytes(TEXT.encode("utf-8"))
    articles, rejects = one(tmp_path, encoding="utf-16")
    assert articles == []
    assert rejects.counts == {"undecodable": 1}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "binary"),
        ("Les négociations ont repris à Genève après une pause.".encode("cp1252"), "undecodable"),
        (bytes(range(128, 256)) * 4, "undecodable"),
        (b"\xff" * 400, "undecodable"),
    ],
)
def test_what_is_no_arabic_text_is_rejected_not_guessed(tmp_path, data, reason):
    (tmp_path / "a.txt").write_bytes(data)
    articles, rejects = one(tmp_path)
    assert articles == []
    assert rejects.counts == {reason: 1}


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_broken_byte_costs_one_row_not_the_file(tmp_path, form):
    rows = [f'{{"id": {i}, "text": "{TEXT}"}}' if form == "jsonl" else f"{i},{TEXT}" for i in range(5)]
    data = "\n".join((["id,text"] if form == "csv" else []) + rows).encode()
    middle = data.index(rows[2].encode()) + 40
    path = tmp_path / f"a.{form}"
    path.write_bytes(data[:middle] + b"\xff" + data[middle:])
    articles, rejects = one(path)
    assert [a.id for a in articles] == ["0", "1", "3", "4"]
    assert rejects.counts == {"undecodable": 1}


def test_a_broken_byte_in_a_text_file_rejects_it(tmp_path):
    (tmp_path / "a.txt").write_bytes(TEXT.encode() + b"\xff" + TEXT.encode())
    assert one(tmp_path)[1].counts == {"undecodable": 1}


def test_a_character_cut_at_the_end_of_the_sample_is_no_mistake():
    whole = TEXT.encode()
    assert detect(whole[:-2], complete=False) == ("utf-8", "valid UTF-8")
    assert detect(whole[: len("قالت".encode()) - 1], complete=False) == ("utf-8", "valid UTF-8")


def test_half_an_emoji_is_mended(tmp_path):
    (tmp_path / "a.jsonl").write_text(f'{{"id": "\\ud83d1", "text": "{TEXT} \\ud83d"}}')
    (article,), _ = one(tmp_path)
    assert article.id == "�1"
    assert article.text == f"{TEXT} �"
    article.text.encode()
