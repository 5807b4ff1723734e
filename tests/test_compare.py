"""Comparisons: the tests of chance by hand and against scipy, flips both ways, what differs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from report_data import report
from scipy import stats
from sklearn.metrics import f1_score

from pipeline import compare
from pipeline.errors import InputError
from pipeline.report import page


def test_mcnemar_by_hand_and_as_scipy():
    assert compare.mcnemar(0, 0) == 1.0
    assert compare.mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert compare.mcnemar(3, 3) == 1.0
    for gained, lost in ((7, 2), (2, 7), (40, 61), (900, 1100)):
        assert compare.mcnemar(gained, lost) == pytest.approx(stats.binomtest(gained, gained + lost).pvalue, rel=1e-9)


def test_holm_by_hand():
    # sorted 0.01 x 3, 0.02 x 2, 0.04 x 1; never below the one before
    assert compare.holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert compare.holm([0.5, 0.9]) == [1.0, 1.0]
    assert compare.holm([]) == []


def test_the_paired_bootstrap_resamples_both_runs_alike():
    random = np.random.default_rng(3)
    truth = random.random((400, 1)) < 0.4
    a, b = truth ^ (random.random((400, 1)) < 0.2), truth ^ (random.random((400, 1)) < 0.2)
    found = compare._resampled(truth, a, b)[:, 0]
    plain = []
    for _ in range(500):
        rows = random.integers(0, 400, 400)
        plain.append(f1_score(truth[rows, 0], b[rows, 0]) - f1_score(truth[rows, 0], a[rows, 0]))
    assert found.mean() == pytest.approx(np.mean(plain), abs=0.01)
    assert found.std() == pytest.approx(np.std(plain), rel=0.2)
    assert not compare._resampled(truth, a, a).any()


def _changed() -> tuple[dict, list[str], str]:
    """The report again, with three wrong answers of topics put right and one right answer spoilt."""
    r = json.loads(json.dumps(report()))
    bad = [a for a in r["articles"] if a["heads"]["topics"]["gold"] != a["heads"]["topics"]["given"]][:3]
    for line in bad:
        line["heads"]["topics"]["given"] = line["heads"]["topics"]["gold"]
    spoilt = next(a for a in r["articles"] if a["heads"]["topics"]["gold"] == ["syria"] and a not in bad)
    spoilt["heads"]["topics"]["given"] = ["ukraine"]
    return r, [line["id"] for line in bad], spoilt["id"]


def test_articles_that_flip_are_shown_both_ways(tmp_path):
    new, mended, broken = _changed()
    new["provenance"]["config"]["seed"] = 5
    new["provenance"]["versions"]["numpy"] = "99"
    new["articles"].append(new["articles"][0] | {"id": "only here"})
    page.write(tmp_path / "old", report())
    page.write(tmp_path / "new", new)
    path = compare.compare_runs([tmp_path / "old", tmp_path / "new"], tmp_path / "out")
    pair = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))["pairs"][0]
    assert sorted(row["id"] for row in pair["mended"]) == sorted(mended)
    assert [row["id"] for row in pair["broken"]] == [broken]
    assert all(row["text"] and row["label"] for row in pair["mended"])
    assert pair["only_new"] == 1 and pair["only_old"] == 0 and pair["relabelled"] == 0
    keys = {row["key"]: (row["old"], row["new"]) for row in pair["differences"]}
    assert keys["config.seed"] == ("0", "5") and keys["versions.numpy"][1] == '"99"'
    assert set(keys) == {"config.seed", "versions.numpy", "articles judged"}
    syria = next(row for row in pair["labels"] if row["label"] == "syria")
    assert syria["lost"] >= 1 and syria["change"] == pytest.approx(syria["new"] - syria["old"], abs=1e-3)
    text = path.read_text(encoding="utf-8")
    assert "config.seed" in text and mended[0] in text
    assert (tmp_path / "out" / "compare.md").read_text(encoding="utf-8").count("| topics |") == 2


def test_a_run_compared_with_itself_differs_in_nothing():
    result = compare.compare([report(), report(), report()], ["a", "b", "c"])
    assert [pair["new"] for pair in result["pairs"]] == ["b", "c"]
    for pair in result["pairs"]:
        assert not pair["mended"] and not pair["broken"] and not pair["differences"]
        assert all(row["p_adjusted"] == 1.0 and row["interval"] == [0, 0] for row in pair["labels"])


def test_labels_that_changed_are_left_out():
    new = json.loads(json.dumps(report()))
    new["articles"][0]["heads"]["topics"]["gold"] = ["syria", "ukraine"]
    pair = compare.compare([report(), new], ["a", "b"])["pairs"][0]
    assert pair["relabelled"] == 1 and not pair["mended"] and not pair["broken"]


def test_runs_without_anything_in_common_are_told(tmp_path):
    other = report() | {"articles": [{"id": "x", "heads": {}, "source": "", "date": "", "flags": []}]}
    with pytest.raises(InputError, match="no article in common"):
        compare.compare([report(), other], ["a", "b"])
    with pytest.raises(InputError, match="two runs"):
        compare.compare_runs(["a"], tmp_path)
