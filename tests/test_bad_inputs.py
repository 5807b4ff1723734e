"""The tables of docs/errors.md, row by row: what is given is made, the command is run, what it says is compared."""

from __future__ import annotations

import gzip
import io
import json
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skops.io
import spoiled
from conftest import ROOT, as_toml, tiny_config

from pipeline import cli

DOCS = ROOT / "docs" / "errors.md"
SENTENCE = "عاد الهدوء إلى الميناء بعد يومين من الإضراب الذي عطل حركة السفن."
Given = Callable[[], object]


# ---------------------------------------------------------------------------- what is given, in a folder of its own


def write(name: str, content: str | bytes) -> None:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def bomb() -> None:
    with gzip.open("articles.jsonl.gz", "wb") as file:
        for _ in range(60):
            file.write(b" " * (1 << 20))


def flip() -> None:
    path = Path("model/scorer.npz")
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


def cut(name: str) -> None:
    path = Path("model", name)
    path.write_bytes(path.read_bytes()[:-100])


def link() -> None:
    path = Path("model/scorer.npz")
    path.rename("elsewhere.npz")
    path.symlink_to("../elsewhere.npz")


def pickled() -> None:
    buffer = io.BytesIO()
    np.savez(buffer, page=np.array([spoiled.Touch(Path("ran"))], dtype=object))
    spoiled.reseal(Path("model"), "scorer.npz", buffer.getvalue())


def foreign() -> None:
    from sklearn.svm import SVC

    spoiled.reseal(Path("model"), "model.skops", skops.io.dumps(SVC()))


def astray() -> None:
    spoiled.put("tfidf_0.word_columns", 2**31 - 1, 0)(Path("model"))


def config(**more: object) -> None:
    """A config of a run over articles.jsonl; `more` replaces tables."""
    tree = tiny_config(Path("articles.jsonl"), Path("models"), **more)
    write("run.toml", as_toml(tree))


def changed(change: Callable[[dict], dict], n: int | None = None) -> None:
    """The config, and its articles changed."""
    rows = [json.loads(line) for line in Path("articles.jsonl").read_text().splitlines()][:n]
    write("articles.jsonl", "".join(json.dumps(change(row), ensure_ascii=False) + "\n" for row in rows))
    config()


def mistaken() -> None:
    tree = tiny_config(Path("articles.jsonl"), Path("models"))
    tree["heads"]["stance"].pop("column")
    write("run.toml", as_toml(tree | {"split": {"fold": 2, "test_size": "0.2"}}))


def terms_are_gone() -> None:
    tree = tiny_config(Path("articles.jsonl"), Path("models"))
    tree["features"]["terms"]["path"] = "terms.toml"
    write("run.toml", as_toml(tree))


def spoiled_report(content: str) -> None:
    Path("spoiled").mkdir()
    write("spoiled/report.json", content)


def occupied() -> None:
    Path("models/tiny").mkdir(parents=True)
    write("models/tiny/thesis.txt", "mine")
    config()


GIVEN: dict[str, Given] = {
    "a misspelt file name": lambda: None,
    "a file name that would clear the screen": lambda: None,
    "a pattern that matches nothing": lambda: None,
    "a folder with nothing in it": lambda: Path("empty").mkdir(),
    "an ending that is not known": lambda: write("a.docx", "PK"),
    "an empty file": lambda: write("a.csv", ""),
    "a picture with the ending of a text": lambda: write("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "an article in English": lambda: write("a.txt", "The port is open again after two days of strike."),
    "a text of three words": lambda: write("a.txt", "عاد الهدوء أمس"),
    "a table without a text column": lambda: write("a.csv", f"id,body\n1,{SENTENCE}\n"),
    "a table that names its text column twice": lambda: write("a.csv", f"text,text\n{SENTENCE},x\n"),
    "a row with a cell too many": lambda: write("a.csv", f"id,text\n1,{SENTENCE},x\n"),
    "JSON Lines without a text key": lambda: write("a.jsonl", '{"id": 1, "body": "x"}\n' * 100),
    "JSON that is not closed": lambda: write("a.jsonl", '{"id": 1, "text": \n'),
    "JSON nested 100,000 deep": lambda: write("a.jsonl", '{"text": ' + "[" * 100_000 + "\n"),
    "a line of two million characters": lambda: write("a.jsonl", '{"text": "' + "ا" * 2_000_000 + '"}\n'),
    "bytes that are in no known encoding": lambda: write("a.txt", bytes(range(128, 256)) * 9),
    "a gzipped bomb": bomb,
    "what is called gzipped and is not": lambda: write("a.csv.gz", "id,text\n"),
    "a damaged Parquet file": lambda: write("a.parquet", b"PAR1 and no more"),
    "an encoding that there is not": lambda: None,
    "an output with an ending that is not known": lambda: None,
    "an output in a folder that there is not": lambda: None,
    "rejects in a folder that there is not": lambda: None,
    "a folder that is no model": lambda: Path("empty").mkdir(),
    "a model with one bit changed": flip,
    "a model whose manifest is cut short": lambda: cut("manifest.json"),
    "a model of a newer version": lambda: spoiled.edit_manifest(Path("model"), lambda m: m.update(format=99)),
    "a model file that is a link": link,
    "a model with a pickle in it": pickled,
    "a model with an index that points astray": astray,
    "a model with foreign types": foreign,
    "a config that is not there": lambda: None,
    "a config that is not TOML": lambda: write("run.toml", "seed = zero\n"),
    "a config nested 100,000 deep": lambda: write("run.toml", "seed = " + "[" * 100_000),
    "three mistakes in a config": mistaken,
    "a model name that leaves its folder": lambda: config(output={"name": "../../tiny"}),
    "a head called as a column of the rows": lambda: config(heads={"id": {}}),
    "a file of terms that is not there": terms_are_gone,
    "an override without a value": config,
    "a model's place that is taken": occupied,
    "a label that is not in the config": lambda: changed(lambda row: row | {"topics": ["sirya"]}),
    "three articles": lambda: changed(lambda row: row, 3),
    "the same article over and over": lambda: changed(lambda row: row | {"title": "خبر", "text": SENTENCE}),
    "labelled articles without labels": lambda: write("a.jsonl", json.dumps({"id": "1", "text": SENTENCE}) + "\n"),
    "a scheduler that does not answer": lambda: None,
    "an address that is none": lambda: None,
    "training on a scheduler that does not answer": config,
    "standard input for a cluster": lambda: None,
    "a URL as a single file of output": lambda: None,
    "a table that may be filled in already": lambda: write("a.csv", "id,topics\n"),
    "a head that the model does not have": lambda: None,
    "articles that the model learned from": lambda: None,
    "nothing that is an article, to choose from": lambda: write("a.txt", "عاد الهدوء أمس"),
    "one run to compare": lambda: None,
    "a folder without a report": lambda: Path("empty").mkdir(),
    "a report that was spoiled": lambda: spoiled_report('{"schema": 1}'),
    "a report with a number that is none": lambda: spoiled_report('{"schema": 1, "name": NaN}'),
    "a project's name with a slash": lambda: None,
    "a corpus that there is not": lambda: None,
    "an archive that is not the corpus": lambda: _archive(),
}


def _archive() -> None:
    from pipeline import corpora

    Path("archives").mkdir()
    write(f"archives/{corpora.get('mawqif').file_name}", gzip.compress(b"something else"))


# ------------------------------------------------------------------------------------------------------ the table


def rows() -> dict[str, tuple[str, str, int]]:
    """Command, message and exit code of each row of the table, by what is given."""
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 4 and cells[3].isdigit():
            found[cells[0]] = cells[1].strip("`"), cells[2].replace("<br>", "\n"), int(cells[3])
    return found


def test_every_row_is_tested_and_every_test_has_a_row():
    assert list(rows()) == list(GIVEN)
    assert len(GIVEN) >= 30


def files() -> list[Path]:
    return sorted(path for path in Path().rglob("*") if not path.is_dir())


@pytest.mark.parametrize("given", GIVEN)
def test_what_is_said(given: str, tiny, tmp_path, monkeypatch, capfd):
    command, expected, code = rows()[given]
    if "--scheduler" in command:
        pytest.importorskip("distributed", reason="needs Dask: uv sync --extra dask")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny.folder, "model", ignore=shutil.ignore_patterns("report"))
    shutil.copy(tiny.articles, "articles.jsonl")
    GIVEN[given]()
    monkeypatch.setattr("pipeline.cluster.PATIENCE", 0.5)
    before = files()
    arguments = [word.encode().decode("unicode_escape") if "\\" in word else word for word in shlex.split(command)]
    monkeypatch.setattr(sys, "argv", arguments)
    try:
        cli.main()
        ended = 0
    except SystemExit as stop:
        ended = int(stop.code or 0)
    out, err = capfd.readouterr()
    said = err.strip()
    # an ellipsis in the table stands for what differs from run to run
    pattern = ".*?".join(map(re.escape, expected.split("…")))
    assert re.fullmatch(pattern, "\n".join(line.strip() for line in said.splitlines()), re.DOTALL), said
    assert ended == code
    assert out == ""
    assert not any(ord(character) < 32 and character != "\n" for character in said)
    assert files() == before, "something was left behind"
