"""Each check, with a report that triggers it and one that does not."""

from __future__ import annotations

import copy
import functools

import pytest
from report_data import report

from pipeline.report import checks
from pipeline.report.checks import ERROR, NOT_APPLICABLE, OK, WARNING


@functools.cache
def _good():
    """A report in which every check is content."""
    r = copy.deepcopy(report())
    r["verdict"]["state"] = "pass"
    for row in r["verdict"]["rows"]:
        row |= {"gate": 0.5, "passes": True, "certain": True}
    for name, head in r["labels"].items():
        for label, of in head["labels"].items():
            of |= {"support": 50, "predicted": 50, "f1": 0.9, "f1_interval": [0.85, 0.95]}
            for baseline in r["baselines"].values():
                if name in baseline:
                    baseline[name]["labels"][label]["f1"] = 0.5
    r["data"]["duplicates"]["across"] = 0
    r["data"]["trained_on_too"] = []
    r["data"]["dates"] |= {"trained_until": "2017-12-31", "first": "2018-01-01"}
    for rows in r["thresholds"].values():
        for row in rows:
            row |= {"threshold": 0.5, "edge": False}
    for rows in r["calibration"].values():
        for row in rows:
            row |= {"reliable": True, "ece": 0.02}
    r["top_words"] = {"topics": {"syria": {"for": [{"word": "دمشق", "articles": 9, "weight": 1.0}], "against": []}}}
    r["data"]["outlet_words"] = ["المدار", "مدار"]
    r["block_shares"] = {"topics": {"syria": {"words": 0.6, "terms": 0.4}}}
    cell = {"dimension": "source", "value": "a", "small": False, "score": 0.9, "interval": [0.8, 0.95]}
    r["slices"]["heads"] = {"topics": {"overall": 0.9, "cells": [cell]}}
    r["drift"] = {"out_of_scope": 0.01, "labels": [{"label": "syria", "training": 0.3, "here": 0.25}]}
    return r


def _found(code, change):
    r = copy.deepcopy(_good())
    change(r)
    return next(row for row in checks.run(r) if row["code"] == code)


def test_a_good_report_passes_every_check():
    assert {row["code"]: row["severity"] for row in checks.run(_good())} == {c.code: OK for c in checks.CHECKS}


def _first(r, head="topics"):
    return next(iter(r["labels"][head]["labels"].values()))


BAD = [
    ("M01", ERROR, lambda r: (r["verdict"].update(state="fail"), r["verdict"]["rows"][1].update(passes=False))),
    (
        "M01",
        ERROR,
        lambda r: r["verdict"].update(
            state="fail",
            calibration_gates=[{"head": "topics", "label": "syria", "ece": 0.2, "gate": 0.1, "passes": False}],
        ),
    ),
    ("M02", WARNING, lambda r: _first(r).update(support=12)),
    ("M02", ERROR, lambda r: _first(r).update(support=2)),
    ("M03", WARNING, lambda r: r["baselines"]["majority"]["topics"]["labels"]["syria"].update(f1=0.93)),
    ("M03", ERROR, lambda r: r["baselines"]["majority"]["topics"]["labels"]["syria"].update(f1=0.97)),
    ("M04", ERROR, lambda r: r["data"]["duplicates"].update(across=3)),
    ("M04", ERROR, lambda r: r["data"].update(trained_on_too=["ant"])),
    (
        "M04",
        ERROR,
        lambda r: (
            r["provenance"]["config"]["split"].update(kind="date"),
            r["data"]["dates"].update(first="2017-06-01"),
        ),
    ),
    ("M05", WARNING, lambda r: r["thresholds"]["topics"][0].update(threshold=0.01, edge=True)),
    ("M06", WARNING, lambda r: r["calibration"]["topics"][0].update(ece=0.1)),
    ("M06", ERROR, lambda r: r["calibration"]["topics"][0].update(ece=0.3)),
    ("M07", WARNING, lambda r: r["top_words"]["topics"]["syria"]["for"][0].update(word="المدار")),
    ("M07", WARNING, lambda r: r["top_words"]["topics"]["syria"]["for"][0].update(word="رويترز")),
    ("M08", WARNING, lambda r: r["block_shares"]["topics"]["syria"].update(words=0.1, terms=0.9)),
    ("M09", WARNING, lambda r: r["slices"]["heads"]["topics"]["cells"][0].update(score=0.5, interval=[0.4, 0.6])),
    ("M10", ERROR, lambda r: _first(r).update(predicted=0)),
    ("M11", WARNING, lambda r: r["drift"].update(out_of_scope=0.1)),
    ("M11", ERROR, lambda r: r["drift"].update(out_of_scope=0.4)),
    ("M11", WARNING, lambda r: r["drift"]["labels"][0].update(here=0.02)),
]


@pytest.mark.parametrize(("code", "severity", "change"), BAD, ids=[f"{code}-{i}" for i, (code, _, _) in enumerate(BAD)])
def test_each_check_is_triggered(code, severity, change):
    found = _found(code, change)
    assert found["severity"] == severity
    assert found["sentence"].endswith(".") and found["link"]


CALM = [
    ("M04", OK, lambda r: r["provenance"]["config"]["split"].update(kind="date")),
    ("M09", OK, lambda r: r["slices"]["heads"]["topics"]["cells"][0].update(score=0.8, interval=[0.7, 0.9])),
    ("M09", NOT_APPLICABLE, lambda r: r["slices"]["heads"]["topics"]["cells"][0].update(score=0.1, small=True)),
    ("M01", NOT_APPLICABLE, lambda r: r["verdict"].update(state="no gates")),
    ("M03", NOT_APPLICABLE, lambda r: r.update(baselines={})),
    ("M05", NOT_APPLICABLE, lambda r: r.update(thresholds={})),
    ("M06", NOT_APPLICABLE, lambda r: [row.update(reliable=False) for h in r["calibration"].values() for row in h]),
    ("M07", NOT_APPLICABLE, lambda r: r.update(top_words={})),
    ("M08", NOT_APPLICABLE, lambda r: r["provenance"]["config"].update(features={"words": {"kind": "tfidf"}})),
    ("M11", NOT_APPLICABLE, lambda r: r.update(drift=None)),
]


@pytest.mark.parametrize(
    ("code", "severity", "change"), CALM, ids=[f"{code}-{i}" for i, (code, _, _) in enumerate(CALM)]
)
def test_each_check_says_when_it_does_not_apply_or_is_content(code, severity, change):
    assert _found(code, change)["severity"] == severity


def test_only_findings_as_bad_as_asked_fail():
    rows = [{"severity": s} for s in (ERROR, WARNING, OK, NOT_APPLICABLE)]
    assert len(checks.failing(rows, "error")) == 1
    assert len(checks.failing(rows, "warning")) == 2
    assert len({check.code for check in checks.CHECKS}) == len(checks.CHECKS)
