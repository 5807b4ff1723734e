"""What commands print for a person: to standard error, so that standard output holds rows and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from pipeline.errors import visible


def say(text: str) -> None:
    """One line for the person who waits."""
    typer.echo(visible(text), err=True)


@contextmanager
def counter(what: str, *, show: bool = True) -> Iterator[Callable[[int], None]]:
    """A count that runs while work goes on, if it is to be shown and standard error is a terminal."""
    if not show or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda count: bar.update(task, completed=count)


def show_metrics(metrics: dict[str, Any]) -> None:
    """The metrics of a run as tables, one a head, held-out and cross-validated side by side with their baselines."""
    from rich.console import Console
    from rich.table import Table

    console = Console(stderr=True, width=110)
    first = next(iter(metrics.values()))
    for head in first["heads"]:
        table = Table(title=head, title_justify="left")
        table.add_column("label")
        for how, judged in metrics.items():
            count = judged["heads"].get(head, {}).get("n", 0)
            table.add_column(f"{how.replace('_', '-')} F1, n={count}", justify="right")
            table.add_column("precision / recall", justify="right")
        for label in first["heads"][head]["labels"]:
            table.add_row(
                label,
                *(
                    cell
                    for judged in metrics.values()
                    for cell in _label_cells(judged["heads"].get(head, {}).get("labels", {}).get(label))
                ),
            )
        table.add_section()
        table.add_row(
            "macro F1",
            *(
                cell
                for judged in metrics.values()
                for cell in (_interval(judged["heads"].get(head, {}).get("macro_f1")), "")
            ),
        )
        if any("where_applicable" in judged["heads"].get(head, {}) for judged in metrics.values()):
            cells = [
                _interval(judged["heads"].get(head, {}).get("where_applicable", {}).get("macro_f1"))
                for judged in metrics.values()
            ]
            table.add_row("macro F1 where applicable", *(cell for value in cells for cell in (value, "")))
        if "score" in first["heads"][head]:
            cells = [_interval(judged["heads"].get(head, {}).get("score")) for judged in metrics.values()]
            named = first["heads"][head]["score"]
            over = f", over {named['by']}" if named["by"] else ""
            table.add_row(f"F1 of {', '.join(named['labels'])}{over}", *(c for value in cells for c in (value, "")))
        for baseline in first["baselines"]:
            cells = [
                _interval(judged["baselines"][baseline].get(head, {}).get("macro_f1")) for judged in metrics.values()
            ]
            if any(cells):
                table.add_row(f"baseline: {baseline}", *(cell for value in cells for cell in (value, "")))
        console.print(table)


def _label_cells(found: dict[str, Any] | None) -> tuple[str, str]:
    if not found:
        return "", ""
    low, high = found["f1_interval"]
    sides = " / ".join("-" if found[key] is None else f"{found[key]:.2f}" for key in ("precision", "recall"))
    return f"{found['f1']:.3f} [{low:.2f}, {high:.2f}]", sides


def _interval(found: dict[str, Any] | None) -> str:
    return f"{found['value']:.3f} [{found['interval'][0]:.2f}, {found['interval'][1]:.2f}]" if found else ""
