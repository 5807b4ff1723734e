"""Normalization: each step by a worked example, all of it against camel-tools, and the map back to the original."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.text import DEFAULT_STEPS, STEPS, Normalizer
from pipeline.text.normalize import CHARACTER_STEPS, CONTEXTUAL

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"

ARABIC = st.text(
    st.sampled_from("ابتثجحخدذرزسشصضطظعغفقكلمنهوي ءآأؤإئىةـًٌٍَُِّْٰٕٓٔٱ٠١٢۳۴ﻻﷲﷺﷻ﷼﷽ﭐکی،؟.\u200c\u200e\ufeff ΣσİÉe\u0301aA1\n😀")
)
ANY = st.text(st.characters()) | ARABIC


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        ("unicode", "\ufefb", "لا"),  # the ligature of lam and alef
        ("unicode", "\ufdfc", "ريال"),  # NFKC alone would give a Persian yeh
        ("unicode", "\ufdfd", "بسم الله الرحمن الرحيم"),
        ("unicode", "ا\u0654", "أ"),  # alef and hamza above compose
        ("diacritics", "مُدَرِّسٌ", "مدرس"),
        ("diacritics", "هٰذا", "هذا"),
        ("tatweel", "ســلام", "سلام"),
        ("marks", "می\u200cخواهم\u200f", "میخواهم"),
        ("marks", "\ufeffنص", "نص"),
        ("alef", "أإآٱا", "ااااا"),
        ("alef_maksura", "على", "علي"),
        ("teh_marbuta", "مدرسة", "مدرسه"),
        ("persian", "کتابی", "كتابي"),
        ("digits", "٢٠١٨ ۲۰۱۸", "2018 2018"),
        ("lowercase", "CNN", "cnn"),
    ],
)
def test_each_step_alone(step: str, text: str, expected: str) -> None:
    assert Normalizer([step])(text) == expected
    others = Normalizer([name for name in STEPS if name not in (step, "unicode")])
    assert step == "unicode" or others(text) != expected


def test_all_steps_together() -> None:
    assert Normalizer()("إلـــى المدرسَةِ في ٢٠١٨، CNN") == "الي المدرسه في 2018، cnn"


def test_no_steps_change_nothing() -> None:
    text = "إلـــى المدرسَةِ ﻻ CNN"
    assert Normalizer([])(text) == text


def test_order_of_the_list_does_not_matter() -> None:
    assert Normalizer(reversed(DEFAULT_STEPS)) == Normalizer()
    assert Normalizer(reversed(DEFAULT_STEPS)).steps == DEFAULT_STEPS


def test_no_step_makes_what_a_later_step_reads() -> None:
    read = {character for mapping in CHARACTER_STEPS.values() for character in mapping}
    made = {target for mapping in CHARACTER_STEPS.values() for target in mapping.values()}
    assert not read & made


def test_version_names_the_steps_and_differs_with_them() -> None:
    versions = {Normalizer(STEPS[:n]).version for n in range(len(STEPS) + 1)}
    assert len(versions) == len(STEPS) + 1
    assert Normalizer(["alef", "digits"]).version.startswith("alef+digits@")


def test_unknown_step_is_named() -> None:
    with pytest.raises(ConfigError, match="'alif'"):
        Normalizer(["alif"])


# ----------------------------------------------------------------------------------------------------- camel-tools


@pytest.fixture(scope="module")
def camel() -> dict[str, object]:
    """camel-tools' own functions, by the name of our step."""
    dediac = pytest.importorskip("camel_tools.utils.dediac")
    normalize = pytest.importorskip("camel_tools.utils.normalize")
    return {
        "unicode": normalize.normalize_unicode,
        "diacritics": dediac.dediac_ar,
        "alef": normalize.normalize_alef_ar,
        "alef_maksura": normalize.normalize_alef_maksura_ar,
        "teh_marbuta": normalize.normalize_teh_marbuta_ar,
    }


BASIC_PLANE = [chr(code) for code in range(0x10000)]


@pytest.mark.parametrize("step", ["unicode", "diacritics", "alef", "alef_maksura", "teh_marbuta"])
def test_step_equals_camel_tools_on_the_basic_plane(camel: dict, step: str) -> None:
    ours, theirs = Normalizer([step]), camel[step]
    assert [ours(character) for character in BASIC_PLANE] == [theirs(character) for character in BASIC_PLANE]


def through_camel(camel: dict, text: str) -> str:
    """Every step, camel-tools' own where it has one."""
    for step in STEPS:
        if step in camel:
            text = camel[step](text)
        elif step == "lowercase":
            text = text.lower()
        else:
            for character, target in CHARACTER_STEPS[step].items():
                text = text.replace(character, target)
    return text


def test_all_steps_equal_camel_tools_in_context(camel: dict) -> None:
    normalizer = Normalizer()
    for before, after in [("ا", "ب"), ("Σ", "\u0301")]:
        texts = [before + character + after for character in BASIC_PLANE]
        assert [normalizer(text) for text in texts] == [through_camel(camel, text) for text in texts]


def test_real_articles_equal_camel_tools(camel: dict) -> None:
    archives = sorted(CORPORA.glob("antcorpus*.tar.gz"))
    if not archives:
        pytest.skip("the archive of ant is not here")
    texts: list[str] = []
    with tarfile.open(archives[0]) as archive:
        for member in archive:
            if member.name.endswith(".txt"):
                texts.append(archive.extractfile(member).read().decode("utf-8", "replace"))
            if len(texts) == 1000:
                break
    normalizer = Normalizer()
    assert [normalizer(text) for text in texts] == [through_camel(camel, text) for text in texts]
    for text in texts[::50]:
        assert normalizer.with_offsets(text)[0] == normalizer(text)


# ------------------------------------------------------------------------------------------------------ properties


@given(ANY, st.sets(st.sampled_from(STEPS)) | st.just(set(STEPS)))
@settings(max_examples=300, deadline=None)
@example("ΑΣ ΑΣΑ", {"lowercase"})
@example("İ", {"lowercase"})
@example("\ud800", set(STEPS))
def test_table_and_plain_path_agree_and_offsets_are_sound(text: str, steps: set[str]) -> None:
    normalizer = Normalizer(steps)
    expected = normalizer.plainly(text)
    assert normalizer(text) == expected
    normalized, offsets = normalizer.with_offsets(text)
    assert normalized == expected
    assert len(offsets) == len(normalized) + 1
    assert offsets[-1] == len(text)
    assert (np.diff(offsets) >= 0).all()
    assert (offsets >= 0).all()


@given(ANY, st.sets(st.sampled_from(STEPS)) | st.just(set(STEPS)))
@settings(max_examples=300, deadline=None)
@example("ΑΣ İ \U00010400\ud800", set(STEPS))
def test_a_composed_text_is_the_sum_of_its_characters(text: str, steps: set[str]) -> None:
    normalizer = Normalizer(steps)
    composed = normalizer.composed(text)
    becomes = normalizer.characters
    codes = [becomes[ord(c)] if c <= "\uffff" else ord(c.lower() if "lowercase" in steps else c) for c in composed]
    said = [chr(ord(c) if code == -2 else code) for c, code in zip(composed, codes, strict=True) if code != -1]
    assert "".join(said) == normalizer(text)


def test_what_a_table_of_characters_cannot_tell() -> None:
    becomes = Normalizer().characters
    assert [chr(code) for code in np.nonzero(becomes == -2)[0] if not 0xD800 <= code < 0xE000] == list(CONTEXTUAL)
    kept = becomes[becomes >= 0]
    assert (becomes[kept] == kept).all()  # a normalized text stays what it is
    assert all(len(chr(code).lower()) == 1 and chr(code).lower() > "\uffff" for code in range(0x10000, 0x110000))


def test_offsets_lead_back_to_the_original() -> None:
    original = "قالَ: ﻻ ســلام"
    normalized, offsets = Normalizer().with_offsets(original)
    assert normalized == "قال: لا سلام"
    start = normalized.index("سلام")
    assert original[offsets[start] : offsets[start + 4]] == "ســلام"
    lam = normalized.index("لا")
    assert offsets[lam] == offsets[lam + 1] == original.index("ﻻ")
    assert original[offsets[0] : offsets[3]] == "قالَ"


def test_offsets_where_a_base_composes_with_its_mark() -> None:
    normalized, offsets = Normalizer(["unicode"]).with_offsets("xا\u064e\u0654y")
    assert normalized == "xأ\u064ey"
    assert offsets[[0, 1, 3, 4]].tolist() == [0, 1, 4, 5]


def test_import_is_light() -> None:
    code = (
        "import sys; from pipeline.text import Normalizer; Normalizer()('نصّ');"
        "print([m for m in ('camel_tools', 'numba', 'sklearn', 'scipy', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
