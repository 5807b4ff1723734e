"""Reading: formats, places, rules and rejects."""

import gzip
import io
import json
import sys

import pytest

from pipeline.articles import REASONS, Columns, Reject, Rejects, Rules, read
from pipeline.articles.rules import arabic_fraction
from pipeline.errors import InputError, MirsadError

TEXT = "وصلت البعثة إلى المدينة مساء أمس وبدأت عملها في الصباح."
OTHER = "أغلقت الأسواق أبوابها مبكرا بسبب العاصفة التي ضربت الساحل."


def every(inputs, **options):
    return [article for batch in read(inputs, **options) for article in batch]


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def reasons(path, **options):
    rejects = Rejects()
    articles = every(path, rejects=rejects, **options)
    return dict(rejects.counts), articles


# Formats


def test_txt_takes_its_name_as_id_and_its_first_line_as_title(tmp_path):
    (article,) = every(put(tmp_path / "خبر.txt", f"البعثة تبدأ عملها\n\n{TEXT}\n"))
    assert (article.id, article.title, article.text) == ("خبر.txt", "البعثة تبدأ عملها", TEXT)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_finds_its_delimiter_by_the_text_column(tmp_path, delimiter):
    rows = [["id", "title", "text", "date"], ["7", "عنوان", TEXT, "2018-05-11"]]
    path = put(tmp_path / "a.csv", "\r\n".join(delimiter.join(row) for row in rows))
    (article,) = every(path)
    assert (article.id, article.title, article.text, article.date) == ("7", "عنوان", TEXT, "2018-05-11")


def test_csv_cells_may_hold_line_feeds_quotes_and_delimiters(tmp_path):
    path = put(tmp_path / "a.csv", f'id,text\n1,"{TEXT}\n{OTHER}"\n2,"قال: ""نعم""، {TEXT}"\n\n')
    first, second = every(path)
    assert first.text == f"{TEXT}\n{OTHER}"
    assert second.text == f'قال: "نعم"، {TEXT}'


def test_rows_without_an_id_are_called_after_file_and_line(tmp_path):
    path = put(tmp_path / "a.csv", f"id,text\n,{TEXT}\n")
    assert every(path)[0].id == "a.csv#2"
    path = put(tmp_path / "b.jsonl", f'{{"text": "{TEXT}"}}\n\n{{"text": "{TEXT}"}}\n')
    assert [a.id for a in every(path)] == ["b.jsonl#1", "b.jsonl#3"]


def test_jsonl_ids_stay_as_they_are_and_numbers_become_text(tmp_path):
    ids = ["  قديم/٧ ", 12, 3.5]
    path = put(tmp_path / "a.jsonl", "".join(json.dumps({"id": i, "text": TEXT}) + "\n" for i in ids))
    assert [a.id for a in every(path)] == ["  قديم/٧ ", "12", "3.5"]


def test_labels_come_along_as_raw_text(tmp_path):
    row = {"text": TEXT, "topics": ["syria", "ukraine"], "relevant": 1, "stance": None, "flag": True, "none": []}
    path = put(tmp_path / "a.jsonl", json.dumps(row))
    (article,) = every(path, columns=Columns(labels=("topics", "relevant", "stance", "flag", "none")))
    assert article.labels == {"topics": "syria|ukraine", "relevant": "1", "stance": "", "flag": "1", "none": "none"}
    path = put(tmp_path / "a.csv", f"text,stance\n{TEXT}, favor \n")
    assert every(path, columns=Columns(labels=("stance",)))[0].labels == {"stance": "favor"}


def test_parquet_is_read_in_batches_of_the_columns_needed(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import datetime

    import pyarrow.parquet as pq

    rows = [{"id": i, "text": TEXT, "date": datetime.date(2018, 5, 11), "heavy": b"x"} for i in range(3000)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    articles = every(tmp_path / "a.parquet")
    assert [a.id for a in articles] == [str(i) for i in range(3000)]
    assert articles[0].date == "2018-05-11"
    put(tmp_path / "b.parquet.gz", gzip.compress((tmp_path / "a.parquet").read_bytes()))
    assert len(every(tmp_path / "b.parquet.gz")) == 3000


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match=r"mirsad\[parquet\]"):
        every(put(tmp_path / "a.parquet", b"PAR1"))


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.jsonl"])
def test_every_text_format_may_be_gzipped(tmp_path, name):
    data = {
        "a.txt": TEXT,
        "a.csv": f"id,text\n1,{TEXT}",
        "a.tsv": f"id\ttext\n1\t{TEXT}",
        "a.jsonl": f'{{"text": "{TEXT}"}}',
    }
    assert every(put(tmp_path / f"{name}.gz", gzip.compress(data[name].encode())))[0].text == TEXT


# Places


def test_folder_is_read_in_order_and_hidden_or_unknown_files_are_passed_over(tmp_path):
    for name in ("b.txt", "a.txt", "sub/c.txt", ".hidden.txt", ".git/d.txt", "readme.md"):
        put(tmp_path / name, TEXT)
    assert [a.id for a in every(tmp_path)] == ["a.txt", "b.txt", "c.txt"]


def test_names_that_clash_are_told_apart_by_their_folders(tmp_path):
    for name in ("economy/1.txt", "politics/1.txt", "politics/2.txt"):
        put(tmp_path / name, TEXT)
    expected = ["economy/1.txt", "politics/1.txt", "politics/2.txt"]
    assert [a.id for a in every(tmp_path)] == expected
    assert [a.id for a in every(str(tmp_path / "*" / "*.txt"))] == expected
    assert [a.id for a in every(str(tmp_path / "**" / "*.txt"))] == expected


def test_several_inputs_are_read_in_the_order_given(tmp_path):
    paths = [put(tmp_path / "b.txt", TEXT), put(tmp_path / "a.txt", TEXT)]
    assert [a.id for a in every(paths)] == ["b.txt", "a.txt"]


def test_links_to_folders_do_not_form_rings(tmp_path):
    put(tmp_path / "a.txt", TEXT)
    (tmp_path / "ring").symlink_to(tmp_path, target_is_directory=True)
    assert len(every(tmp_path)) == 1


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        (f"البعثة تبدأ عملها\n{TEXT}", ["stdin"]),
        (f'{{"id": 1, "text": "{TEXT}"}}\n{{"id": 2, "text": "{TEXT}"}}', ["1", "2"]),
        (f"id,text\n5,{TEXT}", ["5"]),
        (f"\ufeffid;text\n5;{TEXT}", ["5"]),
    ],
)
def test_standard_input_is_recognized_by_its_first_characters(monkeypatch, data, ids):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data.encode())))
    assert [a.id for a in every("-")] == ids
    assert not sys.stdin.closed


def test_batches_have_the_size_asked_for(tmp_path):
    path = put(tmp_path / "a.jsonl", f'{{"text": "{TEXT}"}}\n' * 7)
    assert [len(batch) for batch in read(path, batch_size=3)] == [3, 3, 1]


# Mistakes of the user


def test_missing_path_is_an_error_at_the_call_and_names_the_nearest(tmp_path):
    put(tmp_path / "articles.csv", "x")
    with pytest.raises(InputError, match=r"no such file or folder\n  Did you mean articles\.csv\?"):
        read(tmp_path / "artcles.csv")


@pytest.mark.parametrize("inputs", [[], "empty", "empty/*.txt"])
def test_nothing_to_read_is_an_error(tmp_path, monkeypatch, inputs):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"no input was given|(holds|matches) no file that can be read"):
        read(inputs)


def test_unknown_ending_is_an_error_that_lists_the_known(tmp_path):
    with pytest.raises(InputError, match=r"\.jsonl, \.parquet"):
        read(put(tmp_path / "a.docx", "x"))


def test_csv_without_the_text_column_names_the_columns_and_the_nearest(tmp_path):
    path = put(tmp_path / "a.csv", f"id,txt,عنوان\n1,{TEXT},x\n")
    with pytest.raises(
        InputError, match=r"a\.csv: no 'text' among its columns: 'id', 'txt', 'عنوان'\n  Did you mean 'txt'\?"
    ):
        every(path)


def test_column_named_twice_is_an_error(tmp_path):
    with pytest.raises(InputError, match="'text' 2 times"):
        every(put(tmp_path / "a.csv", "text,text\nx,y\n"))


def test_missing_label_column_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no 'stance' among its columns"):
        every(put(tmp_path / "a.csv", f"text\n{TEXT}\n"), columns=Columns(labels=("stance",)))


def test_jsonl_without_the_key_anywhere_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no 'text' among its keys: 'id', 'texte'\n  Did you mean 'texte'\?"):
        every(put(tmp_path / "a.jsonl", '{"id": 1, "texte": "x"}\n' * 3))


def test_parquet_without_the_text_column_is_an_error(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match="no 'text' among its columns: 'body'"):
        every(tmp_path / "a.parquet")


# Rejects


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"text": ""}, "empty"),
        ({"text": " \n "}, "empty"),
        ({"text": None}, "empty"),
        ({"text": "وصلت البعثة"}, "too_short"),
        ({"text": "The mission arrived in the city last night."}, "no_arabic"),
        ({"text": "12345 67890 12345 67890 12345"}, "no_arabic"),
        ({"text": "٣٤٥ ٦٧٨ ٩٠١ ٢٣٤ ٥٦٧ ٨٩٠"}, "no_arabic"),
        ({"text": TEXT * 100}, "too_long"),
        ({"text": 5}, "no_arabic"),
        ({"text": ["a"]}, "malformed"),
        ({"text": {"a": 1}}, "malformed"),
        ({"id": [1], "text": TEXT}, "malformed"),
        ({"id": 1}, "missing_text"),
        ([TEXT], "malformed"),
        (TEXT, "malformed"),
        (None, "malformed"),
    ],
)
def test_row_that_is_no_article_is_a_reject_and_the_run_goes_on(tmp_path, row, reason):
    lines = [json.dumps({"id": "ok", "text": TEXT}), json.dumps(row), json.dumps({"id": "ok2", "text": OTHER})]
    counts, articles = reasons(put(tmp_path / "a.jsonl", "\n".join(lines)), rules=Rules(max_chars=4000))
    assert [a.id for a in articles] == ["ok", "ok2"]
    assert counts == {reason: 1}


def test_malformed_lines_are_rejects(tmp_path):
    path = put(tmp_path / "a.jsonl", f'{{"text": "{TEXT}"}}\n{{"text": \n{{"text": "{OTHER}"}}\n')
    counts, articles = reasons(path)
    assert counts == {"malformed": 1}
    assert [a.id for a in articles] == ["a.jsonl#1", "a.jsonl#3"]


def test_csv_row_with_too_many_or_too_few_cells_is_a_reject(tmp_path):
    counts, articles = reasons(put(tmp_path / "a.csv", f"id,text\n1,{TEXT},x\n2\n3,{TEXT}\n"))
    assert counts == {"malformed": 2}
    assert [a.id for a in articles] == ["3"]


def test_unclosed_quote_does_not_swallow_the_rest_as_one_text(tmp_path):
    counts, articles = reasons(put(tmp_path / "a.csv", f'id,text\n1,{TEXT}\n2,"{TEXT}\n3,{TEXT}\n4,{TEXT}\n'))
    assert [a.id for a in articles] == ["1"]
    assert counts == {"malformed": 1}


def test_second_article_with_an_id_is_a_reject_where_ids_must_be_unique(tmp_path):
    path = put(tmp_path / "a.jsonl", f'{{"id": 1, "text": "{TEXT}"}}\n{{"id": "1", "text": "{OTHER}"}}\n')
    counts, articles = reasons(path, rules=Rules(unique_ids=True))
    assert counts == {"duplicate_id": 1}
    assert articles[0].text == TEXT
    assert len(every(path)) == 2


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.txt.gz"])
def test_empty_file_is_a_reject(tmp_path, name):
    put(tmp_path / "ok.txt", TEXT)
    put(tmp_path / name, gzip.compress(b"") if name.endswith(".gz") else b"")
    counts, articles = reasons(tmp_path)
    assert counts == {"empty": 1}
    assert len(articles) == 1


def test_file_that_may_not_be_read_is_a_reject(tmp_path, monkeypatch):
    put(tmp_path / "a.txt", TEXT)

    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pipeline.articles.decoding.Path.open", refuse)
    assert reasons(tmp_path)[0] == {"unreadable": 1}


def test_rejects_are_written_with_their_place(tmp_path):
    path = put(tmp_path / "a.csv", f"id,text\n7,قصير\n8,{TEXT}\n")
    with Rejects(tmp_path / "rejects.jsonl") as rejects:
        assert len(every(path, rejects=rejects)) == 1
        assert not (tmp_path / "rejects.jsonl").exists()
    assert [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()] == [
        {"file": "a.csv", "row": 2, "id": "7", "reason": "too_short", "detail": "1 words", "excerpt": "قصير"}
    ]
    assert rejects.summary()["articles"] == 1
    assert rejects.summary()["reasons"] == {"too_short": 1}


def test_rejects_file_in_a_folder_that_is_not_there_fails_at_once(tmp_path):
    with pytest.raises(MirsadError, match="its folder does not exist"):
        Rejects(tmp_path / "missing" / "rejects.jsonl")


@pytest.mark.parametrize("name", ["cp9999", "hex"])
def test_unknown_encoding_fails_at_the_call(tmp_path, name):
    with pytest.raises(InputError, match=f"no encoding '{name}'"):
        read(put(tmp_path / "a.txt", TEXT), rules=Rules(encoding=name))


def test_no_rejects_no_file(tmp_path):
    with Rejects(tmp_path / "rejects.jsonl") as rejects:
        every(put(tmp_path / "a.txt", TEXT), rejects=rejects)
    assert not (tmp_path / "rejects.jsonl").exists()


def test_every_reason_is_one_of_the_closed_list_and_has_a_sentence():
    assert all(sentence.endswith(".") for sentence in REASONS.values())
    with pytest.raises(ValueError, match="'odd' is not a known reason"):
        Rejects().add(Reject("odd"), file="x")


@pytest.mark.parametrize(
    ("text", "fraction"),
    [
        ("سلام", 1.0),
        ("سلام abcd", 0.5),
        ("سلام سلام ab", 0.8),
        ("abc", 0.0),
        ("123 !", 0.0),
        ("", 0.0),
        ("ﺳﻼم x", 0.75),
    ],
)
def test_arabic_fraction_counts_arabic_against_other_letters(text, fraction):
    assert arabic_fraction(text) == pytest.approx(fraction)


def test_reading_does_not_grow_with_the_input(tmp_path):
    import tracemalloc

    peaks = []
    for count in (2_000, 20_000):
        path = put(tmp_path / f"{count}.jsonl", f'{{"text": "{TEXT}"}}\n' * count)
        tracemalloc.start()
        assert sum(map(len, read(path, rules=Rules(clean=False)))) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
