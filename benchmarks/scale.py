"""Predicting at scale: speed, memory, what several processes gain, and what is left of a run that is killed.

    python benchmarks/scale.py all                    # some minutes, and then the million: half an hour on two cores
    python benchmarks/scale.py million --articles 1000000
    python benchmarks/scale.py kill --articles 100000 --kills 20
    python benchmarks/scale.py jobs --articles 20000 --before ../older-checkout

Articles are those of `ant` again and again, each with some of its words taken from other articles; they are made on the
fly and written to a temporary folder as JSON Lines, 10,000 a file. Programs are measured from outside, from their start
to their end; memory is the sum over all processes of the command, sampled five times a second (PSS: a page that several
share is counted once). Results are added to ``benchmarks/results/scale.json``, which ``docs/scale.md`` quotes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results" / "scale.json"
MODEL = ROOT / "models" / "news"
A_FILE = 10_000
NOISE = 0.05


# --------------------------------------------------------------------------------------------------------- articles


def noisy_articles(seed: int = 0) -> Iterator[dict[str, str]]:
    """Articles without end, the same each time."""
    from pipeline import corpora

    chance = random.Random(seed)
    given = list(corpora.get("ant").articles(clean=False))
    words: list[str] = []
    for number in count():
        article = given[number % len(given)]
        own = article.text.split(" ")
        if words:
            for place in chance.sample(range(len(own)), int(len(own) * NOISE)):
                own[place] = chance.choice(words)
        words = own
        yield {
            "id": f"n{number}",
            "title": article.title,
            "text": " ".join(own),
            "source": article.source,
            "date": article.date,
        }


def write_articles(n: int, folder: Path) -> dict[str, float]:
    """Write articles to files; gives their mean size."""
    folder.mkdir()
    articles, characters, size = islice(noisy_articles(), n), 0, 0
    for start in range(0, n, A_FILE):
        with (folder / f"articles-{start // A_FILE:03d}.jsonl").open("wb") as file:
            for article in islice(articles, A_FILE):
                line = json.dumps(article, ensure_ascii=False).encode()
                characters, size = characters + len(article["text"]), size + len(line) + 1
                file.write(line + b"\n")
    return {"articles": n, "characters_of_text": round(characters / n), "bytes": round(size / n)}


# --------------------------------------------------------------------------------------------------------- measuring


def command(inputs: Path, output: str, *options: object) -> list[str]:
    return [
        *(sys.executable, "-m", "pipeline.cli", "predict", str(inputs)),
        *("--model", str(MODEL), "--output", output, *map(str, options)),
    ]


def measured(words: list[str], cwd: Path = ROOT) -> dict[str, float]:
    """Run a program: seconds, seconds of processor time, and peak memory of it and its children."""
    before = os.times()
    start = time.perf_counter()
    run = subprocess.Popen(words, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peaks = {"pss_mb": 0.0, "rss_mb": 0.0}
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(0.2):
            for key, value in memory_of(run.pid).items():
                peaks[key] = max(peaks[key], round(value, 1))

    sampler = threading.Thread(target=sample)
    sampler.start()
    _, said = run.communicate()
    seconds = time.perf_counter() - start
    ended.set()
    sampler.join()
    if run.returncode:
        raise SystemExit(said.decode())
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": round(seconds, 2), "cpu_seconds": round(cpu, 2), **peaks}


def memory_of(pid: int) -> dict[str, float]:
    """Megabytes of a process and its children."""
    total = {"pss_mb": 0.0, "rss_mb": 0.0}
    for process in (pid, *children_of(pid)):
        try:
            page = Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:  # it has ended
            continue
        for line in page.splitlines():
            for key, name in (("pss_mb", "Pss:"), ("rss_mb", "Rss:")):
                if line.startswith(name):
                    total[key] += int(line.split()[1]) * 1024 / 1e6
    return total


def children_of(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def machine() -> dict[str, Any]:
    """What else was going on."""
    return {"cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1)}


def keep(name: str, result: dict[str, Any]) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    results[name] = result
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(name, json.dumps(result, indent=1), flush=True)


# --------------------------------------------------------------------------------------------------------- the runs


def million(place: Path, n: int) -> None:
    """A long run against a short one: speed, memory, and the output read back."""
    result: dict[str, Any] = {"machine": machine()}
    for name, size in (("short", 10_000), ("long", n)):
        inputs, output, rejects = place / name, place / f"{name}-out", place / f"{name}-rejects.jsonl"
        result[name] = write_articles(size, inputs)
        result[name] |= measured(command(inputs, f"{output}/", "--rejects", rejects))
        result[name]["articles_a_second"] = round(size / result[name]["seconds"])
        result[name] |= read_back(output, rejects, size)
        shutil.rmtree(inputs)
        shutil.rmtree(output)
    result["more_memory_mb"] = round(result["long"]["pss_mb"] - result["short"]["pss_mb"], 1)
    result["load_after"] = machine()["load_before"]
    keep("million", result)


def read_back(output: Path, rejects: Path, n: int) -> dict[str, int]:
    """Make sure that each article has one row, in order, or is a reject; counts rows and their bytes."""
    left_out = {json.loads(line)["id"] for line in rejects.open(encoding="utf-8")}
    expected, size = 0, 0
    for path in sorted(output.glob("part-*.jsonl")):
        with path.open("rb") as lines:
            for line in lines:
                row = json.loads(line)
                while f"n{expected}" in left_out:
                    expected += 1
                if row["id"] != f"n{expected}" or not {"topics", "stance", "flags", "model"} <= row.keys():
                    raise SystemExit(f"{path}: {row['id']} where n{expected} should be")
                expected, size = expected + 1, size + len(line)
    while f"n{expected}" in left_out:
        expected += 1
    if expected != n:
        raise SystemExit(f"{expected} of {n} articles")
    return {"rows": n - len(left_out), "rejects": len(left_out), "output_bytes": size}


def kill(place: Path, n: int, kills: int) -> None:
    """Kill a run (all its processes) at random moments, start it again each time, compare with an undisturbed one."""
    inputs, whole, output = place / "kill", place / "whole.jsonl", place / "killed"
    result: dict[str, Any] = {"machine": machine(), **write_articles(n, inputs)}
    result["undisturbed"] = measured(command(inputs, str(whole), "--jobs", 1))
    chance = random.Random(1)
    code = (
        "import sys; from pipeline.predict import predict_files;"
        "predict_files(sys.argv[1], sys.argv[2], output=sys.argv[3], part_size=1 << 20)"
    )
    words = [sys.executable, "-c", code, str(inputs), str(MODEL), f"{output}/"]
    moments, done = [], []
    one = place / "one.jsonl"
    one.write_bytes(next(inputs.iterdir()).read_bytes().splitlines(keepends=True)[0])
    start_up = 2 * measured([*words[:3], str(one), *words[4:-1], f"{place}/one/"])["seconds"]  # and that of workers
    longest = start_up + 1.5 * result["undisturbed"]["seconds"] / kills
    while len(moments) < kills:
        run = subprocess.Popen(words, cwd=ROOT, start_new_session=True)
        moment = chance.uniform(0.0, longest)
        try:
            run.wait(moment)
            break
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        moments.append(round(moment, 2))
        done.append(len(list(output.glob("part-*.jsonl"))) if output.exists() else 0)
    subprocess.run(words, cwd=ROOT, check=True)
    parts = sorted(output.glob("part-*.jsonl"))
    rows = [line for part in parts for line in part.read_bytes().splitlines(keepends=True)]
    same_order = b"".join(rows) == whole.read_bytes()
    by_id = [sorted(of, key=lambda line: line.split(b'"', 4)[3]) for of in (rows, whole.read_bytes().splitlines(True))]
    result |= {"kills": len(moments), "after_seconds": moments, "parts_done": done, "parts": len(parts)}
    result |= {"rows": len(rows), "same_sorted_by_id": by_id[0] == by_id[1], "same_bytes_in_order": same_order}
    keep("kill", result)


def jobs(place: Path, n: int, runs: int, before: Path | None) -> None:
    """Processes against threads against one, a file against a folder, and the code as it was before."""
    inputs, one = place / "jobs", place / "one.jsonl"
    result: dict[str, Any] = {"machine": machine(), **write_articles(n, inputs)}
    one.write_bytes(next(inputs.iterdir()).read_bytes().splitlines(keepends=True)[0])
    threads = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pipeline import parts;"
        "from pipeline.predict import predict_files\n"
        "def engine(todo, task):\n"
        "    with ThreadPoolExecutor(2) as pool: yield from pool.map(lambda part: parts.label_part(part, task), todo)\n"
        "predict_files(sys.argv[1], sys.argv[2], output=sys.argv[3], engine=engine)"
    )
    ways: dict[str, tuple[list[str], Path]] = {
        "folder, 1 process": (command(inputs, f"{place}/out/", "--restart", "--jobs", 1), ROOT),
        "folder, 2 processes": (command(inputs, f"{place}/out/", "--restart", "--jobs", 2), ROOT),
        "file, 1 process": (command(inputs, f"{place}/out.jsonl", "--jobs", 1), ROOT),
        "file, 2 processes": (command(inputs, f"{place}/out.jsonl", "--jobs", 2), ROOT),
        "file, 2 threads": ([sys.executable, "-c", threads, str(inputs), str(MODEL), f"{place}/out.jsonl"], ROOT),
        "one article": (command(one, f"{place}/out.jsonl"), ROOT),
    }
    if before is not None:
        ways["before: file, --jobs 1"] = (command(inputs, f"{place}/out.jsonl", "--jobs", 1), before)
        ways["before: file, --jobs 2"] = (command(inputs, f"{place}/out.jsonl", "--jobs", 2), before)
        ways["before: one article"] = (command(one, f"{place}/out.jsonl"), before)
    (place / "out").mkdir()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for _ in range(runs):  # in turn, so that what else the machine does falls on all
        for name, (words, cwd) in ways.items():
            found[name].append(measured(words, cwd))
    # what else the machine does only adds to the time by the clock, so the least is the best estimate
    result["ways"] = {
        name: {key: (min if key == "seconds" else statistics.median)([run[key] for run in all_of]) for key in all_of[0]}
        for name, all_of in found.items()
    }
    result["load_after"] = machine()["load_before"]
    keep("jobs", result)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["million", "kill", "jobs", "all"])
    parser.add_argument("--articles", type=int, help="instead of 1,000,000, 100,000 or 20,000")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--before", type=Path, help="a checkout of older code to compare with")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mirsad-scale-") as folder:
        if given.what in ("jobs", "all"):
            jobs(Path(folder), given.articles or 20_000, given.runs, given.before)
        if given.what in ("kill", "all"):
            kill(Path(folder), given.articles or 100_000, given.kills)
        if given.what in ("million", "all"):
            million(Path(folder), given.articles or 1_000_000)


if __name__ == "__main__":
    main()
