"""What training takes, by the number of labelled articles: seconds and peak memory.

    python benchmarks/training.py --articles 2000 10000 50000 200000 [--config configs/full.toml] [--output FILE.json]

The articles are made on the fly from `ant` (see `mirsad corpora get ant`; ``MIRSAD_CORPORA`` names a folder of
archives): half of the sentences of one article and half of another of the same labels, shuffled, a word in ten put in
the place of another and one in two hundred made up, so that no two are copies and the vocabulary grows as it does in
the news. They are as long as ant's, 247 words in the mean. Labels are what the shipped model says of the first of the
two; three in ten of these are drawn from the articles that have any. Every size is trained in a process of its own,
with the features, heads, split and report of the config.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SWAPPED, MADE_UP = 0.1, 0.005
LETTERS = "ابتجدرسعفقكلمنهوي"
_SENTENCES = re.compile(r"(?<=[.!?؟…])\s+|\n+")


def make(count: int, path: Path, seed: int = 0) -> None:
    """Write so many labelled articles as JSONL."""
    from pipeline import articles, corpora, store

    base = list(corpora.get("ant").articles(clean=True))
    scorer, _ = store.load_scorer(ROOT / "models" / "news")
    answers = scorer.ask(articles.split_fields(base))
    labels = []
    for topics, stance in zip(answers.decided["topics"], answers.decided["stance"], strict=True):
        given = [label for label, yes in zip(scorer.rules[0].labels, topics, strict=True) if yes]
        said = scorer.rules[1].labels[int(stance.argmax())]
        relevant = "1" if given or said != "neutral" else "0"
        labels.append({"topics": "|".join(given) or "none", "stance": said, "relevant": relevant})
    alike = defaultdict(list)
    for i, of in enumerate(labels):
        alike[tuple(of.values())].append(i)
    sentences = [_SENTENCES.split(article.text) for article in base]
    draw = random.Random(seed)
    pool = [word for article in base[::10] for word in article.text.split()]
    concerned = [i for i, of in enumerate(labels) if of["relevant"] == "1"]
    with path.open("w", encoding="utf-8") as file:
        for number in range(count):
            first = draw.choice(concerned if draw.random() < 0.3 else range(len(base)))
            second = draw.choice(alike[tuple(labels[first].values())])
            parts = [s for i in (first, second) for s in draw.sample(sentences[i], -(-len(sentences[i]) // 2))]
            draw.shuffle(parts)
            article = base[first]
            row = {
                "id": f"{number:07d}",
                "title": _noisy(article.title, pool, draw),
                "text": "\n".join(_noisy(part, pool, draw) for part in parts),
                "source": article.source,
                "date": article.date,
            }
            file.write(json.dumps(row | labels[first], ensure_ascii=False) + "\n")


def _noisy(text: str, pool: list[str], draw: random.Random) -> str:
    words = text.split()
    for i in range(len(words)):
        chance = draw.random()
        if chance < MADE_UP:
            words[i] = "".join(draw.choices(LETTERS, k=draw.randint(4, 8)))
        elif chance < MADE_UP + SWAPPED:
            words[i] = draw.choice(pool)
    return " ".join(words)


def settings(config: str, path: Path, folder: Path, more: list[str]) -> list[str]:
    """The `--set` options that train a config on these articles alone."""
    return [
        f'data.sources=[{{path="{path}"}}]',
        f'output={{name="measured", folder="{folder}", texts=false}}',
        'evaluation={terms="seeds/terms.toml"}',
        "gates={}",
        *more,
    ]


def train(config: str, options: list[str]) -> dict[str, Any]:
    """Train in this process: seconds and peak memory at the end of each step, and scores."""
    import pipeline
    from pipeline import config as configs
    from pipeline import memory

    start = time.perf_counter()
    steps: list[dict[str, Any]] = []

    def say(what: str) -> None:
        if steps:
            steps[-1] |= {"until": round(time.perf_counter() - start, 1)}
            steps[-1] |= {"processor_until": round(time.process_time(), 1), "peak_mb": memory.peak() >> 20}
            print(json.dumps(steps[-1]), file=sys.stderr, flush=True)
        steps.append({"step": what})

    trained = pipeline.train(configs.load(config, options), say=say)
    say("end")
    judged = trained.metrics["cross_validation"]["heads"]
    return {
        "articles": len(trained.data),
        "features": sum(s.stop - s.start for s in trained.model.featurizer.slices.values()),
        "seconds": steps[-2]["until"],
        "processor_seconds": round(time.process_time(), 1),
        "peak_mb": memory.peak() >> 20,
        "macro_f1": {name: round(of["macro_f1"]["value"], 4) for name, of in judged.items()},
        "model_mb": sum(f.stat().st_size for f in trained.folder.glob("*.*")) >> 20,
        "report_mb": round(sum(f.stat().st_size for f in (trained.folder / "report").glob("*")) / 2**20, 1),
        "steps": steps[:-1],
    }


def main() -> None:
    """Measure the sizes asked for, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--articles", type=int, nargs="+", default=[2000, 10000, 50000, 200000])
    parser.add_argument("--config", default=str(ROOT / "configs" / "full.toml"))
    parser.add_argument("--set", nargs="*", default=[], help="more settings, as of mirsad train --set")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", type=Path, help="folder for the articles made; a temporary one if not given")
    options = parser.parse_args()
    if options.child:
        print(json.dumps(train(options.config, options.set)))
        return
    found = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        for count in options.articles:
            path = folder / f"{count}.jsonl"
            if not path.is_file():
                make(count, path)
            command = [sys.executable, __file__, "--child", "--config", options.config, "--set"]
            command += settings(options.config, path, Path(temporary), options.set)
            run = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, check=True, text=True)
            found.append(json.loads(run.stdout.splitlines()[-1]))
            print(json.dumps(found[-1], ensure_ascii=False, indent=1), flush=True)
            if options.output:
                options.output.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
