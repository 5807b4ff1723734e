"""Blocks over fields, and scores without a matrix."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from pipeline.errors import ConfigError
from pipeline.features import ArabicTfidfVectorizer, TfidfBlocks, TfidfScorer
from pipeline.features.scorer import Scores

TITLE = ["المحادثات في موسكو", "", "اتفاقٌ جديد 😀", "UN report"]
LEDE = ["قال الوزير إنّ المحادثات ستُستأنف", "لا شيء", "", "e\u0301 ﺍﻟ ﷺ"]
BODY = ["يوم الأحد في موسكو… ٢٠١٨", "في موسكو قال المتحدث", "قال قال قال", "و و ووووووووووووووووو 𝔘"]
ALL = ("title", "lede", "body")


def make(**params) -> ArabicTfidfVectorizer:
    return ArabicTfidfVectorizer(**params)


def several() -> list[tuple[str, tuple[str, ...], ArabicTfidfVectorizer]]:
    return [
        ("words", ALL, make(ngram_range=(1, 2), sublinear_tf=True)),
        ("letters", ALL, make(analyzer="char_wb", ngram_range=(2, 5), norm="l1")),
        ("title", ("title",), make(binary=True, use_idf=False)),
        ("across", ("body", "title"), make(analyzer="char", ngram_range=(1, 6), norm=None)),
        ("back", ("body", "lede"), make(ngram_range=(2, 3), stop_words=["في"], norm=None)),
    ]


def side_by_side(blocks, fit_on, transform):
    """Each vectorizer by itself on the joined fields."""
    made = []
    for _, fields, vectorizer in blocks:
        fit_texts, texts = (
            ["\n".join(parts) for parts in zip(*[dict(zip(ALL, columns, strict=True))[f] for f in fields], strict=True)]
            for columns in (fit_on, transform)
        )
        made.append(vectorizer.fit(fit_texts).transform(texts))
    return sparse.hstack(made, format="csr")


def test_blocks_equal_their_vectorizers_side_by_side() -> None:
    columns = (TITLE, LEDE, BODY)
    expected = side_by_side(several(), columns, columns)
    blocks = TfidfBlocks(several())
    for X in (
        blocks.fit_transform(*columns),
        blocks.transform(*columns),
        blocks.set_params(n_jobs=2).transform(*columns),
    ):
        assert X.shape == expected.shape
        assert X.has_sorted_indices
        np.testing.assert_array_equal(X.indices, expected.indices)
        np.testing.assert_allclose(X.data, expected.data, atol=1e-12)


def test_columns_have_names_and_blocks_have_slices() -> None:
    blocks = TfidfBlocks([("t", ("title",), make()), ("b", ("body", "lede"), make(ngram_range=(2, 2)))])
    X = blocks.fit_transform(["سلام"], ["حرب"], ["نص هنا"])
    assert list(blocks.get_feature_names_out()) == ["t__سلام", "b__نص هنا", "b__هنا حرب"]
    assert blocks.slices == {"t": slice(0, 1), "b": slice(1, 3)}
    assert X.shape == (1, 3)
    assert not hasattr(blocks.blocks[0][2], "terms_")  # what was passed in is not fitted


def test_reweighing_keeps_the_vocabulary_and_learns_idf_from_other_articles() -> None:
    blocks = TfidfBlocks([("t", ("title",), make(norm=None)), ("b", ("body",), make(norm=None))])
    blocks.fit(["سلام حرب"], [""], ["نص"])
    blocks.reweigh(["سلام", "سلام", "كلمة"] * 200, [""] * 600, ["نص"] * 600)
    idf = dict(zip(blocks.get_feature_names_out(), np.concatenate([v.idf_ for *_, v in blocks.blocks_]), strict=True))
    assert idf == pytest.approx(
        {"t__حرب": np.log(601 / 1) + 1, "t__سلام": np.log(601 / 401) + 1, "b__نص": np.log(601 / 601) + 1}
    )
    X = blocks.transform(["سلام"], [""], [""])
    assert X.toarray()[0].tolist() == pytest.approx([0.0, np.log(601 / 401) + 1, 0.0])


def test_given_vocabularies_are_kept() -> None:
    blocks = TfidfBlocks([("t", ("title",), make(vocabulary=["حرب", "سلام"])), ("b", ("body",), make())])
    assert blocks.fit_transform(["سلام", ""], ["", ""], ["نص", "هنا"]).shape == (2, 4)


@pytest.mark.parametrize("way", ["pickle", "skops"])
def test_saved_and_loaded(way: str) -> None:
    blocks = TfidfBlocks(several()).fit(TITLE, LEDE, BODY)
    if way == "pickle":
        loaded = pickle.loads(pickle.dumps(blocks))
    else:
        saved = skops.io.dumps(blocks)
        loaded = skops.io.loads(saved, trusted=skops.io.get_untrusted_types(data=saved))
    assert (loaded.transform(TITLE, LEDE, BODY) != blocks.transform(TITLE, LEDE, BODY)).nnz == 0


def test_mistakes_are_named() -> None:
    with pytest.raises(ConfigError, match="unknown field 'head'"):
        TfidfBlocks([("x", ("head",), make())]).fit([""], [""], [""])
    with pytest.raises(ConfigError, match="without fields"):
        TfidfBlocks([("x", (), make())]).fit([""], [""], [""])
    mixed = [("x", ALL, make()), ("y", ALL, make(normalization=["alef"]))]
    with pytest.raises(ConfigError, match="one normalization"):
        TfidfBlocks(mixed).fit(["سلام"], [""], [""])
    with pytest.raises(ValueError, match="zip"):
        TfidfBlocks([("x", ALL, make())]).fit(["سلام"], [], [""])
    blocks = TfidfBlocks([("x", ALL, make())]).fit(["سلام"], [""], [""])
    with pytest.raises(ValueError, match=r"shape \(1, n_outputs\)"):
        TfidfScorer.compile(blocks, np.zeros((2, 3)))


# ---------------------------------------------------------------------------------------------------------- scores


def plainly(scorer: TfidfScorer, *columns: list[str]) -> Scores:
    n = len(columns[0])
    result = Scores(np.zeros((n, scorer.n_outputs)), np.zeros(n, np.int64), np.zeros(n, np.int64))
    scorer._score_plainly(list(scorer._plan.documents(zip(*columns, strict=True))), result)
    return result


def through_a_file(scorer: TfidfScorer) -> TfidfScorer:
    buffer = io.BytesIO()
    np.savez(buffer, **scorer.state())
    buffer.seek(0)
    return TfidfScorer.from_state(np.load(buffer, allow_pickle=False))


@pytest.fixture(scope="module")
def fitted() -> tuple[TfidfBlocks, np.ndarray, TfidfScorer]:
    blocks = TfidfBlocks(several()).fit(TITLE, LEDE, BODY)
    n_features = max(part.stop for part in blocks.slices.values())
    coef = np.random.default_rng(0).normal(size=(n_features, 3))
    return blocks, coef, through_a_file(TfidfScorer.compile(blocks, coef))


DOCUMENT = st.text(st.sampled_from("المحادثات في موسكو قال و١ Σé\u0301ﷺ😀𝔘\n\u200f…"), max_size=30) | st.text(
    max_size=10
)


@given(st.lists(st.tuples(DOCUMENT, DOCUMENT, DOCUMENT), min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_kernel_and_plain_path_give_what_the_matrix_gives(fitted, articles) -> None:
    blocks, coef, scorer = fitted
    columns = [list(column) for column in zip(*articles, strict=True)]
    expected = blocks.transform(*columns) @ coef
    by_kernel, by_numpy = scorer.scores(*columns), plainly(scorer, *columns)
    np.testing.assert_allclose(by_kernel.scores, expected, atol=1e-4, rtol=1e-6)
    np.testing.assert_allclose(by_numpy.scores, by_kernel.scores, atol=1e-9)
    np.testing.assert_array_equal(by_numpy.known, by_kernel.known)
    np.testing.assert_array_equal(by_numpy.total, by_kernel.total)


def test_known_and_all_ngrams_by_hand() -> None:
    blocks = TfidfBlocks([("w", ("title",), make(ngram_range=(1, 2)))]).fit(["حرب سلام"], [""], [""])
    scorer = TfidfScorer.compile(blocks, np.ones((3, 1)))
    result = scorer.scores(["حرب سلام كلمة", "", "حرب حرب"], [""] * 3, [""] * 3)
    assert result.total.tolist() == [5, 0, 3]  # three words and two pairs; none; two words and a pair
    assert result.known.tolist() == [3, 0, 2]
    np.testing.assert_allclose(result.scores[:, 0], [3 / np.sqrt(3), 0.0, 1.0], rtol=1e-6)


def test_threads_give_the_same_scores(fitted) -> None:
    scorer = fitted[2]
    columns = [column * 30 for column in (TITLE, LEDE, BODY)]
    one = scorer.scores(*columns)
    for n_jobs in (3, -1):
        for many, single in zip(scorer.scores(*columns, n_jobs=n_jobs), one, strict=True):
            np.testing.assert_array_equal(many, single)


def test_loading_and_scoring_one_article_needs_numpy_alone(fitted, tmp_path) -> None:
    np.savez(tmp_path / "scorer.npz", **fitted[2].state())
    code = (
        "import sys, numpy as np; from pipeline.features import TfidfScorer;"
        f"s = TfidfScorer.from_state(np.load({str(tmp_path / 'scorer.npz')!r}, allow_pickle=False));"
        f"print(s.scores({TITLE[:1]!r}, {LEDE[:1]!r}, {BODY[:1]!r}).scores[0].tolist());"
        "print([m for m in ('numba', 'sklearn', 'scipy', 'pandas', 'camel_tools') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    scores, modules = done.stdout.splitlines()
    np.testing.assert_allclose(eval(scores), fitted[2].scores(TITLE[:1], LEDE[:1], BODY[:1]).scores[0], atol=1e-9)
    assert modules == "[]"


def test_a_newer_format_is_refused(fitted) -> None:
    state = fitted[2].state()
    meta = bytes(state["meta"]).replace(b'"format": 1', b'"format": 2')
    with pytest.raises(ValueError, match="format 2"):
        TfidfScorer.from_state({**state, "meta": np.frombuffer(meta, np.uint8)})
