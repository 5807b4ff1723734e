"""Evidence adds up, and lies on the words that it speaks of."""

from __future__ import annotations

import json

import numpy as np
import pytest
from report_data import real, settings, trained

from pipeline import dataset, explain, rows
from pipeline import model as models
from pipeline.articles import Article, split_fields
from pipeline.estimators import Linear
from pipeline.text import Normalizer


def test_hand_made_weights_lie_on_their_words(tmp_path):
    config = settings(tmp_path, features={"words": {"kind": "tfidf", "analyzer": "word", "min_df": 1}})
    featurizer = models.Featurizer(config.features, config.text.normalization)
    featurizer.fit_transform(["سلام حرب"], ["سلام"], [""])
    head = trained()[2].heads["topics"]
    # columns in order: حرب, سلام; title and lede give حرب once and سلام twice: 1 + ln 2 by sublinear counting
    assert list(featurizer.names()) == ["حرب", "سلام"]
    head = type(head)(
        **vars(head) | {"blocks": None, "linear": Linear(np.array([[2.0, -1.0], [0.0, 3.0]]), np.ones(2))}
    )
    model = models.Model(featurizer, {"topics": head})
    found = explain.explain(model, [Article("x", "سلامٌ، حَرْب", "«سـلام»!")])[0]
    words = [(span.field, span.start, span.end) for span in found.spans]
    assert words == [("title", 0, 5), ("title", 7, 12), ("text", 1, 6)]
    twice = 1 + np.log(2)
    norm = np.hypot(1, twice)  # both words are in every document, so their idf is equal
    expected = np.array([[-twice / 2, 3 * twice / 2], [2, 0], [-twice / 2, 3 * twice / 2]]) / norm
    np.testing.assert_allclose(found.words["topics"], expected)
    assert found.measures["topics"] == {}
    np.testing.assert_allclose(found.decision("topics"), [1 + (2 - twice) / norm, 1 + 3 * twice / norm])


@pytest.mark.parametrize("analyzer", ["word", "char_wb", "char"])
def test_every_analyzer_is_placed_whole(analyzer, tmp_path):
    config = settings(tmp_path, features={"x": {"kind": "tfidf", "analyzer": analyzer, "ngram_range": [1, 3]}})
    _, data, _, _ = trained()
    model = models.fit(config, data, np.arange(len(data)))
    articles = [Article("x", "أنباء  من حلب\t", "تواصل القصف\n\n على\u00a0أحياء المدينة ﷺ و«سورية».")]
    found = explain.explain(model, articles)[0]
    decision = model.decisions(model.matrix(split_fields(articles)))
    for head in model.heads:
        np.testing.assert_allclose(found.decision(head), decision[head][0], atol=1e-9)
        # blanks alone are n-grams of characters too; nothing else may be without a place
        assert all(name.split(": ", 1)[1].strip() == "" for name in found.measures[head])


def _check_sums(model, articles):
    decisions = model.decisions(model.matrix(split_fields(articles)))
    for i, found in enumerate(explain.explain(model, articles)):
        for head in model.heads:
            np.testing.assert_allclose(found.decision(head), decisions[head][i], rtol=0, atol=1e-6)
            # a side that is absent stands nowhere; everything else has a place
            assert all(name.endswith(", absent") for name in found.measures[head])


def test_parts_add_up_to_the_decision():
    _, data, model, _ = trained()
    _check_sums(model, [Article(r.id, r.title, r.text) for r in data.table.itertuples()])


def test_parts_add_up_on_real_articles():
    _check_sums(trained()[2], real("ant", 200))


def test_each_place_holds_its_feature_on_real_articles():
    model = trained()[2]
    articles = real("ant", 100) + real("osac", 100)
    normalize = Normalizer(model.featurizer.normalization)
    explainer = explain.Explainer(model)
    names = model.featurizer.names()
    checked = 0
    for article, parts in zip(articles, zip(*split_fields(articles), strict=True), strict=True):
        page = explain._Page(article, parts, normalize)
        for start, fields, occurrences in explainer.blocks:
            columns, units, _ = occurrences(*page.joined(fields))
            for column, unit in {(c + start, u) for c, u in zip(columns.tolist(), units.tolist(), strict=True)}:
                field, first, last = page.spans[unit]
                shown = normalize(getattr(article, field)[first:last])
                if occurrences.analyzer == "word":
                    assert any(word in shown for word in names[column].split()), (names[column], shown)
                else:
                    assert names[column].strip(" \"'«»“”()[]{}.,،؛:!؟?-–…/*%+") in shown, (names[column], shown)
                checked += 1
    assert checked > 10_000


def test_listed_terms_are_placed_on_themselves():
    model = trained()[2]
    block = model.featurizer.lexical["terms"]
    texts = ["أنباء من دمشق"], ["وصل الوفد إلى دمشق."], ["ثم غادر. وعاد إلى دمشق."]
    said = block.spoken(*texts)
    values = block.measure(*texts).dense[0]
    assert set(np.nonzero(values)[0]) == set(said.column.tolist())  # what is measured has a place, and nothing else
    for zone, start, end in zip(said.zone, said.start, said.end, strict=True):
        assert texts[zone][0][start:end].endswith("دمشق")
    early = block.names.index("syria/terms early")
    assert said.zone[said.column == early].tolist() == [1]


def test_target_measures_are_placed():
    block = trained()[2].featurizer.lexical["target"]
    texts = ["لقاء"], ["رحبت واشنطن وموسكو بالمحادثات البناءة."], ["وأدانت روسيا القصف."]
    said, values = block.spoken(*texts), block.measure(*texts).matrix(len(block.names)).toarray()[0]
    assert set(np.nonzero(values)[0]) <= set(said.column.tolist())
    sides = {
        texts[z][0][a:b] for c, z, a, b in zip(said.column, said.zone, said.start, said.end, strict=True) if c == 0
    }
    assert sides == {"واشنطن", "وموسكو"}


def test_rows_tell_the_words_that_decided():
    _, data, model, _ = trained()
    articles = [Article(r.id, r.title, r.text) for r in data.table.head(9).itertuples()]
    explained = next(explain.explained(model, [articles], model="tiny@0"))
    assert explained[0]["evidence"].keys() == {"syria", "ukraine", "favor", "against", "neutral"}
    plain = rows.label(model.compile(), articles, model="tiny@0")
    for row, expected, article in zip(explained, plain, articles, strict=True):
        json.dumps(row, allow_nan=False)
        for label, sides in row.pop("evidence").items():
            for side, sign in (("for", 1), ("against", -1)):
                weights = [word["weight"] * sign for word in sides[side]]
                assert weights == sorted(weights, reverse=True) and min(weights, default=1) >= 0, label
                for word in sides[side]:
                    assert getattr(article, word["field"])[word["start"] : word["end"]] == word["text"]
        assert row == expected


def test_hostile_text_is_explained_too():
    model = trained()[2]
    articles = [
        Article("empty", "", ""),
        Article("marks", "ًٌَُ", "\u202eَ\u200f ـــ"),
        Article("long", "", "ب" * 20_000),
        Article("mixed", "<b>دمشق</b>", "Syria/سوريا\x00 =cmd ﷽ ﷺ \ud800 دمشـــق"),
    ]
    decisions = model.decisions(model.matrix(split_fields(articles)))
    for i, found in enumerate(explain.explain(model, articles)):
        for head in model.heads:
            np.testing.assert_allclose(found.decision(head), decisions[head][i], atol=1e-6)


def test_two_exclusive_labels_share_an_output(tmp_path):
    config = settings(tmp_path, heads={"x": {"kind": "single", "labels": ["none", "syria"], "column": "topics"}})
    _, data, _, _ = trained()
    y = (data.table["topics"] == "syria").to_numpy().astype(int)
    data = dataset.Dataset(data.table, {"x": y}, data.groups, data.rejects)
    model = models.fit(config, data, np.arange(len(data)))
    found = explain.explain(model, [Article("x", "أنباء من حلب", "تواصل القصف على أحياء المدينة السورية.")])[0]
    rule = model.heads["x"]
    np.testing.assert_array_equal(found.weights(rule, "syria"), -found.weights(rule, "none"))
    assert found.weights(rule, "syria").sum() > 0
