"""A report as one offline page, as Markdown and as a table: rendered from the saved numbers, nothing computed.

Article text is hostile input: every value is escaped, characters that would turn the page's direction around are shown
by their names, the page may run one script only (its own, named by its hash) and load nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import articles
from pipeline.articles.writing import Replacement
from pipeline.errors import InputError
from pipeline.report import curves
from pipeline.report.summary import SCHEMA

if TYPE_CHECKING:
    from jinja2 import Environment

JSON, HTML, MARKDOWN, TABLE = "report.json", "report.html", "report.md", "predictions.csv"

_TURNING = {code: f"[U+{code:04X}]" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
# controls are no text, and lone surrogates cannot be written
_UNSEEN = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127, *range(0x80, 0xA0), *range(0xD800, 0xE000)], "\ufffd")
_VISIBLE = _TURNING | _UNSEEN


def write(folder: str | Path, report: dict[str, Any]) -> Path:
    """Write a report: JSON, page, Markdown and a table of predictions.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there. Every file appears whole or not at all.
    report : dict
        As `summary.summarize` makes it.

    Returns
    -------
    Path
        The page.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save(
        folder / JSON,
        json.dumps(report, ensure_ascii=False, indent=None, allow_nan=False, separators=(",", ":")) + "\n",
    )
    save(folder / HTML, html("report.html", report, drawings=drawings(report)))
    save(folder / MARKDOWN, markdown("report.md", report))
    articles.write(table(report), folder / TABLE, "csv")
    return folder / HTML


def read(where: str | Path) -> tuple[dict[str, Any], Path]:
    """The saved report of a model, an evaluation or a report folder, and the folder that it is in.

    Raises
    ------
    InputError
        Where there is none, or one that this version does not read.
    """
    from pipeline.report import shape

    where = Path(where)
    path = next((path for path in (where, where / JSON, where / "report" / JSON) if path.is_file()), None)
    if path is None:
        raise InputError("holds no report.json", where=str(where), hint="Give the folder of a model or an evaluation.")
    again = "Train or evaluate again."
    try:
        report = shape.parsed(path.read_bytes())
        if not isinstance(report, dict) or "schema" not in report:
            raise ValueError("it has no schema")
        if report["schema"] != SCHEMA:
            raise InputError(
                f"has schema {report['schema']!r}, and this version of mirsad reads {SCHEMA}",
                where=str(path),
                hint=again,
            )
        shape.check(report)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise InputError(f"is no report: {error}", where=str(path), hint=again) from None
    return report, path.parent


def previous(folder: str | Path) -> dict[str, Any] | None:
    """The report that a folder holds already; None where there is none that can be read."""
    try:
        return read(folder)[0]
    except InputError:
        return None


def rebuild(where: str | Path) -> Path:
    """Render a saved report again; returns the page."""
    report, folder = read(where)
    return write(folder, report)


def drawings(report: dict[str, Any]) -> dict[str, Any]:
    """Curves of a report as SVG, by section, head and label."""
    return {
        "thresholds": {
            head: {
                row["label"]: curves.precision_recall(
                    row["curve"], row["at"], f"Precision and recall of {row['label']}"
                )
                for row in rows
            }
            for head, rows in report["thresholds"].items()
        },
        "calibration": {
            head: {row["label"]: curves.reliability(row["bins"], f"Calibration of {row['label']}") for row in rows}
            for head, rows in report["calibration"].items()
        },
        "coverage": {
            head: curves.coverage(of["points"], of["asked"], f"Precision against coverage of {head}")
            for head, of in report["coverage"].items()
        },
        "learning": {
            head: curves.learning(report["learning"], head, f"Learning curve of {head}")
            for head in report["labels"]
            if report["learning"]
        },
    }


def html(template: str, report: dict[str, Any], **more: Any) -> str:
    """A page, with its style and its one script inside."""
    script = _text("script.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        environment()
        .get_template(template)
        .render(r=report, style=_text("style.css"), script=script, script_hash=f"sha256-{digest}", **more)
    )


def markdown(template: str, report: dict[str, Any], **more: Any) -> str:
    """A Markdown twin, for a pull request."""
    return re.sub(r"\n{3,}", "\n\n", environment(markup=False).get_template(template).render(r=report, **more))


def table(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One row an article: labels, answers, scores, flags."""
    rows = []
    heads = {name: list(of["labels"]) for name, of in report["labels"].items()}
    for line in report["articles"]:
        row = {key: line.get(key, "") for key in ("id", "title", "source", "date")}
        for name, labels in heads.items():
            of = line["heads"].get(name, {"gold": [], "given": [], "scores": [""] * len(labels)})
            row |= {f"{name}_label": "|".join(of["gold"]), f"{name}_given": "|".join(of["given"])}
            row |= {f"{name}_score.{label}": score for label, score in zip(labels, of["scores"], strict=True)}
        rows.append(row | {"flags": "|".join(line["flags"])})
    return rows


def environment(*, markup: bool = True) -> Environment:
    """Jinja with autoescaping for pages, and for Markdown with its own."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    env = Environment(
        loader=PackageLoader("pipeline.report"),
        autoescape=markup,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) else visible(value),
    )
    env.filters |= {
        "f2": lambda value: "–" if value is None else f"{value:.2f}",
        "f3": lambda value: "–" if value is None else f"{value:.3f}",
        "pct": lambda value: "–" if value is None else f"{value:.0%}",
        "n": lambda value: f"{value:,}",
        "signed": lambda value: "–" if value is None else f"{value:+.2f}",
        "words": lambda value: str(value).replace("_", " "),
        "cell": _markdown_cell,
        "raw": Markup,
        "tojson_pretty": lambda value: json.dumps(value, ensure_ascii=False, indent=1),
    }
    return env


def visible(value: Any) -> Any:
    """A text whose direction marks are shown by name, and in which nothing is hidden; other values as they are."""
    return value.translate(_VISIBLE) if isinstance(value, str) else value


def save(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with Replacement(path) as file:
        file.stream.write(text.encode("utf-8", "replace"))


def _markdown_cell(value: Any) -> str:
    """A value in a Markdown table: on one line, and nothing in it is markup."""
    return re.sub(r"([\\`*_{}\[\]<>|#!~$@])", r"\\\1", " ".join(str(value).split()))


def _text(name: str) -> str:
    return (files("pipeline.report") / "templates" / name).read_text(encoding="utf-8")
