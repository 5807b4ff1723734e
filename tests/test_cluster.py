"""A Dask cluster: the same bytes as one process gives, also when a worker is killed; and places named by URLs."""

from __future__ import annotations

import faulthandler
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import parts, places, predict
from pipeline.articles import Rejects, Rules, read
from pipeline.errors import InputError, MachineError, MirsadError

distributed = pytest.importorskip("distributed", reason="needs Dask: uv sync --extra dask")
fsspec = pytest.importorskip("fsspec")
cluster = pytest.importorskip("pipeline.cluster")

SIZE = 10_000  # bytes of a part: the tiny model's articles are a handful of parts
LIMIT = 240  # seconds of a test, of which a busy machine takes 100
# sockets of processes that are gone are closed when they are collected
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def limit():
    """What waits for a cluster may wait for ever, as Dask and joblib do for workers that are gone: tell where."""

    def late(*_) -> None:
        faulthandler.dump_traceback()
        raise TimeoutError(f"not done after {LIMIT} seconds")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(LIMIT)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def given(tiny, tmp_path) -> Path:
    """The tiny model's articles in two files, and one line that is no article."""
    lines = tiny.articles.read_text(encoding="utf-8").splitlines(keepends=True)
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.jsonl").write_text("".join(lines[:30]) + "{broken\n", encoding="utf-8")
    (folder / "b.jsonl").write_text("".join(lines[30:]), encoding="utf-8")
    return folder


def label(tiny, inputs, output, **more) -> predict.Summary:
    return predict.predict_files(inputs, tiny.folder, output=str(output), **{"n_jobs": 1, "part_size": SIZE} | more)


def rows(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("part-*"))}


@pytest.fixture(scope="module")
def two():
    """A scheduler with two workers of one thread, in processes of their own."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50, memory_limit=0
    ) as found:
        yield found


class TestCluster:
    def test_the_same_bytes_under_the_same_names(self, tiny, given, tmp_path, two, monkeypatch):
        label(tiny, given, f"{tmp_path}/one/", rejects_to=tmp_path / "one.rejects")
        monkeypatch.chdir(tmp_path)  # workers run elsewhere: paths must not depend on it
        told = []
        summary = label(
            tiny,
            "in",
            "many/",
            rejects_to="many.rejects",
            engine=cluster.engine(two.scheduler_address),
            tell=lambda event, fields: told.append(event),
        )
        assert rows(tmp_path / "many") == rows(tmp_path / "one")
        assert len(rows(tmp_path / "many")) > 4
        assert (tmp_path / "many.rejects").read_bytes() == (tmp_path / "one.rejects").read_bytes()
        assert summary.rejects == {"malformed": 1}
        assert told.count("part") == len(list((tmp_path / "many").glob("*.jsonl")))
        # started again there is nothing to do, and no scheduler is asked
        assert label(tiny, "in", "many/", rejects_to="many.rejects", engine=cluster.engine("tcp://127.0.0.1:1")).before

    def test_one_file_is_joined_in_order(self, tiny, given, tmp_path, two):
        label(tiny, given, tmp_path / "one.csv")
        label(tiny, given, tmp_path / "many.csv", engine=cluster.engine(two.scheduler_address))
        assert (tmp_path / "many.csv").read_bytes() == (tmp_path / "one.csv").read_bytes()

    def test_a_worker_that_is_killed(self, tiny, given, tmp_path, two):
        label(tiny, given, f"{tmp_path}/one/")
        of_cluster = cluster.engine(two.scheduler_address)
        killed = []

        def engine(todo, task):
            for done in of_cluster(todo, task):
                if not killed:
                    killed.append(done.process)
                    os.kill(done.process, signal.SIGKILL)
                yield done

        summary = label(tiny, given, f"{tmp_path}/many/", engine=engine)
        assert killed != [os.getpid()]
        assert rows(tmp_path / "many") == rows(tmp_path / "one")
        assert summary.rows == len(tiny.articles.read_text(encoding="utf-8").splitlines())

    def test_a_run_that_stopped_goes_on(self, tiny, given, tmp_path, two):
        label(tiny, given, f"{tmp_path}/one/")
        of_cluster = cluster.engine(two.scheduler_address)

        def engine(todo, task):
            yield next(of_cluster(todo, task))
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            label(tiny, given, f"{tmp_path}/many/", engine=engine)
        assert label(tiny, given, f"{tmp_path}/many/", engine=of_cluster).before
        assert rows(tmp_path / "many") == rows(tmp_path / "one")

    def test_urls_in_and_out(self, tiny, given, tmp_path, two):
        label(tiny, given, f"{tmp_path}/one/", rejects_to=tmp_path / "one.rejects")
        label(
            tiny,
            f"file://{given}/*.jsonl",
            f"file://{tmp_path}/far/many/",
            rejects_to=tmp_path / "many.rejects",
            engine=cluster.engine(two.scheduler_address),
        )
        assert rows(tmp_path / "far" / "many") == rows(tmp_path / "one")
        assert (tmp_path / "many.rejects").read_bytes() == (tmp_path / "one.rejects").read_bytes()

    def test_what_trying_again_would_not_mend_is_told_once(self, tiny, given, tmp_path, two):
        (given / "c.csv").write_text("id,title\n1,خبر\n", encoding="utf-8")
        with pytest.raises(InputError, match="no 'text' among its columns"):
            label(tiny, given, f"{tmp_path}/out/", engine=cluster.engine(two.scheduler_address))

    def test_workers_with_another_disk(self, tiny, given, tmp_path, two):
        def elsewhere(todo, task):
            moved = [parts.Part(part.number, part.pieces) for part in todo]
            given.rename(tmp_path / "gone")
            yield from cluster.engine(two.scheduler_address)(moved, task)

        with pytest.raises(InputError, match=r"a\.jsonl: is not there for a worker"):
            label(tiny, given, f"{tmp_path}/out/", engine=elsewhere)

    def test_a_scheduler_that_is_not_there(self, tiny, given, tmp_path, monkeypatch):
        monkeypatch.setattr(cluster, "PATIENCE", 1.0)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        for wrong in (address, "nonsense://x"):
            with pytest.raises(MirsadError, match="no scheduler answers there") as error:
                label(tiny, given, f"{tmp_path}/out/", engine=cluster.engine(wrong))
            assert wrong in str(error.value)

    def test_a_scheduler_without_workers(self, tiny, given, tmp_path, monkeypatch):
        monkeypatch.setattr(cluster, "PATIENCE", 1.0)
        with (
            distributed.LocalCluster(
                n_workers=0, dashboard_address="127.0.0.1:0", processes=False, silence_logs=50
            ) as none,
            pytest.raises(MirsadError, match="has no worker"),
        ):
            label(tiny, given, f"{tmp_path}/out/", engine=cluster.engine(none.scheduler_address))

    def test_another_version_at_the_workers(self, tiny, given, tmp_path, two, monkeypatch):
        monkeypatch.setattr(cluster, "__version__", "9.9")
        with pytest.raises(MirsadError, match=r"cannot take the model: it has mirsad .*, and this is 9\.9"):
            label(tiny, given, f"{tmp_path}/out/", engine=cluster.engine(two.scheduler_address))

    def test_what_is_sent_is_what_predicting_needs(self, tiny, tmp_path):
        from pipeline import store

        for explain, load in ((False, store.load_scorer), (True, store.load)):
            folder = tmp_path / str(explain)
            folder.mkdir()
            for name, content in store.packed(tiny.folder, explain=explain).items():
                (folder / name).write_bytes(content)
            assert len(list(folder.iterdir())) == 2
            assert load(folder)[1] == store.read_manifest(tiny.folder)

    def test_folds_and_fits_of_a_training(self, tiny, tmp_path, two):
        """The same model as without, whose metrics are those of the folds."""
        from pipeline import config, store, train

        settings = config.load(tiny.config, [f"output.folder={tmp_path}"])
        with cluster.training(two.scheduler_address):
            trained = train.train(settings)
        assert trained.metrics == tiny.trained.metrics
        seals = [store.read_manifest(folder)["files"][store.SCORER] for folder in (trained.folder, tiny.folder)]
        assert seals[0] == seals[1]

    def test_standard_input_is_refused(self, tiny, tmp_path):
        with pytest.raises(MirsadError, match="cannot be read by a cluster"):
            label(tiny, "-", tmp_path / "out.jsonl", engine=cluster.engine())


def test_the_command_starts_workers_and_ends_them(tiny, given, tmp_path):
    words = ["predict", str(given), "--model", str(tiny.folder), "--output", f"{tmp_path}/out/"]
    run = subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *words, "--engine", "dask", "--jobs", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stderr.splitlines()) == 1, run.stderr  # the summary, and no word of Dask's own
    label(tiny, given, f"{tmp_path}/one/", part_size=parts.PART)
    assert rows(tmp_path / "out") == rows(tmp_path / "one")


def with_workers(tiny, given, output: Path) -> tuple[subprocess.Popen, set[str]]:
    """The command, when it has just begun to start workers, and their numbers."""
    words = ["predict", str(given), "--model", str(tiny.folder), "--output", f"{output}/", "--engine", "dask"]
    # where tests run in the background of a shell, Ctrl-C is ignored, and what they start would inherit that
    run = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", *words, "--jobs", "2"],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    end = time.monotonic() + 60
    found: set[str] = set()
    while not found:
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.01)
        found = children(run.pid)
    return run, found


def children(process: int) -> set[str]:
    return {pid for file in Path(f"/proc/{process}/task").glob("*/children") for pid in file.read_text().split()}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find processes")
@pytest.mark.parametrize(
    ("sent", "wait", "code"), [(signal.SIGINT, 0.0, 130), (signal.SIGINT, 0.7, 130), (signal.SIGTERM, 0.3, 143)]
)
def test_stopped_while_workers_start(tiny, given, tmp_path, sent, wait, code):
    run, found = with_workers(tiny, given, tmp_path / "out")
    time.sleep(wait)
    found |= children(run.pid)
    os.killpg(run.pid, sent)
    said = run.communicate(timeout=60)[1]
    assert (run.returncode, said) == (code, "stopped\n" if sent == signal.SIGINT else "")
    wait_for_end(found)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find processes")
def test_workers_end_with_the_command(tiny, given, tmp_path):
    run, found = with_workers(tiny, given, tmp_path / "out")
    time.sleep(1.0)
    found |= children(run.pid)
    run.kill()
    run.communicate()
    wait_for_end(found)


def wait_for_end(processes: set[str]) -> None:
    end = time.monotonic() + 10
    while any(alive(pid) for pid in processes):
        assert time.monotonic() < end
        time.sleep(0.01)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_workers_that_cannot_start_are_told(tiny, given, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_PROGRAM", "import sys; sys.path[:] = {path!r}; sys.exit(1)")
    with pytest.raises(MachineError, match="the workers of this machine did not start"):
        label(tiny, given, f"{tmp_path}/out/", engine=cluster.engine(n_jobs=2))


class TestPlaces:
    """URLs, without a cluster."""

    @pytest.fixture
    def memory(self):
        store = fsspec.filesystem("memory")
        store.store.clear()
        yield store
        store.store.clear()

    def test_what_a_url_means(self, memory):
        for name in ("in/b.jsonl", "in/a/c.txt", "in/.hidden.txt", "in/d.pdf", "in/a/b.jsonl"):
            memory.pipe(f"/{name}", b"x")
        assert [below for _, below in places.files("memory://in/")][1:] == ["a/b.jsonl", "a/c.txt", "b.jsonl", "d.pdf"]
        assert places.files("memory://in/a/*.txt") == [("memory:///in/a/c.txt", "c.txt")]
        assert places.files("memory://in/b.jsonl") == [("memory:///in/b.jsonl", "b.jsonl")]
        with pytest.raises(InputError, match="memory://in/none: there is no such"):
            places.files("memory://in/none")

    @pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.parquet", "x.csv"])
    def test_read_as_from_a_disk(self, memory, tmp_path, name):
        import gzip

        import pyarrow
        import pyarrow.parquet

        table = [{"id": f"n{i}", "title": "", "text": f"وصلت السفينة رقم {i} إلى الميناء مساء أمس"} for i in range(300)]
        path = tmp_path / name
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table).encode()
        if name.endswith(".parquet"):
            pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), path)
        elif name.endswith(".csv"):
            cells = [["id", "title", "text"], *([*row.values()] for row in table)]
            path.write_text("".join(",".join(row) + "\n" for row in cells), encoding="utf-8")
        else:
            path.write_bytes(gzip.compress(lines) if name.endswith(".gz") else lines)
        memory.pipe(f"/in/{name}", path.read_bytes())
        here, there = (parts.plan(place, size=5_000) for place in (path, f"memory://in/{name}"))
        assert [[(p.start, p.stop) for p in part.pieces] for part in there] == [
            [(p.start, p.stop) for p in part.pieces] for part in here
        ]
        assert list(read(f"memory://in/{name}")) == list(read(path))

    def test_a_run_that_stopped_goes_on(self, memory, tiny, given, tmp_path):
        label(tiny, given, f"{tmp_path}/one/", rejects_to=tmp_path / "one.rejects")
        memory.put(str(given), "/in", recursive=True)

        def engine(todo, task):
            for number, part in enumerate(todo):
                if number == 2:
                    raise KeyboardInterrupt
                yield parts.label_part(part, task)

        options = {"rejects_to": tmp_path / "many.rejects"}
        with pytest.raises(KeyboardInterrupt):
            label(tiny, "memory://in/", "memory://out/", engine=engine, **options)
        memory.pipe("/out/.part-00002.jsonl.0123abcd.part", b"half")
        summary = label(tiny, "memory://in/", "memory://out/", **options)
        assert summary.before
        found = {Path(name).name: memory.cat(name) for name in memory.ls("/out", detail=False)}
        assert found.pop("run.journal").count(b"\n") == len(list((tmp_path / "one").glob("*.jsonl"))) + 2
        assert found == rows(tmp_path / "one")
        assert (tmp_path / "many.rejects").read_bytes() == (tmp_path / "one.rejects").read_bytes()

        memory.pipe("/out/part-00001.jsonl", b"")
        with pytest.raises(MirsadError, match=r"memory://out/part-00001.jsonl: is gone or was changed"):
            label(tiny, "memory://in/", "memory://out/", **options)
        label(tiny, "memory://in/", "memory://out/", restart=True, **options)
        assert memory.cat("/out/part-00001.jsonl") == rows(tmp_path / "one")["part-00001.jsonl"]
        memory.pipe("/in/a.jsonl", b"{}\n")
        with pytest.raises(MirsadError, match="1 file changed"):
            label(tiny, "memory://in/", "memory://out/", **options)

    def test_strangers_in_the_folder(self, memory, tiny, given):
        memory.pipe("/out/thesis.txt", b"mine")
        with pytest.raises(MirsadError, match=r"not of a run with a journal: thesis\.txt"):
            label(tiny, given, "memory://out/", restart=True)
        with pytest.raises(MirsadError, match=r"End it with a slash"):
            label(tiny, given, "memory://out.jsonl")

    def test_a_place_that_fails_leaves_no_article_out(self, memory, monkeypatch):
        memory.pipe("/in/a.jsonl", b'{"text": ""}\n')
        monkeypatch.setattr(type(memory), "open", lambda *_, **__: (_ for _ in ()).throw(OSError("timed out")))
        rejects = Rejects()
        with pytest.raises(MachineError, match="cannot be reached: timed out"):
            list(read("memory://in/a.jsonl", rules=Rules(), rejects=rejects))
        assert not rejects.total

    def test_what_is_not_installed_is_named(self, monkeypatch):
        with pytest.raises(MirsadError, match=r"nosuch://x: cannot be reached"):
            places.files("nosuch://x")
        monkeypatch.setitem(sys.modules, "fsspec.core", None)
        with pytest.raises(MirsadError, match=r"mirsad\[dask\]"):
            places.files("s3://bucket/x")
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(MirsadError, match=r"mirsad\[dask\]"), cluster.connected():
            pass
