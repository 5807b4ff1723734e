"""What a report says is what the labels and answers are."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
from report_data import report, rows, settings, trained, write
from sklearn import metrics as sk

from pipeline import cli, metrics
from pipeline import config as configs
from pipeline.articles import Article
from pipeline.errors import InputError
from pipeline.explain import explain
from pipeline.report import evidence, labels, page, slices, suspects, wrong
from pipeline.report.view import View, counts


def _random_view(seed: int, n: int = 300) -> View:
    random = np.random.default_rng(seed)
    config = trained()[0]
    truth = random.random((n, 2)) < (0.3, 0.1)
    p = np.clip(truth * 0.4 + random.random((n, 2)) * 0.6, 0, 1)
    rule = trained()[2].heads["topics"]
    at = np.arange(n)
    return View("topics", config.heads["topics"], rule, at, at, truth, p >= 0.5, at >= 0, p, np.full(truth.shape, 0.5))


@pytest.mark.parametrize("seed", range(5))
def test_numbers_equal_those_of_scikit_learn(seed):
    view = _random_view(seed)
    t, d, p = view.truth, view.decided, view.probabilities
    for i in range(2):
        cells = counts(t[:, i], d[:, i])
        precision, recall, f1, _ = sk.precision_recall_fscore_support(t[:, i], d[:, i], average="binary")
        assert (cells["precision"], cells["recall"], cells["f1"]) == pytest.approx((precision, recall, f1))
        (tn, fp), (fn, tp) = sk.confusion_matrix(t[:, i], d[:, i])
        assert (cells["rest"], cells["extra"], cells["missed"], cells["right"]) == (tn, fp, fn, tp)
        assert metrics.average_precision(t[:, i], p[:, i]) == pytest.approx(
            sk.average_precision_score(t[:, i], p[:, i])
        )
        on_curve = set(zip(*(np.round(x, 9) for x in sk.precision_recall_curve(t[:, i], p[:, i])[1::-1]), strict=True))
        assert {(round(r, 9), round(q, 9)) for r, q in labels.curve(t[:, i], p[:, i])} <= on_curve
    together = labels.together(view)
    assert together["exact_match"] == pytest.approx(sk.accuracy_score(t, d))
    assert together["hamming_loss"] == pytest.approx(sk.hamming_loss(t, d))
    assert view.score(view.at) == pytest.approx(sk.f1_score(t, d, average="micro"))
    measured = metrics.multilabel(["a", "b"], t, d, p)
    assert measured["macro_f1"]["value"] == pytest.approx(sk.f1_score(t, d, average="macro"))


def test_a_report_is_plain_and_adds_up():
    r = report()
    assert json.loads(json.dumps(r, allow_nan=False)) == r
    assert len(r["articles"]) == r["data"]["articles"] == len(trained()[1])
    for name, head in r["labels"].items():
        wrong_lines = [a for a in r["articles"] if a["heads"][name]["gold"] != a["heads"][name]["given"]]
        assert {a["id"] for a in wrong_lines} == {e["id"] for e in r["errors"] if e["head"] == name}
        for row in r["data"]["labels"][name]:
            assert row["articles"] == head["labels"][row["label"]]["support"]
    confusion = r["confusion"]["stance"]["parts"][0]
    assert np.sum(confusion["matrix"]) == r["data"]["articles"]
    f, a = r["labels"]["stance"]["labels"], confusion["matrix"]
    assert a[0][1] + a[1][0] == confusion["swaps"] and list(f)[:2] == ["favor", "against"]
    assert [row["severity"] for row in r["checks"]] == sorted(
        (row["severity"] for row in r["checks"]), key=("error", "warning", "ok", "not applicable").index
    )
    assert abs(sum(r["data"]["sure"].values()) - 1) < 0.01


def test_marks_lie_on_whole_words_and_lose_no_letter():
    model = trained()[2]
    view = _stance_view()
    item = Article("x", "لقاءٌ «بنّاء» في دمشق", "رحبت واشنطن وموسكو بالمحادثات.\nوأدانت روسيا الحرب، ثم فرضت عقوبات.")
    explanation = explain(model, [item])[0]
    pieces = evidence.marked(item, explanation, view, "favor", 10_000)
    for field in ("title", "text"):
        assert "".join(text for text, _ in pieces[field]) == getattr(item, field)
        for text, level in pieces[field]:
            if level:
                assert re.fullmatch(r"[\w\u064b-\u0652]+", text), text
    levels = {
        level for label in view.labels for _, level in evidence.marked(item, explanation, view, label, 10_000)["text"]
    }
    assert {1, 2, 3} & levels and {-1, -2, -3} & levels


def test_a_slices_interval_is_that_of_articles_drawn_one_by_one():
    view = _random_view(5)
    members = np.arange(300) % 3 > 0
    cell = slices._cell(view, "source", "a", members)
    rows, random = np.flatnonzero(members), np.random.default_rng(0)
    scores = [view.score(rows[random.integers(0, len(rows), len(rows))]) for _ in range(slices.RESAMPLES)]
    assert cell["interval"] == pytest.approx(np.percentile(scores, [2.5, 97.5]))
    assert cell["score"] == view.score(members)


def _stance_view() -> View:
    from pipeline.report.view import views

    config, data, model, judged = trained()
    return views(config, data, judged["cross_validation"], dict(model.heads))["stance"]


def test_long_texts_keep_their_opening_and_their_heaviest_passages():
    text = "بداية الخبر هنا. " + "حشو لا يعني شيئا. " * 50 + "وهنا الجملة المهمة. " + "حشو آخر. " * 50
    heavy = text.index("المهمة")
    shown = evidence._passages(text, [(heavy, 5.0)], 60)
    said = "".join(text[a:b] for a, b in shown)
    assert said.startswith("بداية الخبر") and "المهمة" in said and len(said) <= 60
    pieces = evidence._pieces(text, shown, [(heavy, heavy + 6, 3)])
    assert ["المهمة", 3] in pieces and ["", None] in pieces
    assert evidence._passages("ب" * 1_000_000, [(0, 1.0)], 300) == [(0, 300)]


def test_confident_learning_by_hand():
    # the mean of p_1 where 1 is labelled is 0.55, that of p_0 where 0 is labelled 0.7
    p1 = np.array([0.1, 0.1, 0.7, 0.9, 0.2])
    labels_ = np.array([0, 0, 0, 1, 1])
    found = suspects.rank(labels_, np.column_stack([1 - p1, p1]))
    assert [suspect[:3] for suspect in found] == [(4, 1, 0), (2, 0, 1)]
    assert [suspect[3] for suspect in found] == pytest.approx([0.6, 0.4])


def test_texts_can_be_left_out(tmp_path):
    r = report(texts=False)
    path = page.write(tmp_path, r)
    whole = "".join(file.read_text(encoding="utf-8") for file in tmp_path.iterdir())
    for row in rows():
        assert row["title"] not in whole
        for sentence in row["text"].split("."):
            if len(sentence.split()) > 4:
                assert sentence.strip() not in whole
    assert path.name == "report.html" and r["articles"][0]["id"] in whole


def test_the_same_input_gives_the_same_page(tmp_path):
    first = page.write(tmp_path / "a", report()).read_bytes()
    strip = re.compile(rb"c\d+-")  # drawings number themselves
    assert strip.sub(b"", page.rebuild(tmp_path / "a").read_bytes()) == strip.sub(b"", first)


def test_the_table_opens_in_a_spreadsheet(tmp_path):
    r = json.loads(json.dumps(report()))
    r["articles"][0] |= {"id": "=1+1", "title": "@cmd"}
    page.write(tmp_path, r)
    raw = (tmp_path / "predictions.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert len(lines) == len(r["articles"]) and lines[0]["id"] == "'=1+1" and lines[0]["title"] == "'@cmd"
    assert lines[1]["title"] == r["articles"][1]["title"]


def test_markdown_stays_one_table_a_section(tmp_path):
    r = json.loads(json.dumps(report()))
    r["verdict"]["sentences"][0] = "a | b\n<script>"
    text = page.markdown("report.md", r)
    assert "a \\| b \\<script\\>" in text
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.M)
    assert len(tables) == 3
    for table in tables:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
        assert len(widths) == 1, table


def test_change_is_told_against_the_last_accepted_run():
    from pipeline.report import overview, summary

    r = report()
    kept = summary.accepted(r)
    assert kept["scores"] == r["verdict"]["scores"]
    failed = r | {"verdict": r["verdict"] | {"state": "fail", "accepted": {"name": "older", "scores": {}}}}
    assert summary.accepted(failed) == {"name": "older", "scores": {}}
    assert summary.accepted(r | {"schema": 99}) is None
    config = configs.parse(trained()[0].model_dump(mode="json") | {"gates": {"macro_f1": {"stance": 1.0}}})
    before = {"name": "before", "scores": {"topics.syria": 0.5}}
    said = overview.verdict(config, "cross_validation", r["labels"], {}, r["slices"], before)
    row = next(row for row in said["rows"] if row["label"] == "syria")
    assert row["change"] == pytest.approx(row["f1"] - 0.5)
    assert said["state"] == "fail" and "macro F1 of stance" in said["sentences"][0] and len(said["sentences"]) == 3


def test_addresses_that_are_no_web_pages_are_no_links():
    assert wrong.safe_url("https://example.org/a") == "https://example.org/a"
    for url in ("javascript:alert(1)", "data:text/html,x", "//example.org", "http://", "http://[", ""):
        assert wrong.safe_url(url) is None


def test_no_report_is_told(tmp_path):
    with pytest.raises(InputError, match=r"no report\.json"):
        page.rebuild(tmp_path)
    (tmp_path / "report.json").write_text('{"schema": 99}', encoding="utf-8")
    with pytest.raises(InputError, match="schema 99"):
        page.rebuild(tmp_path)


def test_train_writes_a_report_and_ends_as_asked(tmp_path, monkeypatch, capsys):
    write(tmp_path, 60)
    tree = settings(tmp_path / "articles.csv").model_dump(mode="json", exclude_none=True)
    lines = ["seed = 1", f'[[data.sources]]\npath = "{tmp_path}/articles.csv"']
    assert tree["output"]["folder"]
    features = '[features.words]\nkind = "tfidf"'
    heads = '[heads.topics]\nkind = "multilabel"\nlabels = ["syria", "ukraine"]\ncolumn = "topics"'
    gates = "[gates]\nmacro_f1 = { topics = 1.0 }\n[evaluation]\nlearning_curve = [0.5]"
    output = f'[output]\nname = "t"\nfolder = "{tmp_path}/models"'
    config = tmp_path / "t.toml"
    config.write_text("\n".join([*lines, "[split]\nfolds = 2", features, heads, gates, output]), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["mirsad", "train", str(config), "--fail-on", "error"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    saved = page.read(tmp_path / "models" / "t")[0]
    assert ended.value.code == (1 if saved["verdict"]["state"] == "fail" else 0)
    assert saved["provenance"]["command"] == f"mirsad train {config} --fail-on error"
    assert [p["articles"] for p in saved["learning"]] == sorted(p["articles"] for p in saved["learning"]) != []
    monkeypatch.setattr("sys.argv", ["mirsad", "report", str(tmp_path / "models" / "t")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
