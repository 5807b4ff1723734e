"""Processes beside this one, each with the model loaded once, that label parts.

Reading and cleaning hold Python's lock, so threads gain nothing; processes do. They are started as programs of their
own rather than by `multiprocessing`, which would run the caller's script again in each, and they end with the process
that started them, however it ends.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import BinaryIO

from pipeline.errors import MachineError
from pipeline.parts import Labelled, Part, Task, label_part

# Ctrl-C and SIGTERM go to all processes of a command; it is the first one that ends the others.
_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.path[:] = {path!r}
from pipeline.workers import serve
serve({number})
"""


def label_parts(parts: Sequence[Part], task: Task, *, jobs: int) -> Generator[Labelled, None, None]:
    """Label parts, several at a time.

    Parameters
    ----------
    parts : sequence of Part
    task : Task
    jobs : int
        Processes; 1 is this one.

    Yields
    ------
    Labelled
        As they are done, not in their order.

    Raises
    ------
    MachineError
        A process was ended from outside.
    MirsadError
        As `label_part`.
    """
    jobs = min(jobs, len(parts))
    if jobs <= 1:
        yield from (label_part(part, task) for part in parts)
        return
    workers = [_Worker(number) for number in range(jobs)]
    idle: queue.SimpleQueue[_Worker] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def work(part: Part) -> Labelled:
        worker = idle.get()
        try:
            return worker.label(part, task)
        finally:
            idle.put(worker)

    pool = ThreadPoolExecutor(jobs)  # they wait for the processes
    try:
        for done in as_completed([pool.submit(work, part) for part in parts]):
            yield done.result()
    finally:
        for worker in workers:
            worker.kill()
        pool.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()


class _Worker:
    def __init__(self, number: int) -> None:
        command = [sys.executable, "-c", _PROGRAM.format(path=sys.path, number=number)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def label(self, part: Part, task: Task) -> Labelled:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((part, task), self._process.stdin)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            code = self._process.wait()
            why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise MachineError(
                f"a worker process ended before its work was done ({why})",
                hint="Where memory is short, take fewer --jobs.",
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer  # type: ignore[no-any-return]

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.communicate()


def serve(number: int) -> None:
    """Label the parts that come on standard input until it ends: what a worker process runs."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing else may speak there
    if number:  # one says that it compiles
        from pipeline.features import compiled

        compiled.announce = lambda _: None
    tasks: queue.SimpleQueue[tuple[Part, Task]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    while True:
        answer: Labelled | Exception
        try:
            answer = label_part(*tasks.get())
        except Exception as error:
            error.add_note(traceback.format_exc())  # where it happened, should it be a fault of the program
            answer = error
        pickle.dump(answer, answers)
        answers.flush()


def _listen(stream: BinaryIO, tasks: queue.SimpleQueue[tuple[Part, Task]]) -> None:
    """Take parts; when the stream ends, whoever started this process is gone, and so is this process at once."""
    while True:
        try:
            tasks.put(pickle.load(stream))
        except BaseException:
            os._exit(0)
