"""One small trained model that many tests look at; none may change it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Tiny:
    """A model of some forty articles, and what it was made of."""

    articles: Path
    config: Path
    folder: Path
    trained: Any

    def rows(self) -> list[dict[str, Any]]:
        """Its articles with their labels."""
        return [json.loads(line) for line in self.articles.read_text(encoding="utf-8").splitlines()]


def some_articles(each: int = 4) -> list[dict[str, Any]]:
    """The first articles of the written corpus that have each pair of topic and stance, a few of each pair."""
    wanted: Counter[tuple[str, str]] = Counter()
    found = {}
    with (ROOT / "data" / "articles.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            topic = next((topic for topic in ("syria", "ukraine") if topic in row["topics"]), "none")
            key = topic, row["stance"] if row["relevant"] else "not relevant"
            if wanted[key] < each and row["id"] not in found:
                wanted[key] += 1
                found[row["id"]] = row | {"topics": [t for t in row["topics"] if t in ("syria", "ukraine")]}
    return list(found.values())


def tiny_config(articles: Path, models: Path, **more: object) -> dict[str, Any]:
    """The tables of a config that trains in seconds; `more` replaces tables."""
    tfidf = {"kind": "tfidf", "max_features": 300}
    return {
        "n_jobs": 1,
        "data": {"sources": [{"path": str(articles)}]},
        "split": {"folds": 2, "test_size": 0.3},
        "features": {
            "words": tfidf,
            "characters": tfidf | {"analyzer": "char_wb", "ngram_range": [2, 3], "weight": 0.5},
            "terms": {"kind": "terms", "path": str(ROOT / "seeds" / "terms.toml")},
            "target": {
                "kind": "target",
                "path": str(ROOT / "seeds" / "target.toml"),
                "polarity": str(ROOT / "seeds" / "polarity.toml"),
            },
        },
        "heads": {
            "topics": {
                "kind": "multilabel",
                "labels": ["syria", "ukraine"],
                "column": "topics",
                "blocks": ["words", "characters", "terms"],
            },
            "stance": {
                "kind": "single",
                "labels": ["favor", "against", "neutral"],
                "column": "stance",
                "gate": "relevant",
                "default": "neutral",
                "target": "engagement between Washington and Moscow",
            },
        },
        "evaluation": {"terms": str(ROOT / "seeds" / "terms.toml"), "learning_curve": []},
        "output": {"name": "tiny", "folder": str(models)},
    } | more


def as_toml(tree: dict[str, Any]) -> str:
    """A config's tables as TOML: JSON's lists, texts, numbers and truth values are TOML's too."""

    def value(of: Any) -> str:
        if isinstance(of, dict):
            return "{ " + ", ".join(f"{key} = {value(item)}" for key, item in of.items()) + " }"
        if isinstance(of, list):
            return "[" + ", ".join(map(value, of)) + "]"
        return json.dumps(of, ensure_ascii=False)

    return "".join(f"{key} = {value(of)}\n" for key, of in tree.items())


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A trained model with its folder, config file and articles."""
    from pipeline import config, train

    place = tmp_path_factory.mktemp("tiny")
    articles, path = place / "articles.jsonl", place / "tiny.toml"
    articles.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some_articles()), encoding="utf-8"
    )
    path.write_text(as_toml(tiny_config(articles, place / "models")), encoding="utf-8")
    trained = train.train(config.load(path), command="mirsad train tiny.toml")
    return Tiny(articles, path, trained.folder, trained)
