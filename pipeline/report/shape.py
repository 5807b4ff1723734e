"""What a saved report must hold to be shown and compared: it may come from a stranger, and templates compute nothing.

`REPORT` follows docs/report-schema.md as far as a page or a comparison reads it; keys beyond are passed over. In it
`[x]` is a list of x, `(x, y)` a list of just these, `{...}` an object with these keys (a `?` before those that may be
absent), `Map(x)` one with any keys, `Maybe(x)` x or null, a set one of its texts, and `Plain` a value by itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.report.wrong import safe_url

DEEPEST = 50
"""Lists and objects within each other, at most."""


@dataclass(frozen=True)
class Map:
    """An object with any keys."""

    of: Any


@dataclass(frozen=True)
class Maybe:
    """Something, or null."""

    of: Any


@dataclass(frozen=True)
class Plain:
    """A value by itself: what it is called, and what it accepts."""

    name: str
    accepts: Callable[[Any], bool]


_number = Plain("a number", lambda value: type(value) in (int, float) and -1e9 <= value <= 1e9)
_share = Plain("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)
_count = Plain("a whole number from 0 on", lambda value: type(value) is int and 0 <= value <= 10**12)
_level = Plain("a whole number from -3 to 3", lambda value: type(value) is int and -3 <= value <= 3)
_text = Plain("a text", lambda value: isinstance(value, str))
_truth = Plain("true or false", lambda value: isinstance(value, bool))
_address = Plain("a web address", lambda value: isinstance(value, str) and safe_url(value) == value)
_object = Plain("an object", lambda value: isinstance(value, dict))

_INTERVAL = (_share, _share)
_FIGURE = {"value": _share, "interval": _INTERVAL}
_F1 = {"macro_f1": _share, "labels": Map(_share)}
_SIDES = {"precision": Maybe(_share), "recall": Maybe(_share)}
_METRICS = {
    "labels": Map(
        {
            **_SIDES,
            "f1": _share,
            "f1_interval": _INTERVAL,
            "support": _count,
            "predicted": _count,
            "average_precision": Maybe(_share),
            "ece": _share,
        }
    ),
    "macro_f1": _FIGURE,
    "?score": {**_FIGURE, "labels": [_text], "by": Maybe(_text), "parts": Map(_share)},
}
_VERDICT_ROW = {
    "head": _text,
    "label": Maybe(_text),
    "f1": _share,
    "interval": _INTERVAL,
    "support": _count,
    **{f"?{key}": of for key, of in _SIDES.items()},
    "gate": Maybe(_number),
    "passes": Maybe(_truth),
    "certain": _truth,
    "change": Maybe(_number),
    "others": Map(_share),
}
_NAMED = [{"name": _text, "articles": _count, "share": _share}]
_POINT = {"threshold": _number, "given": _count, **_SIDES, "f1": Maybe(_share), "missed": _count, "extra": _count}
_FLAGGED = {"n": _count, "precision": Maybe(_share), "wrong_articles": _count}
_TOPIC = {"name": _text, "n": _count, "macro_f1": Maybe(_share), "accuracy": Maybe(_share), "swaps": _count}
_SLICE = {
    "dimension": _text,
    "value": _text,
    "n": _count,
    "support": _count,
    "score": Maybe(_share),
    "interval": Maybe(_INTERVAL),
    "small": _truth,
    "wrong": _count,
}
_MARKED = [(_text, Maybe(_level))]
_SPOKEN = [(_text, _number)]
_WORDS = [{"word": _text, "articles": _count, "weight": _number}]
_SHOWN = {"id": _text, "source": _text, "date": _text}

REPORT: dict[str, Any] = {
    "name": _text,
    "kind": {"training", "evaluation"},
    "how": {"cross_validation", "held_out", "evaluation"},
    "texts": _truth,
    "verdict": {
        "state": {"pass", "fail", "no gates"},
        "rows": [_VERDICT_ROW],
        "calibration_gates": [{"head": _text, "label": _text, "ece": _share, "gate": _number, "passes": _truth}],
        "sentences": [_text],
        "scores": Map(_number),
        "accepted": Maybe({"name": _text, "scores": Map(_number), "data": _text, "how": _text}),
    },
    "checks": [
        {
            "code": _text,
            "title": _text,
            "severity": {"error", "warning", "ok", "not applicable"},
            "sentence": _text,
            "link": _text,
        }
    ],
    "data": {
        "articles": _count,
        "origins": _NAMED,
        "sources": _NAMED,
        "n_sources": _count,
        "dates": {"first": Maybe(_text), "last": Maybe(_text), "without": _count, "years": _NAMED},
        "labels": Map([{"label": _text, "articles": _count, "share": _share, "given": _share}]),
        "duplicates": {
            "threshold": _share,
            "groups": _count,
            "articles": _count,
            "largest": [[_text]],
            "across": _count,
        },
        "left_out": Map(_count),
        "?sure": Map(_share),
        "trained_on_too": [_text],
    },
    "baselines": Map(Map(_METRICS)),
    "human": Maybe(Map(_F1)),
    "labels": Map(_METRICS),
    "top_words": Map(Map({"for": _WORDS, "against": _WORDS})),
    "block_shares": Map(Map(Map(_share))),
    "thresholds": Map(
        [
            {
                "label": _text,
                "threshold": _number,
                "nearest": _count,
                "rule": _text,
                "at": _POINT,
                "around": [_POINT],
                "table": [_POINT],
                "curve": [_INTERVAL],
            }
        ]
    ),
    "calibration": Map(
        [
            {
                "label": _text,
                "ece": _share,
                "bins": [(_count, _share, _share)],
                "bin_size": _count,
                "reliable": _truth,
            }
        ]
    ),
    "coverage": Map(
        {
            "asked": _share,
            "from": Maybe(_number),
            "points": [{"coverage": _share, "precision": Maybe(_share)}],
            "certain": _FLAGGED,
            "uncertain": _FLAGGED,
        }
    ),
    "scope": {"familiar_from": _share, "heads": Map({"outside": {"n": _count, "wrong": _count}})},
    "together": Map(
        {
            "labels": [_text],
            "true": [[_count]],
            "given": [[_count]],
            "cells": [{"label": _text, "right": _count, "missed": _count, "extra": _count, "rest": _count}],
            "numbers": [{"labels": _count, "true": _count, "given": _count}],
            "exact_match": _share,
            "hamming_loss": _share,
        }
    ),
    "confusion": Map(
        {
            "labels": [_text],
            "default": Maybe(_text),
            "parts": [{**_TOPIC, "matrix": [[_count]], "swappable": _count}],
            "by_topic": [_TOPIC],
        }
    ),
    "slices": {
        "heads": Map(
            {"overall": Maybe(_share), "cells": [_SLICE], "worst": Maybe(_SLICE), "worst_source": Maybe(_SLICE)}
        ),
        "terms": [
            {
                "label": _text,
                "terms": _text,
                "n": _count,
                "support": _count,
                **_SIDES,
                "f1": Maybe(_share),
                "small": _truth,
            }
        ],
    },
    "errors": [
        {
            **_SHOWN,
            "url": Maybe(_address),
            "head": _text,
            "gold": [_text],
            "given": [_text],
            "kind": {"missed", "extra", "missed and extra", "swapped"},
            "label": _text,
            "surety": _share,
            "answers": [{"label": _text, "score": _share, "threshold": Maybe(_number)}],
            "words": {"for": _SPOKEN, "against": _SPOKEN},
            "measures": _SPOKEN,
            "?title": _MARKED,
            "?text": _MARKED,
        }
    ],
    "suspects": [
        {
            "id": _text,
            "head": _text,
            "label": _text,
            "given": _text,
            "suggested": _text,
            "margin": _number,
            "?sure": _text,
            "?title": _text,
        }
    ],
    "learning": [{"articles": _count, "heads": Map(_F1)}],
    "?sample": Maybe({"shown": _count, "judged": _count}),
    "articles": [
        {
            **_SHOWN,
            "?title": _text,
            "flags": [_text],
            "heads": Map({"gold": [_text], "given": [_text], "scores": [_share], "words": Map([_text])}),
        }
    ],
    "provenance": {
        "command": Maybe(_text),
        "config": {"heads": Map({"target": Maybe(_text)})},
        "data": _text,
        "articles": _count,
        "normalization": _text,
        "?features_once": _truth,
        "features": Map(_count),
        "chosen": _object,
        "versions": Map(_text),
    },
}


def parsed(content: bytes) -> Any:
    """JSON in which numbers are finite, and which is not nested beyond reason.

    Raises
    ------
    ValueError
    """
    try:
        value = json.loads(content, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    level = [value]
    for _ in range(DEEPEST):
        inside = (of.values() if isinstance(of, dict) else of for of in level if isinstance(of, dict | list))
        level = [item for items in inside for item in items]
    if level:
        raise ValueError("it is nested too deeply")
    return value


def check(report: Any) -> None:
    """Make sure that a report can be shown and compared.

    Raises
    ------
    ValueError
        With the first place that is not as it should be.
    """
    _check(report, REPORT, "")
    for place, wanted, found in _looked_up(report):
        lacking = [name for name in wanted if name not in found]
        if lacking:
            raise _lacking(place, lacking[0])
    for place, labels, rows in _by_position(report):
        if len(rows) != len(labels):
            raise ValueError(f"{place}: found {len(rows):,}, expected one for each of {len(labels):,} labels")


def _check(value: Any, shape: Any, place: str) -> None:
    if isinstance(shape, Plain):
        if not shape.accepts(value):
            raise _wrong(place, value, shape.name)
    elif isinstance(shape, Maybe):
        if value is not None:
            _check(value, shape.of, place)
    elif isinstance(shape, set):
        if not isinstance(value, str) or value not in shape:
            raise _wrong(place, value, f"one of {', '.join(sorted(shape))}")
    elif isinstance(shape, list | tuple):
        fitting = len(value) if isinstance(shape, list) and isinstance(value, list) else len(shape)
        if not isinstance(value, list) or len(value) != fitting:
            raise _wrong(place, value, "a list" if isinstance(shape, list) else f"a list of {fitting}")
        for i, item in enumerate(value):
            _check(item, shape[0 if isinstance(shape, list) else i], f"{place}{i}.")
    elif not isinstance(value, dict):
        raise _wrong(place, value, "an object")
    elif isinstance(shape, Map):
        for key, item in value.items():
            _check(item, shape.of, f"{place}{key}.")
    else:
        for name, of in shape.items():
            key = name.removeprefix("?")
            if key in value:
                _check(value[key], of, f"{place}{key}.")
            elif key == name:
                raise _lacking(place, key)


def _looked_up(report: Any) -> Iterator[tuple[str, Iterable[Any], Collection[Any]]]:
    """Where something is found by a name that stands elsewhere: the place, the names, what is there."""
    rows, heads = report["verdict"]["rows"], report["labels"]
    yield "verdict.rows", [0], range(len(rows))
    for i, row in enumerate(rows):
        yield f"verdict.rows.{i}.others", rows[0]["others"], row["others"]
        yield f"verdict.rows.{i}", ("precision", "recall") if row["label"] is not None else (), row
    yield "provenance.versions", ["mirsad"], report["provenance"]["versions"]
    yield "provenance.config.heads", report["confusion"], report["provenance"]["config"]["heads"]
    yield "scope.heads", report["coverage"], report["scope"]["heads"]
    yield "top_words", heads, report["top_words"]
    yield "block_shares", heads, report["block_shares"]
    for head, of in heads.items():
        yield f"block_shares.{head}", report["top_words"][head], report["block_shares"][head]
        beside = {f"baselines.{name}": found for name, found in report["baselines"].items()}
        beside |= {f"learning.{i}": point["heads"] for i, point in enumerate(report["learning"])}
        for place, found in (beside | {"human": report["human"] or {}}).items():
            yield f"{place}.{head}", of["labels"] if head in found else (), found.get(head, of)["labels"]
    for head, of in report["confusion"].items():
        yield f"confusion.{head}.parts", [0], range(len(of["parts"]))
    for i, error in enumerate(report["errors"]):
        yield f"errors.{i}", ("title", "text") if {"title", "text"} & error.keys() else (), error


def _by_position(report: Any) -> Iterator[tuple[str, Collection[Any], Collection[Any]]]:
    """Where numbers stand in the order of labels: the place, the labels, the numbers."""
    for head, of in report["together"].items():
        yield from _square(f"together.{head}.true", of["labels"], of["true"])
        yield from _square(f"together.{head}.given", of["labels"], of["given"])
    for head, of in report["confusion"].items():
        for i, part in enumerate(of["parts"]):
            yield from _square(f"confusion.{head}.parts.{i}.matrix", of["labels"], part["matrix"])
    for i, line in enumerate(report["articles"]):
        for head in line["heads"].keys() & report["labels"].keys():
            yield f"articles.{i}.{head}.scores", report["labels"][head]["labels"], line["heads"][head]["scores"]


def _square(place: str, labels: list[Any], matrix: list[list[Any]]) -> Iterator[tuple[str, list[Any], list[Any]]]:
    yield place, labels, matrix
    yield from ((f"{place}.{i}", labels, row) for i, row in enumerate(matrix))


def _wrong(place: str, value: Any, expected: str) -> ValueError:
    return ValueError(f"{place.rstrip('.')}: found {_shown(value)}, expected {expected}")


def _lacking(place: str, key: Any) -> ValueError:
    return ValueError(f"{place.rstrip('.')}: {_shown(key)} is missing".removeprefix(": "))


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return "an object" if isinstance(value, dict) else f"a list of {len(value):,}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no number")
    return value
