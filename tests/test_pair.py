"""What title and text say alone, and where they say opposite things; worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.features.lexicon import Lexicon
from pipeline.features.pair import LIST_SCALE, NEW_SCALE, PairBlock, bare, likeness
from pipeline.scoring import _lexical, _lexical_state

OPPOSITES = Lexicon({"move/up": ["صعد*"], "move/down": ["هبط*"], "no/words": ["لا"]})


def block(*pairs: tuple[str, str]) -> PairBlock:
    """A block that learned from the pairs."""
    title, text = ([pair[side] for pair in pairs] for side in (0, 1))
    return PairBlock(OPPOSITES).fit(title, text, [""] * len(title))


def measured(learned: PairBlock, title: str, text: str) -> dict[str, float]:
    texts = [title], [text], [""]
    return dict(zip(learned.names, learned.measure(*texts).matrix(len(learned.names)).toarray()[0], strict=True))


def test_particles_are_taken_off_where_a_word_remains():
    assert [bare(word) for word in ("والبيت", "للبيت", "وجد", "بيت")] == ["بيت", "بيت", "وجد", "بيت"]


def test_likeness_by_hand():
    # " كتاب " has the pairs _ك كت تا اب ب_, " كتب " _ك كت تب ب_: three in common of nine
    one, other = likeness(["كتاب"], ["كتب", "قلم"])
    assert one == pytest.approx([2 * 3 / 9])
    assert other == pytest.approx([2 * 3 / 9, 0])
    assert likeness(["12", "3"], ["123", "3"])[0].tolist() == [0.0, 1.0]
    assert likeness(["كتاب"], [])[0].tolist() == [0.0]


def test_a_pair_by_hand():
    learned = block()  # knows no word, so that all weigh the same
    found = measured(learned, "صعد السعر 5", "هبط السعر 7 اليوم")
    assert found["title: new"] == pytest.approx(2 / 3)  # "rose" and 5, not "price"
    assert found["text: new"] == found["text: new, weighted"] == pytest.approx(3 / 4)
    assert found["text: new, number"] == pytest.approx(np.log(4) / 2)
    assert found["new in both, weighted"] == pytest.approx(2 / 3)
    assert found["new in both, number"] == pytest.approx(np.log(3) / 2)
    assert found["new in title times new in text"] == pytest.approx(2 / 3 * 3 / 4)
    assert found["title: length"] == pytest.approx(np.log(4) / 4)
    assert found["title: other numbers"] == found["text: other numbers"] == 1
    assert found["title: nothing new"] == 0
    lists = {
        name: value / LIST_SCALE for name, value in found.items() if "/" in name or name.startswith(("move", "opp"))
    }
    assert {name for name, value in lists.items() if value} == {
        "move: opposed",
        "opposed",
        "title: move/up",
        "text: move/down",
        "one side only: move/up",
        "one side only: move/down",
    }
    assert set(lists.values()) == {0.0, 1.0}


def test_sides_that_say_the_same():
    found = measured(block(), "لا يصعد السعر. صعد", "صعدت الأسعار")
    assert found["move: the same"] == pytest.approx(LIST_SCALE)
    assert found["opposed"] == 0
    assert found["one side only: no/words"] == pytest.approx(LIST_SCALE)
    assert measured(block(), "سلام", "السلام")["text: nothing new"] == 1


def test_both_poles_on_one_side_lean_nowhere():
    found = measured(block(), "صعد ثم هبط", "هبط")
    assert found["move: opposed"] == found["move: the same"] == 0


def test_new_words_are_columns_and_the_rarer_weighs_more():
    learned = block(("قمر شمس", "قمر نجم"), ("قمر نجم", "بحر"), ("قمر", "شمس"))
    assert learned.words == ["شمس", "قمر", "نجم"]  # "sea" stands in one text only
    weight = 1 + np.log(7 / np.array([3, 5, 3, 2]))  # of six texts: 2, 4, 2, and 1 for all others
    assert learned.rarity == pytest.approx(weight)
    found = measured(learned, "قمر شمس", "بحر")
    length = np.hypot(weight[0], weight[1])
    assert found["new in title: شمس"] == pytest.approx(NEW_SCALE * weight[0] / length)
    assert found["new in title: قمر"] == pytest.approx(NEW_SCALE * weight[1] / length)
    assert not any(value for name, value in found.items() if name.startswith("new in text: "))
    assert measured(learned, "قمر بحر", "شمس قمر")["title: new, weighted"] == pytest.approx(
        weight[3] / (weight[1] + weight[3])
    )


def test_new_words_are_placed():
    learned = block(("قمر شمس", "نجم شمس"), ("قمر", "نجم"))
    said = learned.spoken(["في قمر"], ["شمس "], ["والنجم"])
    places = {
        (learned.names[column], zone, start, end)
        for column, zone, start, end in zip(said.column, said.zone, said.start, said.end, strict=True)
    }
    assert places == {("new in title: قمر", 0, 3, 6), ("new in text: شمس", 1, 0, 3), ("new in text: نجم", 2, 0, 6)}


def test_nothing_at_all_and_no_articles():
    learned = block(("قمر", "قمر"))
    assert not any(measured(learned, "", "").values())
    assert learned.measure([], [], []).matrix(len(learned.names)).shape == (0, len(learned.names))


def test_a_saved_block_measures_the_same():
    learned = block(("قمر شمس", "نجم شمس"), ("قمر", "نجم"))
    again = _lexical(_lexical_state(learned), list(OPPOSITES.normalization))
    texts = ["صعد قمر"], ["شمس 3"], [""]
    one, other = (b.measure(*texts).matrix(len(b.names)).toarray() for b in (learned, again))
    assert again.names == learned.names
    np.testing.assert_array_equal(one, other)
