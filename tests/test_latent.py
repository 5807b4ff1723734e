"""Words in like company come to lie together, and share what one of them earned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from pipeline.config import LatentBlock, TfidfBlock
from pipeline.features import latent
from pipeline.features.featurizer import Featurizer
from pipeline.text import DEFAULT_STEPS

SEA = [words.split() for words in ("سفينه تبحر في بحر واسع", "قارب يبحر في بحر واسع", "سفينه قارب في بحر")] * 5
DESERT = [words.split() for words in ("جمل يسير في رمل حار", "ناقه تسير في رمل حار", "جمل ناقه في رمل")] * 5


def likeness(found: latent.Vectors, one: str, other: str) -> float:
    a, b = (found.coordinates[found.words.index(word)] for word in (one, other))
    return float(a @ b)


def test_words_lie_by_their_company():
    found = latent.learn([], SEA + DESERT, components=2, max_words=100)
    assert found.words == sorted(found.words)
    np.testing.assert_allclose(np.linalg.norm(found.coordinates, axis=1), 1)
    assert likeness(found, "سفينه", "قارب") > likeness(found, "سفينه", "ناقه") + 0.3
    assert not found.documents.any()


def test_own_words_count_more_and_in_documents():
    found = latent.learn([["سلام", "سلام"], ["سلام", "بحر"]], SEA, components=2, max_words=100)
    assert found.documents[found.words.index("سلام")] == 2
    assert found.documents[found.words.index("بحر")] == 1
    assert "سلام" in found.words  # three times five


def test_pairs_are_counted_within_the_window_and_an_article():
    number = {"a": 0, "b": 1}
    far = ["a", *["x"] * latent.WINDOW, "b"]
    assert latent._together([["a", "b", "b"], far, ["a"], ["b"]], number).toarray().tolist() == [[0, 2], [0, 1]]


def test_reading_stops_at_so_many_words():
    assert list(latent._first([["a"] * 3, ["b"] * 3, ["c"]], 6)) == [["a"] * 3, ["b"] * 3]


def test_too_few_words_are_a_mistake():
    with pytest.raises(ValueError, match="hardly a word"):
        latent.learn([["a"]], [["b"]], 2, 10)


def test_a_block_ties_weights_and_leaves_plain_words():
    texts = [" ".join(words) for words in (*SEA[:3], *DESERT[:3])]
    nothing = [""] * len(texts)
    background = ([""] * 30, [" ".join(words) for words in SEA + DESERT], [""] * 30)
    features = Featurizer(
        {"words": TfidfBlock(kind="tfidf"), "meaning": LatentBlock(kind="latent", components=4, weight=0.5)},
        list(DEFAULT_STEPS),
    )
    X = features.fit_transform(nothing, texts, nothing, background=background)
    tie = features.tie(None)
    n_words, n_latent = (of.stop - of.start for of in features.slices.values())
    assert X.shape == (6, n_words + n_latent)
    assert tie.shape == (n_words + n_latent, n_words + 4)
    np.testing.assert_allclose(np.sqrt(X[:, n_words:].power(2).sum(axis=1)), 0.5)
    assert features.tie(["words"]) is None
    assert vars(features).keys() - features.__getstate__().keys() == {
        "_latent",
        "_coordinates",
        "_marked",
        "_read",
        "_reweighed",
    }


def test_directions_join_words_of_the_same_articles():
    # singular values 2, 1.7 and 1: the first two directions are the last word, and (1, 2, 1, 0) by its length
    X = sparse.csr_matrix(np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 2]], dtype=float))
    found = latent.directions(X, 2)
    np.testing.assert_allclose(found.T @ found, np.eye(2), atol=1e-6)
    tied = found @ found.T  # what a weight of one word gives to the others
    np.testing.assert_allclose(tied[0], [1 / 6, 2 / 6, 1 / 6, 0], atol=1e-6)  # never beside the third, and yet tied
    np.testing.assert_allclose(tied[3], [0, 0, 0, 1], atol=1e-6)


def test_company_of_articles_is_learned_once_from_the_others():
    texts = [" ".join(words) for words in (*SEA[:3], *DESERT[:3])]
    nothing = [""] * len(texts)
    background = latent.Background(([""] * 30, [" ".join(words) for words in SEA + DESERT], [""] * 30))
    block = {"together": LatentBlock(kind="latent", company="article", components=3)}
    first, second = (Featurizer(block, list(DEFAULT_STEPS)) for _ in range(2))
    first.fit_transform(nothing, texts, nothing, background=background)
    second.fit_transform(nothing[:2], texts[:2], nothing[:2], background=background)
    assert list(background.learned) == ["together"]
    assert second.names().tolist() == first.names().tolist()
    assert (second.tie(None) != first.tie(None)).nnz == 0
    assert "ناقه" in second.names()  # which its own two articles do not have
