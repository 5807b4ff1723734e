"""The same parts on a Dask cluster: one that is there, or workers of this machine for the length of a command.

Each worker gets the model once, also one that joins later or takes the place of one that died: it is a plugin of the
cluster while the run lasts. What a worker did not finish is given to another; parts that are done twice are the same
bytes under the same name. Dask's processes exchange pickles: who can reach a scheduler can run anything on its workers.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import __version__, places, store
from pipeline.errors import InputError, MachineError, MirsadError
from pipeline.parts import Labelled, Part, Task, label_part
from pipeline.predict import Engine

RETRIES = 3
"""How often a part is tried again that failed for no fault of the input or the model."""
PATIENCE = 10.0
"""Seconds to wait for a scheduler, and for its first worker."""
START = 120.0
"""Seconds that workers of this machine may take to start, however busy it is."""

# A worker ends, with all that it started, when its standard input does: whoever started it is gone then.
_PROGRAM = """
import os, signal, sys, threading
def listen():
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)
threading.Thread(target=listen, daemon=True).start()
sys.path[:] = {path!r}
from distributed.cli.dask_worker import main
main()
"""


def engine(scheduler: str | None = None, *, n_jobs: int = -1) -> Engine:
    """What labels parts on a cluster, for `predict.predict_files`.

    Parameters
    ----------
    scheduler : str, optional
        Address of the scheduler of a cluster, as `tcp://host:8786`. If not given, workers of this machine are started,
        and end with the run.
    n_jobs : int
        How many of those; -1 for one a core.

    Returns
    -------
    callable
    """

    def label(todo: Sequence[Part], task: Task) -> Generator[Labelled, None, None]:
        if todo:
            with connected(scheduler, n_jobs=min(_jobs(n_jobs), len(todo))) as client:
                yield from _label_parts(client, todo, task)

    return label


@contextmanager
def connected(scheduler: str | None = None, *, n_jobs: int = -1) -> Iterator[Any]:
    """A client of a cluster, as `engine` says.

    Yields
    ------
    distributed.Client

    Raises
    ------
    MirsadError
        Dask is not installed, the scheduler cannot be reached, or it has no worker.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise MirsadError("a cluster needs dask", hint=places.INSTALL) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told as an error
    if scheduler is None:
        with (
            LocalCluster(
                n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL
            ) as cluster,
            Client(cluster) as client,
            _workers(cluster.scheduler_address, _jobs(n_jobs)) as processes,
        ):
            _wait_for(client, processes)
            yield client
        return
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TypeError) as error:
        raise MirsadError(
            f"no scheduler answers there: {str(error) or type(error).__name__}",
            where=scheduler,
            hint="Start one with: dask scheduler. Give the address that it tells, as tcp://host:8786.",
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise MirsadError(
                "this scheduler has no worker",
                where=scheduler,
                hint=f"Start some with: dask worker {scheduler} --nthreads 1 --nworkers auto",
            ) from None
        yield client


@contextmanager
def training(scheduler: str | None) -> Iterator[None]:
    """Have folds of a cross-validation, and fits that are independent, done by a cluster while the block lasts.

    Parameters
    ----------
    scheduler : str, optional
        Nothing is done where it is None.

    Raises
    ------
    MirsadError
        As `connected`.
    """
    if scheduler is None:
        yield
        return
    from joblib import parallel_config

    with connected(scheduler), parallel_config(backend="dask"):
        yield


def _label_parts(client: Any, todo: Sequence[Part], task: Task) -> Generator[Labelled, None, None]:
    from distributed import as_completed

    task = task if places.is_url(task.folder) else replace(task, folder=str(Path(task.folder).absolute()))
    absolute = [_absolute(part) for part in todo]
    with _model_sent(client, task) as name:
        key = f"{name}-part"
        futures = client.map(_label, absolute, task=task, name=name, key=key, pure=False, retries=RETRIES)
        waiting = as_completed(futures)
        del futures  # what is done is forgotten by the cluster
        try:
            for future in waiting:
                done = _result(future)
                if isinstance(done, MirsadError):
                    raise done
                _check_seen(done, task)
                yield done
        finally:
            with suppress(Exception):  # the cluster may be gone, or going
                client.cancel(list(waiting.futures))


@contextmanager
def _model_sent(client: Any, task: Task) -> Iterator[str]:
    """Have each worker hold the model, in a folder of the name that is given."""
    name = f"mirsad-{secrets.token_hex(8)}"
    model = _plugin(task, name)
    try:
        try:
            client.register_plugin(model, name=name)
        except Exception as error:
            raise MirsadError(
                f"a worker cannot take the model: {error}", hint="Install the same mirsad there."
            ) from error
        yield name
    finally:
        with suppress(Exception):
            client.unregister_worker_plugin(name)


def _result(future: Any) -> Labelled | MirsadError:
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return future.result()  # type: ignore[no-any-return]
    except KilledWorker:
        raise MachineError(
            f"each worker that took {future.key} ended before it was done",
            hint="Give workers more memory: half a gigabyte for each of their threads.",
        ) from None
    except (FutureCancelledError, OSError) as error:
        raise MachineError(f"the cluster is gone: {error}", hint="The same command can be run again.") from None


def _check_seen(done: Labelled, task: Task) -> None:
    if not places.is_url(task.folder) and not task.file(done.number).exists():
        raise MirsadError(
            "was written by a worker, and is not there: the workers have another disk than this machine",
            where=str(task.file(done.number)),
            hint="Name a folder that all of them see, or a URL such as s3://bucket/labels/.",
        )


def _absolute(part: Part) -> Part:
    """A part that means the same files for a process that runs in another folder."""

    def found(path: str) -> str:
        return path if places.is_url(path) else str(Path(path).absolute())

    pieces = (replace(piece, source=replace(piece.source, path=found(piece.source.path))) for piece in part.pieces)
    return Part(part.number, tuple(pieces))


@contextmanager
def _workers(scheduler: str, n: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Workers of this machine, each with a nanny that starts it again, in process groups that Ctrl-C does not reach."""
    with tempfile.TemporaryDirectory(prefix="mirsad.", ignore_cleanup_errors=True) as folder:
        # no bound of its own on memory, at which a worker would be ended
        words = [scheduler, "--nthreads=1", "--memory-limit=0", "--no-dashboard", "--local-directory", folder]
        command = [sys.executable, "-c", _PROGRAM.format(path=sys.path), *words, f"--death-timeout={START:.0f}"]
        quiet = os.environ | {"DASK_LOGGING__DISTRIBUTED": "critical"}
        processes: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(n):
                process = subprocess.Popen(command, stdin=subprocess.PIPE, env=quiet, process_group=0)
                processes.append(process)  # one by one: what was started is ended, though the next cannot be
            yield processes
        finally:
            for process in processes:
                with suppress(ProcessLookupError):  # it is gone, and so are those that it started
                    os.killpg(process.pid, signal.SIGKILL)
                process.communicate()


def _wait_for(client: Any, processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait until all workers are there."""
    end = time.monotonic() + START
    while len(client.nthreads()) < len(processes):
        if time.monotonic() > end or any(process.poll() is not None for process in processes):
            raise MachineError(
                "the workers of this machine did not start",
                hint="Take fewer --jobs, or leave out --engine dask: processes of this machine need no cluster.",
            )
        time.sleep(0.05)


def _jobs(n_jobs: int) -> int:
    from joblib import cpu_count  # knows what a container may use

    return n_jobs if n_jobs > 0 else max(1, int(cpu_count()) + 1 + n_jobs)


# ---------------------------------------------------------------------------------------------------- at the workers


def _plugin(task: Task, name: str) -> Any:
    """What gives a worker the model: its files, audited here, and audited there again when they are loaded."""
    from distributed import WorkerPlugin

    files = store.packed(task.model, explain=task.explain)

    class Model(WorkerPlugin):  # type: ignore[misc]
        def setup(self, worker: Any) -> None:
            from pipeline import __version__ as there

            if there != version:
                raise MirsadError(f"it has mirsad {there}, and this is {version}")
            folder = Path(worker.local_directory, name)
            folder.mkdir(parents=True, exist_ok=True)
            for file, content in files.items():
                (folder / file).write_bytes(content)

        def teardown(self, worker: Any) -> None:
            shutil.rmtree(Path(worker.local_directory, name), ignore_errors=True)

    version = __version__
    return Model()


def _label(part: Part, task: Task, name: str) -> Labelled | MirsadError:
    """Label a part at a worker. What trying again would not mend is an answer; what it may mend is raised."""
    from distributed import get_worker

    try:
        for piece in part.pieces:
            if not places.is_url(piece.source.path) and not os.path.exists(piece.source.path):  # noqa: PTH110
                raise InputError(
                    "is not there for a worker of the cluster",
                    where=piece.source.path,
                    hint="Put the input where all of them see it, or name a URL such as s3://bucket/in/*.parquet.",
                )
        return label_part(part, replace(task, model=str(Path(get_worker().local_directory, name))))
    except MachineError:
        raise
    except MirsadError as error:
        return error
