"""The first sections: the verdict, and what the data are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.report.slices import sources

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.report.view import View

HOW = {
    "cross_validation": "articles that it had not seen (cross-validation)",
    "held_out": "articles that were held out",
    "evaluation": "articles of this evaluation",
}


def verdict(
    config: Config,
    how: str,
    measured: dict[str, Any],
    others: dict[str, Any],
    sliced: dict[str, Any],
    accepted: dict[str, Any] | None,
) -> dict[str, Any]:
    """Whether the model is good enough: a line a label and head, its gate and its change, and three sentences.

    Parameters
    ----------
    config : Config
    how : str
        Which judgement is shown.
    measured : dict
        `evaluate.measure` of that judgement.
    others : dict of str to dict
        The same of other judgements, shown beside it.
    sliced : dict
        `slices.slices`.
    accepted : dict, optional
        Name and scores of the last accepted run.
    """
    rows = []
    for name, head in measured.items():
        rows.append(
            _row(name, None, head["macro_f1"]["value"], head["macro_f1"]["interval"], head["n"])
            | _gate(config.gates.macro_f1.get(name), head["macro_f1"]["value"], head["macro_f1"]["interval"])
            | {"others": {other: m[name]["macro_f1"]["value"] for other, m in others.items() if name in m}}
        )
        for label, of in head["labels"].items():
            gate = config.gates.f1.get(f"{name}.{label}", config.gates.f1.get(label))
            rows.append(
                _row(name, label, of["f1"], of["f1_interval"], of["support"])
                | _gate(gate, of["f1"], of["f1_interval"])
                | {"precision": of["precision"], "recall": of["recall"]}
                | {"others": {other: m[name]["labels"][label]["f1"] for other, m in others.items() if name in m}}
            )
    before = (accepted or {}).get("scores", {})
    for row in rows:
        key = row["head"] if row["label"] is None else f"{row['head']}.{row['label']}"
        row["change"] = row["f1"] - before[key] if key in before else None
    gated = [row for row in rows if row["gate"] is not None]
    eces = [
        {
            "head": name,
            "label": label,
            "ece": of["ece"],
            "gate": config.gates.ece,
            "passes": of["ece"] <= config.gates.ece,
        }
        for name, head in measured.items()
        for label, of in head["labels"].items()
        if config.gates.ece is not None
    ]
    failed = [row for row in gated if not row["passes"]]
    loose = [row for row in eces if not row["passes"]]
    state = "no gates" if not gated and not eces else "fail" if failed or loose else "pass"
    return {
        "state": state,
        "rows": rows,
        "calibration_gates": eces,
        "sentences": [
            _first(how, measured, gated, failed, loose, state),
            _weakest(measured),
            _worst(measured, sliced),
        ],
        "scores": {row["head"] if row["label"] is None else f"{row['head']}.{row['label']}": row["f1"] for row in rows},
        "accepted": accepted,
    }


def _row(head: str, label: str | None, f1: float, interval: list[float], support: int) -> dict[str, Any]:
    return {"head": head, "label": label, "f1": f1, "interval": interval, "support": support}


def _gate(gate: float | None, value: float, interval: list[float]) -> dict[str, Any]:
    """Passed or not, and whether another sample of articles might have said otherwise."""
    passes = None if gate is None else value >= gate
    return {"gate": gate, "passes": passes, "certain": gate is not None and not interval[0] < gate <= interval[1]}


def _first(how: str, measured: Any, gated: Any, failed: Any, loose: Any, state: str) -> str:
    scores = " and ".join(
        f"{head['macro_f1']['value']:.2f} on {name} ({head['macro_f1']['interval'][0]:.2f} to "
        f"{head['macro_f1']['interval'][1]:.2f})"
        for name, head in measured.items()
    )
    n = max(head["n"] for head in measured.values())
    sentence = f"Macro F1 is {scores}, over {n:,} {HOW[how]}. "
    if state == "no gates":
        return sentence + "The config sets no gates, so whether that is good enough is for you to say."
    if state == "pass":
        return sentence + f"All {len(gated)} gates of the config are passed."
    names = [row["label"] or f"macro F1 of {row['head']}" for row in failed] + [
        f"ECE of {row['label']}" for row in loose
    ]
    return sentence + f"Not good enough by the gates of the config: {', '.join(names)}."


def _weakest(measured: dict[str, Any]) -> str:
    found = [(of["f1"], name, label, of) for name, head in measured.items() for label, of in head["labels"].items()]
    _, name, label, of = min((row for row in found if row[3]["support"]), key=lambda row: row[0], default=found[0])
    if not of["support"]:
        return f"No article has the label {label} of {name}, so nothing can be said of it."
    recall, precision = of["recall"] or 0.0, of["precision"]
    start = f"The weakest label is {label} ({name}), with F1 {of['f1']:.2f}: "
    missed, extra = round(of["support"] * (1 - recall)), round(of["predicted"] * (1 - (precision or 0.0)))
    return (
        start
        + f"{missed} of its {of['support']} articles are missed, and {extra} of the {of['predicted']} given are wrong."
    )


def _worst(measured: dict[str, Any], sliced: dict[str, Any]) -> str:
    parts = []
    for name, of in sliced["heads"].items():
        worst = of["worst_source"] or of["worst"]
        if worst and of["overall"] and worst["score"] < of["overall"] - 0.02:
            where = worst["value"] if worst["dimension"] == "source" else f"{worst['dimension']} {worst['value']}"
            parts.append(
                f"{name} is worst on {where} (F1 {worst['score']:.2f} against {of['overall']:.2f} overall, "
                f"{worst['support']} articles with labels)"
            )
    if not parts:
        return "No source with enough articles is clearly worse than the rest."
    sentence = "; ".join(parts)
    return sentence[0].upper() + sentence[1:] + "."


def about_data(config: Config, data: Dataset, judged: Judged, heads: dict[str, View]) -> dict[str, Any]:
    """Sources, dates, labels, duplicates, leakage, certainty and what was left out, of the articles of this report."""
    table = data.table.iloc[judged.rows]
    dates = [date for date in table["date"].astype(str) if date]
    groups = data.groups[judged.rows]
    numbers, sizes = np.unique(groups, return_counts=True)
    copied = numbers[sizes > 1]
    ids = table["id"].astype(str).to_numpy()
    across = sum(len(set(judged.asked[groups == group].tolist())) > 1 for group in copied)
    outside = np.setdiff1d(np.arange(len(data)), judged.rows)
    before = [date for date in data.table["date"].iloc[outside].astype(str) if date]
    leaking = int(np.isin(np.unique(groups), data.groups[outside]).sum())
    found: dict[str, Any] = {
        "articles": len(judged.rows),
        "sha256": data.digest,
        "origins": _shares(table["origin"].astype(str)),
        "sources": _shares(sources(data)[judged.rows])[:40],
        "n_sources": len(set(sources(data)[judged.rows])),
        "dates": {
            "first": min(dates, default=None),
            "last": max(dates, default=None),
            "without": len(table) - len(dates),
            "trained_until": max(before, default=None),
            "years": _shares(sorted(date[:4] for date in dates), by_name=True),
        },
        "labels": {
            name: [
                {
                    "label": label,
                    "articles": int(view.truth[:, i].sum()),
                    "share": float(view.truth[:, i].mean()),
                    "given": float(view.decided[:, i].mean()),
                }
                for i, label in enumerate(view.labels)
            ]
            for name, view in heads.items()
        },
        "duplicates": {
            "threshold": config.cleaning.duplicates,
            "groups": len(copied),
            "articles": int(sizes[sizes > 1].sum()),
            "largest": [
                ids[groups == g].tolist()[:8]
                for g in numbers[np.argsort(-sizes, kind="stable")][: min(10, len(copied))]
            ],
            "across": int(across + leaking),
        },
        "left_out": dict(data.rejects.counts),
    }
    if "sure" in table and (table["sure"].astype(str) != "").any():
        sure = table["sure"].astype(str)
        found["sure"] = {value: float((sure == value).mean()) for value in sorted(set(sure)) if value}
    return found


def _shares(values: Any, *, by_name: bool = False) -> list[dict[str, Any]]:
    counted = Counter(map(str, values))
    total = max(1, sum(counted.values()))
    ordered = sorted(counted.items()) if by_name else counted.most_common()
    return [{"name": name, "articles": n, "share": n / total} for name, n in ordered]
