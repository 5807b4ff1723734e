"""What was once released stays readable and answers as it did; `tests/fixtures/make.py` made what is compared with."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "fixtures"))
import make

from pipeline import store

FORMATS = sorted(path for path in make.HERE.glob("format-*") if path.is_dir())
RENEW = "If a change of answers is meant: python tests/fixtures/make.py golden"


def compare(found: list[dict[str, Any]], expected: list[dict[str, Any]], hint: str = "") -> None:
    """The same rows: everything equal, probabilities to 0.001."""
    assert [row["id"] for row in found] == [row["id"] for row in expected], hint
    for row, known in zip(found, expected, strict=True):
        assert list(row) == list(known), hint
        for key, value in known.items():
            if key.endswith("_scores"):
                assert row[key] == pytest.approx(value, abs=1e-3), f"{row['id']}: {hint}"
            else:
                assert row[key] == value, f"{row['id']}: {hint}"


@pytest.mark.parametrize("folder", FORMATS, ids=lambda folder: folder.name)
class TestFormats:
    def test_the_compiled_model_answers_as_it_did(self, folder):
        scorer, manifest = store.load_scorer(folder)
        assert folder.name == f"format-{manifest['format']}"
        compare(make.answers(scorer, make.asked()), json.loads(folder.with_suffix(".json").read_text()))

    def test_the_whole_model_too(self, folder):
        model, _ = store.load(folder)
        compare(make.answers(model.compile(), make.asked()), json.loads(folder.with_suffix(".json").read_text()))

    def test_it_is_small_and_whole(self, folder):
        manifest = store.read_manifest(folder)
        assert sum(seal["bytes"] for seal in manifest["files"].values()) < 200_000
        assert set(manifest["files"]) < {path.name for path in folder.iterdir()}


def test_there_is_a_model_of_every_format():
    assert [folder.name for folder in FORMATS] == [f"format-{n}" for n in range(1, store.FORMAT + 1)]


def test_the_shipped_model_answers_as_it_did():
    golden = json.loads(make.GOLDEN.read_text())
    scorer, manifest = store.load_scorer(make.ROOT / "models" / "news")
    assert store.short_name(manifest) == golden["model"], f"models/news is another model. {RENEW}"
    assert len(golden["rows"]) == make.N_GOLDEN
    compare(make.answers(scorer, make.articles_of_golden()), golden["rows"], RENEW)


def test_the_shipped_model_is_read_whole():
    """To be judged and to explain itself, a model is read in full, with all that its audit looks at."""
    model, _ = store.load(make.ROOT / "models" / "news")
    golden = json.loads(make.GOLDEN.read_text())
    compare(make.answers(model.compile(), make.articles_of_golden()), golden["rows"], RENEW)


def test_the_golden_rows_tell_models_apart():
    """They hold more than one answer to each question, and probabilities between the ends."""
    rows = json.loads(make.GOLDEN.read_text())["rows"]
    assert len({tuple(row["topics"]) for row in rows}) > 5
    assert {row["stance"] for row in rows} == {"favor", "against", "neutral"}
    scores = np.array([list(row["topics_scores"].values()) for row in rows])
    assert ((scores > 0.05) & (scores < 0.95)).any(axis=0).sum() > 1
