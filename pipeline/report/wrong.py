"""Every article that went wrong, and a line for each that was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from pipeline.report import evidence
from pipeline.report.slices import sources
from pipeline.report.suspects import suspected

if TYPE_CHECKING:
    from pipeline.dataset import Dataset
    from pipeline.evaluate import Judged
    from pipeline.report.evidence import Evidence
    from pipeline.report.view import View

DIGITS = 3


def errors(data: Dataset, heads: dict[str, View], found: Evidence, *, texts: bool) -> list[dict[str, Any]]:
    """One entry for each article and head with a wrong answer, the surest first.

    Parameters
    ----------
    data : Dataset
    heads : dict of str to View
    found : Evidence
        Of `evidence.gather`, with the wrong articles kept.
    texts : bool
        Whether titles and texts may be shown.

    Returns
    -------
    list of dict
        id, source, date, url, head, gold, given, kind, label (whose words are marked), answers (score and threshold of
        each wrong label), surety (how far from the threshold, or the probability of a single head's answer), words (for
        and against), measures without a place and, with `texts`, title and text as marked pieces.
    """
    total = sum(int(view.wrong.sum()) for view in heads.values())
    limit = int(np.clip(evidence.TEXT_BUDGET / max(total, 1), evidence.SHORTEST, evidence.LONGEST))
    outlets = sources(data)
    entries = []
    for name, view in heads.items():
        for i in np.nonzero(view.wrong)[0]:
            at, row = int(view.at[i]), int(view.rows[i])
            item, explanation = evidence.article(data, row), found.kept[at]
            differs = np.nonzero(view.truth[i] != view.decided[i])[0]
            margin = np.abs(view.probabilities[i] - view.thresholds[i])
            if view.multilabel:
                main = int(differs[np.argmax(margin[differs])])
                surety = float(margin[main])
            else:
                main = int(view.decided[i].argmax())
                surety = float(view.probabilities[i, main])
            entry: dict[str, Any] = {
                "id": item.id,
                "source": str(outlets[row]),
                "date": item.date,
                "url": safe_url(item.url) if texts else None,
                "head": name,
                "gold": view.names(view.truth[i]),
                "given": view.names(view.decided[i]),
                "kind": kind(view, int(i)),
                "label": view.labels[main],
                "surety": surety,
                "answers": [
                    {
                        "label": view.labels[k],
                        "score": float(view.probabilities[i, k]),
                        "threshold": float(view.thresholds[i, k]) if view.multilabel else None,
                    }
                    for k in differs
                ],
                "words": _words(item, explanation, view, view.labels[main]),
                "measures": [list(pair) for pair in explanation.unplaced(view.rule, view.labels[main]).items()][:3],
            }
            if texts:
                entry |= evidence.marked(item, explanation, view, view.labels[main], limit)
            entries.append(entry)
    return sorted(entries, key=lambda entry: (-entry["surety"], entry["id"]))


def kind(view: View, i: int) -> str:
    """What sort of error an article has: a label missed, an extra one, a swap of two, or both of the first."""
    telling = view.telling
    t, d = view.truth[i, telling], view.decided[i, telling]
    missed, extra = bool((t & ~d).any()), bool((d & ~t).any())
    if missed and extra:
        return "missed and extra" if view.multilabel else "swapped"
    return "missed" if missed else "extra"


def index(
    data: Dataset, judged: Judged, heads: dict[str, View], found: Evidence, *, familiar_from: float, texts: bool
) -> list[dict[str, Any]]:
    """A line for every judged article: its labels, the answers with their scores, and the words behind them."""
    outlets = sources(data)
    table = data.table
    position = {name: {at: i for i, at in enumerate(view.at.tolist())} for name, view in heads.items()}
    lines = []
    for at, row in enumerate(judged.rows.tolist()):
        line: dict[str, Any] = {"id": str(table["id"].iloc[row])}
        if texts:
            line["title"] = str(table["title"].iloc[row])
        line |= {"source": str(outlets[row]), "date": str(table["date"].iloc[row]), "heads": {}}
        line["flags"] = ["out_of_scope"] if judged.familiar[at] < familiar_from else []
        for name, view in heads.items():
            i = position[name].get(at)
            if i is None:
                continue
            line["heads"][name] = {
                "gold": view.names(view.truth[i]),
                "given": view.names(view.decided[i]),
                "scores": [round(float(p), DIGITS) for p in view.probabilities[i]],
                "words": found.words[name][at],
            }
            if view.rule.confidence(view.probabilities[i : i + 1])[0] < view.rule.confident_from:
                line["flags"].append(f"uncertain:{name}")
        lines.append(line)
    return lines


def suspects(data: Dataset, heads: dict[str, View], *, texts: bool) -> list[dict[str, Any]]:
    """Labels that the models doubt most, over all heads."""
    found = []
    for name, view in heads.items():
        for suspect in suspected(view):
            row = int(view.rows[suspect.pop("position")])
            cells = data.table.iloc[row]
            entry = {"id": str(cells["id"]), "head": name} | suspect
            if "sure" in cells:
                entry["sure"] = str(cells["sure"])
            if texts:
                entry["title"] = str(cells["title"])
            found.append(entry)
    return sorted(found, key=lambda suspect: -suspect["margin"])


def safe_url(url: str) -> str | None:
    """A web address that may stand in a link; None for anything else."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    return url.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def _words(item: Any, explanation: Any, view: View, label: str, most: int = 5) -> dict[str, list[list[Any]]]:
    """Words for and against a label, occurrences of the same spelling together, as [word, weight]."""
    weights = explanation.weights(view.rule, label)
    sums: dict[str, float] = {}
    for span, weight in zip(explanation.spans, weights.tolist(), strict=True):
        word = getattr(item, span.field)[span.start : span.end][:60]
        sums[word] = sums.get(word, 0.0) + weight
    order = sorted(sums.items(), key=lambda pair: -abs(pair[1]))
    return {
        "for": [[word, weight] for word, weight in order if weight > 0][:most],
        "against": [[word, weight] for word, weight in order if weight < 0][:most],
    }
