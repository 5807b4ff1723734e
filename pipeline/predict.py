"""Predict: from articles to rows of labels, in one stream or in parts."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline import articles, jobs, leftovers, memory, parts, places, rows, store
from pipeline.articles import Columns, Rejects, Rules, writing
from pipeline.articles.pieces import weight
from pipeline.articles.reading import checked
from pipeline.articles.sources import STDIN, Source, sources
from pipeline.errors import InputError, MirsadError
from pipeline.parts import Labelled, Part, Task

JOB = "predict_files"
jobs.callable_module(__name__)

Engine = Callable[[Sequence[Part], Task], Generator[Labelled, None, None]]
"""Labels parts by `parts.label_part`, wherever; gives what became of each as it is done, in any order."""
Tell = Callable[[str, dict[str, Any]], None]
"""Told what happens: the name of an event and its fields, see docs/predictions.md."""


@dataclass
class Summary:
    """What a prediction run did.

    Attributes
    ----------
    rows : int
    rejects : Counter of str
        By reason.
    flags : Counter of str
    seconds : float
    notes : list of str
        What the user should know, such as files that were not UTF-8.
    before : int
        Rows that an earlier run with the same output folder had labelled.
    memory : int
        The most bytes that this process held, and its workers.
    """

    rows: int = 0
    rejects: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    before: int = 0
    memory: int = 0

    @property
    def speed(self) -> float:
        """Articles a second of this run."""
        return (self.rows - self.before) / max(self.seconds, 1e-9)

    def add(self, labelled: Labelled) -> None:
        """Count a part."""
        self.rows += labelled.rows
        self.rejects += labelled.rejects
        self.flags += labelled.flags
        self.notes += labelled.notes[: Rejects.max_notes - len(self.notes)]

    def sentence(self) -> str:
        """The summary in a line."""
        if self.rows and self.before == self.rows:
            said = [f"{self.rows:,} articles labelled before: this run was finished already, nothing was done"]
        else:
            said = [
                f"{self.rows:,} articles labelled in {self.seconds:.1f} s"
                + f" ({self.speed:,.0f} a second, {self.memory / 1e6:,.0f} MB of memory)"
            ]
            if self.before:
                said.append(f"{self.before:,} of them before")
        for what, counts in (("left out", self.rejects), ("flagged", self.flags)):
            if counts:
                said.append(f"{what} " + ", ".join(f"{count:,} {name}" for name, count in counts.most_common()))
        return "; ".join(said)


@dataclass(frozen=True)
class _Run:
    """What all ways of labelling need to know."""

    inputs: Sequence[str | Path]
    model: str
    task: Task
    engine: Engine
    rejects_to: Path | None
    summary: Summary
    progress: Callable[[int], None]
    tell: Tell

    def labelled(self, todo: Sequence[Part], task: Task) -> Generator[Labelled, None, None]:
        """Have parts labelled; count them and tell of each."""
        Rejects(self.rejects_to)  # refuses a place that cannot be, before the work rather than after it
        held: Counter[int] = Counter()
        told = ("number", "rows", "rejects", "flags", "size", "seconds")
        with closing(self.engine(todo, task)) as found:
            for done in found:
                self.summary.add(done)
                if done.process != os.getpid():
                    held[done.process] = max(held[done.process], done.memory)
                    self.summary.memory = held.total()
                self.tell("part", {key: getattr(done, key) for key in told})
                self.progress(self.summary.rows)
                yield done

    def gather_rejects(self, task: Task, numbers: Sequence[int]) -> None:
        """Put what parts left out into one file; there is none where everything was an article."""
        if self.rejects_to is None:
            return
        with _at_hand(task) as task:
            found = [path for path in map(task.rejects_file, numbers) if path.exists()]
            if not found:
                return
            with writing.writer(self.rejects_to, "jsonl") as out:
                for path in found:
                    out.append(path)

    def check(self) -> None:
        """Refuse an input without a single article."""
        rejects = self.summary.rejects
        if not self.summary.rows and rejects:
            raise InputError(
                "nothing in the input is an article",
                where=", ".join(map(str, self.inputs)),
                hint=articles.told(rejects)
                + ("" if self.rejects_to else "\n  Write down which and why with: --rejects rejects.jsonl"),
            )


def predict_files(
    inputs: str | Path | Sequence[str | Path],
    model: str | Path,
    *,
    output: str | Path | None = None,
    format: str | None = None,
    explain: bool = False,
    rejects_to: str | Path | None = None,
    columns: Columns | None = None,
    rules: Rules | None = None,
    batch_size: int = 512,
    n_jobs: int = -1,
    restart: bool = False,
    part_size: int = parts.PART,
    engine: Engine | None = None,
    progress: Callable[[int], None] = lambda _: None,
    tell: Tell = lambda *_: None,
) -> Summary:
    """Label the articles of files, and write one row each.

    Parameters
    ----------
    inputs : str, Path or sequence of them
        As `articles.read` takes them.
    model : str or Path
        The model folder.
    output : str or Path, optional
        A file, which appears whole or not at all; or a folder (one that is there, or a name that ends with a slash),
        which gets a file a part and a journal: stopped at any moment, the same call goes on where it was. A folder may
        be named by a URL. Standard output if not given.
    format : {"jsonl", "csv", "parquet"}, optional
        By the file's name if not given; JSON Lines in a folder and on standard output.
    explain : bool
        Whether rows tell the words that decided.
    rejects_to : str or Path, optional
        Where rows that are no article go.
    columns : Columns, optional
    rules : Rules, optional
    batch_size : int
        Articles in memory at a time, in each process.
    n_jobs : int
        Processes; -1 for one a core. An input of one part is labelled in this one.
    restart : bool
        Whether to remove what an earlier run left in the folder.
    part_size : int
        Bytes of text in a part, about.
    engine : callable, optional
        What labels parts instead of processes of this machine.
    progress : callable
        Told the number of rows now and then.
    tell : callable
        Told of events.

    Returns
    -------
    Summary

    Raises
    ------
    InputError
        Where an input is missing, or nothing in the inputs is an article; then no file is written.
    ModelError
    MachineError
        The disk is full, or a process was ended.
    MirsadError
        The output cannot be written, or the folder holds something else.
    """
    start = time.perf_counter()
    output = None if str(output) == writing.STDOUT else output
    given = [inputs] if isinstance(inputs, str | Path) else list(inputs)
    rules = checked(rules or Rules())
    found = sources(given)
    folder = output is not None and (str(output).endswith(("/", os.sep)) or Path(output).is_dir())
    if not folder and any(map(places.is_url, (output, rejects_to))):
        raise MirsadError(
            "a URL cannot be a single file of output",
            where=str(output if places.is_url(output) else rejects_to),
            hint="End it with a slash: it becomes a folder of parts. Rejects go to a file of this machine.",
        )
    if engine and any(source.path == STDIN for source in found):
        raise MirsadError("standard input cannot be read by a cluster", hint="Save it to a file first.")
    kind = writing.format_of(output or writing.STDOUT, format or ("jsonl" if folder else None))
    manifest = store.read_manifest(model)
    columns = columns or Columns()
    contexts = {head["by"] for head in manifest["heads"].values() if head.get("by")}
    task = Task(
        str(model),
        manifest["files"][store.SCORER]["sha256"],
        str(output),
        kind,
        explain,
        rejects_to is not None,
        replace(columns, labels=tuple(sorted({*columns.labels, *contexts}))),
        rules,
        batch_size,
    )
    summary = Summary()
    run = _Run(
        given,
        store.short_name(manifest),
        task,
        engine or _processes(n_jobs),
        Path(rejects_to) if rejects_to else None,
        summary,
        progress,
        tell,
    )
    tell("start", {"model": run.model, "files": len(found), "output": str(output or writing.STDOUT)})
    left = [name for place in (None if folder else output, rejects_to) if place for name in leftovers.clear(place)]
    if left:
        summary.notes.append(f"removed what a run that was killed had left: {', '.join(left)}")
    if folder:
        _into_folder(run, found, restart, part_size)
    elif all(source.path != STDIN for source in found) and (
        engine or (n_jobs != 1 and sum(map(weight, found)) > part_size)
    ):
        _joined(run, part_size, output)
    else:
        _streamed(run, output, n_jobs)
    summary.seconds = time.perf_counter() - start
    summary.memory += memory.peak()
    for note in summary.notes:
        tell("warning", {"text": note})
    tell("rejects", {"rejects": summary.rejects})
    tell("end", {key: getattr(summary, key) for key in ("rows", "before", "flags", "seconds", "speed", "memory")})
    return summary


def _processes(n_jobs: int) -> Engine:
    """The engine of this machine."""

    def engine(todo: Sequence[Part], task: Task) -> Generator[Labelled, None, None]:
        from joblib import cpu_count  # knows what a container may use

        from pipeline.workers import label_parts

        return label_parts(todo, task, jobs=n_jobs if n_jobs > 0 else max(1, cpu_count() + 1 + n_jobs))

    return engine


def _streamed(run: _Run, output: str | Path | None, n_jobs: int) -> None:
    """Label in this process, row by row as they come."""
    task, summary = run.task, run.summary
    with Rejects(run.rejects_to) as rejects:
        batches = articles.read(
            run.inputs, columns=task.columns, rules=task.rules, batch_size=task.batch_size, rejects=rejects
        )
        label, _ = rows.labeller(task.model, explain=task.explain, n_jobs=n_jobs)
        with articles.writer(output or writing.STDOUT, task.format) as out:
            for batch in label(batches):
                out.write(batch)
                summary.rows += len(batch)
                summary.flags.update(flag for row in batch for flag in row["flags"])
                run.progress(summary.rows)
            summary.rejects = rejects.counts
            summary.notes += rejects.notes
            run.check()


def _joined(run: _Run, part_size: int, output: str | Path | None) -> None:
    """Label in parts, and join them in their order as they are done."""
    todo = parts.plan(run.inputs, columns=run.task.columns, rules=run.task.rules, size=part_size)
    run.tell("plan", {"parts": len(todo), "left": len(todo)})
    with articles.writer(output or writing.STDOUT, run.task.format) as out, leftovers.folder(output) as folder:
        task = replace(run.task, folder=folder)
        waiting: set[int] = set()
        following = 0
        try:
            with closing(run.labelled(todo, task)) as labelled:
                for done in labelled:
                    waiting.add(done.number)
                    while following in waiting:
                        out.append(task.file(following))
                        task.file(following).unlink()
                        following += 1
        finally:
            run.gather_rejects(task, range(len(todo)))
        run.check()


def _into_folder(run: _Run, found: list[Source], restart: bool, part_size: int) -> None:
    """Label in parts that stay, each once, however often the run is stopped."""
    from pipeline.journal import Journal, terms

    if any(source.path == STDIN for source in found):
        raise MirsadError(
            "standard input cannot be read again, so a run of it could not go on where it was",
            where=run.task.folder,
            hint="Save the input to a file first, or name a file as the output.",
        )
    task, summary = run.task, run.summary
    for item in run.inputs:
        if places.is_url(task.folder):
            within = task.folder.startswith(f"{str(item).rstrip('/')}/")
        else:
            within = Path(item).is_dir() and Path(task.folder).resolve().is_relative_to(Path(item).resolve())
        if within:
            raise MirsadError(
                f"lies in the input folder {item}: its rows would be read as articles",
                where=task.folder,
                hint="Name a folder outside of it.",
            )
    options = {key: getattr(task, key) for key in ("format", "explain", "rejects")}
    options |= asdict(task.columns) | asdict(task.rules)
    model = {"name": run.model, "sha256": task.seal}
    if places.is_url(task.folder):
        from pipeline.remote import RemoteJournal

        opened: Journal = RemoteJournal(task.folder, restart=restart)
    else:
        opened = Journal(task.folder, restart=restart, beside=run.rejects_to)
    with opened as journal:
        of = terms(found, model, options)
        if journal.begun:
            todo = journal.go_on(of, found, task)
        else:
            todo = parts.plan(run.inputs, columns=task.columns, rules=task.rules, size=part_size)
            journal.begin(of, todo, found)
        for done in journal.done.values():
            summary.add(done)
        summary.before = summary.rows
        left = [part for part in todo if part.number not in journal.done]
        run.tell("plan", {"parts": len(todo), "left": len(left)})
        with closing(run.labelled(left, task)) as labelled:
            for done in labelled:
                journal.add(done)
        run.gather_rejects(task, range(len(todo)))
        run.check()
        if not journal.finished:
            journal.finish()


@contextmanager
def _at_hand(task: Task) -> Iterator[Task]:
    """A task whose files of rejects are on this machine."""
    if not places.is_url(task.folder):
        yield task
        return
    with tempfile.TemporaryDirectory(prefix="mirsad.") as folder:
        for name in places.names(task.folder):
            if name.endswith(".rejects"):
                places.fetch(places.within(task.folder, name), Path(folder, name))
        yield replace(task, folder=folder)
