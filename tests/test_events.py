"""Events: JSON lines with the fields that the docs name, whatever happens."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from pipeline import cli, parts

DOCS = Path(__file__).parents[1] / "docs" / "predictions.md"


@pytest.fixture
def run(monkeypatch, capfd):
    """Run `mirsad predict`; gives exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mirsad", "predict", *map(str, words)])
        try:
            cli.main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, *capfd.readouterr()

    return run


def documented() -> dict[str, list[str]]:
    table = DOCS.read_text(encoding="utf-8").split("| event |")[1].split("\n\n")[0]
    rows = (line.strip("| ").split(" | ") for line in table.splitlines()[2:])
    return {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows}


def events(text: str) -> list[dict]:
    found = [json.loads(line) for line in text.splitlines()]
    fields = documented()
    for event in found:
        assert list(event) == ["time", "event", *fields[event["event"]]]
    return found


def test_a_run_in_parts(run, tiny, tmp_path):
    log = tmp_path / "log.jsonl"
    inputs = tmp_path / "in.jsonl"
    text = tiny.rows()[0]["text"].encode("cp1256", "replace").decode("cp1256")
    inputs.write_bytes((json.dumps({"text": text}, ensure_ascii=False) + "\n{broken\n").encode("cp1256"))
    options = ("--model", tiny.folder, "--output", f"{tmp_path}/out/", "--log-json", log)
    code, out, err = run(inputs, *options)
    assert (code, out) == (0, "")
    assert err.startswith("1 articles labelled in ")
    told = events(log.read_text())
    assert [event["event"] for event in told] == ["start", "plan", "part", "warning", "rejects", "end"]
    assert told[-2]["rejects"] == {"malformed": 1}
    assert "read as cp1256" in told[-3]["text"]
    assert told[-1]["rows"] == 1
    assert told[-1]["memory"] > 1 << 20
    run(inputs, *options)
    assert events(log.read_text())[1]["left"] == 0


def test_standard_error_holds_events_and_nothing_else(run, tiny):
    code, out, err = run(tiny.articles, "--model", tiny.folder, "--log-json", "-")
    assert code == 0
    assert len(out.splitlines()) == len(tiny.rows())
    assert [event["event"] for event in events(err)] == ["start", "rejects", "end"]


def test_a_mistake(run, tiny, tmp_path):
    code, _, err = run(tmp_path / "none.csv", "--model", tiny.folder, "--log-json", "-")
    (event,) = events(err)
    assert (code, event["exit_code"], event["what"]) == (2, 2, "there is no such file or folder")
    code, _, err = run(tmp_path / "none.csv", "--model", tiny.folder, "--log-json", tmp_path / "log")
    assert events((tmp_path / "log").read_text()) == [
        event | {"time": json.loads((tmp_path / "log").read_text())["time"]}
    ]
    assert err.startswith("error: ")


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (SystemExit(143), 143), (ZeroDivisionError, 1)])
def test_an_end_before_the_end(run, tiny, tmp_path, monkeypatch, raised, code):
    def label(*_):
        raise raised

    monkeypatch.setattr(parts, "label_part", label)
    monkeypatch.setattr("pipeline.workers.label_part", label)
    words = (tiny.articles, "--model", tiny.folder, "--output", f"{tmp_path}/out/", "--log-json", tmp_path / "log")
    if raised is ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            run(*words)
    else:
        assert run(*words)[0] == code
    assert events((tmp_path / "log").read_text())[-1]["exit_code"] == code


def test_ctrl_c_is_told_once(run, tiny, tmp_path, monkeypatch):
    def label(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.workers.label_part", label)
    words = (tiny.articles, "--model", tiny.folder, "--output", f"{tmp_path}/out/")
    code, _, err = run(*words)
    assert (code, err) == (130, "stopped\n")
    code, _, err = run(*words, "--log-json", "-")
    assert (code, events(err)[-1]["exit_code"]) == (130, 130)


def test_exit_codes_stand_in_the_help_and_in_the_docs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mirsad", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    told = set(re.findall(r"\b\d+\b", capsys.readouterr().out.split("Exit codes:")[1]))
    table = DOCS.read_text(encoding="utf-8").split("## Exit codes")[1]
    assert told == set(re.findall(r"^\| (\d+) \|", table, flags=re.MULTILINE)) == {"0", "1", "2", "3", "130", "143"}


def test_a_log_that_cannot_be_written(run, tiny, tmp_path):
    code, _, err = run(tiny.articles, "--model", tiny.folder, "--log-json", tmp_path / "none" / "log")
    assert code == 2
    assert "Name another --log-json." in err
