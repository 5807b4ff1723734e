"""The seed articles: known labels, the originals they retell, and words of their own."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.corpora.labels import annotation
from pipeline.text import Normalizer

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "seeds"
ORIGINALS = ROOT.parent / "shared" / "seeds"
RUN = 6


def articles() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SEEDS / "articles.jsonl").read_text(encoding="utf-8").splitlines()]


def originals() -> list[dict[str, str]]:
    return json.loads((SEEDS / "originals.json").read_text(encoding="utf-8"))


def words(text: str) -> list[str]:
    return re.findall(r"\w+", Normalizer()(text))


def runs(text: str, length: int = RUN) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def original_text(row: dict[str, str]) -> bytes:
    if not ORIGINALS.is_dir():
        pytest.skip("the original articles are not beside the project")
    return (ORIGINALS / row["file"]).read_bytes()


def test_shared_runs_of_words_are_found_across_spellings():
    assert runs("إلى القمّة الأولى، يا صديق", 3) & runs("الى القمه الاولي غدا", 3) == {("الي", "القمه", "الاولي")}
    assert not runs("ثلاث كلمات فقط", 4)


def test_every_seed_has_an_original_and_labels_of_the_codebook():
    assert [row["id"] for row in articles()] == [row["id"] for row in originals()]
    for row in articles():
        topics = "|".join(row["topics"]) or "none"
        annotation(row["id"], topics, str(row["relevant"]), row["stance"], str(row["sure"]), where="seeds")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", row["date"])
        assert len(words(row["text"])) > 100


def test_seeds_are_labelled_as_their_originals():
    with (ROOT / "data" / "annotations" / "seeds.csv").open(encoding="utf-8", newline="") as file:
        gold = {row["id"]: row for row in csv.DictReader(file)}
    files = {row["id"]: row["file"] for row in originals()}
    assert set(files.values()) == set(gold)
    for row in articles():
        given = {
            "id": files[row["id"]],
            "topics": "|".join(row["topics"]) or "none",
            "relevant": str(row["relevant"]),
            "stance": row["stance"],
            "sure": str(row["sure"]),
        }
        assert given == gold[files[row["id"]]]


@pytest.mark.parametrize("row", originals(), ids=lambda row: row["id"])
def test_originals_have_the_hash_that_is_told(row: dict[str, str]):
    assert hashlib.sha256(original_text(row)).hexdigest() == row["sha256"]


@pytest.mark.parametrize("row", originals(), ids=lambda row: row["id"])
def test_no_run_of_words_is_shared_with_any_original(row: dict[str, str]):
    theirs = runs(original_text(row).decode("utf-8-sig"))
    assert len(theirs) > 100
    for own in articles():
        assert not runs(own["title"]) & theirs
        assert not runs(own["text"]) & theirs


def test_no_run_of_words_is_shared_between_two_seeds():
    texts = [runs(row["text"]) for row in articles()]
    assert not any(a & b for i, a in enumerate(texts) for b in texts[:i])
