"""How much of an article is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.parts import top


@pytest.mark.parametrize(
    ("first", "lede", "body"),
    [
        (0, "one two", " three four"),
        (100, "one two", " three four"),
        (18, "one two", " three four"),
        (15, "one two", " three "),
        (13, "one two", " three"),
        (12, "one two", " "),
        (7, "one two", ""),
        (6, "one ", ""),
        (2, "on", ""),
    ],
)
def test_texts_are_cut_between_words(first, lede, body):
    assert top(["any title"], ["one two"], [" three four"], first) == (["any title"], [lede], [body])


@given(st.text(max_size=30), st.text(max_size=60), st.integers(1, 80))
def test_what_is_read_is_the_start(lede, body, first):
    _, [one], [other] = top([""], [lede], [body], first)
    assert lede.startswith(one)
    assert body.startswith(other)
    assert len(one) + len(other) <= max(first, 0)
    assert one == lede or not other
