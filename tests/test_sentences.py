"""Sentences that a model reads: which, what is noted of them, what becomes of it; worked by hand where it can be."""

from __future__ import annotations

import csv
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, as_toml, some_articles, tiny_config
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from spoiled import MODEL, SCORER, _array, _as, attributes, edit_arrays, edit_page, edit_schema, put, text

from pipeline import config as configs
from pipeline import explain, store, train
from pipeline.articles import Article, split_fields
from pipeline.articles.marks import NO_SENTENCES, Lone, Marks, Origin
from pipeline.articles.parts import sentence_spans
from pipeline.errors import ConfigError, InputError, ModelError
from pipeline.features.featurizer import Featurizer
from pipeline.features.lexicon import Lexicon
from pipeline.features.sentences import CUE_SCALE, MOST_GROUPS, Reading, Sentences, SentencesBlock, learn
from pipeline.text import Normalizer

SIDES = Lexicon({"here/terms": ["شرق"], "there/terms": ["غرب"], "others/terms": ["جنوب"]})


def block(*, several: bool = False, sides: Lexicon = SIDES) -> SentencesBlock:
    return SentencesBlock(sides, ["warm", "cold"], several=several, reads=["words"])


def spans_of(lede: str, body: str) -> list[tuple[int, int]]:
    """Sentences of a text as they are numbered, from 1: those of its lede, then of its body, each at least one."""
    own = sentence_spans(body) or [(0, 0)]
    return [*(sentence_spans(lede) or [(0, 0)]), *((len(lede) + a, len(lede) + b) for a, b in own)]


# ---------------------------------------------------------------------------------------------------------- cutting


@pytest.mark.parametrize(
    ("whole", "sentences"),
    [
        ("", []),
        (" \n ", []),
        ("جملة بلا نهاية", ["جملة بلا نهاية"]),
        ("قال. ثم صمت! هل عاد؟ ربما… نعم", ["قال.", "ثم صمت!", "هل عاد؟", "ربما…", "نعم"]),
        ("بلغ 3.5 مليون. انتهى.", ["بلغ 3.5 مليون.", "انتهى."]),
        ("انتهى.\u200f", ["انتهى."]),
        ("ثم .\u200fمن", ["ثم .\u200fمن"]),
        ("خبر.\nـــــ\n😀\nخبر", ["خبر.", "😀", "خبر"]),
        ("  سطر أول\n\n سطر ثان \n", ["سطر أول", "سطر ثان"]),
        ("«قال.» ثم صمت...\tوعاد", ["«قال.", "» ثم صمت...", "وعاد"]),
    ],
)
def test_where_sentences_end(whole, sentences):
    assert [whole[start:stop] for start, stop in sentence_spans(whole)] == sentences


@given(st.text("اب5 .!؟…\n\t\u00a0»", max_size=30))
def test_sentences_leave_no_word_out(whole):
    spans = sentence_spans(whole)
    edges = [0, *(edge for span in spans for edge in span), len(whole)]
    assert edges == sorted(edges)
    assert not any(c.isalnum() for a, b in zip(edges[::2], edges[1::2], strict=True) for c in whole[a:b])
    for start, stop in spans:
        assert whole[start:stop] == whole[start:stop].strip()
        assert any(c.isalnum() for c in whole[start:stop])


# ---------------------------------------------------------------------------------------------------------- looking


def test_which_sentences_are_read():
    titles = ["عنوان", "الشرق", "", "جنوب"]
    ledes = ["أول. الشرق. ثالث. رابع. الجنوب. سادس.", "أول. ثان.", "أول. ثان", "أول."]
    bodies = ["", "", ". الغرب", ""]
    found = block().look(titles, ledes, bodies)
    # of the first: the title, and the one that names a side with those next to it; a third party alone is no reason
    # of the second: the title, which names a side, and the sentence after it
    # the third has no title, and its lede ends a sentence; the fourth names nothing that tells
    assert list(zip(found.article.tolist(), found.number.tolist(), found.texts, strict=True)) == [
        (0, 0, "عنوان"), (0, 1, "أول."), (0, 2, "الشرق."), (0, 3, "ثالث."),
        (1, 0, "الشرق"), (1, 1, "أول."),
        (2, 2, "ثان"), (2, 3, "الغرب"),
    ]  # fmt: skip
    # title, lede and body are one at least, also where there are none
    assert found.total.tolist() == [1 + 6 + 1, 1 + 2 + 1, 1 + 2 + 1, 1 + 1 + 1]


def test_only_articles_that_name_every_side_are_read():
    of = SentencesBlock(
        Lexicon({"here/terms": ["شرق"], "there/terms": ["غرب"], "both/terms": ["قمه"], "others/terms": ["جنوب"]}),
        ["warm"],
        several=False,
        reads=["words"],
        every=True,
    )
    ledes = ["الشرق. ثم الجنوب", "الشرق. ثان. ثالث. الغرب", "القمة. خبر", "خبر"]
    found = of.look(["", "عنوان", "", ""], ledes, [""] * 4)
    assert list(zip(found.article.tolist(), found.texts, strict=True)) == [
        (1, "عنوان"), (1, "الشرق."), (1, "ثان."), (1, "ثالث."), (1, "الغرب"), (2, "القمة."), (2, "خبر"),
    ]  # fmt: skip


ODD = [
    "الشرق",
    "والغرب",
    "شَرقـ",
    "كلام",
    "5.1",
    ".",
    "...",
    "…",
    "!",
    "؟",
    "!؟",
    "\n",
    " ",
    "»",
    "،",
    "ﷲ",
    "😀",
    "\u200f",
    "ـ",
]
odd = st.lists(st.sampled_from(ODD), max_size=15).map("".join)


@settings(max_examples=200, deadline=None)
@given(odd, odd, odd)
def test_what_a_sentence_names_stands_in_it(title, lede, body):
    """Terms are found, and counted by sentence, by another scan than the one that cuts sentences."""
    of = block()
    found = of.look([title], [lede], [body])
    if len(found.texts):
        assert found.total[0] == 1 + len(spans_of(lede, body))
    np.testing.assert_array_equal(found.cues[:, :3], of.alone(found.texts).cues[:, :3])


def cue_names() -> list[str]:
    names = ["here", "there", "others"]
    return [
        *names,
        *(f"{a} before" for a in names),
        *(f"{a} in title" for a in names),
        "is title",
        "here and there",
        "here and others",
        "there and others",
        *(f"{a}, {b} before" for a in names for b in names),
        *(f"{a}, {b} in title" for a in names for b in names),
    ]


def cues_of(found: Sentences) -> list[set[str]]:
    assert set(np.unique(found.cues).tolist()) <= {0.0, CUE_SCALE}
    return [{name for name, value in zip(cue_names(), row, strict=True) if value} for row in found.cues]


def test_cues_by_hand():
    found = block().look(["الغرب"], ["الشرق والجنوب. صمت."], [""])
    assert cues_of(found) == [
        {"there", "there in title", "is title", "there, there in title"},
        {
            "here", "others", "there before", "there in title", "here and others",
            "here, there before", "others, there before", "here, there in title", "others, there in title",
        },
        {"here before", "others before", "there in title"},
    ]  # fmt: skip
    assert cues_of(block().alone(["الشرق والغرب", ""])) == [{"here", "there", "here and there"}, set()]


def test_nothing_of_an_article_is_before_the_next():
    found = block().look(["", "خبر"], ["الشرق", "الغرب"], ["", ""])
    assert cues_of(found) == [{"here"}, {"is title"}, {"there"}]


def test_an_article_is_looked_at_by_itself():
    texts = ["الغرب", "", "خبر"], ["الشرق. صمت", "", "الجنوب. الغرب"], ["", "", ". الشرق"]
    together = block().look(*texts)
    for i in range(3):
        alone = block().look(*([part[i]] for part in texts))
        own = np.nonzero(together.article == i)[0]
        assert alone.texts == [together.texts[row] for row in own]
        np.testing.assert_array_equal(alone.cues, together.cues[own])
        assert alone.total[0] == together.total[i]


# -------------------------------------------------------------------------------------------------------- measuring


def test_measures_by_hand():
    said = np.array([[0.5, 0.1], [0.2, 0.2], [0.4, 0.6], [0.9, 0.0]])
    found = Sentences(np.zeros(4, np.int64), np.array([0, 1, 2, 4]), [""] * 4, np.zeros((4, 31)), np.array([5, 0]))
    made = block().measured(found, said)
    assert block().names == [
        "warm in title", "cold in title", "warm in first sentences", "cold in first sentences",
        "warm where most", "cold where most", "warm in top three", "cold in top three",
        "warm on average", "cold on average",
    ]  # fmt: skip
    first = [1.2 * (0.2 + 0.4) / 2, 1.2 * (0.2 + 0.6) / 2]
    top = [(0.9 + 0.5 + 0.4) / 3, (0.6 + 0.2 + 0.1) / 3]
    average = [2 * (0.5 + 0.2 + 0.4 + 0.9) / 5, 2 * (0.1 + 0.2 + 0.6) / 5]
    expected = [0.5, 0.1, *first, 0.8 * 0.9, 0.8 * 0.6, *top, *average]
    np.testing.assert_allclose(made.matrix(10).toarray(), [expected, [0] * 10], atol=1e-12)


@pytest.mark.parametrize("several", [True, False])
def test_probabilities_by_hand(several):
    of = block(several=several)
    found, nothing = of.alone(["خبر"]), np.zeros((1, of.n_outputs))
    np.testing.assert_array_equal(of.probabilities(found, nothing), [[0, 0]])  # it has not learned to read
    intercept = np.log([1, 3]) if several else np.log([1, 2, 1])
    of.take(Reading(of.ngrams, of.cues, intercept))
    np.testing.assert_allclose(of.probabilities(found, nothing), [[1 / 2, 3 / 4] if several else [1 / 4, 2 / 4]])
    assert of.probabilities(of.alone([]), np.zeros((0, of.n_outputs))).shape == (0, 2)


def test_places_lie_in_their_sentences():
    title, lede, body = "الشرق", "صمت. الشرق قال", " كلاما. انتهى. بعيد"
    of = block()
    said = of.spoken([title], [lede], [body], lambda found: np.full((len(found.texts), 2), 0.5))
    places = {
        name: {((title, lede, body)[zone][a:b]) for column, _, zone, a, b in zip(*said, strict=True) if column == i}
        for i, name in enumerate(of.names)
    }
    assert places["warm in title"] == {"الشرق"}
    assert places["cold in first sentences"] == {"صمت.", "الشرق قال"}
    assert places["warm where most"] == {"الشرق"}  # the first of equals
    assert places["warm in top three"] == {"الشرق", "صمت.", "الشرق قال"}
    assert places["cold on average"] == {"الشرق", "صمت.", "الشرق قال", "كلاما."}


def test_one_label_alone_is_said_or_not():
    of = SentencesBlock(SIDES, ["warm"], several=False, reads=["words"])
    of.take(Reading(of.ngrams, of.cues, np.log([3])))
    np.testing.assert_allclose(of.probabilities(of.alone(["خبر"]), np.zeros((1, 1))), [[3 / 4]])


def test_too_many_groups_for_pairs():
    sides = Lexicon({f"{i}/terms": ["شرق"] for i in range(MOST_GROUPS + 1)})
    with pytest.raises(ConfigError, match="at most 200 groups of terms, and these are 201"):
        block(sides=sides)


# --------------------------------------------------------------------------------------------------------- learning

WORDS = ["شكر", "تهديد", "خبر", "نادر"]


def bag(texts: list[str]) -> csr_matrix:
    """Which of four words each text has."""
    return csr_matrix([[float(word in text) for word in WORDS] for text in texts] or np.zeros((0, 4)))


def some_marked(n: int = 12) -> tuple[list[str], dict[str, Marks]]:
    """Articles of one sentence: warm thanks, cold threats, news; the last one is warm in a word of its own."""
    words = [WORDS[i % 3] for i in range(n - 1)] + ["نادر"]
    says = {"شكر": {1: (0,)}, "تهديد": {1: (1,)}, "خبر": {}, "نادر": {1: (0,)}}
    return [f"الشرق {word}" for word in words], {f"a{i}": Marks(2, says[word]) for i, word in enumerate(words)}


def learned(texts, marks, lone=NO_SENTENCES, *, several=False, groups=None, **more):
    of, n, nothing = block(several=several), len(texts), [""] * len(texts)
    ids = [f"a{i}" for i in range(n)]
    return of, learn(of, bag, (nothing, texts, nothing), ids, groups or range(n), marks, lone, C=10.0, **more)


def reads(of: SentencesBlock, reading: Reading, text: str) -> np.ndarray:
    of.take(reading)
    return of.probabilities(of.alone([text]), bag([text]) @ reading.ngrams.T)[0]


@pytest.mark.parametrize("several", [True, False])
def test_marks_teach_to_read(several):
    of, found = learned(*some_marked(), several=several)
    warm, cold, news = (reads(of, found.of_all, f"الشرق {word}") for word in ("شكر", "تهديد", "خبر"))
    assert warm[0] > 0.7 > 0.3 > warm[1]
    assert cold[1] > 0.7 > 0.3 > cold[0]
    assert max(news) < 0.3


def test_an_article_is_read_by_a_model_that_did_not_learn_from_it():
    of, found = learned(*some_marked())
    assert len(found.without) == 5
    assert set(found.fold) == {f"a{i}" for i in range(12)}
    held = found.without[found.fold["a11"]]
    assert held.ngrams[:, 3].tolist() == [0, 0, 0]  # it never met that word
    assert reads(of, found.of_all, "الشرق نادر")[0] > 0.7 > 0.5 > reads(of, held, "الشرق نادر")[0]
    others = [reading for i, reading in enumerate(found.without) if i != found.fold["a11"]]
    assert all(reading.ngrams[0, 3] > 0 for reading in others)


def test_copies_are_read_by_the_same_model():
    texts, marks = some_marked()
    for seed in range(5):
        found = learned(texts, marks, groups=[i % 4 for i in range(12)], seed=seed)[1]
        assert all(found.fold[f"a{i}"] == found.fold[f"a{i % 4}"] for i in range(12))


def test_sentences_that_stand_alone_teach_every_model():
    lone = Lone(["الشرق شكر", "الشرق تهديد", "الشرق خبر"] * 3, [(0,), (1,), ()] * 3)
    of, found = learned([], {}, lone)
    assert found.without == []
    assert found.fold == {}
    assert reads(of, found.of_all, "الشرق شكر")[0] > 0.7
    of, both = learned(["الشرق نادر", "الشرق خبر"], {"a0": Marks(2, {1: (0,)}), "a1": Marks(2, {})}, lone)
    assert len(both.without) == 2
    for reading in both.without:
        assert reads(of, reading, "الشرق تهديد")[1] > 0.7


def test_only_what_was_read_teaches():
    """A sentence behind those read is not taken for one that says nothing, nor one that names no term for anything."""
    texts = ["الشرق شكر. الشرق نادر", "الشرق خبر. الشرق نادر"]
    marks = {"a0": Marks(2, {1: (0,)}), "a1": Marks(2, {})}
    assert not learned(texts, marks)[1].of_all.ngrams[:, 3].any()
    assert learned(texts, {"a0": Marks(3, {1: (0,)}), "a1": Marks(3, {})})[1].of_all.ngrams[:, 3].any()
    assert learned(["شكر", "خبر"], {"a0": Marks(2, {1: (0,)}), "a1": Marks(2, {})})[1] is None


def test_nothing_marked():
    assert learned([], {})[1] is None
    assert learned(["الشرق شكر"], {"elsewhere": Marks(2, {1: (0,)})})[1] is None
    assert learned(["الشرق شكر"], {"a0": Marks(0, {})})[1] is None


@pytest.mark.parametrize("n", [1, 2, 3])
def test_fewer_articles_than_folds(n):
    texts, marks = some_marked(n)
    _, found = learned(texts, marks)
    assert 1 <= len(found.without) <= n
    assert set(found.fold.values()) == set(range(len(found.without)))
    assert all(np.isfinite(part).all() for reading in (found.of_all, *found.without) for part in reading)


def test_the_same_again_gives_the_same_bytes():
    one, two, other = (learned(*some_marked(), seed=seed, n_jobs=jobs)[1] for seed, jobs in ((3, 1), (3, 2), (4, 1)))
    assert one.fold == two.fold != other.fold
    for first, second in zip((one.of_all, *one.without), (two.of_all, *two.without), strict=True):
        assert [part.tobytes() for part in first] == [part.tobytes() for part in second]


# --------------------------------------------------------------------------------------------------- in a whole model

LEFT_OUT = "مشمش"
"""A word that one marked article has and nothing else."""


def with_marks(tmp_path: Path, rows: str, **more: object) -> dict:
    path = tmp_path / "marks.csv"
    path.write_text("id,read,marks\n" + rows, encoding="utf-8")
    statements = {"kind": "sentences", "labels": ["warm"], "marks": str(path), "path": str(ROOT / "seeds/target.toml")}
    return {"words": {"kind": "tfidf", "min_df": 1}, "statements": statements | {"reads": ["words"]} | more}


def featurizer(tmp_path: Path, features: dict) -> Featurizer:
    config = configs.parse(tiny_config(tmp_path, tmp_path, features=features, heads={
        "topics": {"kind": "multilabel", "labels": ["a"], "column": "topics"}}))  # fmt: skip
    return Featurizer(config.features, config.text.normalization)


def test_articles_of_the_training_are_read_by_models_without_them_and_others_by_the_whole(tmp_path):
    texts = [f"موسكو {word}" for word in (["ترحب", "صامتة"] * 6 + [LEFT_OUT])]
    ids = [str(i) for i in range(13)]
    marks = "".join(f"{i},2,{'' if 'صامتة' in text else '1:warm'}\n" for i, text in zip(ids, texts, strict=True))
    made = featurizer(tmp_path, with_marks(tmp_path, marks, C=10.0))
    fields = [""] * 13, texts, [""] * 13
    training = made.fit_transform(*fields, of=Origin(ids, range(13))).toarray()
    column = made.slices["statements"].start + made.sentences["statements"].names.index("warm where most")
    whole = made.transform(*fields).toarray()
    assert whole[12, column] > 0.5 > training[12, column]
    np.testing.assert_array_equal(made.transform(*fields, of=Origin(ids, range(13))).toarray(), training)
    others = made.transform(*fields, of=Origin([f"other {i}" for i in ids], range(13))).toarray()
    np.testing.assert_array_equal(others, whole)


@pytest.mark.parametrize("marks", ["", "elsewhere,2,0:warm\n"])
def test_a_block_that_learned_nothing_measures_nothing(tmp_path, marks):
    made = featurizer(tmp_path, with_marks(tmp_path, marks))
    X = made.fit_transform(["موسكو"], ["خبر من واشنطن"], [""], of=Origin(["a"], [0]))
    assert not X[:, made.slices["statements"]].toarray().any()
    assert not made.reading(X.shape[1] - 5).any()


def test_no_such_file_of_marks(tmp_path):
    made = featurizer(tmp_path, with_marks(tmp_path, "", marks=str(tmp_path / "none.csv")))
    with pytest.raises(InputError, match="no such file of marked sentences"):
        made.fit_transform(["موسكو"], ["خبر"], [""], of=Origin(["a"], [0]))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"reads": ["letters"]}, 'reads: found "letters", expected tfidf blocks with the body: words'),
        ({"reads": ["top"]}, 'reads: found "top", expected tfidf blocks with the body: words'),
        ({"reads": []}, "[features.statements] reads:"),
        ({"labels": []}, "[features.statements] labels:"),
        ({"C": 0}, "[features.statements] C: found 0, expected a number greater than 0"),
        ({"marks": 5}, "[features.statements] marks: found 5, expected a text in quotes"),
        ({"mark": "x"}, "[features.statements] mark: unknown key, did you mean marks?"),
    ],
)  # fmt: skip
def test_mistakes_of_a_config(tmp_path, more, said):
    top = {"top": {"kind": "tfidf", "fields": ["title"]}}
    with pytest.raises(ConfigError) as found:
        configs.parse(tiny_config(tmp_path, tmp_path, features=with_marks(tmp_path, "", **more) | top))
    assert said in str(found.value)


def test_blocks_that_a_config_reads_by_default_must_be_there(tmp_path):
    features = with_marks(tmp_path, "")
    del features["statements"]["reads"]
    with pytest.raises(ConfigError, match='reads: found "characters", expected tfidf blocks with the body: words'):
        configs.parse(tiny_config(tmp_path, tmp_path, features=features))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A model with two blocks of sentences, of some written articles and their marks."""
    place = tmp_path_factory.mktemp("sentences")
    articles, alone = place / "articles.jsonl", place / "alone.jsonl"
    articles.write_text("".join(json.dumps(row) + "\n" for row in some_articles()), encoding="utf-8")
    alone.write_text('{"text": "موسكو ترحب بواشنطن", "says": ["favor"]}\n', encoding="utf-8")
    tree = tiny_config(articles, place / "models", split={"kind": "none", "folds": 2})
    reads = {"kind": "sentences", "marks": str(ROOT / "data/marks/stance.csv"), "alone": str(alone)}
    topics = ["arms_control", "election_interference", "ukraine", "syria"]
    tree["features"] |= {
        "statements": reads | {"labels": ["favor", "against", "neutral"], "path": str(ROOT / "seeds/target.toml")},
        "subjects": {
            "kind": "sentences",
            "labels": topics,
            "several": True,
            "marks": str(ROOT / "data/marks/topics.csv"),
            "path": str(ROOT / "seeds/terms.toml"),
            "reads": ["words"],
            "weight": 0.5,
        },
    }
    tree["heads"]["topics"]["blocks"] = ["words", "characters", "terms", "subjects"]
    tree["heads"]["stance"]["blocks"] = ["statements"]
    path = place / "run.toml"
    path.write_text(as_toml(tree), encoding="utf-8")
    return train.train(configs.load(path), command="mirsad train run.toml")


def test_marks_of_the_project_fit_its_articles(trained):
    """Every mark is on a sentence that there is, and the marked ones are what the block learned from."""
    fields, ids = trained.data.fields(), trained.data.table["id"]
    with (ROOT / "data/marks/stance.csv").open(encoding="utf-8") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    marked = 0
    for number, article in enumerate(ids):
        n = 1 + len(spans_of(fields[1][number], fields[2][number]))
        said = [int(mark.split(":")[0]) for mark in rows[article]["marks"].split()]
        assert max(said, default=0) < n
        marked += bool(said)
    assert marked > 10
    assert all(of.can_read and of.ngrams.any() for of in trained.model.featurizer.sentences.values())


PARTS = [
    "موسكو",
    "واشنطن ترحب",
    "لقاء بوتين وترامب.",
    "في دمشق",
    "كييف؟",
    "مشروع طريق",
    ".",
    "\n",
    " ",
    "ﷺ",
    "😀",
    "معاهدة ستارت",
]
texts = st.lists(st.sampled_from(PARTS), max_size=12).map(" ".join)


@settings(max_examples=30, deadline=None)
@given(articles=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=4))
def test_the_compiled_model_answers_as_the_whole_one(trained, articles):
    model, scorer = trained.model, trained.model.compile()
    fields = tuple(map(list, zip(*articles, strict=True)))
    decisions, answers = model.decisions(model.matrix(fields)), scorer.ask(fields)
    for name in model.heads:
        np.testing.assert_allclose(answers.decisions[name], decisions[name], atol=1e-4)
        for i, article in enumerate(articles):
            alone = scorer.ask(tuple([part] for part in article))
            np.testing.assert_allclose(alone.decisions[name][0], answers.decisions[name][i], atol=1e-9)


def test_a_loaded_model_answers_as_the_trained_one(trained):
    fields, model = trained.data.fields(), trained.model
    expected = model.decisions(model.matrix(fields))
    loaded, scorer = store.load(trained.folder)[0], store.load_scorer(trained.folder)[0]
    for name in model.heads:
        np.testing.assert_array_equal(loaded.decisions(loaded.matrix(fields))[name], expected[name])
        np.testing.assert_allclose(scorer.ask(fields).decisions[name], expected[name], atol=1e-4)


def test_no_articles_have_no_answers(trained):
    answers = trained.model.compile().ask(([], [], []))
    assert [len(found) for found in answers.decided.values()] == [0, 0]


def test_evidence_adds_up_and_lies_in_sentences_that_were_read(trained):
    articles = [Article(row.id, row.title, row.text) for row in trained.data.table.itertuples()][:8]
    articles += [Article("x", "", "زار الوفد المدينة. رحبت موسكو بلقاء واشنطنَ. ثم غادر. وافتتح سوقا جديدا.")]
    articles += [Article("y", "خبر", ""), Article("z", "سوق جديد", "لا شيء هنا.")]
    model, fields = trained.model, split_fields(articles)
    found = explain.explain(model, articles)
    decisions = model.decisions(model.matrix(fields))
    looked = model.featurizer.sentences["statements"].look(*fields)
    normalize = Normalizer(model.featurizer.normalization)
    for i, (article, told) in enumerate(zip(articles, found, strict=True)):
        for name in model.heads:
            np.testing.assert_allclose(told.decision(name), decisions[name][i], atol=1e-6)
        numbers = set(looked.number[looked.article == i].tolist())
        spans = [span for n, span in enumerate(spans_of(fields[1][i], fields[2][i]), 1) if n in numbers]
        for span, weights in zip(told.spans, told.words["stance"], strict=True):  # the head reads sentences alone
            inside = any(a <= span.start < b for a, b in spans) if span.field == "text" else 0 in numbers
            is_word = bool(normalize(getattr(article, span.field)[span.start : span.end]))  # tatweel alone is none
            assert weights.any() == (inside and is_word)
    assert sum(told.words["stance"].any() for told in found) >= 3


# ---------------------------------------------------------------------------------------------------------- spoiled


def _sentences(schema: dict, name: str = "statements") -> dict:
    return attributes(schema, "featurizer")["sentences"]["content"][name]["content"]["content"]


def _page(**more: object) -> partial:
    return partial(edit_page, name="page", change=lambda page: page["sentences"][0].update(more))


def _skops(change) -> partial:
    return partial(edit_schema, change=lambda schema: change(_sentences(schema)))


def _numbers(name: str, make) -> partial:
    return partial(_array, find=lambda schema: _sentences(schema)[name], make=make)


def _gone(name: str) -> partial:
    return partial(edit_arrays, change=lambda arrays: arrays.pop(name) is None)


SPOILED = [
    (SCORER, _as("sentences_0", lambda a: a[:-1]), "weights of sentences has the shape"),
    (SCORER, _as("sentences_0", lambda a: a[:, :-1]), "weights of sentences has the shape"),
    (SCORER, _as("sentences_1", lambda a: a.astype(np.float32)), "weights of sentences is no array of float64"),
    (SCORER, put("sentences_0", np.nan, 0, 0), "weights of sentences holds what is no number"),
    (SCORER, _gone("sentences_1"), "KeyError"),
    (SCORER, _as("cues_0", lambda a: a[:, :-1]), "weights of what sentences name has the shape"),
    (SCORER, _as("cues_0", lambda a: a.astype(float)), "weights of what sentences name is no array of float32"),
    (SCORER, put("cues_1", np.inf, 0, 0), "weights of what sentences name holds what is no number"),
    (SCORER, _as("says_0", lambda a: a[:-1]), "intercept of sentences has the shape"),
    (SCORER, put("says_1", np.nan, 0), "intercept of sentences holds what is no number"),
    (SCORER, _as("reading", lambda a: a[:, :-1].copy()), "read for other outputs"),
    (SCORER, _as("reading", lambda a: a[:-1]), "has the shape"),
    (SCORER, _as("reading", lambda a: a.astype(float)), "is no array of float32"),
    (SCORER, _as("reading", lambda a: a * np.float32("nan")), "no number"),
    (SCORER, _gone("reading"), "its sentences cannot be read"),
    (SCORER, _page(labels=["favor"]), "has the shape"),
    (SCORER, _page(labels=[1, 2, 3]), "what sentences say"),
    (SCORER, _page(several="yes"), "is unclear"),
    (SCORER, _page(every=1), "is unclear"),
    (SCORER, _page(reads=[1]), "blocks that read sentences"),
    (SCORER, _page(terms={"a/b": [1]}), "holds no model"),
    (SCORER, _page(terms={f"{i}/b": ["x"] for i in range(1000)}), "at most 200 groups"),
    (SCORER, partial(edit_page, name="page", change=lambda page: page.update(sentences=[])), "other outputs"),
    (MODEL, _skops(lambda of: of["reads"]["content"].__setitem__(0, text("nowhere"))), "blocks that there are not"),
    (MODEL, _skops(lambda of: of["reads"]["content"].pop()), "by which sentences are read has the shape"),
    (MODEL, _skops(lambda of: of["labels"]["content"].pop()), "has the shape"),
    (MODEL, _skops(lambda of: of.update(several=text("yes"))), "a block of sentences is unclear"),
    (MODEL, _skops(lambda of: of.update(can_read=text("yes"))), "a block of sentences is unclear"),
    (MODEL, _skops(lambda of: of.pop("cues")), "holds no model"),
    (MODEL, _skops(lambda of: of.update(lexicon=text("x"))), "listed terms are none"),
    (MODEL, partial(edit_schema, change=lambda s: attributes(s, "featurizer").update(sentences=text([]))), "no table"),
    (MODEL, _numbers("ngrams", lambda a: a[:, :-1]), "by which sentences are read has the shape"),
    (MODEL, _numbers("ngrams", lambda a: a * np.float32("nan")), "no number"),
    (MODEL, _numbers("cues", lambda a: a.astype(float)), "is no array of float32"),
    (MODEL, _numbers("intercept", lambda a: a[:-1]), "intercept of sentences has the shape"),
]


@pytest.mark.parametrize(("file", "change", "says"), SPOILED, ids=range(len(SPOILED)))
def test_a_spoiled_model_is_refused_and_says_why(trained, tmp_path, file, change, says):
    copy = Path(shutil.copytree(trained.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("report")))
    change(copy)
    with pytest.raises(ModelError, match="holds no model that can be used") as refused:
        (store.load_scorer if file == SCORER else store.load)(copy)
    assert says in str(refused.value)
