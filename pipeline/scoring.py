"""Ask a model in production: from text straight to answers, with numpy and compiled code only.

A `Scorer` is what `Model.compile` makes of a fitted model: flat arrays and a page of JSON, which load in milliseconds
and bring in none of the libraries that training needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.articles.parts import top
from pipeline.calibration import Isotonic, MatrixScaling, Sigmoid
from pipeline.features.lexicon import Found, Lexicon
from pipeline.features.listed import LexicalBlock, Listed
from pipeline.features.pair import PairBlock
from pipeline.features.sentences import Reading, SentencesBlock
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock
from pipeline.heads import Rule

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.articles import Fields
    from pipeline.features.scorer import TfidfScorer


class Answers(NamedTuple):
    """What a model says of some articles.

    Attributes
    ----------
    decisions, probabilities, decided : dict of str to ndarray
        By head, of shapes (n, n_outputs), (n, n_labels) and (n, n_labels).
    familiar : ndarray of shape (n,), float64
        Share of an article's n-grams that the model knows.
    """

    decisions: dict[str, NDArray[np.float64]]
    probabilities: dict[str, NDArray[np.float64]]
    decided: dict[str, NDArray[np.bool_]]
    familiar: NDArray[np.float64]


@dataclass
class Scorer:
    """A compiled model.

    Attributes
    ----------
    rules : list of Rule
    tfidf : TfidfScorer or None
    lexical : list of (TermsBlock, TargetBlock or PairBlock, ndarray of shape (n_columns, n_scores))
        Blocks of listed terms with their weights; scores of all heads side by side (`Rule.width`), as in `rules`.
    intercept : ndarray of shape (n_scores,)
    normalization : list of str
    familiar_from : float
        Share of known n-grams below which an article is flagged as out of scope.
    sentences : list of (SentencesBlock, ndarray of shape (n_columns, n_scores))
        Blocks of sentences, with the weights of what they measure.
    reading : TfidfScorer or None
        Scores of sentences by their n-grams, of all those blocks side by side; has the tables of `tfidf`.
    first : int
        Characters of a text that are read; 0 for all.
    """

    rules: list[Rule]
    tfidf: TfidfScorer | None
    lexical: list[tuple[LexicalBlock, NDArray[np.float64]]]
    intercept: NDArray[np.float64]
    normalization: list[str]
    familiar_from: float = 0.0
    sentences: list[tuple[SentencesBlock, NDArray[np.float64]]] = field(default_factory=list)
    reading: TfidfScorer | None = None
    first: int = 0

    @property
    def columns(self) -> list[str]:
        """Columns of an article, beside its texts, that answers depend on."""
        return list(dict.fromkeys(rule.by for rule in self.rules if rule.by))

    @cached_property
    def listed(self) -> Listed:
        """What measures the blocks of listed terms."""
        return Listed([block for block, _ in self.lexical], [block.lexicon for block, _ in self.sentences])

    def ask(
        self, fields: Fields, columns: Mapping[str, Sequence[str]] = MappingProxyType({}), *, n_jobs: int = 1
    ) -> Answers:
        """Answers for raw articles, given as lists of titles, ledes and bodies, and cells of `columns`."""
        fields = top(*fields, self.first)
        n = len(fields[0])
        scores = np.tile(self.intercept, (n, 1))
        familiar = np.ones(n)
        if self.tfidf is not None:
            found = self.tfidf.scores(*fields, n_jobs=n_jobs)
            scores += found.scores
            familiar = found.known / np.maximum(found.total, 1)
        if self.lexical or self.sentences:
            measured, where = self.listed.look(*fields)
            for (_, coef), measures in zip(self.lexical, measured, strict=True):
                scores += measures.scores(coef)
            if self.sentences:
                scores += self._read(fields, where, n_jobs)
        decisions, start = {}, 0
        for rule in self.rules:
            stop = start + rule.width
            decisions[rule.name] = rule.meant(scores[:, start:stop], rule.places(n, columns))
            start = stop
        probabilities = {rule.name: rule.probabilities(decisions[rule.name]) for rule in self.rules}
        return Answers(
            decisions,
            probabilities,
            {rule.name: rule.decide(probabilities[rule.name]) for rule in self.rules},
            familiar,
        )

    def _read(self, fields: Fields, where: list[Found], n_jobs: int) -> NDArray[np.float64]:
        """Scores by what the sentences say."""
        assert self.reading is not None
        looks = [block.look(*fields, found) for (block, _), found in zip(self.sentences, where, strict=True)]
        # blocks look at much the same sentences: each is read once
        keys = [(found.article << 32) + found.number for found in looks]
        _, first, place = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
        texts = [text for found in looks for text in found.texts]
        nothing = [""] * len(first)
        said = self.reading.scores(nothing, nothing, [texts[i] for i in first], n_jobs=n_jobs).scores[place]
        scores = np.zeros((len(fields[0]), len(self.intercept)))
        row = column = 0
        for (block, coef), found in zip(self.sentences, looks, strict=True):
            own = said[row : row + len(found.texts), column : column + block.n_outputs]
            scores += block.measured(found, block.probabilities(found, own)).scores(coef)
            row, column = row + len(found.texts), column + block.n_outputs
        return scores

    def flags(self, answers: Answers) -> list[list[str]]:
        """What a reader should be warned of, one list an article: "out_of_scope", "uncertain" (and of which head)."""
        flags: list[list[str]] = [["out_of_scope"] if low else [] for low in answers.familiar < self.familiar_from]
        for rule in self.rules:
            for i in np.nonzero(rule.confidence(answers.probabilities[rule.name]) < rule.confident_from)[0]:
                flags[i].append(f"uncertain:{rule.name}")
        return flags

    def state(self) -> dict[str, NDArray[Any]]:
        """Everything as arrays, for `np.savez`."""
        page = {
            "rules": [_rule_state(rule) for rule in self.rules],
            "lexical": [_lexical_state(block) for block, _ in self.lexical],
            "normalization": self.normalization,
            "familiar_from": self.familiar_from,
            "tfidf": self.tfidf is not None,
            "first": self.first,
            "sentences": [_sentences_state(block) for block, _ in self.sentences],
        }
        arrays: dict[str, NDArray[Any]] = {
            "page": np.frombuffer(json.dumps(page, ensure_ascii=False).encode(), dtype=np.uint8),
            "intercept": self.intercept,
        }
        arrays |= {f"lexical_{i}": coef for i, (_, coef) in enumerate(self.lexical)}
        if self.tfidf is not None:
            arrays |= {f"tfidf_{key}": value for key, value in self.tfidf.state().items()}
        for i, (block, coef) in enumerate(self.sentences):
            arrays |= {f"sentences_{i}": coef, f"cues_{i}": block.cues, f"says_{i}": block.intercept}
        if self.reading is not None:  # its tables are those of the n-grams
            arrays["reading"] = self.reading.state()["coef"]
        return arrays

    @classmethod
    def from_state(cls, arrays: dict[str, NDArray[Any]]) -> Scorer:
        """Build the scorer again from what `state` returned."""
        page = json.loads(bytes(arrays["page"]))
        tfidf = reading = None
        if page["tfidf"]:
            from pipeline.features.scorer import TfidfScorer

            tables = {key.removeprefix("tfidf_"): value for key, value in arrays.items() if key.startswith("tfidf_")}
            tfidf = TfidfScorer.from_state(tables)
            if "reading" in arrays:
                reading = TfidfScorer.from_state(
                    tables | {"coef": arrays["reading"], "scale": np.ones_like(tables["scale"])}
                )
        read = [arrays[f"sentences_{i}"] for i in range(len(page.get("sentences", [])))]
        sentences = [
            (_sentences(state, page["normalization"], arrays[f"cues_{i}"], arrays[f"says_{i}"]), coef)
            for i, (state, coef) in enumerate(zip(page.get("sentences", []), read, strict=True))
        ]
        lexical = [
            (_lexical(groups, page["normalization"]), arrays[f"lexical_{i}"])
            for i, groups in enumerate(page["lexical"])
        ]
        return cls(
            [_rule(state) for state in page["rules"]],
            tfidf,
            lexical,
            arrays["intercept"],
            page["normalization"],
            page["familiar_from"],
            sentences,
            reading,
            page.get("first", 0),
        )


_CALIBRATIONS = {"sigmoid": Sigmoid, "isotonic": Isotonic, "matrix": MatrixScaling}


def _rule_state(rule: Rule) -> dict[str, Any]:
    kind = next(name for name, cls in _CALIBRATIONS.items() if isinstance(rule.calibration, cls))
    curves = {
        key: [v.tolist() for v in value] if isinstance(value, list) else value.tolist()
        for key, value in vars(rule.calibration).items()
    }
    fields = {field: getattr(rule, field) for field in Rule.__dataclass_fields__}
    return fields | {"calibration": {"kind": kind} | curves}


def _rule(state: dict[str, Any]) -> Rule:
    curves = dict(state["calibration"])
    kind = curves.pop("kind")
    arrays = {
        key: [np.array(v) for v in value] if kind == "isotonic" else np.array(value) for key, value in curves.items()
    }
    return Rule(**state | {"calibration": _CALIBRATIONS[kind](**arrays)})


def _lexical_state(block: LexicalBlock) -> dict[str, Any]:
    if isinstance(block, TermsBlock):
        return {"terms": block.lexicon.groups, "counts": block.counts}
    if isinstance(block, PairBlock):
        return {"opposites": block.opposites.groups, "words": block.words, "rarity": block.rarity.tolist()}
    return {"sides": block.sides.groups, "polarity": block.polarity.groups}


def _sentences_state(block: SentencesBlock) -> dict[str, Any]:
    return {
        "terms": block.lexicon.groups,
        "labels": block.labels,
        "several": block.several,
        "reads": block.reads,
        "every": block.every,
        "can_read": block.can_read,
    }


def _sentences(
    state: dict[str, Any], normalization: list[str], cues: NDArray[np.float32], intercept: NDArray[np.float64]
) -> SentencesBlock:
    block = SentencesBlock(
        Lexicon(state["terms"], normalization),
        state["labels"],
        several=state["several"],
        reads=state["reads"],
        every=state["every"],
    )
    if state["can_read"]:
        block.take(Reading(block.ngrams, cues, intercept))
    return block


def _lexical(groups: dict[str, Any], normalization: list[str]) -> LexicalBlock:
    if "terms" in groups:
        return TermsBlock(Lexicon(groups["terms"], normalization), counts=groups.get("counts", False))
    if "opposites" in groups:
        return PairBlock(Lexicon(groups["opposites"], normalization), groups["words"], np.array(groups["rarity"]))
    return TargetBlock(Lexicon(groups["sides"], normalization), Lexicon(groups["polarity"], normalization))
