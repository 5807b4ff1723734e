"""Everything that a report shows, computed once into a plain dict (docs/report-schema.md)."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import __version__, crossfit
from pipeline.report import checks, evidence, human, labels, overview, slices, wrong
from pipeline.report.view import rounded, views
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.config import Config
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.model import Model
    from pipeline.report.view import View

SCHEMA = 1
MOST = 5000
"""Articles that a report shows one by one; of more, so many are drawn."""

_PACKAGES = ("numpy", "scipy", "scikit-learn", "pandas", "numba", "skops", "camel-tools")


def summarize(
    config: Config,
    data: Dataset,
    judged: Mapping[str, Judged],
    metrics: Mapping[str, Any],
    model: Model,
    *,
    name: str,
    command: str | None = None,
    previous: dict[str, Any] | None = None,
    training: dict[str, Any] | None = None,
    learning: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Compute a report.

    Parameters
    ----------
    config : Config
    data : Dataset
    judged : mapping of str to Judged
        "cross_validation" and perhaps "held_out", or "evaluation". One is shown whole: the held-out articles where the
        config chose them by date or source, else the cross-validation.
    metrics : mapping of str to dict
        "heads" and "baselines" of each, as `evaluate.measure` and `evaluate.baselines` give them.
    model : Model
        The model that is saved.
    name : str
        What the report calls it.
    command : str, optional
        The command that makes it again.
    previous : dict, optional
        The report that this one takes the place of.
    training : dict, optional
        For an evaluation: "sources" (origins and their numbers of articles) and "report" (the training's, or None).
    learning : list of dict, optional
        As `learning.curve` gives it.

    Returns
    -------
    dict
        Plain types only; the same for the same input.
    """
    how = shown(config, judged)
    it = judged[how]
    heads = views(config, data, it, dict(model.heads))
    texts = config.output.texts
    # figures are of all articles; single articles and their words are shown of so many as a page can hold
    closely = sampled(it, data)
    closer = heads if closely is it else views(config, data, closely, dict(model.heads))
    wrong_at = np.unique(np.concatenate([view.at[view.wrong] for view in closer.values()]))
    found = evidence.gather(data, closely, closer, keep=wrong_at)
    sliced = slices.slices(config, data, heads)
    measured = metrics[how]["heads"]
    others = {other: of["heads"] for other, of in metrics.items() if other != how}
    report = {
        "schema": SCHEMA,
        "name": name,
        "kind": "training" if training is None else "evaluation",
        "how": how,
        "texts": texts,
        "verdict": overview.verdict(config, how, measured, others, sliced, accepted(previous)),
        "data": overview.about_data(config, data, it, heads)
        | {
            "outlet_words": _outlet_words(model, data),
            "trained_on_too": sorted(
                set((training or {"sources": ()})["sources"]) & set(data.table["origin"].astype(str))
            ),
        },
        "baselines": metrics[how]["baselines"],
        "human": human.ceiling(config, data),
        "labels": {head: _without_confusion(of) for head, of in measured.items()},
        "top_words": found.top,
        "block_shares": found.shares,
        "thresholds": {head: labels.thresholds(view) for head, view in heads.items() if view.multilabel},
        "calibration": {head: labels.calibration(view) for head, view in heads.items()},
        "coverage": {head: labels.coverage(view) for head, view in heads.items()},
        "scope": _scope(it, model, heads),
        "together": {head: labels.together(view) for head, view in heads.items() if view.multilabel},
        "confusion": {head: labels.confusion(view, heads) for head, view in heads.items() if not view.multilabel},
        "slices": sliced,
        "errors": wrong.errors(data, closer, found, texts=texts),
        "suspects": wrong.suspects(data, heads, texts=texts),
        "learning": learning or [],
        "drift": _drift(it, model, heads, training) if how != "cross_validation" else None,
        "articles": wrong.index(data, closely, closer, found, familiar_from=model.familiar_from, texts=texts),
        "sample": None if closely is it else {"shown": len(closely.rows), "judged": len(it.rows)},
        "provenance": provenance(
            config, data, model, command, features_once=training is None and crossfit.suits(config, data)
        ),
    }
    report["checks"] = checks.run(report)
    return dict(rounded(report))


def shown(config: Config, judged: Mapping[str, Any]) -> str:
    """Which judgement a report shows whole."""
    if "evaluation" in judged:
        return "evaluation"
    return (
        "held_out" if "held_out" in judged and config.split.kind in ("date", "source", "column") else "cross_validation"
    )


def sampled(judged: Judged, data: Dataset) -> Judged:
    """As much of a judgement as a page can show article by article: all of it, or `MOST` articles.

    Which articles is told by a hash of their ids, so that runs over the same articles show, and compare, the same.
    """
    if len(judged.rows) <= MOST:
        return judged
    ids = data.table["id"].iloc[judged.rows]
    drawn = np.argsort([blake2b(str(name).encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in ids])
    keep = np.sort(drawn[:MOST])
    return replace(
        judged,
        rows=judged.rows[keep],
        probabilities={name: p[keep] for name, p in judged.probabilities.items()},
        decided={name: d[keep] for name, d in judged.decided.items()},
        familiar=judged.familiar[keep],
        asked=judged.asked[keep],
    )


def accepted(previous: dict[str, Any] | None) -> dict[str, Any] | None:
    """Name and scores of the last run of this name that passed its gates (or had none)."""
    if previous is None or previous.get("schema") != SCHEMA:
        return None
    verdict = previous["verdict"]
    if verdict["state"] == "fail":
        return dict(verdict["accepted"]) if verdict["accepted"] else None
    provenance = previous["provenance"]
    return {"name": previous["name"], "scores": verdict["scores"], "data": provenance["data"], "how": previous["how"]}


def provenance(
    config: Config, data: Dataset, model: Model, command: str | None, *, features_once: bool = False
) -> dict[str, Any]:
    """What made these numbers; `features_once`: the models that judged share their features, as in `crossfit`."""
    from importlib.metadata import version

    return {
        "command": command,
        "config": config.model_dump(mode="json"),
        "data": data.digest,
        "articles": len(data),
        "normalization": model.featurizer.version,
        "features_once": features_once,
        "features": {name: of.stop - of.start for name, of in model.featurizer.slices.items()},
        "chosen": {
            name: {"settings": head.chosen, "thresholds": dict(zip(head.labels, head.thresholds, strict=False))}
            for name, head in model.heads.items()
        },
        "versions": {"mirsad": __version__, "python": sys.version.split()[0]}
        | {package: version(package) for package in _PACKAGES},
    }


def _without_confusion(head: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in head.items() if key != "confusion"}


def _scope(judged: Judged, model: Model, heads: dict[str, View]) -> dict[str, Any]:
    """How right the answers are inside and outside the scope of the training."""
    outside = judged.familiar < model.familiar_from
    return {
        "familiar_from": model.familiar_from,
        "outside": int(outside.sum()),
        "heads": {
            name: {
                part: {"n": int(of.sum()), "wrong": int(view.wrong[of].sum())}
                for part, of in (("inside", ~outside[view.at]), ("outside", outside[view.at]))
            }
            for name, view in heads.items()
        },
    }


def _drift(judged: Judged, model: Model, heads: dict[str, View], training: dict[str, Any] | None) -> dict[str, Any]:
    """How unlike the training the judged articles are; labels only where a report of the training is there."""
    before = ((training or {}).get("report") or {}).get("data", {}).get("labels", {})
    shares = {(name, row["label"]): row["share"] for name, rows in before.items() for row in rows}
    return {
        "out_of_scope": float((judged.familiar < model.familiar_from).mean()),
        "labels": [
            {"head": name, "label": label, "training": shares[name, label], "here": float(view.truth[:, i].mean())}
            for name, view in heads.items()
            for i, label in enumerate(view.labels)
            if (name, label) in shares
        ],
    }


def _outlet_words(model: Model, data: Dataset) -> list[str]:
    """Outlets whose name is one word, normalized as the articles are, with and without its article."""
    normalize = Normalizer(model.featurizer.normalization)
    names = {normalize(name.strip()) for name in map(str, data.table["source"].unique())}
    single = {name for name in names if re.fullmatch(r"\w{3,}", name)}
    return sorted(single | {name.removeprefix("ال") for name in single if name.startswith("ال") and len(name) > 5})
