"""Whether what was built from a model file is a model: each part of the type, shape and range that answers rely on.

A hash says that a file is the one that was sealed, a list of types that nothing foreign was built. Neither says that
the parts fit each other; a file made to deceive can still seat a table where a number belongs.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.calibration import Isotonic, MatrixScaling, Sigmoid
from pipeline.estimators import Linear
from pipeline.features.lexicon import Lexicon
from pipeline.features.listed import Listed
from pipeline.features.pair import PairBlock
from pipeline.features.sentences import SentencesBlock
from pipeline.features.soundness import LONGEST_NGRAM, check_array, check_numbers, require
from pipeline.features.target import TargetBlock
from pipeline.features.terms import TermsBlock
from pipeline.heads import Head, Rule
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from pipeline.features.featurizer import Featurizer
    from pipeline.model import Model
    from pipeline.scoring import Scorer

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def check_scorer(scorer: Scorer) -> None:
    """Require that a compiled model can answer.

    Raises
    ------
    ValueError
        Naming the first thing that is wrong.
    """
    _check_rules(scorer.rules)
    n_outputs = sum(rule.width for rule in scorer.rules)
    check_numbers(scorer.intercept, (n_outputs,), np.float64, "intercept")
    _check_share(scorer.familiar_from, "familiar_from")
    require(type(scorer.first) is int and scorer.first >= 0, "how much it reads is no number")
    _check_normalization(scorer.normalization)
    require(
        scorer.tfidf is None or scorer.tfidf.n_outputs == n_outputs, "its n-grams have other outputs than its heads"
    )
    for block, coef in scorer.lexical:
        _check_lexical(block)
        check_numbers(coef, (len(block.names), n_outputs), np.float64, "weights of listed terms")
    scorer.listed.measure([], [], [])  # builds what finds them
    require(type(scorer.sentences) is list, "its blocks of sentences are no list")
    for of, coef in scorer.sentences:
        _check_sentences(of, None)
        check_numbers(coef, (len(of.names), n_outputs), np.float64, "weights of sentences")
    n_read = sum(of.n_outputs for of, _ in scorer.sentences)
    require(scorer.reading is None or scorer.reading.n_outputs == n_read, "its sentences are read for other outputs")
    require(scorer.reading is not None or not scorer.sentences, "its sentences cannot be read")


def check_model(model: Model) -> None:
    """Require that a whole model can answer, be explained and compiled.

    Raises
    ------
    ValueError
        Naming the first thing that is wrong.
    """
    _check_fields(model)
    _check_share(model.familiar_from, "familiar_from")
    _check_featurizer(model.featurizer)
    require(type(model.heads) is dict, "its heads are no table")
    rules = list(model.heads.values())
    _check_rules(rules)
    slices = model.featurizer.slices
    for name, head in model.heads.items():
        require(type(head) is Head and type(head.linear) is Linear, f"head {name!r} is none")
        _check_fields(head)
        _check_fields(head.linear)
        require(name == head.name, f"head {name!r} is called {head.name!r}")
        require(
            head.blocks is None or set(head.blocks) <= set(slices), f"head {name!r} reads blocks that there are not"
        )
        n_columns = sum(s.stop - s.start for block, s in slices.items() if head.blocks is None or block in head.blocks)
        dtype = np.float32 if head.linear.coef.dtype == np.float32 else np.float64
        check_numbers(head.linear.coef, (head.width, n_columns), dtype, f"weights of {name!r}")
        check_numbers(head.linear.intercept, (head.width,), np.float64, f"intercept of {name!r}")
        require(type(head.chosen) is dict and json.dumps(head.chosen), f"what was chosen for {name!r} is no table")


def _check_rules(rules: list[Any]) -> None:
    require(type(rules) is list and rules, "it has no heads")
    for rule in rules:
        require(isinstance(rule, Rule), "a head is none")
        require(type(rule.name) is str and _NAME.fullmatch(rule.name), f"a head is called {rule.name!r}")
        require(rule.kind in ("multilabel", "single"), f"head {rule.name!r} is of the kind {rule.kind!r}")
        _check_texts(rule.labels, f"labels of {rule.name!r}")
        one = rule.kind == "single"
        require(len(rule.labels) > one and len(set(rule.labels)) == len(rule.labels), f"labels of {rule.name!r}")
        require(rule.default is None or (one and rule.default in rule.labels), f"default of {rule.name!r}")
        if rule.blocks is not None:
            _check_texts(rule.blocks, f"blocks of {rule.name!r}")
        require(type(rule.thresholds) is list, f"thresholds of {rule.name!r}")
        require(len(rule.thresholds) == (0 if one else len(rule.labels)), f"thresholds of {rule.name!r}")
        for share in (*rule.thresholds, rule.confident_from):
            _check_share(share, f"a threshold of {rule.name!r}")
        if rule.by is not None or rule.contexts is not None:
            require(one, f"contexts of {rule.name!r}")
            _check_texts([rule.by], f"column of contexts of {rule.name!r}")
            _check_texts(rule.contexts, f"contexts of {rule.name!r}")
        _check_calibration(rule)
    names = [rule.name for rule in rules]
    require(len(set(names)) == len(names), "two heads have one name")


def _check_calibration(rule: Rule) -> None:
    curve, n, what = rule.calibration, len(rule.labels), f"calibration of {rule.name!r}"
    kinds = (MatrixScaling,) if rule.kind == "single" else (Sigmoid, Isotonic)
    require(isinstance(curve, kinds), f"{what} is a {type(curve).__name__}")
    _check_fields(curve)
    if isinstance(curve, MatrixScaling):
        n_classes = n + (rule.default is not None)
        check_numbers(curve.matrix, (n_classes, len(rule.outputs)), np.float64, what)
        check_numbers(curve.offset, (n_classes,), np.float64, what)
    elif isinstance(curve, Sigmoid):
        check_numbers(curve.slope, (n,), np.float64, what)
        check_numbers(curve.offset, (n,), np.float64, what)
    else:
        require(type(curve.x) is type(curve.y) is list and len(curve.x) == len(curve.y) == n, what)
        for x, y in zip(curve.x, curve.y, strict=True):
            check_numbers(x, (-1,), np.float64, what)
            check_numbers(y, (len(x),), np.float64, what)
            require(len(x) and (np.diff(x) >= 0).all() and (y >= 0).all() and (y <= 1).all(), what)


def _check_featurizer(featurizer: Featurizer) -> None:
    from pipeline.features.blocks import TfidfBlocks

    known = vars(featurizer).keys() & {"sentences", "first"}  # models from before do not have them
    require(type(featurizer.first) is int and featurizer.first >= 0, "how much it reads is no number")
    _check_attributes(featurizer, {"normalization", "weights", "tfidf", "lexical", *known})
    _check_normalization(featurizer.normalization)
    require(type(featurizer.lexical) is dict, "its listed terms are no table")
    for block in featurizer.lexical.values():
        _check_lexical(block)
    Listed([*featurizer.lexical.values()]).measure([], [], [])
    tfidf = featurizer.tfidf
    require(isinstance(tfidf, TfidfBlocks), "its n-grams are none")
    fitted = ["blocks_"] if hasattr(tfidf, "blocks_") else []
    _check_attributes(tfidf, {"blocks", "n_jobs", *fitted})
    require(type(tfidf.n_jobs) is int and type(tfidf.blocks) is list, "its n-grams have no blocks")
    if tfidf.blocks:
        require(type(tfidf.blocks_) is list, "its n-grams have no blocks")
        for name, fields, vectorizer in tfidf.blocks_:
            _check_texts([name, *fields], "names of blocks")
            _check_vectorizer(vectorizer)
        tfidf._plan(tfidf.blocks_)  # fields, parameters and normalization, as before a fit
    require(type(featurizer.sentences) is dict, "its blocks of sentences are no table")
    for of in featurizer.sentences.values():
        require(tfidf.blocks and set(of.reads) <= set(tfidf.slices), "sentences are read by blocks that there are not")
        _check_sentences(of, sum(tfidf.slices[name].stop - tfidf.slices[name].start for name in of.reads))
    weights = featurizer.weights
    require(type(weights) is dict and set(weights) == set(featurizer.slices), "weights of blocks that there are not")
    for weight in weights.values():
        check_numbers(np.asarray(weight), (), np.float64, "a block's weight")


def _check_vectorizer(vectorizer: Any) -> None:
    """Vocabulary and frequencies: the kernel builds its tables of them, and trusts the lengths."""
    from pipeline.features.tfidf import ArabicTfidfVectorizer

    require(isinstance(vectorizer, ArabicTfidfVectorizer), "a block of n-grams is none")
    fitted = {"terms_", "term_lengths_", "normalization_version_"} | ({"_idf"} if vectorizer.use_idf else set())
    _check_attributes(vectorizer, {*vectorizer.get_params(deep=False), *fitted})
    require(vectorizer.vocabulary is None, "a block of n-grams has two vocabularies")
    require(vectorizer.ngram_range[1] <= LONGEST_NGRAM, "a block has n-grams that are too long")
    text, lengths = vectorizer.terms
    check_array(text, (-1,), np.uint8, "vocabulary")
    check_array(lengths, (-1,), np.int32, "lengths of the vocabulary")
    joined = vectorizer.terms.joined()
    total = lengths.sum(dtype=np.int64)
    require(len(lengths) and lengths.min() >= 1 and total == len(joined), "vocabulary and its lengths differ")
    if vectorizer.analyzer == "word":
        # a word of no letters would be new every time it is met, and the tables have room for each once
        require(all(all(term.split(" ")) for term in vectorizer.terms.strings()), "an n-gram of words lacks one")
    version = Normalizer(vectorizer.normalization).version
    require(vectorizer.normalization_version_ == version, "its normalization is another one")
    check_numbers(vectorizer.factors(), lengths.shape, vectorizer._dtype(), "document frequencies")


def _check_lexical(block: Any) -> None:
    require(type(block) in (TermsBlock, TargetBlock, PairBlock), "a block of listed terms is none")
    if isinstance(block, PairBlock):
        _check_attributes(block, {"opposites", "words", "rarity"})
        _check_texts(block.words, "words of a pair")
        check_numbers(block.rarity, (len(block.words) + 1,), np.float64, "rarity of words")
        lexicons = [block.opposites]
    else:
        require(type(getattr(block, "counts", False)) is bool, "whether terms are counted")
        lexicons = block.lexicons
    for lexicon in lexicons:
        _check_lexicon(lexicon)
    if isinstance(block, TargetBlock):  # what it keeps beside them follows from them
        require(
            vars(block) == vars(TargetBlock(block.sides, block.polarity)), "sides of a target differ from its terms"
        )


def _check_lexicon(lexicon: Any) -> None:
    require(type(lexicon) is Lexicon, "listed terms are none")
    require(set(vars(lexicon)) - {"_alone"} == {"groups", "normalization"}, "listed terms have other parts")
    _check_normalization(lexicon.normalization)
    require(type(lexicon.groups) is dict, "listed terms are no table")
    for name, terms in lexicon.groups.items():
        _check_texts([name, *terms], "listed terms")


def _check_sentences(block: Any, n_ngrams: int | None) -> None:
    """A block of sentences that has learned from so many n-grams; of a compiled model, with none of its own."""
    require(type(block) is SentencesBlock, "a block of sentences is none")
    _check_attributes(
        block, {"lexicon", "labels", "several", "reads", "every", "ngrams", "cues", "intercept", "can_read"}
    )
    _check_lexicon(block.lexicon)
    _check_texts(block.labels, "what sentences say")
    _check_texts(block.reads, "blocks that read sentences")
    require(type(block.several) is type(block.can_read) is type(block.every) is bool, "a block of sentences is unclear")
    width = n_ngrams if n_ngrams and block.can_read else 0
    n_cues = SentencesBlock(block.lexicon, block.labels, several=block.several, reads=block.reads).cues.shape[1]
    check_numbers(block.ngrams, (block.n_outputs, width), np.float32, "weights by which sentences are read")
    check_numbers(block.cues, (block.n_outputs, n_cues), np.float32, "weights of what sentences name")
    check_numbers(block.intercept, (block.n_outputs,), np.float64, "intercept of sentences")


def _check_normalization(steps: Any) -> None:
    _check_texts(steps, "normalization")
    Normalizer(steps)


def _check_texts(texts: Any, what: str) -> None:
    require(type(texts) is list and all(type(text) is str and text for text in texts), f"{what} are no list of texts")


def _check_share(value: Any, what: str) -> None:
    require(type(value) is float and 0 <= value <= 1, f"{what} is {value!r}, no share")


def _check_fields(thing: Any) -> None:
    """As `_check_attributes`; what has a default may be missing, as it does from models older than it."""
    fields = dataclasses.fields(thing)
    needed = {field.name for field in fields if field.default is dataclasses.MISSING}
    parts = set(vars(thing))
    require(needed <= parts <= {f.name for f in fields}, f"{type(thing).__name__} has other parts than a model's")


def _check_attributes(thing: Any, names: set[str]) -> None:
    """Nothing is missing, and nothing lies over a method of its own."""
    require(set(vars(thing)) == names, f"{type(thing).__name__} has other parts than a model's")
