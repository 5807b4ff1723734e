"""Duplicates: groups that can be checked by hand."""

import subprocess
import sys

import numpy as np
import pytest

from pipeline.articles import duplicate_groups
from pipeline.articles.duplicates import jaccard, shingle_sets

WORDS = [f"كلمة{i}" for i in range(400)]


def text(start, end):
    return " ".join(WORDS[start:end])


def test_groups_count_from_zero_in_order_of_appearance():
    texts = [text(0, 50), text(100, 150), text(0, 50), text(200, 250), text(100, 150)]
    groups = duplicate_groups(texts)
    assert groups.tolist() == [0, 1, 0, 2, 1]
    assert groups.dtype == np.int64


def test_jaccard_of_shingles_worked_by_hand():
    # a b c d has the shingles abc bcd; b c d e has bcd cde: one shared of three.
    first, second = shingle_sets(["ا ب ج د", "ب ج د ه"])
    assert jaccard(first, second) == pytest.approx(1 / 3)
    assert jaccard(first, first) == 1
    assert jaccard(first[:0], first[:0]) == 0


@pytest.mark.parametrize(("shared", "same"), [(95, True), (88, True), (80, False), (50, False)])
def test_threshold_decides_exactly(shared, same):
    # 100 words have 98 shingles; "shared" words in common from the start have shared - 2. Jaccard = s / (196 - s).
    s = shared - 2
    expected = s / (196 - s)
    assert (expected >= 0.7) == same
    texts = [text(0, 100), text(0, shared) + " " + text(200, 300 - shared)]
    assert jaccard(*shingle_sets(texts)) == pytest.approx(expected)
    assert (len(set(duplicate_groups(texts).tolist())) == 1) == same


def test_duplicates_of_duplicates_are_one_group():
    chain = [text(start, start + 100) for start in range(0, 60, 10)]
    assert jaccard(*shingle_sets([chain[0], chain[-1]])) < 0.4
    assert duplicate_groups(chain).tolist() == [0] * 6


def test_marks_case_and_punctuation_make_no_difference():
    texts = [
        "قَالَ الوزيرُ: «نعم، سنعود» إلى LONDON!",
        "قال الوزير نعم سنعود إلى london",
        "قـال الوزيـر. نعم؛ سنعود إلى London",
    ]
    assert duplicate_groups(texts).tolist() == [0, 0, 0]


def test_short_and_empty_texts():
    assert duplicate_groups(["", "نعم", "", "نعم", "لا", "نعم لا", "...", "نعم لا"]).tolist() == [
        0,
        1,
        2,
        1,
        3,
        4,
        5,
        4,
    ]
    assert duplicate_groups([]).tolist() == []
    assert duplicate_groups(["واحد"]).tolist() == [0]


def test_a_crowd_of_the_same_text_is_one_group_and_takes_no_time():
    groups = duplicate_groups([text(0, 60)] * 5_000 + [text(100, 160)])
    assert groups[:-1].max() == 0
    assert groups[-1] == 1


def test_near_duplicates_are_found_among_many_others():
    random = np.random.default_rng(7)
    vocabulary = np.array([f"لفظ{i}" for i in range(3_000)])
    texts = [" ".join(random.choice(vocabulary, 120)) for _ in range(1_000)]
    copies = []
    for i in range(200):
        words = texts[i].split()
        words[int(random.integers(120))] = "تغيير"  # one word of 120: at least 115 of 121 shingles are shared
        copies.append(" ".join(words))
    groups = duplicate_groups(texts + copies)
    assert groups[1_000:].tolist() == groups[:200].tolist()
    assert len(set(groups[:1_000].tolist())) == 1_000


def test_order_and_process_make_no_difference():
    texts = [text(i, i + 80) for i in (0, 5, 150, 155, 300)]
    forward, backward = duplicate_groups(texts), duplicate_groups(texts[::-1])[::-1]
    assert forward.tolist() == [0, 0, 1, 1, 2]
    assert [backward[0] == backward[1], backward[2] == backward[3], backward[1] == backward[2]] == [True, True, False]
    code = "from pipeline.articles.duplicates import shingle_sets; print(next(shingle_sets(['ا ب ج د'])).tolist())"
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


@pytest.mark.parametrize("threshold", [0.2, 1.5])
def test_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(ValueError, match=r"between 0\.5 and 1"):
        duplicate_groups(["ا"], threshold=threshold)
