"""What to label next: the doubtful, unlike each other, in turns, a share by lot; a table that can be trained on."""

from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT, as_toml, tiny_config

from pipeline import config, dataset, model, queue, store
from pipeline.articles import Article, clean
from pipeline.errors import InputError, MirsadError, ModelError

TOPICS = SimpleNamespace(name="topics", kind="multilabel", labels=["port", "rain"], thresholds=[0.5, 0.2])
PORT = SimpleNamespace(name="topics", kind="multilabel", labels=["port"], thresholds=[0.5])
STANCE = SimpleNamespace(name="stance", kind="single", labels=["favor", "against", "neutral"])
WORDS = ["ميناء", "سفينة", "مطر", "سوق", "قمح", "جسر", "طبيب", "مدرسة", "قطار", "نهر"]


def pool(monkeypatch, scores: dict[str, tuple[str, dict[str, dict[str, float]]]], n: int, rules, **more) -> queue.Pool:
    """A pool of articles by id, each a text and what the model is made to say of it."""
    monkeypatch.setattr(queue.rows, "label", lambda _, batch, **__: [scores[article.id][1] for article in batch])
    made = queue.Pool(None, rules, n, **more)
    made.add([Article(id, "", text) for id, (text, _) in scores.items()])
    return made


def topics(port: float, **more: float) -> dict[str, dict[str, float]]:
    return {"topics_scores": {"port": port} | more}


def text(number: int, of: int = 20) -> str:
    """A text that no two numbers share three words of."""
    return " ".join(f"{WORDS[(number * 7 + i) % len(WORDS)]}{number}" for i in range(of))


def ids(chosen: list[queue.Candidate]) -> list[str]:
    return [candidate.article.id for candidate in chosen]


class TestDoubt:
    def test_a_multilabel_head_doubts_what_is_near_its_threshold(self):
        # 0.75 is half of the way from 0.5 to 1, and 0.05 three quarters of that from 0.2 to 0
        found = queue.doubt(TOPICS, np.array([[0.75, 0.05], [0.5, 0.0], [0.0, 1.0]]))
        np.testing.assert_allclose(found, [[0.5, 0.25], [1.0, 0.0], [0.0, 0.0]])

    def test_a_single_head_doubts_labels_whose_rival_is_near(self):
        found = queue.doubt(STANCE, np.array([[0.5, 0.1, 0.4], [1.0, 0.0, 0.0], [0.05, 0.475, 0.475]]))
        np.testing.assert_allclose(found, [[0.9, 0.6, 0.9], [0.0, 0.0, 0.0], [0.575, 1.0, 1.0]])


class TestChoose:
    def test_the_most_doubtful_first(self, monkeypatch):
        given = {f"a{i}": (text(i), topics(p)) for i, p in enumerate([0.95, 0.55, 0.1, 0.7])}
        chosen = queue.choose(pool(monkeypatch, given, 3, [PORT]), 3)
        assert ids(chosen) == ["a1", "a3", "a2"]
        assert chosen[0].chosen == "uncertain"
        assert chosen[0].why == "topics: port or not? Its probability is 0.55, and it is given from 0.50 on"

    def test_what_resembles_the_chosen_waits(self, monkeypatch):
        words = text(1).split()
        alike = " ".join(words[:10] + text(5).split()[:10])
        given = {"first": (text(1), topics(0.5)), "alike": (alike, topics(0.52)), "unlike": (text(2), topics(0.6))}
        assert ids(queue.choose(pool(monkeypatch, given, 3, [PORT]), 3)) == ["first", "unlike", "alike"]

    def test_a_copy_is_not_asked_twice_and_not_where_it_is_known(self, monkeypatch):
        copy = text(1) + " ختام"
        given = {"first": (text(1), topics(0.5)), "copy": (copy, topics(0.51)), "other": (text(2), topics(0.9))}
        made = pool(monkeypatch, given, 3, [PORT])
        assert ids(queue.choose(made, 3)) == ["first", "other"]
        assert ids(queue.choose(made, 3, known=[text(1) + " مطلع"])) == ["other"]

    def test_heads_take_turns(self, monkeypatch):
        def both(port: float, favor: float) -> dict[str, dict[str, float]]:
            return topics(port) | {"stance_scores": {"favor": favor, "against": 1 - favor, "neutral": 0.0}}

        given = {f"t{i}": (text(i), both(0.5 + i / 100, 1.0)) for i in range(4)}
        given |= {f"s{i}": (text(9 + i), both(0.0, 0.6 + i / 100)) for i in range(4)}
        chosen = queue.choose(pool(monkeypatch, given, 4, [PORT, STANCE]), 4)
        assert ids(chosen) == ["t0", "s0", "t1", "s1"]
        assert [c.why for c in chosen[1::2]] == [
            "stance: favor (0.60) or against (0.40)?",
            "stance: against (0.39) or favor (0.61)?",
        ]

    def test_a_rare_label_has_its_turn(self, monkeypatch):
        given = {f"a{i}": (text(i), topics(0.5 + i / 100, rain=0.0)) for i in range(5)}
        given["rare"] = (text(9), topics(0.0, rain=0.1))
        assert ids(queue.choose(pool(monkeypatch, given, 3, [TOPICS]), 3)) == ["a0", "rare", "a1"]

    def test_one_in_five_is_drawn_by_lot_whatever_the_model_says(self, monkeypatch):
        given = {f"a{i}": (text(i), topics(0.5 if i < 20 else 0.0)) for i in range(200)}
        drawn = set()
        for seed in range(8):
            chosen = queue.choose(pool(monkeypatch, given, 10, [PORT], seed=seed), 10)
            assert [c.chosen for c in chosen] == ([queue.UNCERTAIN] * 4 + [queue.RANDOM]) * 2
            assert all(int(c.article.id[1:]) < 20 for c in chosen if c.chosen == queue.UNCERTAIN)
            again = queue.choose(pool(monkeypatch, given, 10, [PORT], seed=seed), 10)
            assert ids(again) == ids(chosen)
            drawn |= {c.article.id for c in chosen if c.chosen == queue.RANDOM}
        assert len(drawn) > 8
        assert sum(int(id[1:]) >= 20 for id in drawn) > 8

    def test_a_pool_holds_the_best_of_a_stream_and_no_more(self, monkeypatch):
        given = {f"a{i}": ("نص", topics(0.5 + (i * 37 % 1000) / 3000)) for i in range(1000)}
        made = pool(monkeypatch, given, 1, [PORT])
        assert made.read == made.seen == 1000
        size = len(made.drawn())
        assert queue.RESERVE <= size <= 2 * queue.RESERVE
        best = {id for id, (_, said) in given.items() if said["topics_scores"]["port"] < 0.5 + size / 3000}
        held = {c.article.id for c in made.candidates()}
        assert len(best) == size
        assert held == best | {c.article.id for c in made.drawn()}

    def test_nothing_gives_nothing(self):
        assert queue.choose(queue.Pool(None, [PORT], 5), 5) == []


@pytest.fixture(scope="module")
def others(tiny, tmp_path_factory):
    """Articles that the tiny model has not seen, with what a person says of them."""
    seen = {row["id"] for row in tiny.rows()}
    found = {}
    for line in (ROOT / "data" / "articles.jsonl").read_text(encoding="utf-8").splitlines()[-120:]:
        row = json.loads(line)
        if row["id"] not in seen:
            row["topics"] = "|".join(t for t in row["topics"] if t in ("syria", "ukraine")) or "none"
            found[row["id"]] = row
    path = tmp_path_factory.mktemp("others") / "new.jsonl"
    bare = ("id", "title", "text", "source", "date")
    lines = [json.dumps({key: row.get(key, "") for key in bare}, ensure_ascii=False) for row in found.values()]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path, found


def table(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


class TestFiles:
    def test_a_table_to_fill_in_and_to_train_on(self, tiny, others, tmp_path):
        path, answers = others
        out = tmp_path / "to-label.csv"
        summary = queue.queue_files([path, tiny.articles], tiny.folder, output=out, n=30)
        rows = table(out)
        assert list(rows[0]) == [
            "id", "title", "text", "source", "date", "url", "topics", "stance", "relevant", "chosen", "why",
            "model_topics", "model_topics_scores.syria", "model_topics_scores.ukraine",
            "model_stance", "model_stance_scores.favor", "model_stance_scores.against", "model_stance_scores.neutral",
            "model",
        ]  # fmt: skip
        assert summary.chosen == {"topics": 12, "stance": 12, queue.RANDOM: 6}
        assert summary.passed == len(tiny.rows())
        assert "30 of " in summary.sentence()
        assert all(row["topics"] == row["stance"] == row["relevant"] == "" for row in rows)
        assert {row["id"] for row in rows} <= answers.keys()
        for row in rows:  # as the model read it: whole, without page noise
            assert row["text"].split() == clean(row["title"], answers[row["id"]]["text"])[1].split()

        for row in rows[:25]:  # the annotator leaves five for tomorrow
            row |= {key: str(answers[row["id"]][key]) for key in ("topics", "relevant", "stance")}
        with out.open("w", encoding="utf-8-sig", newline="") as file:
            sheet = csv.DictWriter(file, list(rows[0]))
            sheet.writeheader()
            sheet.writerows(rows)
        sources = {"sources": [{"path": str(tiny.articles)}, {"path": str(out)}]}
        file = tmp_path / "more.toml"
        file.write_text(as_toml(tiny_config(tiny.articles, tmp_path / "models", data=sources)), encoding="utf-8")
        settings = config.load(file)
        data = dataset.load(settings)
        assert len(data) == len(tiny.rows()) + 30
        assert data.labelled("topics").sum() == data.labelled("stance").sum() == len(data) - 5
        for i, row in enumerate(rows[:25], start=len(tiny.rows())):
            given = {"none"} if not data.labels["topics"][i].any() else set()
            given |= {t for t, yes in zip(["syria", "ukraine"], data.labels["topics"][i], strict=True) if yes}
            assert given == set(row["topics"].split("|"))
            stance = [*settings.heads["stance"].labels, "not relevant"][data.labels["stance"][i]]
            assert stance == (row["stance"] if row["relevant"] == "1" else "not relevant")
        model.fit(settings, data, np.arange(len(data)))

    def test_the_same_seed_gives_the_same_table(self, tiny, others, tmp_path):
        for name, seed in (("one.jsonl", 1), ("again.jsonl", 1), ("two.jsonl", 2)):
            queue.queue_files(others[0], tiny.folder, output=tmp_path / name, n=10, seed=seed)
        one, again, two = ((tmp_path / name).read_bytes() for name in ("one.jsonl", "again.jsonl", "two.jsonl"))
        assert one == again
        assert one != two

    def test_what_is_on_a_desk_is_not_given_out_again(self, tiny, others, tmp_path):
        first, second = tmp_path / "first.csv", tmp_path / "second.csv"
        queue.queue_files(others[0], tiny.folder, output=first, n=20)
        queue.queue_files(others[0], tiny.folder, output=second, n=20, labelled=[str(first)])
        assert len(table(second)) == 20
        assert not {row["id"] for row in table(first)} & {row["id"] for row in table(second)}

    def test_one_head_may_ask_alone(self, tiny, others, tmp_path):
        summary = queue.queue_files(others[0], tiny.folder, output=tmp_path / "a.csv", n=10, heads=["stance"])
        assert summary.chosen == {"stance": 8, queue.RANDOM: 2}
        assert "topics" in table(tmp_path / "a.csv")[0]

    def test_a_source_that_is_gone_is_told(self, tiny, others, tmp_path, monkeypatch):
        manifest = store.read_manifest(tiny.folder)
        manifest["config"]["data"]["sources"] = [{"path": str(tmp_path / "gone.csv")}]
        monkeypatch.setattr(queue.store, "load_scorer", lambda _: (tiny.trained.model.compile(), manifest))
        summary = queue.queue_files(others[0], tiny.folder, output=tmp_path / "a.csv", n=5)
        assert len(summary.notes) == 1
        assert "gone.csv" in summary.notes[0]

    def test_a_context_is_carried_along(self):
        settings = config.parse(tiny_config("a.csv", "models"))
        scorer = SimpleNamespace(columns=["country"], rules=[])
        article = Article("1", "عنوان", "نص", labels={"country": "مصر"})
        row = queue._row(queue.Candidate(article, {"model": "m@1"}, {}), settings, scorer)
        assert (row["country"], row["topics"]) == ("مصر", "")


class TestRefusals:
    def test_nothing_left(self, tiny, tmp_path):
        with pytest.raises(InputError, match=r"no article is left to label(?s:.*)labelled already"):
            queue.queue_files(tiny.articles, tiny.folder, output=tmp_path / "a.csv")
        assert list(tmp_path.iterdir()) == []

    def test_no_article(self, tiny, tmp_path):
        (tmp_path / "a.txt").write_text("ثلاث كلمات فقط", encoding="utf-8")
        with pytest.raises(InputError, match=r"nothing in the input is an article(?s:.*)1 too_short"):
            queue.queue_files(tmp_path / "a.txt", tiny.folder, output=tmp_path / "a.csv")

    def test_a_head_that_the_model_has_not(self, tiny, tmp_path):
        with pytest.raises(MirsadError, match=r"has no head 'tone'\n  It has: topics, stance\."):
            queue.queue_files(tiny.articles, tiny.folder, output=tmp_path / "a.csv", heads=["topics", "tone"])

    def test_a_table_that_may_be_filled_in_is_not_replaced(self, tiny, others, tmp_path):
        (tmp_path / "a.csv").write_text("hours of work", encoding="utf-8")
        with pytest.raises(MirsadError, match="is there already"):
            queue.queue_files(others[0], tiny.folder, output=tmp_path / "a.csv")
        assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "hours of work"

    def test_no_model(self, tiny, tmp_path):
        with pytest.raises(ModelError, match="is no model folder"):
            queue.queue_files(tiny.articles, tmp_path, output=tmp_path / "a.csv")


def test_the_command(tiny, others, tmp_path):
    from typer.testing import CliRunner

    import pipeline.cli.queue  # registers the command

    out = tmp_path / "to-label.csv"
    words = ["queue", str(others[0]), "--model", str(tiny.folder), "--output", str(out), "-n", "5"]
    result = CliRunner().invoke(pipeline.cli.app, words)
    assert result.exit_code == 0
    assert "5 of " in result.stderr
    assert result.stdout == ""
    assert len(table(out)) == 5
