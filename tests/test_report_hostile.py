"""Saved reports that broke, or that a stranger wrote: one message that says where, from all who read them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from report_data import report

from pipeline import cli
from pipeline.report import page, shape

Report = dict[str, Any]


def put(*place: Any) -> Callable[[Report], None]:
    """Put the last argument where the others lead."""
    *path, last, value = place

    def change(r: Report) -> None:
        of: Any = r
        for part in path:
            of = of[part]
        of[last] = value

    return change


def drop(*place: Any) -> Callable[[Report], None]:
    *path, last = place

    def change(r: Report) -> None:
        of: Any = r
        for part in path:
            of = of[part]
        del of[last]

    return change


SPOILED: list[tuple[Callable[[Report], None], str]] = [
    (put("verdict", []), "verdict: found a list of 0, expected an object"),
    (drop("verdict"), '"verdict" is missing'),
    (put("verdict", "state", "splendid"), 'verdict.state: found "splendid", expected one of fail, no gates, pass'),
    (put("verdict", "state", ["pass"]), "verdict.state: found a list of 1"),
    (put("verdict", "rows", []), "verdict.rows: 0 is missing"),
    (put("verdict", "rows", 1, "f1", [0.5]), "verdict.rows.1.f1: found a list of 1, expected a number from 0 to 1"),
    (put("verdict", "rows", 1, "f1", True), "verdict.rows.1.f1: found true"),
    (put("verdict", "rows", 1, "interval", [0.1]), "verdict.rows.1.interval: found a list of 1, expected a list of 2"),
    (drop("verdict", "rows", 1, "recall"), 'verdict.rows.1: "recall" is missing'),
    (put("verdict", "rows", 0, "others", {"held_out": 0.5}), 'verdict.rows.1.others: "held_out" is missing'),
    (put("verdict", "accepted", {"name": "x"}), 'verdict.accepted: "scores" is missing'),
    (put("how", "by luck"), 'how: found "by luck"'),
    (put("texts", None), "texts: found null, expected true or false"),
    (put("data", "articles", 10**400), "data.articles: found 1000"),
    (put("data", "articles", -1), "data.articles: found -1"),
    (put("data", "dates", "years", {}), "data.dates.years: found an object, expected a list"),
    (put("labels", "topics", "macro_f1", "value", 1e308), "labels.topics.macro_f1.value: found 1e+308"),
    (drop("labels", "topics", "labels", "syria", "f1"), 'labels.topics.labels.syria: "f1" is missing'),
    (put("labels", "other", {}), 'labels.other: "labels" is missing'),
    (drop("top_words", "topics"), 'top_words: "topics" is missing'),
    (put("top_words", "topics", "syria", "for", [{"word": 1}]), "top_words.topics.syria.for.0.word: found 1"),
    (drop("block_shares", "topics", "syria"), 'block_shares.topics: "syria" is missing'),
    (drop("baselines", "majority", "topics", "labels", "syria"), 'baselines.majority.topics: "syria" is missing'),
    (put("thresholds", "topics", 0, "curve", [[0.5]]), "thresholds.topics.0.curve.0: found a list of 1"),
    (put("calibration", "topics", 0, "bins", 0, [1, 2, 3]), "calibration.topics.0.bins.0.1: found 2"),
    (put("coverage", "topics", "points", None), "coverage.topics.points: found null"),
    (drop("scope", "heads", "stance"), 'scope.heads: "stance" is missing'),
    (put("together", "topics", "true", [[1, 2]]), "together.topics.true: found 1, expected one for each of 2 labels"),
    (put("confusion", "stance", "parts", []), "confusion.stance.parts: 0 is missing"),
    (put("confusion", "stance", "parts", 0, "matrix", 2, [1]), "confusion.stance.parts.0.matrix.2: found 1"),
    (put("errors", 0, "url", "javascript:alert(1)"), 'errors.0.url: found "javascript:alert(1)", expected a web'),
    (put("errors", 0, "text", 0, ["x", 9]), "errors.0.text.0.1: found 9, expected a whole number from -3 to 3"),
    (drop("errors", 0, "text"), 'errors.0: "text" is missing'),
    (put("articles", 0, "id", 7), "articles.0.id: found 7, expected a text"),
    (put("articles", 0, "heads", "topics", "scores", []), "articles.0.topics.scores: found 0, expected one for each"),
    (put("learning", [{"articles": 9, "heads": {"topics": {"macro_f1": 1, "labels": {}}}}]), "learning.0.topics: "),
    (put("provenance", None), "provenance: found null"),
    (put("provenance", "versions", {}), 'provenance.versions: "mirsad" is missing'),
    (put("provenance", "config", "heads", {}), 'provenance.config.heads: "stance" is missing'),
]


def refused(folder, monkeypatch, capsys, content: str | bytes) -> str:
    """What `mirsad report` and `mirsad compare` say; that both say the same, and that nothing is written."""
    path = folder / "bad" / page.JSON
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    capsys.readouterr()  # what making the report said
    found = []
    for words in (["report", str(path.parent)], ["compare", str(path.parent), str(path.parent)]):
        monkeypatch.setattr(sys, "argv", ["mirsad", *words, *(["--output", str(folder / "c")] * (len(words) > 2))])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == 2
        found.append(capsys.readouterr().err)
    assert found[0] == found[1]
    assert [each.name for each in path.parent.iterdir()] == [page.JSON]
    assert page.previous(path.parent) is None  # an evaluation takes its place
    return found[0].removeprefix(f"error: {path}: is no report: ").removesuffix("\n  Train or evaluate again.\n")


@pytest.mark.parametrize(("change", "said"), SPOILED, ids=[said for _, said in SPOILED])
def test_what_is_not_as_it_should_be_is_named(tmp_path, monkeypatch, capsys, change, said):
    spoiled = json.loads(json.dumps(report()))
    shape.check(spoiled)
    change(spoiled)
    found = refused(tmp_path, monkeypatch, capsys, json.dumps(spoiled))
    assert found.startswith(said)
    assert "\n" not in found and len(found) < 600


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe\x00", "'utf-16"),
        ("[]", "it has no schema"),
        ("7", "it has no schema"),
        ('{"schema": 1}', '"name" is missing'),
        ('{"schema": 1, "name": NaN}', "NaN is no number"),
        ('{"schema": 1, "new": [1e999]}', "1e999 is no number"),
        ('{"schema": 1, "new": ' + "[" * 60 + "]" * 60 + "}", "it is nested too deeply"),
        ('{"schema": 1, "new": ' + "[" * 100_000, "it is nested too deeply"),
        ('{"schema": 1, "new": ' + "9" * 5000 + "}", "Exceeds the limit"),
    ],
)
def test_what_is_no_json_or_no_report(tmp_path, monkeypatch, capsys, content, said):
    assert refused(tmp_path, monkeypatch, capsys, content).startswith(said)


def test_keys_that_are_new_are_passed_over(tmp_path):
    path = page.write(tmp_path, report() | {"new": {"deep": [[[1]]]}})
    assert page.rebuild(tmp_path) == path
    assert page.read(tmp_path)[0]["new"] == {"deep": [[[1]]]}


def test_labels_are_anyones_words(tmp_path):
    """Also where they name a drawing."""
    label = '"><img src=x onerror=alert(1)>\\q\\1$\\frac'
    path = page.write(tmp_path, json.loads(json.dumps(report()).replace('"syria"', json.dumps(label))))
    page.rebuild(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert "<img" not in text
    assert re.search(r'aria-label="Calibration of &quot;&gt;&lt;img', text)
