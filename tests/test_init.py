"""From `mirsad init` and a table of one's own to labels."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest

from pipeline import cli
from pipeline import config as configs
from pipeline.errors import ConfigError, MirsadError
from pipeline.starter import write

SPORT = ["فاز الفريق المضيف بهدفين", "خسر المنتخب مباراة الإياب", "سجل المهاجم هدف التعادل", "ودع اللاعب جمهور الملعب"]
MONEY = ["ارتفع سعر صرف العملة", "هبط مؤشر البورصة", "خفض المصرف سعر الفائدة", "زادت صادرات النفط والغاز"]
WHEN = [
    "مساء السبت في العاصمة",
    "صباح الأحد في الميناء",
    "ظهر الاثنين في الشمال",
    "ليل الثلاثاء في الجنوب",
    "فجر الجمعة",
]


def articles(path: Path, single: bool) -> Path:
    """Forty articles about sport, money or both."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:  # as a spreadsheet saves it
        out = csv.writer(file)
        out.writerow(["id", "title", "text", "label" if single else "labels"])
        for i in range(40):
            sport, money = SPORT[i // 2 % 4], MONEY[(i // 2 + 1) % 4]
            both = not single and i % 5 == 0
            said = f"{sport}، كما {money}" if both else sport if i % 2 else money
            label = "رياضة|اقتصاد" if both else "رياضة" if i % 2 else "اقتصاد"
            out.writerow([i, said, f"{said} {WHEN[i % 5]}، بحسب بيان رسمي رقم {i * 7}.", label])
    return path


@pytest.mark.parametrize("single", [True, False], ids=["single", "multilabel"])
def test_from_nothing_to_labels(tmp_path, monkeypatch, capfd, single):
    monkeypatch.chdir(tmp_path)
    articles(tmp_path / "mine.csv", single)

    def run(*words: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["mirsad", *words])
        try:
            cli.main()
        except SystemExit as stop:
            assert not stop.code
        found = capfd.readouterr()
        return found.out, found.err

    flags = ["--single"] if single else []
    _, said = run("init", "desk", "--labels", "رياضة, اقتصاد", "--articles", "mine.csv", *flags)
    assert "Wrote desk.toml." in said
    assert "mirsad train desk.toml" in said
    assert f"columns id, title, text, {'label' if single else 'labels'}" in said
    _, said = run("train", "desk.toml", "--set", "split.folds=2", "--set", "n_jobs=1")
    assert "mirsad predict --model models/desk " in said
    out, _ = run("predict", "mine.csv", "--model", "models/desk")
    rows = [json.loads(line) for line in out.splitlines()]
    column = "label" if single else "labels"
    with (tmp_path / "mine.csv").open(encoding="utf-8-sig", newline="") as file:
        truth = [row[column] for row in csv.DictReader(file)]
    given = [row[column] if single else "|".join(sorted(row[column], reverse=True)) for row in rows]
    expected = truth if single else ["|".join(sorted(label.split("|"), reverse=True)) for label in truth]
    assert sum(a == b for a, b in zip(given, expected, strict=True)) >= 36
    assert rows[0][f"{column}_scores"].keys() == {"رياضة", "اقتصاد"}


@pytest.mark.parametrize("single", [True, False])
def test_the_config_says_what_was_asked_for(tmp_path, single):
    path = write("my-desk", labels=["a", 'b "quoted"'], single=single, articles_path="in/*.jsonl", folder=tmp_path)
    config = configs.load(path)
    (head,) = config.heads.values()
    assert head.kind == ("single" if single else "multilabel")
    assert head.labels == ["a", 'b "quoted"']
    assert config.data.sources[0].path == "in/*.jsonl"
    assert config.output.name == "my-desk"
    comments = [line for line in path.read_text(encoding="utf-8").splitlines() if "#" in line]
    assert len(comments) > 15


def test_the_extra_tables_that_it_proposes_are_valid(tmp_path):
    path = write("x", labels=["a"], single=False, articles_path="a.csv", folder=tmp_path)
    text = path.read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") if line.startswith(("# [features", "# kind", "# path", "# labels")) else line for line in text.splitlines()]  # fmt: skip  # noqa: E501
    path.write_text("\n".join(lines), encoding="utf-8")
    config = configs.load(path)
    assert config.features["terms"].path == "terms.toml"
    assert config.data.sources[0].labels == "labels.csv"


@pytest.mark.parametrize(
    ("name", "labels", "single", "said"),
    [
        ("my desk", ["a"], False, "NAME: found 'my desk', expected Latin letters"),
        ("../desk", ["a"], False, "NAME: found '../desk'"),
        ("", ["a"], False, "NAME: found ''"),
        ("desk", [], False, "--labels: found [], expected one or more"),
        ("desk", ["a"], True, "--labels: found ['a'], expected two or more"),
        ("desk", ["a", "a"], False, "--labels: found ['a', 'a']"),
        ("desk", ["a|b", "c"], False, "--labels: found 'a|b'"),
        ("desk", ["none", "c"], False, "--labels: found 'none'"),
    ],
)
def test_what_cannot_be(tmp_path, name, labels, single, said):
    with pytest.raises(ConfigError) as caught:
        write(name, labels=labels, single=single, articles_path="a.csv", folder=tmp_path)
    assert said in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_config_is_never_written_over(tmp_path):
    (tmp_path / "desk.toml").write_text("mine")
    with pytest.raises(ConfigError, match="exists already"):
        write("desk", labels=["a"], single=False, articles_path="a.csv", folder=tmp_path)
    assert (tmp_path / "desk.toml").read_text() == "mine"


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(MirsadError, match="cannot be written: No such file or directory"):
        write("desk", labels=["a"], single=False, articles_path="a.csv", folder=tmp_path / "none")
