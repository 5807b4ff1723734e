"""A run into a folder: stopped at any moment it goes on, each article is labelled once, and nothing else is touched."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import parts, predict, workers
from pipeline.errors import InputError, MachineError, MirsadError
from pipeline.journal import JOURNAL

SIZE = 20_000  # bytes of a part: the tiny model's articles are a handful of parts


@pytest.fixture
def given(tiny, tmp_path) -> Path:
    """The tiny model's articles in two files, and one line that is no article."""
    lines = tiny.articles.read_text(encoding="utf-8").splitlines(keepends=True)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(lines[:30]) + "{broken\n", encoding="utf-8")
    (folder / "b.jsonl").write_text("".join(lines[30:]), encoding="utf-8")
    return folder


@pytest.fixture
def label(tiny, given, tmp_path):
    """Label the articles into `out/`."""

    def label(inputs=given, output="out/", **more) -> predict.Summary:
        options = {"n_jobs": 1, "part_size": SIZE} | more
        return predict.predict_files(inputs, tiny.folder, output=f"{tmp_path}/{output}", **options)

    return label


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def stopped_after(n: int):
    """An engine that is stopped when it has labelled some parts."""

    def engine(todo, task):
        for number, part in enumerate(todo):
            if number == n:
                raise KeyboardInterrupt
            yield parts.label_part(part, task)

    return engine


def refused(label, kind=MirsadError, **more) -> str:
    with pytest.raises(kind) as caught:
        label(**more)
    return str(caught.value)


class TestOneRun:
    def test_parts_one_after_the_other_are_the_output(self, label, tmp_path):
        summary = label()
        label(output="whole.jsonl", n_jobs=1)
        whole = (tmp_path / "whole.jsonl").read_bytes()
        found = files(tmp_path / "out")
        names = [f"part-{number:05d}.jsonl" for number in range(len(found) - 1)]
        assert list(found) == [*names, JOURNAL]
        assert len(names) > 3
        assert b"".join(found[name] for name in names) == whole
        assert summary.rows == whole.count(b"\n")
        assert summary.rejects == {"malformed": 1}

    @pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
    def test_a_file_labelled_in_parts_is_the_same(self, label, tmp_path, format):
        label(output=f"one.{format}", part_size=10**9)
        summary = label(output=f"many.{format}", n_jobs=2, rejects_to=tmp_path / "rejects.jsonl")
        assert summary.rejects == {"malformed": 1}
        assert json.loads((tmp_path / "rejects.jsonl").read_text())["row"] == 31
        one, many = tmp_path / f"one.{format}", tmp_path / f"many.{format}"
        if format == "parquet":
            import pyarrow.parquet

            assert pyarrow.parquet.read_table(one).equals(pyarrow.parquet.read_table(many))
        else:
            assert one.read_bytes() == many.read_bytes()
        assert {path.name for path in tmp_path.iterdir()} == {"in", one.name, many.name, "rejects.jsonl"}

    def test_a_folder_that_is_there_needs_no_slash(self, label, tmp_path):
        (tmp_path / "out").mkdir()
        label(output="out", format="csv")
        assert "part-00000.csv" in files(tmp_path / "out")

    def test_rejects_of_all_parts_in_one_file(self, label, tmp_path):
        label(rejects_to=tmp_path / "out" / "rejects.jsonl")
        (line,) = (tmp_path / "out" / "rejects.jsonl").read_text().splitlines()
        assert (json.loads(line)["file"], json.loads(line)["row"]) == ("a.jsonl", 31)
        assert label(rejects_to=tmp_path / "out" / "rejects.jsonl").rejects == {"malformed": 1}

    def test_rejects_for_a_place_that_is_not_there_are_refused_first(self, label, tmp_path):
        assert "its folder does not exist" in refused(label, rejects_to=tmp_path / "none" / "r.jsonl")
        assert not list((tmp_path / "out").glob("part-*"))

    def test_nothing_that_is_an_article(self, label, tmp_path):
        (tmp_path / "in.jsonl").write_text("{broken\n" * 5)
        for _ in range(2):
            said = refused(label, InputError, inputs=tmp_path / "in.jsonl")
            assert "nothing in the input is an article\n  Left out: 5 malformed." in said

    def test_standard_input_cannot_be_resumed(self, label):
        assert "standard input cannot be read again" in refused(label, inputs="-")

    def test_what_happens_is_told(self, label):
        told = []
        label(tell=lambda event, fields: told.append((event, fields)))
        assert [event for event, _ in told][:2] == ["start", "plan"]
        assert [event for event, _ in told][-2:] == ["rejects", "end"]
        done = [fields for event, fields in told if event == "part"]
        assert len(done) == told[1][1]["parts"]
        assert sum(fields["rows"] for fields in done) == told[-1][1]["rows"]


class TestGoingOn:
    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_what_is_done_is_not_done_again(self, label, tmp_path, n):
        label(output="whole/")
        with pytest.raises(KeyboardInterrupt):
            label(engine=stopped_after(n))
        assert len(list((tmp_path / "out").glob("part-*"))) == n
        told = []
        summary = label(tell=lambda event, fields: told.append(event))
        assert told.count("part") == len(files(tmp_path / "whole")) - 1 - n
        assert (summary.before > 0) == (n > 0)
        assert summary.rows == label(output="whole/").rows
        out, whole = files(tmp_path / "out"), files(tmp_path / "whole")
        del out[JOURNAL], whole[JOURNAL]
        assert out == whole

    def test_a_finished_run_is_left_alone(self, label, tmp_path):
        first = label()
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
        again = label()
        assert (again.rows, again.before, again.rejects, again.flags) == (
            first.rows, first.rows, first.rejects, first.flags,
        )  # fmt: skip
        assert "this run was finished already" in again.sentence()
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before

    def test_half_a_line_of_the_journal_and_files_on_their_way(self, label, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            label(engine=stopped_after(2))
        out = tmp_path / "out"
        with (out / JOURNAL).open("ab") as journal:
            journal.write(b'{"part": 2, "rows": 7, "rej')
        (out / ".part-00002.jsonl.0123abcd.part").write_text("half a row")
        (out / "part-00002.jsonl").write_text("written whole, and not yet told of")
        label()
        label(output="whole/")
        assert set(files(out)) == set(files(tmp_path / "whole"))
        assert (out / "part-00002.jsonl").read_bytes() == (tmp_path / "whole" / "part-00002.jsonl").read_bytes()

    def test_an_input_that_changed(self, label, given, tmp_path):
        label()
        (given / "c.jsonl").write_text("{}\n")
        assert "1 file new, such as" in refused(label)
        (given / "c.jsonl").unlink()
        (given / "b.jsonl").rename(tmp_path / "b")
        said = refused(label)
        assert f"1 file gone, such as {given / 'b.jsonl'}" in said
        assert "--restart" in said
        shutil.copy(tmp_path / "b", given / "b.jsonl")  # written anew
        assert "1 file changed, such as" in refused(label)
        assert label(restart=True).before == 0
        assert "in another order" in refused(label, inputs=[given / "b.jsonl", given / "a.jsonl"])
        assert "another number of times" in refused(label, inputs=[*sorted(given.iterdir()), given / "a.jsonl"])

    def test_a_model_options_or_a_version_that_changed(self, label, tiny, tmp_path, monkeypatch):
        label()
        said = refused(label, explain=True, format="csv")
        assert "format: 'jsonl' then, 'csv' now" in said
        assert "explain: False then, True now" in said
        journal = tmp_path / "out" / JOURNAL
        seal = json.loads(journal.read_text().splitlines()[0])["model"]["sha256"]
        text = journal.read_text()
        journal.write_text(text.replace(seal, "0" * 64))
        assert "model: tiny@" in refused(label)
        journal.write_text(text)
        monkeypatch.setattr("pipeline.journal.__version__", "9.9")
        assert "mirsad: 0." in refused(label)

    def test_a_part_that_changed_or_is_gone(self, label, tmp_path):
        with pytest.raises(KeyboardInterrupt):
            label(engine=stopped_after(2))
        part = tmp_path / "out" / "part-00001.jsonl"
        content = part.read_bytes()
        for changed in (content[:-1], content[:-2] + b" \n"):
            part.write_bytes(changed)
            assert "part-00001.jsonl: was changed after it was written" in refused(label)
        part.unlink()
        assert "part-00001.jsonl: is gone, and was done" in refused(label)
        part.write_bytes(content)
        assert label().before > 0

    def test_a_restart_removes_the_run_and_nothing_else(self, label, tmp_path):
        label(format="csv")
        (tmp_path / "out" / ".hidden").write_text("mine")
        label(restart=True, part_size=10**9)
        assert list(files(tmp_path / "out")) == [".hidden", "part-00000.jsonl", JOURNAL]

    @pytest.mark.parametrize(
        "changed",
        [
            lambda lines: ["no JSON\n"],
            lambda lines: ["[]\n", *lines],
            lambda lines: ['{"format": 99}\n'],
            lambda lines: ['{"format": 1}\n'],
            lambda lines: lines[1:],
            lambda lines: [lines[0], '{"part": 1}\n'],
            lambda lines: [lines[0], lines[1].replace('"part": 0', '"part": "../../part"')],
            lambda lines: [lines[0].replace('"parts": [[[0,', '"parts": [[[9,'), *lines[1:]],
        ],
    )
    def test_a_journal_that_is_none(self, label, tmp_path, changed):
        label()
        journal = tmp_path / "out" / JOURNAL
        journal.write_text("".join(changed(journal.read_text().splitlines(keepends=True))))
        assert "run.journal: is not a journal" in refused(label)
        label(restart=True)


class TestRefused:
    def test_a_folder_with_other_files(self, label, tmp_path):
        (tmp_path / "out").mkdir()
        for name in ("notes.txt", "part-00000.jsonl"):
            path = tmp_path / "out" / name
            path.write_text("dear to me")
            assert f"holds what is not of a run with a journal: {name}" in refused(label)
            assert f"holds what is not of a run with a journal: {name}" in refused(label, restart=True)
            assert list(files(tmp_path / "out")) == [name]
            path.unlink()

    def test_a_folder_within_the_input(self, label, given):
        assert "lies in the input folder" in refused(label, output="in/out/")

    def test_rejects_under_a_name_of_the_run(self, label, tmp_path):
        for name in (JOURNAL, "part-00000.rejects"):
            assert f"{name}: is a name that the run itself uses" in refused(label, rejects_to=tmp_path / "out" / name)

    def test_a_folder_that_is_a_link(self, label, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out").symlink_to("elsewhere")
        for output in ("out/", "out"):
            assert f"Name the folder itself: {tmp_path / 'elsewhere'}" in refused(label, output=output)
        assert not list((tmp_path / "elsewhere").iterdir())

    @pytest.mark.parametrize("name", [JOURNAL, "part-00002.jsonl", ".part-00002.jsonl.0123abcd.part"])
    def test_a_link_in_the_folder(self, label, tmp_path, name):
        with pytest.raises(KeyboardInterrupt):
            label(engine=stopped_after(1))
        dear = tmp_path / "dear.txt"
        dear.write_text("dear to me")
        (tmp_path / "out" / name).unlink(missing_ok=True)
        (tmp_path / "out" / name).symlink_to(dear)
        assert f"{name}: is a link or no file" in refused(label)
        assert "is a link or no file" in refused(label, restart=True)
        assert dear.read_text() == "dear to me"

    def test_a_link_that_comes_while_it_runs_is_replaced(self, label, tmp_path):
        dear = tmp_path / "dear.txt"
        dear.write_text("dear to me")

        def engine(todo, task):
            for part in todo:
                task.file(part.number).symlink_to(dear)
                yield parts.label_part(part, task)

        label(engine=engine)
        assert dear.read_text() == "dear to me"
        assert not any(path.is_symlink() for path in (tmp_path / "out").iterdir())

    def test_two_runs_at_once(self, label, tmp_path):
        label()
        with (tmp_path / "out" / JOURNAL).open() as journal:
            fcntl.flock(journal, fcntl.LOCK_EX)
            assert "another run is at work in this folder" in refused(label)
            assert "another run is at work in this folder" in refused(label, restart=True)
        label()

    def test_a_folder_in_a_place_that_is_not_there(self, label):
        assert "out: cannot be written" in refused(label, output="none/out/")

    def test_a_full_disk_leaves_what_is_done(self, label, tmp_path):
        """Files of this process may not grow beyond a bound: the journal's next line does not fit."""

        def engine(todo, task):
            for part in todo:
                done = parts.label_part(part, task)
                if part.number == 2:
                    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "out" / JOURNAL).stat().st_size + 9, hard))
                yield done

        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        try:
            said = refused(label, MachineError, engine=engine)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert "run.journal: cannot be written" in said
        summary = label()
        assert 0 < summary.before < summary.rows
        label(output="whole/")
        assert set(files(tmp_path / "out")) == set(files(tmp_path / "whole"))


class TestWorkers:
    def test_a_worker_that_is_ended_from_outside(self, label, tmp_path, monkeypatch):
        made = []

        class Doomed(workers._Worker):
            def __init__(self, number):
                super().__init__(number)
                made.append(self._process)
                self._process.send_signal(signal.SIGKILL)

        monkeypatch.setattr(workers, "_Worker", Doomed)
        assert "a worker process ended before its work was done (SIGKILL)" in refused(label, MachineError, n_jobs=2)
        assert all(process.poll() is not None for process in made)

    def test_a_mistake_comes_back_as_it_was(self, label, given):
        (given / "c.csv").write_text("id,body\n1,x\n")
        assert "c.csv: no 'text' among its columns" in refused(label, InputError, n_jobs=2)

    def test_a_fault_of_the_program_comes_back_with_its_traceback(self, label, tmp_path):
        (tmp_path / "out").mkdir()
        task = parts.Task("none", "", str(tmp_path / "out"), batch_size="many")  # type: ignore[arg-type]
        plan = parts.plan(tmp_path / "in", size=SIZE)
        with pytest.raises(Exception) as caught:
            list(workers.label_parts(plan, task, jobs=2))
        assert "in label_part" in caught.value.__notes__[0]


def many(tiny, folder: Path, n: int) -> Path:
    """The tiny model's articles again and again, each with an id of its own."""
    given = tiny.rows()
    with (folder / "many.jsonl").open("w", encoding="utf-8") as file:
        for i in range(n):
            row = given[i % len(given)]
            file.write(json.dumps({"id": f"n{i}", "title": row["title"], "text": row["text"]}, ensure_ascii=False))
            file.write("\n")
    return folder / "many.jsonl"


def started(inputs: Path, model: Path, output: Path, jobs: int) -> subprocess.Popen:
    code = (
        "import sys; from pipeline.predict import predict_files;"
        f"predict_files(sys.argv[1], sys.argv[2], output=sys.argv[3], n_jobs={jobs}, part_size=300_000)"
    )
    command = [sys.executable, "-c", code, str(inputs), str(model), f"{output}/"]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)


def done(output: Path) -> int:
    return (output / JOURNAL).read_bytes().count(b"\n") - 1 if (output / JOURNAL).exists() else -1


def wait_for(what, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_killed_again_and_again_the_output_is_the_same(tiny, tmp_path):
    inputs, out, whole = many(tiny, tmp_path, 2000), tmp_path / "out", tmp_path / "whole"
    predict.predict_files(inputs, tiny.folder, output=f"{whole}/", n_jobs=1, part_size=300_000)
    for kill, jobs in enumerate((1, 2, 2)):
        run = started(inputs, tiny.folder, out, jobs)
        wait_for(lambda kill=kill: done(out) > 3 * kill)
        assert run.poll() is None
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    assert done(out) < done(whole) - 1
    run = started(inputs, tiny.folder, out, 2)
    assert run.communicate()[1] == b""
    assert run.returncode == 0
    parted = {name: content for name, content in files(out).items() if name != JOURNAL}
    assert parted == {name: content for name, content in files(whole).items() if name != JOURNAL}
    ids = [json.loads(line)["id"] for content in parted.values() for line in content.splitlines()]
    assert ids == [f"n{i}" for i in range(2000)]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find processes")
def test_workers_end_with_the_process_that_started_them(tiny, tmp_path):
    out = tmp_path / "out"
    run = started(many(tiny, tmp_path, 2000), tiny.folder, out, 2)
    wait_for(lambda: done(out) > 0)
    children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
    assert len(children) == 2
    run.kill()  # it alone, and at once
    run.communicate()
    wait_for(lambda: not any(is_alive(pid) for pid in children), 10)


def is_alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_in_an_orderly_way(tiny, tmp_path, sent, code):
    """A file does not appear, and nothing of the parts is left."""
    inputs = many(tiny, tmp_path, 2000)
    small = "from pipeline import parts; parts.PART = 300_000; from pipeline.cli import main; main()"
    words = ["predict", inputs, "--model", tiny.folder, "--output", tmp_path / "out.jsonl", "--jobs", 2]
    command = [sys.executable, "-c", small, *map(str, words)]
    # where tests run in the background of a shell, Ctrl-C is ignored, and what they start would inherit that
    heeding = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    run = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, preexec_fn=heeding)
    wait_for(lambda: list(tmp_path.glob(".out.jsonl.*.parts/.part*")))
    os.killpg(run.pid, sent)
    said = run.communicate()[1].decode()
    assert run.returncode == code
    assert said.splitlines()[-1:] == (["stopped"] if sent == signal.SIGINT else [])
    assert [path.name for path in tmp_path.iterdir()] == [inputs.name]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_into_a_file_is_cleared_away_by_the_next(tiny, tmp_path, jobs):
    inputs, out = many(tiny, tmp_path, 2000), tmp_path / "out.jsonl"
    code = (
        "import sys; from pipeline.predict import predict_files;"
        f"predict_files(sys.argv[1], sys.argv[2], output=sys.argv[3], n_jobs={jobs}, part_size=300_000)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(inputs), str(tiny.folder), str(out)])
    # in parts, and in one stream
    wait_for(lambda: list(tmp_path.glob(".out.jsonl.*.parts/part*" if jobs > 1 else ".out.jsonl.*.part")))
    others = [
        tmp_path / ".out.jsonl.mine",
        tmp_path / ".out.jsonl.0123abcd.parts",
        tmp_path / ".in.jsonl.0123abcd.part",
    ]
    for other in others:  # not of this output, or a file where a folder would be
        other.write_text("dear to me")

    def label() -> predict.Summary:
        return predict.predict_files(tiny.articles, tiny.folder, output=out, n_jobs=1)

    assert not label().notes, "the run that is at work was taken for a killed one"
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    left = sorted(path.name for path in tmp_path.glob(".out.jsonl.*.part*") if path not in others)
    assert len(left) == jobs
    first = out.read_bytes()
    assert label().notes == [f"removed what a run that was killed had left: {', '.join(left)}"]
    assert out.read_bytes() == first
    assert {path.name for path in tmp_path.iterdir()} == {inputs.name, out.name, *(other.name for other in others)}
    assert not label().notes
