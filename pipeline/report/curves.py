"""Curves as inline SVG: drawn by matplotlib, coloured by the page, Latin text only."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from itertools import count
from typing import Any

# Stand-ins that become the page's own colours, so that a drawing follows light and dark.
_INK, _FAINT, _FOR, _AGAINST = "#010101", "#010102", "#010103", "#010104"
_COLOURS = {
    _INK: "currentColor",
    _FAINT: "var(--line)",
    _FOR: "var(--for)",
    _AGAINST: "var(--against)",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mirsad",
    "font.family": "sans-serif",
    "font.size": 8,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "lines.linewidth": 1.6,
}
_numbers = count()

Point = Sequence[float]


def precision_recall(points: Sequence[Point], chosen: dict[str, Any], title: str) -> str:
    """Precision against recall, with the chosen threshold as a dot."""

    def draw(axes: Any) -> None:
        axes.step([r for r, _ in points], [p for _, p in points], where="post", color=_FOR)
        if chosen["precision"] is not None and chosen["recall"] is not None:
            axes.plot([chosen["recall"]], [chosen["precision"]], "o", color=_AGAINST, markersize=6)

    return _svg(draw, title, "recall", "precision", square=True)


def reliability(bins: Sequence[Point], title: str) -> str:
    """Share of articles with the label against the mean probability of their bin; the dotted line is what is meant."""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], ":", color=_INK, linewidth=1)
        axes.plot([b[1] for b in bins], [b[2] for b in bins], "-o", color=_FOR, markersize=3)

    return _svg(draw, title, "probability", "share with label", square=True)


def coverage(points: Sequence[dict[str, Any]], asked: float, title: str) -> str:
    """Precision of the labels that are given, against the share of articles that are answered."""

    def draw(axes: Any) -> None:
        known = [p for p in points if p["precision"] is not None]
        axes.axhline(asked, color=_INK, linewidth=1, linestyle=":")
        axes.plot([p["coverage"] for p in known], [p["precision"] for p in known], "-o", color=_FOR, markersize=3)
        axes.set_ylim(min([0.5, *(p["precision"] for p in known)]) - 0.02, 1.02)

    return _svg(draw, title, "share of articles answered", "precision")


def learning(points: Sequence[dict[str, Any]], head: str, title: str) -> str:
    """Macro F1 against the number of labelled articles."""

    def draw(axes: Any) -> None:
        known = [p for p in points if head in p["heads"]]
        n, f1 = [p["articles"] for p in known], [p["heads"][head]["macro_f1"] for p in known]
        axes.plot(n, f1, "-o", color=_FOR, markersize=4)
        axes.set_ylim(max(0.0, min([*f1, 1.0]) - 0.1), min(1.02, max([*f1, 0.0]) + 0.1))
        axes.set_xlim(left=0)

    return _svg(draw, title, "labelled articles", "macro F1")


def _svg(draw: Any, title: str, x: str, y: str, *, square: bool = False) -> str:
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(2.6, 2.3) if square else (3.6, 2.3), layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.set(xlabel=x, ylabel=y)
        if square:
            axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
        axes.grid(color=_FAINT, linewidth=0.5)
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return _cleaned(buffer.getvalue(), title)


def _cleaned(svg: str, title: str) -> str:
    """The drawing alone: named for screen readers, coloured by the page, with ids that are unique on it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", svg))
    own = f"c{next(_numbers)}-"
    svg = re.sub(r' id="([^"]*)"', lambda m: f' id="{own}{m[1]}"' if m[1] in used else "", svg)
    svg = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{own}", svg)
    for stand_in, colour in _COLOURS.items():
        svg = svg.replace(stand_in, colour)
    # labels are anyone's words
    named = f'role="img" aria-label="{html.escape(title)}">'
    svg = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', lambda m: f'<svg viewBox="{m[1]}" {named}', svg, count=1)
    return re.sub(r"\s*\n\s*", " ", svg)
