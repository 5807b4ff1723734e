"""Marks on sentences: what is read of them, and what is said of a file that is none."""

from __future__ import annotations

import csv
import json

import pytest

from pipeline.articles.marks import Lone, Marks, read_lone, read_marks
from pipeline.errors import InputError, LabelError

LABELS = ["warm", "cold"]


def marks(tmp_path, content, **more):
    path = tmp_path / "marks.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_marks(path, LABELS, **more)


def lone(tmp_path, content, **more):
    path = tmp_path / "alone.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_lone(path, LABELS, **more)


class TestMarks:
    def test_by_hand(self, tmp_path):
        found = marks(tmp_path, "id,read,marks\na,4,0:warm 3:cold|warm\nb,2,\n")
        assert found == {"a": Marks(4, {0: (0,), 3: (1, 0)}), "b": Marks(2, {})}

    def test_columns_in_any_order_with_others_and_a_byte_order_mark(self, tmp_path):
        found = marks(tmp_path, "\ufeffnote,marks,id,read\nx,1:cold,a,2\n")
        assert found == {"a": Marks(2, {1: (1,)})}

    def test_a_row_that_ends_early_has_no_marks(self, tmp_path):
        assert marks(tmp_path, "id,read,marks\na,3\n") == {"a": Marks(3, {})}

    def test_no_article_at_all(self, tmp_path):
        assert marks(tmp_path, "id,read,marks\n") == {}

    @pytest.mark.parametrize(
        ("row", "shown"),
        [
            ("a,2,0:hot", "'0:hot' are no marks of '2' sentences"),
            ("a,2,warm", "'warm' are no marks"),
            ("a,2,0:", "'0:' are no marks"),
            ("a,2,0:warm|", r"'0:warm\|' are no marks"),
            ("a,2,x:warm", "'x:warm' are no marks"),
            ("a,,0:warm", "'0:warm' are no marks of '' sentences"),
            ("a,two,", "'' are no marks of 'two' sentences"),
            ("a", "'' are no marks of None sentences"),
            ("a,2,2:warm", "'2:warm' are no marks of '2' sentences"),  # numbers are 0 and 1
            ("a,2,-1:warm", "'-1:warm' are no marks"),
            ("a,2,1:warm 1:cold", "'1:warm 1:cold' are no marks"),
            (f"a,{'9' * 5000},", "are no marks"),
        ],
    )
    def test_what_is_no_mark(self, tmp_path, row, shown):
        with pytest.raises(LabelError, match=shown) as said:
            marks(tmp_path, f"id,read,marks\n{row}\n")
        assert said.value.where.endswith("marks.csv, line 2")
        assert said.value.hint == (
            "Write them as 0:warm 3:cold, each number once and below `read`; labels are warm, cold."
        )

    def test_a_sentence_of_two_labels_where_it_has_one(self, tmp_path):
        with pytest.raises(LabelError, match="are no marks") as said:
            marks(tmp_path, "id,read,marks\na,2,0:warm|cold\n", several=False)
        assert said.value.hint.endswith("labels are warm, cold, at most one a sentence.")

    def test_an_article_twice(self, tmp_path):
        with pytest.raises(LabelError, match=r"line 3: article 'a' is marked a second time"):
            marks(tmp_path, "id,read,marks\na,2,\na,2,0:warm\n")

    @pytest.mark.parametrize(
        ("head", "found"), [("id,marks", "id, marks"), ("", "nothing"), ("id;read;marks", "id;read;marks")]
    )
    def test_no_such_columns(self, tmp_path, head, found):
        with pytest.raises(LabelError, match="lacks a column of id, read, marks") as said:
            marks(tmp_path, head)
        assert said.value.hint == f"Found: {found}."

    def test_no_file(self, tmp_path):
        with pytest.raises(InputError, match="no such file of marked sentences"):
            read_marks(tmp_path / "none.csv", LABELS)

    def test_a_folder(self, tmp_path):
        with pytest.raises(InputError, match="cannot be read: Is a directory"):
            read_marks(tmp_path, LABELS)

    @pytest.mark.parametrize("content", [b"id,read,marks\n\xff,2,\n", b'id,read,marks\na,2,"' + b"x" * 200_000 + b'"'])
    def test_what_is_no_csv(self, tmp_path, content):
        before = csv.field_size_limit(100_000)  # readers of articles set it for the whole process
        try:
            with pytest.raises(InputError, match="cannot be read as CSV"):
                marks(tmp_path, content)
        finally:
            csv.field_size_limit(before)


class TestLone:
    def test_by_hand(self, tmp_path):
        rows = [{"id": 1, "text": "شكر", "says": ["warm"]}, {"text": "خبر", "says": []}]
        content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        assert lone(tmp_path, content) == Lone(["شكر", "خبر"], [(0,), ()])

    def test_blank_lines_and_a_byte_order_mark_are_nothing(self, tmp_path):
        assert lone(tmp_path, '\ufeff{"text": "a", "says": ["cold"]}\r\n\n') == Lone(["a"], [(1,)])

    def test_only_line_ends_end_a_line(self, tmp_path):
        assert lone(tmp_path, '{"text": "a\u2028b\u0085c", "says": []}\n').texts == ["a\u2028b\u0085c"]

    @pytest.mark.parametrize(
        "line",
        [
            "{",
            "[]",
            "7",
            '{"says": []}',
            '{"text": "a"}',
            '{"text": 5, "says": []}',
            '{"text": "a", "says": null}',
            '{"text": "a", "says": {}}',
            '{"text": "a", "says": "warm"}',
            '{"text": "a", "says": ["hot"]}',
            '{"text": "a", "says": [["warm"]]}',
            "[" * 100_000,
        ],
    )
    def test_what_is_no_sentence(self, tmp_path, line):
        with pytest.raises(LabelError, match="is no sentence with labels") as said:
            lone(tmp_path, '{"text": "a", "says": []}\n' + line)
        assert said.value.where.endswith("alone.jsonl, line 2")
        assert said.value.hint == 'Write {"text": "...", "says": ["warm"]}; labels are warm, cold.'

    def test_two_labels_where_it_has_one(self, tmp_path):
        line = '{"text": "a", "says": ["warm", "cold"]}'
        assert lone(tmp_path, line).said == [(0, 1)]
        with pytest.raises(LabelError, match="is no sentence with labels"):
            lone(tmp_path, line, several=False)

    def test_no_file(self, tmp_path):
        with pytest.raises(InputError, match="no such file of sentences"):
            read_lone(tmp_path / "none.jsonl", LABELS)

    def test_a_folder(self, tmp_path):
        with pytest.raises(InputError, match="cannot be read: Is a directory"):
            read_lone(tmp_path, LABELS)

    def test_no_utf8(self, tmp_path):
        with pytest.raises(InputError, match="cannot be read as UTF-8"):
            lone(tmp_path, b"\xff\xfe")
