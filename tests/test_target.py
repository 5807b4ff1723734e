"""What an article says where it speaks of a stance's target; worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.features.lexicon import Lexicon
from pipeline.features.target import TERM_SCALE, TargetBlock

SIDES = Lexicon({"here/terms": ["شرق"], "there/terms": ["غرب"], "both/terms": ["القمه"], "others/terms": ["جنوب"]})
POLARITY = Lexicon({"warm/terms": ["تعاون", "شكر"], "cold/terms": ["تهديد"]})
BLOCK = TargetBlock(SIDES, POLARITY)


def measured(title: str, lede: str, body: str, block: TargetBlock = BLOCK) -> dict[str, float]:
    texts = [title], [lede], [body]
    return dict(zip(block.names, block.measure(*texts).matrix(len(block.names)).toarray()[0], strict=True))


def test_an_article_by_hand():
    # title: one side. lede: both sides, then neither. body: one side with a third party; the target by its own name
    found = measured("زيارة إلى الشرق", "لقاء الشرق والغرب. كلام آخر", "الشرق والجنوب. ثم القمة. وداعا")
    assert found["about target, sentences"] == pytest.approx(np.log1p(2))
    assert found["about target, share of sentences"] == pytest.approx(2 / 6)  # the title is one of six
    # four sentences name a side or the target: title, the first, the third, the fourth
    assert found["about target, share of those that name a side"] == pytest.approx(2 / 4)
    assert found["about target, early"] == 1
    assert found["about target, title"] == 0
    assert found["about target, lede"] == 1 / 2
    assert [found[f"about target, {n} sentences or more"] for n in (1, 2, 3, 5)] == [1, 1, 0, 0]
    assert found["scarcer side, share of sentences"] == pytest.approx(1 / 6)  # there: once; here: three times
    assert found["scarcer side against the other"] == pytest.approx(1 / 3)
    assert found["every side, title"] == 0
    assert found["every side, title or lede"] == 1
    assert found["here, title"] == 1
    assert found["there, title"] == 0
    assert found["here, share of sentences"] == pytest.approx(3 / 6)
    assert found["there, absent"] == 0
    assert found["others, apart"] == pytest.approx(1 / 6)
    assert found["others, about target"] == 0


def test_sides_in_two_sentences_do_not_meet():
    found = measured("", "هنا الشرق. هناك الغرب", "")
    assert found["about target, sentences"] == 0
    assert found["every side"] == 1


def test_polarity_counts_where_the_sides_meet_and_in_a_title_that_names_one():
    term = "about target: {}".format
    found = measured("شكر للشرق", "تعاون الشرق والغرب وتعاون. تهديد الجنوب", "تعاون. القمة: تهديد")
    assert found[term("شكر")] == pytest.approx(TERM_SCALE)
    assert found[term("تعاون")] == pytest.approx(TERM_SCALE * (1 + np.log(2)))  # not the third, which is of nothing
    assert found[term("تهديد")] == pytest.approx(TERM_SCALE)
    assert measured("شكر للجنوب", "", "")[term("شكر")] == 0


def test_an_article_of_nothing():
    found = measured("", "", "")
    assert {name for name, value in found.items() if value} == {"here, absent", "there, absent"}


def test_one_side_alone_is_a_target():
    block = TargetBlock(Lexicon({"here/terms": ["شرق"]}), POLARITY)
    found = measured("", "تعاون الشرق", "", block)
    assert found["about target, lede"] == 1
    assert not any(name.startswith("others") for name in found)


def test_no_side_is_a_mistake():
    with pytest.raises(ConfigError, match="at least one side"):
        TargetBlock(Lexicon({"both/terms": ["القمه"]}), POLARITY)


def test_scores_without_a_matrix_and_articles_by_themselves():
    articles = [
        ("الشرق والغرب", "تعاون وتعاون الشرق والغرب", "تهديد"),
        ("", "القمة تهديد", "الجنوب. الغرب"),
        ("شكر الغرب", "", "لا شيء"),
    ]
    texts = list(zip(*articles, strict=True))
    measures = BLOCK.measure(*texts)
    matrix = measures.matrix(len(BLOCK.names))
    coef = np.random.default_rng(0).normal(size=(len(BLOCK.names), 2))
    np.testing.assert_allclose(measures.scores(coef), matrix @ coef, atol=1e-12)
    for i, article in enumerate(articles):
        assert list(measured(*article).values()) == matrix[i].toarray()[0].tolist()


def test_columns_speak_of_the_words_that_they_measure():
    texts = ["الشرق"], ["تعاون الشرق والغرب"], [""]
    spoken = BLOCK.spoken(*texts)
    column = BLOCK.names.index("about target: تعاون")
    (hit,) = np.nonzero(spoken.column == column)[0]
    assert (spoken.zone[hit], texts[1][0][spoken.start[hit] : spoken.end[hit]]) == (1, "تعاون")
    values = BLOCK.measure(*texts).matrix(len(BLOCK.names)).toarray()[0]
    # every measure that is not 0 points to words, except that somebody is absent
    assert {i for i, name in enumerate(BLOCK.names) if values[i] and "absent" not in name} <= set(spoken.column)
