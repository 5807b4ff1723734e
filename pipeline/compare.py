"""Compare runs: what changed for better and for worse on the same articles, and whether it may be chance."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import InputError
from pipeline.report import page
from pipeline.report.view import rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]

RESAMPLES = 2000
MOST_FLIPPED = 60
HTML, MARKDOWN, JSON = "compare.html", "compare.md", "compare.json"


def compare_runs(runs: Sequence[str | Path], output: str | Path) -> Path:
    """Compare saved reports and write the comparison.

    Parameters
    ----------
    runs : sequence of str or Path
        Folders of models or evaluations; the others are compared with the first.
    output : str or Path
        Folder for compare.html, compare.md and compare.json.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        For fewer than two runs, one without a report, or runs that judged no article in common.
    """
    if len(runs) < 2:
        raise InputError("takes two runs or more", where="mirsad compare", hint="mirsad compare models/old models/new")
    reports = [page.read(run)[0] for run in runs]
    result = rounded(compare(reports, [str(run) for run in runs]))
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    page.save(folder / JSON, json.dumps(result, ensure_ascii=False, allow_nan=False) + "\n")
    page.save(folder / HTML, page.html("compare.html", result))
    page.save(folder / MARKDOWN, page.markdown("compare.md", result))
    return folder / HTML


def compare(reports: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Compare reports with the first of them.

    Parameters
    ----------
    reports : sequence of dict
        As `report.summary.summarize` makes them.
    names : sequence of str

    Returns
    -------
    dict
        "runs": name, state and number of articles of each. "pairs": for each other run, the labels' F1 in both, their
        difference with its interval by the paired bootstrap, and the probability of such a one-sided change of right
        and wrong answers by chance (McNemar, exact; adjusted over all labels by Holm's method); the articles that
        flipped; and every setting that differs.
    """
    first = reports[0]
    return {
        "runs": [
            {"name": name, "state": r["verdict"]["state"], "articles": len(r["articles"]), "how": r["how"]}
            for name, r in zip(names, reports, strict=True)
        ],
        "pairs": [
            {"old": names[0], "new": name} | _pair(first, other)
            for name, other in zip(names[1:], reports[1:], strict=True)
        ],
    }


def _pair(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    before = {line["id"]: line for line in old["articles"]}
    after = {line["id"]: line for line in new["articles"]}
    shared = [key for key in before if key in after]
    if not shared:
        raise InputError(
            "the runs judged no article in common", where=f"{old['name']} and {new['name']}", hint="Ids are compared."
        )
    rows, flipped, relabelled = [], [], 0
    for head, of in old["labels"].items():
        if head not in new["labels"]:
            continue
        labels = [label for label in of["labels"] if label in new["labels"][head]["labels"]]
        both = [key for key in shared if head in before[key]["heads"] and head in after[key]["heads"]]
        same = [key for key in both if before[key]["heads"][head]["gold"] == after[key]["heads"][head]["gold"]]
        relabelled += len(both) - len(same)
        if not same or not labels:
            continue
        truth, a, b = (
            np.array([[label in of_line["heads"][head][key] for label in labels] for of_line in lines], dtype=bool)
            for lines, key in (
                ([before[k] for k in same], "gold"),
                ([before[k] for k in same], "given"),
                ([after[k] for k in same], "given"),
            )
        )
        rows += [{"head": head} | row for row in _labels(labels, truth, a, b)]
        flipped += _flipped(head, same, truth, a, b, before, after, {"old": old, "new": new})
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_adjusted"] = p
    return {
        "shared": len(shared),
        "only_old": len(before) - len(shared),
        "only_new": len(after) - len(shared),
        "relabelled": relabelled,
        "labels": rows,
        "mended": [row for row in flipped if row["better"]][:MOST_FLIPPED],
        "broken": [row for row in flipped if not row["better"]][:MOST_FLIPPED],
        "n_mended": sum(row["better"] for row in flipped),
        "n_broken": sum(not row["better"] for row in flipped),
        "differences": differences(_settings(old), _settings(new)),
    }


def _labels(labels: list[str], truth: Bools, a: Bools, b: Bools) -> list[dict[str, Any]]:
    differences = _resampled(truth, a, b)
    rows = []
    for i, label in enumerate(labels):
        right_a, right_b = a[:, i] == truth[:, i], b[:, i] == truth[:, i]
        gained, lost = int((right_b & ~right_a).sum()), int((right_a & ~right_b).sum())
        old, new = _f1(truth[:, i], a[:, i]), _f1(truth[:, i], b[:, i])
        rows.append(
            {
                "label": label,
                "support": int(truth[:, i].sum()),
                "old": old,
                "new": new,
                "change": new - old,
                "interval": np.percentile(differences[:, i], [2.5, 97.5]).tolist(),
                "gained": gained,
                "lost": lost,
                "p": mcnemar(gained, lost),
            }
        )
    return rows


def _resampled(truth: Bools, a: Bools, b: Bools) -> NDArray[np.float64]:
    """Differences of F1 on articles drawn with replacement, the same for both; shape (RESAMPLES, n_labels)."""
    random = np.random.default_rng(0)
    cells = np.hstack([truth & a, truth & b, a, b, truth]).astype(np.float64)
    drawn = random.multinomial(len(truth), np.full(len(truth), 1 / len(truth)), size=RESAMPLES) @ cells
    both_a, both_b, given_a, given_b, gold = np.split(drawn, 5, axis=1)
    return np.asarray(
        2 * both_b / np.maximum(given_b + gold, 1) - 2 * both_a / np.maximum(given_a + gold, 1), dtype=np.float64
    )


def _f1(truth: Bools, given: Bools) -> float:
    total = int(truth.sum() + given.sum())
    return 2 * int((truth & given).sum()) / total if total else 0.0


def mcnemar(gained: int, lost: int) -> float:
    """Probability that so uneven a split of the changed answers is chance: McNemar's test, exact, two-sided.

    Parameters
    ----------
    gained, lost : int
        Articles that only one of the two runs got right.
    """
    n = gained + lost
    if n == 0:
        return 1.0
    # log-factorials, so that thousands of changed answers neither overflow nor take long
    tail = [
        math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2))
        for k in range(min(gained, lost) + 1)
    ]
    return min(1.0, 2 * math.fsum(tail))


def holm(p: Sequence[float]) -> list[float]:
    """Adjust probabilities for their number (Holm, 1979)."""
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = highest
    return adjusted


def _flipped(
    head: str,
    keys: list[str],
    truth: Bools,
    a: Bools,
    b: Bools,
    before: dict[str, Any],
    after: dict[str, Any],
    reports: dict[str, dict[str, Any]],
) -> list[dict[str, Any]]:
    """Articles with all of a head's labels right in one run and not in the other, with the wrong one's evidence."""
    right_a, right_b = (truth == a).all(axis=1), (truth == b).all(axis=1)
    shown = {
        run: {(error["id"], error["head"]): error for error in report["errors"]} for run, report in reports.items()
    }
    found = []
    for i in np.nonzero(right_a != right_b)[0]:
        key = keys[i]
        error = shown["old" if right_b[i] else "new"].get((key, head), {})
        found.append(
            {
                "id": key,
                "head": head,
                "better": bool(right_b[i]),
                "source": before[key]["source"],
                "date": before[key]["date"],
                "gold": before[key]["heads"][head]["gold"],
                "old": before[key]["heads"][head]["given"],
                "new": after[key]["heads"][head]["given"],
                "label": error.get("label"),
                "title": error.get("title", []),
                "text": error.get("text", []),
                "surety": error.get("surety", 0.0),
            }
        )
    return sorted(found, key=lambda row: (-row["surety"], row["id"]))


def _settings(report: dict[str, Any]) -> dict[str, Any]:
    provenance = report["provenance"]
    kept = ("config", "data", "articles", "normalization", "features", "chosen", "versions")
    return {"judged": report["how"], "articles judged": len(report["articles"])} | {
        key: provenance[key] for key in kept
    }


def differences(old: Any, new: Any, key: str = "") -> list[dict[str, str]]:
    """Settings that differ, as key, old and new; what one side lacks is "–"."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            row
            for name in [*old, *(name for name in new if name not in old)]
            for row in differences(old.get(name), new.get(name), f"{key}.{name}" if key else str(name))
        ]
    if old == new:
        return []
    said = ["–" if value is None else json.dumps(value, ensure_ascii=False) for value in (old, new)]
    return [{"key": key, "old": said[0], "new": said[1]}]
