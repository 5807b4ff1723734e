"""A Dask cluster of one machine beside processes and a single process, and what is left when a worker is killed.

    python benchmarks/cluster.py --articles 20000 --runs 2    # some minutes on two cores

Articles and measuring are those of ``benchmarks/scale.py``; parts are of 2 MB, so that two workers have equally much to
do. Each way labels into a folder, and all folders must hold the same bytes. Results go to ``scale.json``, as "cluster".
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import scale

_RUN = """
import sys
from pipeline.predict import predict_files
if __name__ == "__main__":
    inputs, model, output, workers, jobs = sys.argv[1:]
    engine = None
    if workers == "dask":
        from pipeline.cluster import engine as of_cluster
        engine = of_cluster(n_jobs=int(jobs))
    done = predict_files(inputs, model, output=output, n_jobs=int(jobs), engine=engine, part_size=2 << 20, restart=True)
    print(done.seconds, done.rows, flush=True)
"""


def kill_a_worker(output: Path, killed: list[int], ended: threading.Event) -> None:
    """Kill the busiest grandchild of this process when a third of a minute's parts are there."""
    while not ended.wait(0.05):
        if len(list(output.glob("part-*"))) < 5:
            continue
        own = scale.children_of(os.getpid())
        workers = [child for run in own for child in scale.children_of(run)]
        workers.sort(key=lambda pid: scale.memory_of(pid)["pss_mb"])
        killed.append(workers[-1])
        os.kill(workers[-1], signal.SIGKILL)
        return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--articles", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    ways = {
        "1 process": ("processes", 1),
        "2 processes": ("processes", 2),
        "dask, 1 worker": ("dask", 1),
        "dask, 2 workers": ("dask", 2),
        "dask, 2 workers, one killed": ("dask", 2),
    }
    with tempfile.TemporaryDirectory(prefix="mirsad-cluster-") as folder:
        place = Path(folder)
        script = place / "run.py"
        script.write_text(_RUN)
        result = {"machine": scale.machine(), **scale.write_articles(given.articles, place / "in")}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        outputs: dict[str, dict[str, bytes]] = {}
        for _ in range(given.runs):  # in turn, so that what else the machine does falls on all
            for name, (workers, jobs) in ways.items():
                output, killed, ended = place / name.replace(",", ""), [], threading.Event()
                words = [
                    sys.executable,
                    str(script),
                    str(place / "in"),
                    str(scale.MODEL),
                    f"{output}/",
                    workers,
                    str(jobs),
                ]
                killer = threading.Thread(target=kill_a_worker, args=(output, killed, ended))
                for path in output.glob("part-*"):
                    path.unlink()
                for path in output.glob("run.journal"):
                    path.unlink()
                if "killed" in name:
                    killer.start()
                before, start = os.times(), time.perf_counter()
                run = subprocess.run(
                    words,
                    cwd=scale.ROOT,
                    env=os.environ | {"PYTHONPATH": str(scale.ROOT)},
                    capture_output=True,
                    check=False,
                )
                seconds, after = time.perf_counter() - start, os.times()
                ended.set()
                if run.returncode:
                    raise SystemExit(run.stderr.decode())
                cpu = after.children_user + after.children_system - before.children_user - before.children_system
                if "killed" in name:
                    killer.join()
                    if not killed:
                        raise SystemExit("no worker was killed")
                outputs[name] = {path.name: path.read_bytes() for path in output.glob("part-*")}
                found[name].append({"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2)})
                print(name, found[name][-1], flush=True)
        # what else the machine does only adds to the time by the clock, so the least is the best estimate
        result["ways"] = {
            name: {
                "seconds": min(run["seconds"] for run in runs),
                "cpu_seconds": statistics.median(run["cpu_seconds"] for run in runs),
            }
            for name, runs in found.items()
        }
        first = outputs["1 process"]
        result |= {"parts": len(first), "same_bytes": all(output == first for output in outputs.values())}
        result["load_after"] = scale.machine()["load_before"]
        scale.keep("cluster", result)


if __name__ == "__main__":
    main()
