"""The vectorizer against scikit-learn's on the same normalized text, and its own behaviour."""

from __future__ import annotations

import io
import pickle
import random
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.features import ArabicTfidfVectorizer
from pipeline.text import Normalizer

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"

TEXTS = [
    "قالَ الوزير إنّ المحادثات ستُستأنف في موسكو يوم الأحد.",
    "المحادثاتُ بين موسكو وواشنطن حول الأسلحة النووية — لم تُسفر عن اتفاق!",
    "في موسكو، قال المتحدث (الرسمي) إن الاتفاق ممكن… ٢٠١٨/٧/١٥",
    "لا شيء",
    "",
    "UN report 2018: e-mail, CNN وبي‌بي‌سي 😀 𝔘nited ａｂｃ ﷺ x\u0301y",
    "المتحدث المتحدث المتحدث قال قال قال ووووووووووووووووووووووووووواو طويلةجداًبلافراغاتأبداً",
    "日本語 テスト ελληνικά ΣΟΦΟΣ русский हिन्दी ไทย \U00020000\U00020001 ſ ß İ",
]
SHAPES = [
    {},
    {"ngram_range": (1, 2), "sublinear_tf": True},
    {"ngram_range": (2, 4), "norm": "l1"},
    {"ngram_range": (1, 2), "min_df": 2, "max_df": 0.5},
    {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
    {"analyzer": "char_wb", "ngram_range": (1, 8), "norm": None},
    {"analyzer": "char_wb", "ngram_range": (6, 7), "use_idf": False},
    {"analyzer": "char", "ngram_range": (1, 3), "binary": True},
    {"analyzer": "char", "ngram_range": (2, 7), "smooth_idf": False},
    {"ngram_range": (1, 2), "max_features": 7},
    {"analyzer": "char_wb", "ngram_range": (2, 3), "max_features": 20, "dtype": "float32"},
]


def reference(texts: list[str], new: list[str], **params):
    """scikit-learn's matrices, with sorted indices, and feature names."""
    params = {**params, "dtype": np.dtype(params.get("dtype", "float64")).type}
    theirs = TfidfVectorizer(preprocessor=Normalizer(), **params)
    X, Y = theirs.fit_transform(texts), theirs.transform(new)
    X.sort_indices()
    Y.sort_indices()
    return X, Y, list(theirs.get_feature_names_out())


def assert_equal(ours, theirs, tolerance: float = 1e-12) -> None:
    assert ours.shape == theirs.shape
    np.testing.assert_array_equal(ours.indptr, theirs.indptr)
    np.testing.assert_array_equal(ours.indices, theirs.indices)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours.data, theirs.data, atol=1e-6 if ours.dtype == np.float32 else tolerance)


def compare(texts: list[str], new: list[str], **params) -> None:
    try:
        X, Y, names = reference(texts, new, **params)
    except ValueError as error:
        with pytest.raises(ValueError, match=str(error)[:16]):
            ArabicTfidfVectorizer(**params).fit_transform(texts)
        return
    ours = ArabicTfidfVectorizer(**params)
    assert_equal(ours.fit_transform(texts), X)
    assert list(ours.get_feature_names_out()) == names
    assert_equal(ours.transform(new), Y)
    assert_equal(ours.transform(texts), X)
    assert_equal(ours.transform(new), Y)  # all chunks are known by now


def test_counts_by_hand() -> None:
    vectorizer = ArabicTfidfVectorizer(use_idf=False, norm=None, ngram_range=(1, 2))
    X = vectorizer.fit_transform(["ذهبَ إلى المدرسة", "المدرسه المدرسةُ"])
    assert list(vectorizer.get_feature_names_out()) == [
        "المدرسه",
        "المدرسه المدرسه",
        "الي",
        "الي المدرسه",
        "ذهب",
        "ذهب الي",
    ]
    assert X.toarray().tolist() == [[1, 0, 1, 1, 1, 1], [2, 1, 0, 0, 0, 0]]


def test_weights_by_hand() -> None:
    """Two documents, one word in both (idf 1), one in the first alone (idf log(3/2) + 1)."""
    vectorizer = ArabicTfidfVectorizer()
    X = vectorizer.fit_transform(["حرب سلام", "سلام"]).toarray()
    rare = np.log(3 / 2) + 1
    np.testing.assert_allclose(vectorizer.idf_, [rare, 1.0])
    np.testing.assert_allclose(X, [np.array([rare, 1.0]) / np.hypot(rare, 1.0), [0.0, 1.0]])


def test_short_words_count_once_in_char_wb() -> None:
    vectorizer = ArabicTfidfVectorizer(analyzer="char_wb", ngram_range=(4, 5), use_idf=False, norm=None)
    assert vectorizer.fit_transform(["و من"]).toarray().tolist() == [[1.0, 1.0]]
    assert list(vectorizer.get_feature_names_out()) == [" من ", " و "]


@pytest.mark.parametrize("params", SHAPES, ids=str)
def test_equals_scikit_learn(params: dict) -> None:
    compare(TEXTS, [*TEXTS[::2], "نص جديد عن موسكو والمحادثات", "zzz"], **params)


ALPHABET = st.sampled_from(
    "اابتلملمنوهيأإآةى ءَُّْـ\u0654\u0301\u200c\u200f ﻻﷲ…٢a bAΣİéßſ1_-،\n\t\u00a0\u2028\x1c日😀𝔘\U00020000\ud800\udc00"
)
DOCUMENT = st.text(ALPHABET, max_size=40) | st.text(st.characters(), max_size=20)


@given(st.lists(DOCUMENT, min_size=1, max_size=5), st.lists(DOCUMENT, min_size=1, max_size=3), st.sampled_from(SHAPES))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(["\ud800\udc00 ab \U00010000"], ["\U00010000"], SHAPES[4])
@example(["aا\u0654 b"], ["ا\u0654"], SHAPES[0])
@example(["x" * 300 + " " + "x" * 299 + "y"], ["x" * 300], SHAPES[1])
def test_random_unicode_equals_scikit_learn(texts: list[str], new: list[str], params: dict) -> None:
    compare(texts, new, **params)


def real_articles(n: int, every: int) -> list[str]:
    archives = sorted(CORPORA.glob("antcorpus*.tar.gz"))
    if not archives:
        pytest.skip("the archive of ant is not here")
    texts: list[str] = []
    with tarfile.open(archives[0]) as archive:
        for number, member in enumerate(archive):
            if number % every == 0 and member.name.endswith(".txt"):
                texts.append(archive.extractfile(member).read().decode("utf-8", "replace"))
            if len(texts) == n:
                break
    return texts


@pytest.mark.parametrize(
    "params",
    [
        {"ngram_range": (1, 2), "min_df": 2, "sublinear_tf": True},
        {"analyzer": "char_wb", "ngram_range": (2, 5), "min_df": 2, "sublinear_tf": True},
    ],
    ids=str,
)
def test_real_articles_equal_scikit_learn(params: dict) -> None:
    texts = real_articles(400, 20)
    compare(texts[:300], texts[300:], **params)


@pytest.mark.slow
def test_5000_real_articles_equal_scikit_learn_at_the_full_vocabulary() -> None:
    texts = real_articles(5000, 6)
    compare(texts, texts[:10], ngram_range=(1, 2), sublinear_tf=True)
    compare(texts, texts[:10], analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)


@pytest.mark.slow
@pytest.mark.parametrize("params", [SHAPES[1], SHAPES[4], SHAPES[8]], ids=str)
def test_10000_random_strings_equal_scikit_learn(params: dict) -> None:
    draw = random.Random(0)
    common = "اابتلملمنوهيأإآةى ءَُّْـ\u0654\u0301\u200c\u200f ﻻﷲ…٢a bAΣİéßſ1_-،\n\t\u00a0\u2028\x1c日😀𝔘\U00020000\ud800 "
    strings = [
        "".join(
            draw.choice(common) if draw.random() < 0.9 else chr(draw.randrange(0x30000))
            for _ in range(draw.randrange(60))
        )
        for _ in range(10_000)
    ]
    compare(strings[:7000], strings[7000:], **params)


# -------------------------------------------------------------------------------------------------------- behaviour


def test_stop_words_are_normalized_and_passed_over() -> None:
    vectorizer = ArabicTfidfVectorizer(stop_words=["إلى"], ngram_range=(2, 2))
    vectorizer.fit(["ذهب إلى المدرسة"])
    assert list(vectorizer.get_feature_names_out()) == ["ذهب المدرسه"]
    assert vectorizer.transform(["ذهبَ الي المدرسه"]).toarray().tolist() == [[1.0]]
    assert vectorizer.build_analyzer()("ذهب إلى المدرسة") == ["ذهب المدرسه"]


@pytest.mark.parametrize("params", SHAPES[:9], ids=str)
def test_analyzer_lists_what_the_kernel_counts(params: dict) -> None:
    params = {name: params[name] for name in ("analyzer", "ngram_range") if name in params}
    vectorizer = ArabicTfidfVectorizer(use_idf=False, norm=None, **params).fit(TEXTS)
    analyze, names = vectorizer.build_analyzer(), vectorizer.get_feature_names_out()
    for text, row in zip(TEXTS, vectorizer.transform(TEXTS), strict=True):
        counted = dict(zip(names[row.indices], row.data, strict=True))
        assert {ngram: analyze(text).count(ngram) for ngram in set(analyze(text))} == counted


def test_vocabulary_given() -> None:
    vectorizer = ArabicTfidfVectorizer(vocabulary={"سلام": 1, "حرب": 0, "حرب سلام": 2}, ngram_range=(1, 2), norm=None)
    X = vectorizer.fit_transform(["حرب سلام", "سلامٌ كلمة"])
    theirs = TfidfVectorizer(vocabulary={"سلام": 1, "حرب": 0, "حرب سلام": 2}, ngram_range=(1, 2), norm=None)
    np.testing.assert_allclose(X.toarray(), theirs.fit_transform(["حرب سلام", "سلام كلمه"]).toarray())
    assert vectorizer.vocabulary_ == {"سلام": 1, "حرب": 0, "حرب سلام": 2}


def test_idf_can_be_set() -> None:
    fitted = ArabicTfidfVectorizer().fit(TEXTS)
    copy = ArabicTfidfVectorizer(vocabulary=fitted.vocabulary_)
    copy.idf_ = fitted.idf_
    assert_equal(copy.transform(TEXTS), fitted.transform(TEXTS))
    copy.idf_ = 2 * fitted.idf_
    assert_equal(copy.set_params(norm=None).transform(TEXTS), 2 * fitted.set_params(norm=None).transform(TEXTS))
    with pytest.raises(ValueError, match="cannot be set"):
        ArabicTfidfVectorizer(vocabulary=["سلام"], use_idf=False).idf_ = [1.0]
    with pytest.raises(ValueError, match="idf length = 1"):
        copy.idf_ = [1.0]


def test_threads_give_the_same_matrix() -> None:
    vectorizer = ArabicTfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)).fit(TEXTS)
    one = vectorizer.transform(TEXTS * 40)
    for n_jobs in (2, 3, -1):
        assert_equal(vectorizer.set_params(n_jobs=n_jobs).transform(TEXTS * 40), one)
    assert vectorizer.transform([]).shape == (0, one.shape[1])


def test_memory_of_chunks_starts_anew_when_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.features.reader.MOST_CHUNKS", 5)
    for params in SHAPES[1], SHAPES[4], SHAPES[7]:
        vectorizer = ArabicTfidfVectorizer(**params).fit(TEXTS)
        expected = vectorizer.transform(TEXTS)
        for text, row in zip(TEXTS * 3, [*expected, *expected, *expected], strict=True):
            assert_equal(vectorizer.transform([text]), row)


def test_strings_with_equal_keys_are_told_apart() -> None:
    """Long strings are found by a hash; one made to collide must not pass for the other."""
    from pipeline.features import alphabet, kernel
    from pipeline.features.characters import entries
    from pipeline.features.vocabulary import new_lexicon

    lexicon = new_lexicon(8, 100)
    one, other = entries("a" * 20), entries("b" * 20)
    upper, lower = np.uint64(alphabet.LONG | 7), np.uint64(9)
    assert kernel.find_string(lexicon, one, 0, 20, upper, lower, True) == 0
    assert kernel.find_string(lexicon, other, 0, 20, upper, lower, False) == -1
    assert kernel.find_string(lexicon, other, 0, 20, upper, lower, True) == 1
    assert kernel.find_string(lexicon, one, 0, 20, upper, lower, False) == 0
    assert kernel.find_string(lexicon, one, 0, 19, upper, lower, False) == -1


@pytest.mark.parametrize("way", ["pickle", "skops"])
def test_saved_and_loaded(way: str) -> None:
    vectorizer = ArabicTfidfVectorizer(analyzer="char_wb", ngram_range=(2, 3), dtype="float32").fit(TEXTS)
    expected = vectorizer.transform(TEXTS)
    if way == "pickle":
        loaded = pickle.loads(pickle.dumps(vectorizer))
    else:
        saved = skops.io.dumps(vectorizer)
        trusted = skops.io.get_untrusted_types(data=saved)
        assert trusted == ["pipeline.features.tfidf.ArabicTfidfVectorizer"]
        loaded = skops.io.loads(saved, trusted=trusted)
    assert_equal(loaded.transform(TEXTS), expected)
    assert list(loaded.get_feature_names_out()) == list(vectorizer.get_feature_names_out())
    assert loaded.get_params() == vectorizer.get_params()
    assert "_cached_engine" not in loaded.__getstate__()


def test_clone_is_not_fitted() -> None:
    vectorizer = ArabicTfidfVectorizer(min_df=2, normalization=["alef"]).fit(["أحمد سلام", "احمد"])
    copy = clone(vectorizer)
    assert copy.get_params() == vectorizer.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(["سلام"])


def test_normalization_steps_matter() -> None:
    texts = ["إلى", "الى", "الي"]
    assert len(ArabicTfidfVectorizer().fit(texts).vocabulary_) == 1
    assert len(ArabicTfidfVectorizer(normalization=["alef"]).fit(texts).vocabulary_) == 2
    assert len(ArabicTfidfVectorizer(normalization=[]).fit(texts).vocabulary_) == 3
    assert ArabicTfidfVectorizer(normalization=["alef"]).build_preprocessor()("إلى") == "الى"


def test_refitting_and_set_params_leave_nothing_behind() -> None:
    vectorizer = ArabicTfidfVectorizer().fit(["سلام حرب"])
    vectorizer.transform(["سلام"])
    vectorizer.fit(["نص آخر هنا"])
    assert list(vectorizer.get_feature_names_out()) == ["اخر", "نص", "هنا"]
    assert vectorizer.transform(["نص"]).toarray().tolist() == [[0.0, 1.0, 0.0]]
    vectorizer.set_params(norm=None, use_idf=False)
    assert vectorizer.transform(["نص نص"]).toarray().tolist() == [[0.0, 2.0, 0.0]]


@pytest.mark.parametrize(
    ("params", "texts", "message"),
    [
        ({}, "سلام", "string object received"),
        ({}, ["سلام", None], "must be a str, not NoneType"),
        ({}, ["سلام", b"x"], "must be a str, not bytes"),
        ({}, [], "empty vocabulary"),
        ({}, ["، . !"], "empty vocabulary"),
        ({"min_df": 2}, ["سلام"], "max_df corresponds to"),
        ({"min_df": 2}, ["سلام", "حرب"], "no terms remain"),
        ({"ngram_range": (2, 1)}, ["سلام"], "lower boundary larger"),
        ({"analyzer": "syllable"}, ["سلام"], "analyzer"),
        ({"dtype": "int32"}, ["سلام"], "float32 or float64"),
        ({"vocabulary": []}, ["سلام"], "empty vocabulary"),
    ],
)
def test_mistakes_are_named(params: dict, texts: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ArabicTfidfVectorizer(**params).fit(texts)


def test_cached_machine_code_is_used_and_a_compilation_is_announced(tmp_path: Path) -> None:
    code = "from pipeline.features.characters import entries; from pipeline.features import kernel, vocabulary as v;"
    code += "kernel.learn_characters(entries('ab'), __import__('numpy').array([0, 2]), v.new_trie(4), "
    code += "__import__('numpy').empty(4, 'i4'))"
    import os

    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment).stderr
        for _ in range(2)
    ]
    assert said[0].count("Compiling") == 1
    assert said[1] == ""


def test_importing_the_package_stays_light() -> None:
    code = (
        "import sys, pipeline.features; print([m for m in ('numba', 'sklearn', 'scipy', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_large_vocabulary_saves_small() -> None:
    vectorizer = ArabicTfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)).fit(TEXTS)
    buffer = io.BytesIO()
    pickle.dump(vectorizer, buffer)
    assert len(buffer.getvalue()) < 30 * len(vectorizer.idf_) + 2000


@pytest.mark.parametrize("analyzer", ["word", "char_wb", "char"])
def test_a_vocabulary_of_blanks_and_of_nothing_has_its_columns(analyzer: str) -> None:
    """A word of no letters is one word, however often a vocabulary holds it: tables have room for each once."""
    vocabulary = ["", " ", "  ", "a  b", " a", "b ", "سلام", *(" " * n for n in range(3, 60))]
    vectorizer = ArabicTfidfVectorizer(analyzer=analyzer, ngram_range=(1, 2), vocabulary=vocabulary, use_idf=False)
    matrix = vectorizer.transform(["سلام سلام", ""])
    assert matrix.shape == (2, len(vocabulary))
    assert set(matrix.indices) <= ({vocabulary.index("سلام")} if analyzer == "word" else {0, 1, 2, 4, 5})


def test_stop_words_that_are_no_words_stop_nothing() -> None:
    plain = ArabicTfidfVectorizer().fit_transform(["ذهب إلى البيت"])
    odd = ArabicTfidfVectorizer(stop_words=["ـ", "", " ", "ذهب إلى", "!"]).fit_transform(["ذهب إلى البيت"])
    assert (plain != odd).nnz == 0
