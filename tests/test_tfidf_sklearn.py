"""scikit-learn's own tests of its text vectorizers, run against ours through a thin adapter.

The functions come from the installed package. `WITHOUT_MEANING` says of each that is not run why; a function that is
new in scikit-learn and stands in neither list fails `test_every_function_is_accounted_for`.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.features import ArabicTfidfVectorizer

theirs = pytest.importorskip("sklearn.feature_extraction.tests.test_text")


class Tfidf(ArabicTfidfVectorizer, auto_wrap_output_keys=None):
    """Ours, with the one public attribute that it does without."""

    @property
    def fixed_vocabulary_(self) -> bool:
        return self.vocabulary is not None


class Count(Tfidf, auto_wrap_output_keys=None):
    """Ours as a ``CountVectorizer``: no idf, no norm."""

    def __init__(
        self,
        *,
        analyzer: str = "word",
        ngram_range: tuple[int, int] = (1, 1),
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        stop_words: Any = None,
        vocabulary: Any = None,
        binary: bool = False,
        dtype: Any = "float64",
    ) -> None:
        super().__init__(
            analyzer=analyzer,
            ngram_range=ngram_range,
            min_df=min_df,
            max_df=max_df,
            max_features=max_features,
            stop_words=stop_words,
            vocabulary=vocabulary,
            binary=binary,
            dtype=dtype,
            norm=None,
            use_idf=False,
        )


BOTH = [{"Vectorizer": Count}, {"Vectorizer": Tfidf}]
RUN: dict[str, list[dict[str, Any]]] = {
    "test_countvectorizer_custom_vocabulary": [{}],
    "test_countvectorizer_custom_vocabulary_pipeline": [{}],
    "test_countvectorizer_custom_vocabulary_repeated_indices": [{}],
    "test_countvectorizer_custom_vocabulary_gap_index": [{}],
    "test_fit_countvectorizer_twice": [{}],
    "test_feature_names": [{}],
    "test_vectorizer_max_features": BOTH,
    "test_count_vectorizer_max_features": [{}],
    "test_vectorizer_max_df": [{}],
    "test_vectorizer_min_df": [{}],
    "test_count_binary_occurrences": [{}],
    "test_vectorizer_inverse_transform": BOTH,
    "test_count_vectorizer_pipeline_grid_selection": [{}],
    "test_vectorizer_pipeline_grid_selection": [{}],
    "test_vectorizer_pipeline_cross_validation": [{}],
    "test_vectorizer_unicode": [{}],
    "test_tfidf_vectorizer_with_fixed_vocabulary": [{}],
    "test_countvectorizer_vocab_sets_when_pickling": [{}],
    "test_countvectorizer_vocab_dicts_when_pickling": [{}],
    "test_tfidfvectorizer_invalid_idf_attr": [{}],
    "test_non_unique_vocab": [{}],
    "test_tfidfvectorizer_binary": [{}],
    "test_vectorizer_vocab_clone": [{}],
    "test_vectorizer_string_object_as_input": BOTH,
    "test_vectorizers_invalid_ngram_range": [{"vec": Count(ngram_range=(2, 1))}, {"vec": Tfidf(ngram_range=(2, 1))}],
    "test_tfidf_vectorizer_type": [
        {"vectorizer_dtype": dtype, "output_dtype": dtype, "warning_expected": False}
        for dtype in (np.float32, np.float64)
    ],
    "test_n_features_in": [{"Vectorizer": Count, "X": theirs.ALL_FOOD_DOCS}],
    "test_tie_breaking_sample_order_invariance": [{}],
    "test_vectorizers_do_not_have_set_output": [{"Estimator": Count}, {"Estimator": Tfidf}],
    "test_tfidf_vectorizer_preserve_dtype_idf": [{"dtype": np.float32}, {"dtype": np.float64}],
}

NORMALIZED = "accents, preprocessors and tokenizers of the caller's own: normalization is a list of named steps"
NO_FILES = "decoding and reading files is the reader of articles' work"
PRIVATE = "looks at private parts of scikit-learn's implementation"
OTHERS = "a test of HashingVectorizer, TfidfTransformer or an accent function, not of a vectorizer with a vocabulary"
ENGLISH = "the English stop list and warnings about stop words that a custom tokenizer splits: ours are normalized"
WITHOUT_MEANING = {
    "test_strip_accents": OTHERS,
    "test_to_ascii": OTHERS,
    "test_word_analyzer_unigrams": NORMALIZED,
    "test_word_analyzer_unigrams_and_bigrams": NORMALIZED,
    "test_unicode_decode_error": NO_FILES,
    "test_char_ngram_analyzer": NORMALIZED + "; also file objects",
    "test_char_wb_ngram_analyzer": NORMALIZED + "; also file objects",
    "test_word_ngram_analyzer": NORMALIZED + "; also file objects",
    "test_countvectorizer_stop_words": ENGLISH,
    "test_countvectorizer_empty_vocabulary": ENGLISH,
    "test_countvectorizer_custom_token_pattern": "token patterns of the caller's own",
    "test_countvectorizer_custom_token_pattern_with_several_group": "token patterns of the caller's own",
    "test_countvectorizer_uppercase_in_vocab": "a parameter `lowercase`: here it is a step of the normalization",
    "test_tf_transformer_feature_names_out": OTHERS,
    "test_tf_idf_smoothing": OTHERS,
    "test_tfidf_no_smoothing": OTHERS,
    "test_sublinear_tf": OTHERS,
    "test_vectorizer": NORMALIZED,
    "test_tfidf_vectorizer_setter": "compares a message with a slip of the pen in it; test_tfidf.py has the same test",
    "test_tfidf_vectorizer_setters": PRIVATE,
    "test_hashing_vectorizer": OTHERS,
    "test_hashed_binary_occurrences": OTHERS,
    "test_pickling_vectorizer": NORMALIZED,
    "test_pickling_built_processors": NORMALIZED,
    "test_pickling_transformer": OTHERS,
    "test_transformer_idf_setter": OTHERS,
    "test_hashingvectorizer_nan_in_docs": OTHERS,
    "test_tfidfvectorizer_export_idf": PRIVATE,
    "test_tfidf_transformer_type": OTHERS,
    "test_tfidf_transformer_sparse": OTHERS,
    "test_vectorizer_stop_words_inconsistent": ENGLISH,
    "test_countvectorizer_sort_features_64bit_sparse_indices": PRIVATE,
    "test_stop_word_validation_custom_preprocessor": ENGLISH,
    "test_callable_analyzer_error": NO_FILES,
    "test_callable_analyzer_change_behavior": NO_FILES,
    "test_callable_analyzer_reraise_error": "analyzers of the caller's own",
    "test_unused_parameters_warn": NORMALIZED,
    "test_nonnegative_hashing_vectorizer_result_indices": OTHERS,
    "test_tfidf_transformer_copy": OTHERS,
    "test_hashing_vectorizer_requires_fit_tag": OTHERS,
    "test_hashing_vectorizer_transform_without_fit": OTHERS,
}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param(name, arguments, id=f"{name}-{i}") for name in RUN for i, arguments in enumerate(RUN[name])],
)
# one of them asks for five folds of classes of four
@pytest.mark.filterwarnings("ignore:The least populated class in y has only 4 members:UserWarning")
def test_scikit_learns_own(name: str, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(theirs, name):
        pytest.skip("this version of scikit-learn does not have the test")
    monkeypatch.setattr(theirs, "TfidfVectorizer", Tfidf)
    monkeypatch.setattr(theirs, "CountVectorizer", Count)
    getattr(theirs, name)(**arguments)


def test_every_function_is_accounted_for() -> None:
    found = {name for name, value in vars(theirs).items() if name.startswith("test_") and inspect.isfunction(value)}
    assert found - RUN.keys() - WITHOUT_MEANING.keys() == set()
    assert not RUN.keys() & WITHOUT_MEANING.keys()


@pytest.mark.parametrize("made", [Tfidf, ArabicTfidfVectorizer])
def test_checks_of_estimators_that_apply_to_text(made: type) -> None:
    """What ``check_estimator`` asks of any estimator and does not need an array for."""
    from sklearn.utils import estimator_checks as checks

    name = made.__name__
    for check in (
        checks.check_estimator_cloneable,
        checks.check_estimator_repr,
        checks.check_no_attributes_set_in_init,
        checks.check_parameters_default_constructible,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_do_not_raise_errors_in_init_or_set_params,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
        checks.check_mixin_order,
    ):
        check(name, made())
    fitted = made().fit(["سلام حرب"])
    assert made().fit(["سلام حرب"]).get_params() == fitted.get_params()


def test_parameters_and_defaults_are_scikit_learns() -> None:
    ours = inspect.signature(ArabicTfidfVectorizer).parameters
    shared = ours.keys() & inspect.signature(TfidfVectorizer).parameters.keys()
    assert ours.keys() - shared == {"normalization", "n_jobs"}
    for name in shared - {"dtype"}:
        assert ours[name].default == inspect.signature(TfidfVectorizer).parameters[name].default
