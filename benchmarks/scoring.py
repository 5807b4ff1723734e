"""What a whole model costs beside its n-grams alone: scoring by the shipped model, part by part.

    python benchmarks/scoring.py --articles 4000 --runs 9

reads articles of `ant`, in batches as `mirsad predict` does, on one core. Parts are measured in turn, in processor
time, so that what else the machine does falls on all of them; ratios tell more than times. The result goes to
``benchmarks/results/scoring.json``, which ``docs/features.md`` quotes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from itertools import islice
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
RESULTS = Path(__file__).parent / "results" / "scoring.json"
BATCH = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, default=4000)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "news")
    given = parser.parse_args()

    from pipeline import articles, corpora, store

    fields = articles.split_fields(islice(corpora.get("ant").articles(), given.articles))
    n = len(fields[0])
    batches = [tuple(field[i : i + BATCH] for field in fields) for i in range(0, n, BATCH)]
    scorer, _ = store.load_scorer(given.model)
    parts = {
        "n-grams": lambda batch: scorer.tfidf.scores(*batch),
        "listed terms": lambda batch: scorer.listed.measure(*batch),
        "all": scorer.ask,
    }
    times: dict[str, list[float]] = {name: [] for name in parts}
    for run in range(given.runs + 1):
        for name, score in parts.items():
            start = time.process_time()
            for batch in batches:
                score(batch)
            if run:  # the first one loads machine code, and meets all words for the first time
                times[name].append((time.process_time() - start) / n * 1e6)
    result = {
        "articles": n,
        "characters": round(sum(len(text) for field in fields for text in field) / n),
        "us_per_article": {name: round(statistics.median(of), 1) for name, of in times.items()},
        "all against n-grams alone": round(
            statistics.median(every / grams for every, grams in zip(times["all"], times["n-grams"], strict=True)), 2
        ),
    }
    print(json.dumps(result, indent=1))
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
