"""What each idea is worth on articles from elsewhere: one corpus left out, differences paired, with intervals.

    python benchmarks/accuracy.py [--ideas NAME ...] [--output FILE.json]

Every idea is a change of the config, so every row can be trained with `mirsad train --set`. Needs the archives of ant,
osac and aljazeera (`mirsad corpora get`, or MIRSAD_CORPORA).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import config as configs
from pipeline import dataset, metrics, splits
from pipeline import model as models
from pipeline.train import background

BASE = "configs/full.toml"
CORPORA = ("written", "ant", "osac", "aljazeera")
PLAIN = {
    "heads.topics.blocks": '["words", "characters"]',
    "heads.stance.blocks": '["words", "characters"]',
    "features.words.max_features": "1000000",
    "features.characters.max_features": "1000000",
    "heads.stance.estimator.class_weight": '"balanced"',
}
TOP = '"words", "characters", "top_words", "top_characters"'
IDEAS: dict[str, dict[str, str]] = {
    "shipped": {},
    "plain": PLAIN,
    "no sentences": {
        "heads.topics.blocks": f'[{TOP}, "latent", "terms"]',
        "heads.stance.blocks": f'[{TOP}, "target"]',
    },
    "no target block": {"heads.stance.blocks": f'[{TOP}, "statements"]'},
    "no terms block": {"heads.topics.blocks": f'[{TOP}, "latent", "subjects"]'},
    "no latent block": {"heads.topics.blocks": f'[{TOP}, "terms", "subjects"]'},
    "no title and lede blocks": {
        "heads.topics.blocks": '["words", "characters", "latent", "terms", "subjects"]',
        "heads.stance.blocks": '["words", "characters", "target", "statements"]',
    },
    "classes of stance balanced": {"heads.stance.estimator.class_weight": '"balanced"'},
    "terms three times as heavy": {"features.terms.weight": "0.5"},
    "target twice as heavy": {"features.target.weight": "0.45"},
    "C = 1": {"heads.topics.estimator.C": "1.0", "heads.stance.estimator.C": "1.0"},
    "C = 10": {"heads.topics.estimator.C": "10.0", "heads.stance.estimator.C": "10.0"},
}


def settings(overrides: dict[str, str]) -> configs.Config:
    """The shipped config with an idea, over all four corpora."""
    config = configs.load(BASE, [f"{key}={value}" for key, value in overrides.items()])
    data = config.data.model_copy(update={"sources": [configs.Source(corpus=name) for name in CORPORA]})
    asked = {name for head in config.heads.values() for name in head.blocks or config.features}
    features = {name: block for name, block in config.features.items() if name in asked}
    return config.model_copy(update={"data": data, "features": features})


def protocols(data: dataset.Dataset) -> dict[str, list[tuple[Any, Any]]]:
    """Rows to learn from and rows to judge, by name of the protocol."""
    origin = data.table["origin"].to_numpy()
    of = {name: np.nonzero(origin == name)[0] for name in CORPORA}
    real = np.concatenate([of["ant"], of["osac"], of["aljazeera"]])
    elsewhere = np.concatenate([of["osac"], of["aljazeera"]])
    stratum = splits.strata(data.labels)
    folds = splits.folds(stratum[of["ant"]], data.groups[of["ant"]], 5, seed=0)
    rest = np.setdiff1d(np.arange(len(data)), of["ant"])
    return {
        "written -> ant, osac, aljazeera": [(of["written"], real)],
        "written, ant -> osac, aljazeera": [(np.concatenate([of["written"], of["ant"]]), elsewhere)],
        "the rest and 4/5 of ant -> ant": [
            (np.concatenate([rest, of["ant"][train]]), of["ant"][test]) for train, test in folds
        ],
    }


def judge(config: configs.Config, data: dataset.Dataset, pairs: list[tuple[Any, Any]], others: Any) -> dict[str, Any]:
    """Decisions and truth of each head over the judged rows, as arrays of bool."""
    rows = np.concatenate([test for _, test in pairs])
    decided: dict[str, list[Any]] = {name: [] for name in config.heads}
    for train, test in pairs:
        answers = models.fit(config, data, train, background=others).compile().ask(data.fields(test))
        for name in config.heads:
            decided[name].append(answers.decided[name])
    said = {name: np.concatenate(parts) for name, parts in decided.items()}
    topics = data.labels["topics"][rows] == 1
    stance = data.labels["stance"][rows]
    neutral = config.heads["stance"].labels.index("neutral")
    true_stance = np.where(stance == 3, neutral, stance)[:, None] == np.arange(3)
    occurs = topics.sum(axis=0) >= 10  # a topic with a handful of articles says nothing
    return {
        "topics": (said["topics"][:, occurs], topics[:, occurs]),
        "stance": (said["stance"], true_stance),
        "stance where relevant": (said["stance"][stance != 3], true_stance[stance != 3]),
    }


def difference(one: Any, other: Any, seed: int = 0) -> tuple[float, float, float]:
    """Gain in macro F1 of `other` over `one` on the same articles, and its 95 % interval by paired bootstrap."""
    random = np.random.default_rng(seed)
    truth, n = one[1], len(one[1])

    def gain(rows: Any) -> float:
        new, old = (metrics.f1(truth[rows], said[rows]).mean() for said in (other[0], one[0]))
        return float(new - old)

    drawn = [gain(random.integers(0, n, n)) for _ in range(1000)]
    return gain(np.arange(n)), float(np.percentile(drawn, 2.5)), float(np.percentile(drawn, 97.5))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ideas", nargs="*", default=list(IDEAS), choices=list(IDEAS))
    parser.add_argument("--output", default="benchmarks/results/accuracy.json")
    arguments = parser.parse_args()
    data = dataset.load(settings({}))
    others = background(settings({}))
    rows: list[dict[str, Any]] = []
    for protocol, pairs in protocols(data).items():
        base: dict[str, Any] = {}
        for idea in dict.fromkeys(["shipped", *arguments.ideas]):
            start = time.perf_counter()
            found = judge(settings(IDEAS[idea]), data, pairs, others)
            base = base or found
            row: dict[str, Any] = {"protocol": protocol, "idea": idea, "seconds": round(time.perf_counter() - start)}
            for what, pair in found.items():
                row[what] = {
                    "macro_f1": round(float(metrics.f1(pair[1], pair[0]).mean()), 4),
                    "f1": metrics.f1(pair[1], pair[0]).round(4).tolist(),
                    "gain_over_shipped": [round(value, 4) for value in difference(base[what], pair)],
                }
            rows.append(row)
            shown = "  ".join(f"{what} {row[what]['macro_f1']:.3f}" for what in found)
            print(f"{protocol:34} {idea:28} {shown}", flush=True)
    Path(arguments.output).parent.mkdir(parents=True, exist_ok=True)
    Path(arguments.output).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
