"""Messages: one line what and where, one what to do, and nothing in them that a terminal would obey."""

import pytest

from pipeline.errors import LONGEST, InputError, MirsadError, visible


def test_what_where_and_what_to_do():
    assert str(MirsadError("is empty", where="a.csv", hint="Fill it.")) == "a.csv: is empty\n  Fill it."
    assert str(MirsadError("is empty")) == "is empty"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\rb", "a\\rb"),
        ("\x9b2J", "\\x9b2J"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udcff", "\\udcff"),
        ("خبر\u200f عاجل", "خبر\u200f عاجل"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_what_would_steer_a_terminal_is_spelled_out(text, shown):
    assert visible(text) == shown


def test_a_place_stays_on_its_line():
    said = str(InputError("no\nfile", where="a\nerror: b", hint="one\n  two"))
    assert said.splitlines() == ["a\\nerror: b: no\\nfile", "  one", "  two"]


def test_a_long_place_loses_its_middle():
    said = str(InputError("is gone", where="x" * 100_000 + "/end.txt"))
    assert len(said) < LONGEST + 50
    assert said.endswith("x/end.txt: is gone")
