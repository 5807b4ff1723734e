"""Commands: rows on standard output and nothing else there; one message and exit code 2 for a user's mistake."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import as_toml, tiny_config

from pipeline import cli

COMMANDS = ["train", "predict", "evaluate", "init", "report", "compare", "corpora", "corpora info", "data", "queue"]


@pytest.fixture
def run(monkeypatch, capfd):
    """Run a command as its user would; gives exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mirsad", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return run


@pytest.fixture
def refused(run):
    """Run a command that must be refused; gives what it said."""

    def refused(*words: object) -> str:
        code, out, err = run(*words)
        assert code == 2
        assert out == ""
        assert err.count("error: ") == 1
        return err

    return refused


def rows(out: str) -> list[dict]:
    return [json.loads(line) for line in out.splitlines()]


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_has_one(self, run, command):
        code, out, _ = run(*command.split(), "--help")
        assert code == 0
        assert out.startswith("Usage: mirsad")

    def test_the_first_page_names_all_commands_in_whole_sentences(self, run):
        code, out, _ = run("--help")
        assert code == 0
        assert "..." not in out.split("Commands:")[1]
        for command in COMMANDS:
            assert f"\n  {command.split()[0]} " in out

    def test_the_version(self, run):
        import pipeline

        assert run("--version")[:2] == (0, f"mirsad {pipeline.__version__}\n")

    def test_no_command_and_an_unknown_one(self, run):
        assert "Usage:" in "".join(run()[1:])
        code, _, err = run("trian")
        assert code == 2
        assert "trian" in err


def test_importing_is_cheap():
    """Help and mistakes in a command do not wait for what training needs."""
    code = (
        "import time, sys; start = time.perf_counter(); import pipeline, pipeline.articles, pipeline.cli.predict;"
        "heavy = {'numpy', 'pandas', 'sklearn', 'numba', 'camel_tools', 'matplotlib', 'skops'} & set(sys.modules);"
        "print(heavy or '', dir(pipeline) and 'train' in dir(pipeline)); import pipeline; pipeline.nothing"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True"
    assert done.stderr.strip().endswith("AttributeError: module 'pipeline' has no attribute 'nothing'")


def test_names_of_a_notebook_are_the_jobs_whoever_came_first():
    code = (
        "import pipeline.train as module; import pipeline; from pipeline import train, evaluate, predict, load, Model;"
        "assert train is module and callable(train) and callable(evaluate) and callable(predict);"
        "assert load.__module__ == 'pipeline.store' and Model.__module__ == 'pipeline.model'"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


class TestPredict:
    def test_standard_output_holds_rows_and_nothing_else(self, run, tiny):
        code, out, err = run("predict", tiny.articles, "--model", tiny.folder, "--jobs", 1)
        assert code == 0
        assert [row["id"] for row in rows(out)] == [row["id"] for row in tiny.rows()]
        assert err.startswith(f"{len(tiny.rows())} articles labelled in ")
        assert "\x1b" not in err  # no progress where nobody watches

    def test_columns_by_other_names_and_an_encoding(self, run, tiny, tmp_path):
        row = tiny.rows()[0]
        path = tmp_path / "a.csv"
        text = " ".join(row["text"].split()).replace('"', "'")
        path.write_bytes(f'nr,head,content\n7,"خبر","{text}"\n'.encode("cp1256", "replace"))
        names = ("--id-column", "nr", "--title-column", "head", "--text-column", "content")
        code, out, err = run("predict", path, "--model", tiny.folder, *names, "--encoding", "cp1256")
        assert (code, [(row["id"], row["title"]) for row in rows(out)]) == (0, [("7", "خبر")])
        assert "a.csv: read as cp1256 (as told)" in err

    def test_a_file_and_its_rejects(self, run, tiny, tmp_path):
        path, rejects = tmp_path / "out.csv", tmp_path / "rejects.jsonl"
        (tmp_path / "bad.jsonl").write_text("{\n")
        inputs = (tiny.articles, tmp_path / "bad.jsonl")
        code, out, err = run("predict", *inputs, "--model", tiny.folder, "--output", path, "--rejects", rejects)
        assert (code, out) == (0, "")
        assert "left out 1 malformed" in err
        assert path.read_bytes().startswith(b"\xef\xbb\xbfid,title")
        assert rows(rejects.read_text())[0]["file"] == "bad.jsonl"

    def test_a_terminal_sees_a_count(self, run, tiny, monkeypatch):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("FORCE_COLOR", "1")
        code, out, err = run("predict", tiny.articles, "--model", tiny.folder)
        assert code == 0
        assert len(rows(out)) == len(tiny.rows())
        assert f"{len(tiny.rows())} articles labelled" in err.split("articles labelled in")[0]

    def test_a_reader_that_has_had_enough(self, tiny):
        command = f"'{sys.executable}' -m pipeline.cli predict {tiny.articles} {tiny.articles} --model {tiny.folder}"
        piped = f"set -o pipefail; {command} | head -1 >/dev/null"
        done = subprocess.run(["bash", "-c", piped], capture_output=True, text=True, check=False)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


class TestBadInput:
    """What a user may get wrong: each one message that names the place, and exit code 2."""

    def test_missing_file(self, refused, tiny, tmp_path):
        shutil.copy(tiny.articles, tmp_path / "articles.jsonl")
        said = refused("predict", tmp_path / "article.jsonl", "--model", tiny.folder)
        assert "there is no such file or folder" in said
        assert "Did you mean articles.jsonl?" in said

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("a.txt", b"", "1 empty"),
            ("a.csv", b"", "1 empty"),
            ("a.jsonl", b"", "1 empty"),
            ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\xff\xfe", "1 binary"),
            ("a.csv", b"PK\x03\x04\0\0\0\0" + bytes(range(256)), "1 binary"),
            ("a.jsonl", b'{"id": "1", "text": \n', "1 malformed"),
            ("a.jsonl", b"[1, 2]\n", "1 malformed"),
            ("a.txt", b"only English words are in this article", "1 no_arabic"),
            ("a.csv.gz", b"not gzipped", "1 broken_file"),
            ("a.parquet", b"PAR1 and no more", "1 broken_file"),
        ],
    )
    def test_nothing_that_is_an_article(self, refused, tiny, tmp_path, name, content, reason):
        (tmp_path / name).write_bytes(content)
        said = refused("predict", tmp_path / name, "--model", tiny.folder)
        assert f"{name}: nothing in the input is an article\n  Left out: {reason}.\n" in said
        assert said.endswith("\n  Write down which and why with: --rejects rejects.jsonl\n")

    def test_a_table_without_the_text_column(self, refused, tiny, tmp_path):
        (tmp_path / "a.csv").write_text("id,body\n1,x\n")
        said = refused("predict", tmp_path / "a.csv", "--model", tiny.folder)
        assert "a.csv: no 'text' among its columns: 'id', 'body'" in said

    def test_an_ending_that_cannot_be_read(self, refused, tiny, tmp_path):
        (tmp_path / "a.docx").write_bytes(b"PK")
        assert ".txt, .csv, .tsv, .jsonl, .parquet" in refused("predict", tmp_path / "a.docx", "--model", tiny.folder)

    def test_an_unknown_encoding(self, refused, tiny):
        assert "there is no encoding 'utf-9'" in refused(
            "predict", tiny.articles, "--model", tiny.folder, "--encoding", "utf-9"
        )

    def test_an_unknown_format(self, run, tiny):
        code, out, err = run("predict", tiny.articles, "--model", tiny.folder, "--format", "xml")
        assert (code, out) == (2, "")
        assert "jsonl" in err

    def test_an_output_that_cannot_be_written(self, refused, tiny, tmp_path):
        said = refused("predict", tiny.articles, "--model", tiny.folder, "--output", tmp_path / "no" / "out.csv")
        assert "cannot be written" in said
        said = refused("predict", tiny.articles, "--model", tiny.folder, "--output", tmp_path / "out.xml")
        assert "cannot tell the format" in said

    @pytest.mark.parametrize("name", ["scorer.npz", "manifest.json"])
    def test_a_model_cut_short(self, refused, tiny, tmp_path, name):
        model = shutil.copytree(tiny.folder, tmp_path / "model")
        (model / name).write_bytes((model / name).read_bytes()[:-200])
        assert str(model / name) in refused("predict", tiny.articles, "--model", model)

    @pytest.mark.parametrize(("command", "name"), [("predict", "scorer.npz"), ("evaluate", "model.skops")])
    def test_a_model_with_another_byte(self, refused, tiny, tmp_path, command, name):
        model = shutil.copytree(tiny.folder, tmp_path / "model")
        content = bytearray((model / name).read_bytes())
        content[1000] ^= 1
        (model / name).write_bytes(content)
        assert f"{name}: was changed after training" in refused(command, tiny.articles, "--model", model)

    def test_a_newer_model(self, refused, tiny, tmp_path):
        model = shutil.copytree(tiny.folder, tmp_path / "model")
        manifest = json.loads((model / "manifest.json").read_text())
        (model / "manifest.json").write_text(json.dumps(manifest | {"format": 99}))
        assert "Install a newer mirsad" in refused("predict", tiny.articles, "--model", model)

    def test_no_model(self, refused, tiny, tmp_path):
        assert "is no model folder" in refused("predict", tiny.articles, "--model", tmp_path)


class TestTrain:
    def config(self, tmp_path: Path, articles: Path, **more: object) -> Path:
        path = tmp_path / "run.toml"
        path.write_text(as_toml(tiny_config(articles, tmp_path / "models", **more)), encoding="utf-8")
        return path

    def changed(self, tiny, tmp_path, change, n: int | None = None) -> Path:
        """The tiny model's articles, each changed."""
        path = tmp_path / "articles.jsonl"
        lines = [json.dumps(change(i, row), ensure_ascii=False) for i, row in enumerate(tiny.rows()[:n])]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def test_from_config_to_labels(self, run, tiny, tmp_path):
        config = self.config(tmp_path, tiny.articles)
        quick = ("--set", "split.kind=none", "--set", "output.name=other", "--set", "evaluation.terms=seeds/terms.toml")
        code, out, err = run("train", config, *quick)
        folder = tmp_path / "models" / "other"
        assert (code, out) == (0, "")
        for said in (
            "macro F1",
            "baseline: majority",
            f"Trained on {len(tiny.rows())} articles",
            f"Report: {folder / 'report' / 'report.html'}",
            f"Next:   mirsad predict --model {folder} ",
        ):
            assert said in err
        assert (folder / "report" / "report.html").is_file()
        code, out, _ = run("predict", tiny.articles, "--model", folder)
        assert (code, len(rows(out))) == (0, len(tiny.rows()))

    def test_what_was_left_out_is_told(self, run, tiny, tmp_path):
        path = self.changed(
            tiny, tmp_path, lambda i, row: row | ({"text": "قصير"} if i < 2 else {"id": "same"} if i < 4 else {})
        )
        config = self.config(tmp_path, path, split={"kind": "none", "folds": 2})
        code, _, err = run("train", config, "--set", 'heads.stance.blocks=["words"]', "--set", "output.texts=false")
        assert code == 0
        assert "Left out: 2 too_short, 1 duplicate_id." in err
        assert f"Trained on {len(tiny.rows()) - 3} articles" in err

    def test_four_mistakes_in_a_config(self, refused, tiny, tmp_path):
        tree = tiny_config(tiny.articles, tmp_path)
        tree["heads"]["stance"].pop("column")
        tree |= {"split": {"fold": 2, "kind": "random", "test_size": "0.2"}, "seed": -1}
        (tmp_path / "run.toml").write_text(as_toml(tree), encoding="utf-8")
        said = refused("train", tmp_path / "run.toml")
        assert said.splitlines() == [
            f"error: {tmp_path / 'run.toml'}: 4 mistakes",
            "  seed: found -1, expected a number greater than or equal to 0",
            '  [split] test_size: found "0.2", expected a number',
            "  [split] fold: unknown key, did you mean folds?",
            "  [heads.stance] column: found nothing, expected a value (there is no default)",
        ]

    def test_missing_config(self, refused, tmp_path):
        assert "no such config file" in refused("train", tmp_path / "run.toml")

    def test_a_wrong_override(self, refused, tiny):
        assert "--set: found 'seed', expected table.key=value" in refused("train", tiny.config, "--set", "seed")

    def test_an_unknown_label(self, refused, tiny, tmp_path):
        path = self.changed(tiny, tmp_path, lambda i, row: row | ({"topics": ["sirya"]} if i == 7 else {}))
        said = refused("train", self.config(tmp_path, path))
        assert f"article {tiny.rows()[7]['id']}: 'sirya' is not a label of head 'topics'" in said

    def test_one_class_only(self, refused, tiny, tmp_path):
        path = self.changed(tiny, tmp_path, lambda _, row: row | {"stance": "neutral", "relevant": 1})
        said = refused("train", self.config(tmp_path, path))
        assert "head 'stance': 'favor' has 0 training articles, too few to learn from" in said

    def test_one_article_of_a_label(self, refused, tiny, tmp_path):
        path = self.changed(
            tiny, tmp_path, lambda i, row: row | {"topics": ["syria"] if i == 5 else ["ukraine"] * (i % 2)}
        )
        said = refused("train", self.config(tmp_path, path))
        assert "'syria' has " in said
        assert "too few to learn from\n  Label 4 articles with it at least" in said

    def test_three_articles(self, refused, tiny, tmp_path):
        path = self.changed(tiny, tmp_path, lambda _, row: row, n=3)
        assert "3 labelled articles are too few to train on" in refused("train", self.config(tmp_path, path))

    def test_the_same_article_over_and_over(self, refused, tiny, tmp_path):
        first = tiny.rows()[0]
        path = self.changed(tiny, tmp_path, lambda i, row: row | {"text": first["text"], "title": first["title"]})
        assert "all articles are copies of one" in refused("train", self.config(tmp_path, path))

    def test_an_empty_file(self, refused, tmp_path):
        (tmp_path / "a.csv").write_text("")
        said = refused("train", self.config(tmp_path, tmp_path / "a.csv"))
        assert "no labelled article was read\n  Left out: 1 empty." in said

    def test_a_missing_label_column(self, refused, tmp_path):
        (tmp_path / "a.csv").write_text("id,title,text\n1,a,b\n")
        said = refused("train", self.config(tmp_path, tmp_path / "a.csv"))
        assert "no 'topics' among its columns" in said

    def test_a_place_that_cannot_be_written(self, refused, tiny, tmp_path):
        (tmp_path / "models").write_text("a file, not a folder")
        assert "cannot be written" in refused("train", self.config(tmp_path, tiny.articles))

    def test_a_split_by_a_date_that_articles_lack(self, refused, tiny, tmp_path):
        path = self.changed(tiny, tmp_path, lambda i, row: row | ({"date": ""} if i < 3 else {}))
        said = refused("train", self.config(tmp_path, path, split={"kind": "date"}))
        assert "3 of " in said
        assert "have no date, which a split by date needs" in said


class TestEvaluate:
    def test_articles_with_labels_of_their_own_file(self, run, tiny, tmp_path):
        articles, labels = tmp_path / "a.jsonl", tmp_path / "labels.csv"
        lines, cells = [], ["id,topics,stance,relevant"]
        for row in tiny.rows():
            topics = "|".join(row["topics"]) or "none"
            cells.append(f"{row['id']},{topics},{row['stance']},{row['relevant']}")
            lines.append(json.dumps({key: row[key] for key in ("id", "title", "text")}, ensure_ascii=False))
        articles.write_text("\n".join(lines), encoding="utf-8")
        labels.write_text("\n".join(cells), encoding="utf-8")
        out_folder = tmp_path / "judged"
        code, out, err = run("evaluate", articles, "--labels", labels, "--model", tiny.folder, "--output", out_folder)
        assert (code, out) == (0, "")
        assert "macro F1" in err
        metrics = json.loads((out_folder / "metrics.json").read_text())
        assert metrics["heads"]["topics"]["n"] == len(tiny.rows())
        assert (out_folder / "report.html").is_file()
        assert not (tiny.folder / "evaluation").exists()

    def test_labels_without_an_article(self, refused, tiny, tmp_path):
        (tmp_path / "l.csv").write_text("id,topics,stance,relevant\nzz,none,neutral,0\n")
        said = refused("evaluate", tiny.articles, "--labels", tmp_path / "l.csv", "--model", tiny.folder)
        assert "1 of 1 ids belong to no article, the first is 'zz'" in said

    def test_articles_without_labels(self, refused, tiny, tmp_path):
        (tmp_path / "a.csv").write_text("id,title,text\n1,a,b\n")
        said = refused("evaluate", tmp_path / "a.csv", "--model", tiny.folder)
        assert "no 'topics' among its columns" in said


class TestCorpora:
    def test_the_list(self, run):
        code, out, _ = run("corpora", "list")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == [
            "ant",
            "osac",
            "aljazeera",
            "mawqif",
            "ans",
            "written",
        ]

    def test_a_public_one_that_is_not_here(self, run, tmp_path):
        code, out, _ = run("corpora", "info", "osac", "--from", tmp_path)
        facts = dict(line.split(maxsplit=1) for line in out.splitlines())
        assert code == 0
        assert facts["address"].endswith(f"{facts['commit']}.tar.gz")
        assert len(facts["SHA-256"]) == 64
        assert facts["archive"] == "not here yet; mirsad corpora get osac"
        assert facts["labelled"] == "125"
        assert facts["topics"] == "arms_control 73, none 52"
        assert {"size", "licence", "cite", "articles", "stance", "relevant"} <= facts.keys()

    def test_the_written_one_by_label_year_and_genre(self, run):
        code, out, _ = run("corpora", "info", "written")
        facts = dict(line.split(maxsplit=1) for line in out.splitlines())
        assert code == 0
        n = int(facts["articles"].replace(",", ""))
        for name in ("stance", "years", "genres"):
            if name in facts:  # the first articles have no genre
                counts = [int(part.rsplit(" ", 1)[1].replace(",", "")) for part in facts[name].split(", ") if part[-1].isdigit()]  # fmt: skip  # noqa: E501
                assert sum(counts) == n

    def test_an_archive_that_is_not_the_pinned_one(self, refused, tmp_path):
        from pipeline import corpora

        (tmp_path / corpora.get("osac").file_name).write_bytes(b"not the archive")
        for command in ("get", "info"):
            assert str(tmp_path) in refused("corpora", command, "osac", "--from", tmp_path)

    def test_an_unknown_one(self, refused):
        assert "there is no corpus 'antt'" in refused("corpora", "info", "antt")
