"""Splits: every article on one side, copies together, labels spread evenly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline import splits
from pipeline.config import Split
from pipeline.errors import InputError


def table(n: int, **columns: list[str]) -> pd.DataFrame:
    blank = {name: [""] * n for name in ("date", "source", "origin")}
    return pd.DataFrame(blank | columns, dtype=object)


def test_strata_number_the_combinations_that_occur():
    topics = np.repeat([[1, 0], [0, 1], [1, 0], [1, 1]], 20, axis=0)
    stance = np.repeat([0, 0, 1, 0], 20)
    stratum = splits.strata({"topics": topics, "stance": stance}).reshape(4, 20)
    assert (stratum == stratum[:, :1]).all()
    assert len(set(stratum[:, 0])) == 4


@pytest.mark.parametrize("seed", range(5))
def test_folds_part_the_articles_and_keep_copies_together(seed):
    random = np.random.default_rng(seed)
    groups, stratum = random.integers(0, 40, 100), random.integers(0, 3, 100)
    found = splits.folds(stratum, groups, 5, seed=seed)
    assert len(found) == 5
    assert sorted(np.concatenate([test for _, test in found])) == list(range(100))
    for train, test in found:
        assert sorted([*train, *test]) == list(range(100))
        assert not set(groups[train]) & set(groups[test])


def test_folds_have_alike_shares_of_each_stratum():
    stratum = np.repeat([0, 1, 2], [70, 20, 10])
    for _, test in splits.folds(stratum, np.arange(100), 5, seed=0):
        assert np.bincount(stratum[test]).tolist() == [14, 4, 2]


def test_the_same_seed_gives_the_same_folds_and_another_others():
    stratum, groups = np.arange(50) % 2, np.arange(50)
    first, again, other = (splits.folds(stratum, groups, 3, seed=seed) for seed in (1, 1, 2))
    assert all((a[1] == b[1]).all() for a, b in zip(first, again, strict=True))
    assert any(a[1].tolist() != b[1].tolist() for a, b in zip(first, other, strict=True))


def test_fewer_groups_than_folds():
    assert len(splits.folds(np.zeros(6, dtype=int), np.array([0, 0, 1, 1, 2, 2]), 5, seed=0)) == 3
    with pytest.raises(InputError, match="copies of one"):
        splits.folds(np.zeros(6, dtype=int), np.zeros(6, dtype=int), 5, seed=0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_rare_label_is_in_the_training_part_of_every_fold(seed, count):
    """Each of its articles has other labels beside it, so that no two of them have the same combination."""
    random = np.random.default_rng(seed)
    labels = (random.random((60, 4)) < 0.5).astype(np.int64)
    rare = np.zeros((60, 1), dtype=np.int64)
    rare[random.choice(60, count, replace=False)] = 1
    stratum = splits.strata({"topics": np.hstack([labels, rare])})
    for train, test in splits.folds(stratum, np.arange(60), 5, seed=seed):
        assert rare[test].sum() <= 1
        assert rare[train].sum() >= count - 1


def test_held_out_at_random():
    stratum = np.repeat([0, 1], [80, 20])
    train, test = splits.held_out(Split(), table(100), stratum, np.arange(100), seed=0)
    assert sorted([*train, *test]) == list(range(100))
    assert np.bincount(stratum[test]).tolist() == [16, 4]


def test_nothing_held_out():
    train, test = splits.held_out(Split(kind="none"), table(5), np.zeros(5, dtype=int), np.arange(5), seed=0)
    assert train.tolist() == [0, 1, 2, 3, 4]
    assert len(test) == 0


def test_held_out_by_date_gives_the_newest():
    days = [f"2020-01-{day:02}" for day in (5, 1, 4, 2, 3)]
    stratum, groups = np.zeros(5, dtype=int), np.arange(5)
    train, test = splits.held_out(Split(kind="date", test_size=0.4), table(5, date=days), stratum, groups, seed=0)
    assert (train.tolist(), test.tolist()) == ([1, 3, 4], [0, 2])
    split = Split(kind="date", test_from="2020-01-05")
    assert splits.held_out(split, table(5, date=days), stratum, groups, seed=0)[1].tolist() == [0]


def test_held_out_by_source_or_origin():
    data = table(4, source=["x", "y", "x", ""], origin=["a", "a", "b", "b"])
    stratum, groups = np.zeros(4, dtype=int), np.arange(4)
    for wanted, rows in ((["x"], [0, 2]), (["b"], [2, 3]), (["y", "b"], [1, 2, 3])):
        _, test = splits.held_out(Split(kind="source", test_sources=wanted), data, stratum, groups, seed=0)
        assert test.tolist() == rows


def test_a_copy_of_a_training_article_is_not_judged_on():
    days = ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]
    split = Split(kind="date", test_from="2020-01-03")
    train, test = splits.held_out(
        split, table(4, date=days), np.zeros(4, dtype=int), np.array([0, 1, 0, 2]), seed=0
    )  # the third repeats the first
    assert (train.tolist(), test.tolist()) == ([0, 1, 2], [3])


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (Split(kind="date"), "1 of 3 articles have no date"),
        (Split(kind="source", test_sources=["z"]), r"no article to judge on\n  Sources: x, y; origins: one"),
        (Split(kind="source", test_sources=["x", "y"]), "no article to train on"),
    ],
)
def test_a_split_that_cannot_be(split, said):
    data = table(3, date=["2020-01-01", "", "2020-01-02"], source=["x", "y", "x"], origin=["one"] * 3)
    with pytest.raises(InputError, match=said):
        splits.held_out(split, data, np.zeros(3, dtype=int), np.arange(3), seed=0)


def test_a_day_outside_the_articles_days():
    data = table(2, date=["2020-01-01", "2020-01-02"])
    with pytest.raises(InputError, match=r"no article to judge on\n  Dates: 2020-01-01 to 2020-01-02"):
        splits.held_out(Split(kind="date", test_from="2021-01-01"), data, np.zeros(2, dtype=int), np.arange(2), seed=0)
