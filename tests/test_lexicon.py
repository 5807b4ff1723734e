"""Several lexicons, looked for in one pass."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.features.lexicon import NOTHING, Lexicon, Lexicons, Measures
from pipeline.features.listed import Listed
from pipeline.features.pair import PairBlock
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock

WAR = Lexicon({"war": ["حرب", "معركة*", "هدنة"], "peace": ["سلام", "هدنه"]})  # one term in two spellings
SIDES = Lexicon({"here/terms": ["شرق", "سَلام"], "there/terms": ["غرب"], "both/terms": ["حرب*"]})
NONE = Lexicon({"none": []})
ARTICLES = (
    ["الحرب والسلام", ""],
    ["لقاء الشرق والغرب. معركةٌ ثم هُدنة.", "سلام"],
    ["سلام. حروب الشرق وحربه؟ غرب", ""],
)

texts = st.lists(st.sampled_from(["حرب", "السَّلام", "هدنة", "وشرق", "غرب", "معركتهم", "كلام", ".", "\n"]), max_size=8)


def assert_same(found, expected) -> None:
    for name in expected._fields:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_terms_are_told_apart_by_their_lexicons():
    one, other = Lexicons([WAR, SIDES]).find(["الحرب"], ["سلام. غرب"], [""])
    assert [WAR.terms[i] for i in one.term] == ["حرب", "سلام"]
    assert [SIDES.terms[i] for i in other.term] == ["حرب*", "سَلام", "غرب"]
    assert (one.sentence.tolist(), other.sentence.tolist()) == ([0, 1], [0, 1, 2])
    assert one.zone.tolist() == other.zone.tolist() == [0, 1, 1, 2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts), max_size=3))
def test_one_pass_finds_what_each_lexicon_finds_alone(articles):
    fields = [[" ".join(article[zone]) for article in articles] for zone in range(3)]
    lexicons = [WAR, NONE, SIDES]
    for found, lexicon in zip(Lexicons(lexicons).find(*fields), lexicons, strict=True):
        assert_same(found, lexicon.find(*fields))


def test_no_lexicon_and_no_article():
    assert Lexicons([]).find(*ARTICLES) == []
    assert_same(WAR.find([], [], []), NOTHING)


def test_blocks_measure_together_what_they_measure_alone():
    pair = PairBlock(Lexicon({"move/up": ["صعد*"], "move/down": ["هبط*"]})).fit(*ARTICLES)
    blocks = [TargetBlock(SIDES, WAR), pair, TermsBlock(WAR, counts=True)]
    for block, together in zip(blocks, Listed(blocks).measure(*ARTICLES), strict=True):
        alone: Measures = block.measure(*ARTICLES)
        assert together.dense.any()
        n = len(block.names)
        np.testing.assert_array_equal(together.matrix(n).toarray(), alone.matrix(n).toarray())
