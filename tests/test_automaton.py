"""Terms in text: at word starts, behind particles, within one sentence."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.features.automaton import PROCLITICS, Automaton, Hits
from pipeline.text import Normalizer

NORMALIZE = Normalizer()


def found(terms: list[str], text: str) -> list[tuple[str, str]]:
    """Each hit as its term and the characters that it covers."""
    hits = Automaton(terms, NORMALIZE).scan([text])
    text = NORMALIZE(text)
    return [(terms[term], text[start:end]) for term, start, end in zip(hits.term, hits.start, hits.end, strict=True)]


@pytest.mark.parametrize(
    "word", ["سلام", "السلام", "والسلام", "فبالسلام", "بسلام", "للسلام", "وللسلام", "كالسلام", "السَّلامُ", "الســلام"]
)
def test_particles_and_spelling_before_a_word(word):  # fmt: skip
    assert found(["سلام"], f"قال {word}، ثم") == [("سلام", "سلام")]


@pytest.mark.parametrize("word", ["استسلام", "سلامي", "إسلام", "السلامه", "يسلام", "سلام_"])
def test_other_words_are_not_the_term(word):
    assert found(["سلام"], word) == []


def test_an_open_end():
    assert found(["سوري*"], "السوريون في سوريا وسوري") == [("سوري*", "سوري")] * 3
    assert found(["سوري"], "السوريون في سوريا وسوري") == [("سوري", "سوري")]


def test_terms_are_normalized_as_texts_are():
    assert found(["أُسامة"], "اسامه") == [("أُسامة", "اسامه")]


def test_a_word_that_looks_like_it_has_a_particle():
    # بلد may be ب + لد; both terms are found, each where it is
    assert sorted(found(["بلد", "لد"], "بلد")) == [("بلد", "بلد"), ("لد", "لد")]


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("نزع السلاح", "نزع السلاح"),
        ("ونزع  «السلاح»", "نزع  «السلاح"),
        ("نزع-السلاح", "نزع-السلاح"),
        ("نزع. السلاح", None),
        ("نزع؟ السلاح", None),
        ("نزع\nالسلاح", None),
        ("نزع سلاح", None),
        ("نزع السلاحين", None),
        ("نزع", None),
        ("نزع ", None),
    ],
)
def test_terms_of_two_words(text, hit):
    assert found(["نزع السلاح"], text) == ([("نزع السلاح", hit)] if hit else [])


@pytest.mark.parametrize(
    ("text", "sentences", "words"),
    [
        ("", 1, 0),
        (" .؟\n", 1, 0),
        ("كلمة", 1, 1),
        ("جملة أولى. وثانية", 2, 3),
        ("جملة أولى.وليست ثانية", 1, 4),
        ("نسبة 3.5 في المئة", 1, 5),
        ("أحقا؟! نعم… لا", 3, 3),
        ("سطر\n\n\nسطر.\n", 2, 2),
        ("... بداية", 1, 1),
    ],
)
def test_sentences_and_words(text, sentences, words):
    hits = Automaton(["شيء"], NORMALIZE).scan([text])
    assert (hits.sentences.tolist(), hits.words.tolist()) == ([sentences], [words])


def test_hits_know_their_text_sentence_and_word():
    texts = ["لا شيء", "", "أوّلا. السلامُ! والســلام والحرب", "سلام"]
    hits = Automaton(["سلام", "حرب"], NORMALIZE).scan(texts)
    assert hits.text.tolist() == [2, 2, 2, 3]
    assert hits.sentence.tolist() == [1, 2, 2, 0]
    assert hits.term.tolist() == [0, 0, 1, 0]
    assert hits.start.tolist() == [8, 17, 25, 0]
    assert hits.word.tolist() == [6, 14, 22, 0]  # with its particles
    assert hits.sentences.tolist() == [1, 1, 3, 1]


def test_a_term_does_not_run_from_one_text_into_the_next():
    hits = Automaton(["سلام", "سل ام", "سل*"], NORMALIZE).scan(["سل", "ام", "و", "سلام"])
    assert list(zip(hits.text.tolist(), hits.term.tolist(), strict=True)) == [(0, 2), (3, 2), (3, 0)]


@pytest.mark.parametrize("text", ["\ud800سلام", "سلام\udfff", "😀سلام 😀 سلام", "\x00سلام\x00", "سلام" + "\u0301" * 50])
def test_strange_characters_do_no_harm(text):
    hits = Automaton(["سلام"], NORMALIZE).scan([text])
    text = NORMALIZE(text)
    for start, end in zip(hits.start, hits.end, strict=True):
        assert text[start:end] == "سلام"


def test_more_hits_than_room_was_made_for():
    hits = Automaton(["س", "س*"], NORMALIZE).scan(["س " * 3000] * 2)
    assert len(hits.text) == 2 * 2 * 3000
    assert np.bincount(hits.text).tolist() == [6000, 6000]


def test_nothing_to_find_or_nowhere_to_look():
    assert len(Automaton(["سلام"], NORMALIZE).scan([]).text) == 0
    assert len(Automaton([], NORMALIZE).scan(["سلام"]).text) == 0


def by_hand(terms: list[str], text: str) -> set[tuple[int, int, int]]:
    """Start, end and term of each hit, by regular expressions: slow, and plain to see."""
    hits = set()
    for number, term in enumerate(terms):
        words = [re.escape(word) for word in term.removesuffix("*").split()]
        body = r"[ ,]+".join(words) + ("" if term.endswith("*") else r"(?!\w)")
        for particle in ("", *PROCLITICS):
            for match in re.finditer(rf"(?<!\w){particle}(?=({body}))", text):
                hits.add((match.start(1), match.end(1), number))
    return hits


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda words, star: " ".join(words) + star,
            st.lists(st.text("والبسm", min_size=1, max_size=3), min_size=1, max_size=2),
            st.sampled_from(["", "*"]),
        ),
        min_size=1,
        max_size=4,
        unique=True,
    ),
    st.text("والبسm ,.\n", max_size=30),
)
def test_random_terms_are_found_as_regular_expressions_find_them(terms, text):
    hits = Automaton(terms, Normalizer(())).scan([text])
    assert set(zip(hits.start.tolist(), hits.end.tolist(), hits.term.tolist(), strict=True)) == by_hand(terms, text)


RAW = "".join(
    [
        *("سلامأةىو", "\u064b\u0651\u0640", "\ufdfc\ufdfd\ufef7\ufee0"),  # letters, diacritics, ligatures
        *("\u0653\u0654\u0301", "٣3K\u212aİΣσi"),  # marks that compose, digits, cases
        *(" \u00a0.…؟\n_-", "\u200f\u00ad", "😀\U00010400\ud835\udc00"),  # what is no letter, and halves of one
    ]
)


@pytest.mark.parametrize("compiled_from", [0, np.inf])
@settings(max_examples=300, deadline=None)
@given(texts=st.lists(st.text(RAW, max_size=25), max_size=4))
@example(texts=["السَّـلام ﻻ ΑΣ", "ΣΑΣ. İ سلام\u0653"])
def test_raw_texts_have_the_hits_of_normalized_ones(compiled_from, texts):
    terms = [NORMALIZE(term) for term in ("سلام", "سل*", "لا", "ا", "سلام سلام", "σ", "ς", "i", "k*", "3", "ريال")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.features.automaton.COMPILED_FROM", compiled_from)
        hits = Automaton(terms, NORMALIZE).scan(texts)
    expected = Automaton(terms, Normalizer(())).scan([NORMALIZE(text) for text in texts])
    for name in Hits._fields:
        np.testing.assert_array_equal(getattr(hits, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("terms", [["مرحبا😀"], ["".join(chr(0x4E00 + i) for i in range(300))]])
def test_terms_that_no_list_has_are_refused(terms):
    with pytest.raises(ConfigError, match="different characters, none of them an emoji"):
        Automaton(terms, Normalizer())


def test_too_many_terms_are_refused(monkeypatch):
    monkeypatch.setattr("pipeline.features.automaton.MOST_CELLS", 100)
    with pytest.raises(ConfigError, match="2 terms of "):
        Automaton(["مدرسة كبيرة", "بيت"], Normalizer())
