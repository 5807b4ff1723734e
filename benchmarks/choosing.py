"""What `mirsad queue` is worth: a hundred labels more by queue, against a hundred at random.

    python benchmarks/choosing.py [--seeds 5] [--output FILE.json]

Half of ant's labelled articles are kept apart for judging, near duplicates on one side. Of the other half 200 at random
are the labels at hand, a hundred more are chosen by the model of those 200, and a model of all 300 is judged. Words
only, so that it takes a few minutes. Needs the archive of ant (`mirsad corpora get`, or MIRSAD_CORPORA).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import config as configs
from pipeline import dataset, metrics, queue
from pipeline import model as models
from pipeline.articles import FIELDS, Article

LIGHT = {
    "data.sources": '[{ corpus = "ant" }]',
    "heads.topics.blocks": '["words"]',
    "heads.stance.blocks": '["words"]',
    "features.words.ngram_range": "[1, 1]",
}
START, MORE = 200, 100


def scores(config: configs.Config, data: dataset.Dataset, train: Any, test: Any) -> tuple[Any, dict[str, float]]:
    """A compiled model of some rows, and its macro F1 by head on others."""
    scorer = models.fit(config, data, train).compile()
    decided = scorer.ask(data.fields(test)).decided
    stance, labels = data.labels["stance"][test], config.heads["stance"].labels
    stance = np.where(stance == len(labels), labels.index("neutral"), stance)
    truth = {"topics": data.labels["topics"][test] == 1, "stance": stance[:, None] == np.arange(len(labels))}
    return scorer, {head: float(metrics.f1(truth[head], decided[head]).mean()) for head in truth}


def by_queue(scorer: Any, data: dataset.Dataset, left: Any, seed: int) -> Any:
    """Rows that the queue chooses among those left."""
    rows = {data.table["id"].iloc[i]: i for i in left}
    batch = [Article(*cells) for cells in data.table.iloc[left][list(FIELDS)].itertuples(index=False)]
    pool = queue.Pool(scorer, scorer.rules, MORE, seed=seed)
    pool.add(batch)
    return np.array([rows[candidate.article.id] for candidate in queue.choose(pool, MORE)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--output", default="benchmarks/results/choosing.json")
    arguments = parser.parse_args()
    config = configs.load("configs/full.toml", [f"{key}={value}" for key, value in LIGHT.items()])
    data = dataset.load(config)
    names = [*config.heads["stance"].labels, "not relevant"]
    found = []
    for seed in range(arguments.seeds):
        random = np.random.default_rng(seed)
        groups = random.permutation(np.unique(data.groups))
        apart = np.isin(data.groups, groups[: len(groups) // 2])
        test, pool = np.nonzero(apart)[0], random.permutation(np.nonzero(~apart)[0])
        start, left = pool[:START], pool[START:]
        scorer, before = scores(config, data, start, test)
        run: dict[str, Any] = {"seed": seed, "pool": len(left), "judged": len(test), "before": before}
        for how, more in (("random", left[:MORE]), ("queue", by_queue(scorer, data, left, seed))):
            _, run[how] = scores(config, data, np.concatenate([start, more]), test)
            counts = np.bincount(data.labels["stance"][more], minlength=len(names)).tolist()
            run[f"{how} stances"] = dict(zip(names, counts, strict=True))
            run[f"{how} topics"] = int((data.labels["topics"][more] == 1).any(axis=1).sum())
        found.append(run)
        print(json.dumps(run), flush=True)
    mean = {
        how: {head: round(float(np.mean([run[how][head] for run in found])), 4) for head in ("topics", "stance")}
        for how in ("before", "random", "queue")
    }
    gain = {
        head: [round(run["queue"][head] - run["random"][head], 4) for run in found] for head in ("topics", "stance")
    }
    result = {"runs": found, "mean": mean, "queue minus random": gain}
    print(json.dumps({key: result[key] for key in ("mean", "queue minus random")}, indent=1))
    Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.output).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
