"""From text straight to linear scores (plain version: builds the matrix inside)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.features.blocks import TfidfBlocks

Texts = Sequence[str]


class Scores(NamedTuple):
    """What the scorer says of n documents.

    Attributes
    ----------
    scores : ndarray of shape (n, n_outputs), dtype float64
        ``X @ coef``, without any intercept.
    known, total : ndarray of shape (n,), dtype int64
        N-gram occurrences that the vocabulary has, and all of them.
    """

    scores: NDArray[np.float64]
    known: NDArray[np.int64]
    total: NDArray[np.int64]


class TfidfScorer:
    """Linear scores of raw articles without their matrix."""

    def __init__(self, state: dict[str, NDArray[Any]]) -> None:
        self._state = state
        from pipeline.features.blocks import TfidfBlocks
        from pipeline.features.tfidf import ArabicTfidfVectorizer

        self._blocks = TfidfBlocks([])
        for block in json.loads(bytes(state["blocks"]).decode()):
            vectorizer = ArabicTfidfVectorizer(**block["params"])
            vectorizer.set_params(vocabulary=block["terms"])
            vectorizer.fit(["نص"])
            vectorizer._inner.idf_ = np.asarray(block["idf"])
            self._blocks.blocks.append((block["name"], tuple(block["fields"]), vectorizer))

    @classmethod
    def compile(cls, blocks: TfidfBlocks, coef: NDArray[Any]) -> TfidfScorer:
        """From fitted blocks and weights of shape (n_features, n_outputs)."""
        spelled = [
            {
                "name": name, "fields": fields, "params": vectorizer.get_params(),
                "terms": list(vectorizer.get_feature_names_out()), "idf": vectorizer.idf_.tolist(),
            }
            for name, fields, vectorizer in blocks.blocks
        ]
        return cls({"blocks": np.frombuffer(json.dumps(spelled).encode(), np.uint8), "coef": np.asarray(coef)})

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything that `from_state` needs, as arrays for ``np.savez``."""
        return dict(self._state)

    @classmethod
    def from_state(cls, state: dict[str, NDArray[Any]]) -> TfidfScorer:
        """Build the scorer again from what `state` returned."""
        return cls(dict(state))

    def scores(self, title: Texts, lede: Texts, body: Texts, *, n_jobs: int = 1) -> Scores:
        """Score articles, given as three parallel lists of raw text."""
        X = self._blocks.transform(title, lede, body)
        counted = np.zeros(len(title), np.int64)
        total = np.zeros(len(title), np.int64)
        from pipeline.features.blocks import join

        for _, fields, vectorizer in self._blocks.blocks:
            analyze, known = vectorizer._inner.build_analyzer(), vectorizer.vocabulary_
            for i, text in enumerate(join(fields, title, lede, body)):
                ngrams = analyze(text)
                total[i] += len(ngrams)
                counted[i] += sum(ngram in known for ngram in ngrams)
        return Scores(np.asarray(X @ self._state["coef"], np.float64), counted, total)
