"""How much an article is about the subject of a list of terms; worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.features.lexicon import Lexicon, load_groups
from pipeline.features.terms import MEASURES, TermsBlock
from pipeline.scoring import _lexical, _lexical_state

BLOCK = TermsBlock(Lexicon({"war": ["حرب", "معركه"], "peace": ["سلام"]}))


def measured(*articles: tuple[str, str, str]) -> np.ndarray:
    """Measures as (n_articles, 4 measures, 2 groups)."""
    texts = zip(*articles, strict=True)
    return BLOCK.measure(*texts).matrix(len(BLOCK.names)).toarray().reshape(len(articles), len(MEASURES), 2)


def test_columns_are_named_by_measure_and_group():
    assert BLOCK.names[:3] == ["war in title", "peace in title", "war in lede"]
    assert len(BLOCK.names) == 8


def test_an_article_by_hand():
    (found,) = measured(("بعد الحرب", "بدأت المعركة. ثم السلام", "وقف. ثم حرب وحرب. نهاية"))
    assert found[0].tolist() == [1, 0]  # in title
    assert found[1].tolist() == [1, 1]  # in lede
    # five sentences in lede and body: war in the first and fourth, peace in the second
    assert found[2] == pytest.approx([2 / 5, 1 / 5])
    assert found[3] == pytest.approx([1 / 1, 1 / 2])  # 1 / (1 + sentences before the first)


def test_occurrences_are_counted_if_asked_for():
    block = TermsBlock(BLOCK.lexicon, counts=True)
    texts = [["حرب"], ["حرب وسلام"], ["حرب"]]
    found = dict(zip(block.names, block.measure(*texts).matrix(len(block.names)).toarray()[0], strict=True))
    assert found["war occurrences"] == pytest.approx(np.log(4))
    assert found["peace occurrences"] == pytest.approx(np.log(2))
    assert len(found) == 10
    said = block.spoken(*texts)
    places = zip(said.column, said.zone, said.start, strict=True)
    assert {(zone, start) for column, zone, start in places if column == 8} == {(0, 0), (1, 0), (2, 0)}
    assert _lexical(_lexical_state(block), list(BLOCK.lexicon.normalization)).names == block.names


def test_a_title_alone_says_nothing_of_the_text():
    (found,) = measured(("الحرب", "لا شيء", "هنا"))
    assert found.tolist() == [[1, 0], [0, 0], [0, 0], [0, 0]]


def test_one_article_does_not_show_in_another():
    both = measured(("حرب", "حرب. سلام", "حرب"), ("", "هدوء", "سلام"))
    assert both[1].tolist() == measured(("", "هدوء", "سلام"))[0].tolist()
    assert both[1, :, 0].tolist() == [0, 0, 0, 0]


def test_measures_stay_between_0_and_1_whatever_the_length():
    found = measured(("", "", ""), ("حرب " * 50, "حرب. " * 50, "سلام حرب. " * 200))
    assert ((found >= 0) & (found <= 1)).all()
    assert found[0].sum() == 0


def test_a_word_of_two_terms_of_a_group_counts_once_in_each_group():
    block = TermsBlock(Lexicon({"a": ["حرب", "حرب*"], "b": ["حرب"]}))
    matrix = block.measure([""], ["حرب"], [""]).matrix(len(block.names)).toarray()[0]
    assert dict(zip(block.names, matrix, strict=True))["a share of sentences"] == 0.5  # an empty body is a sentence
    assert dict(zip(block.names, matrix, strict=True))["b share of sentences"] == 0.5


def test_scores_without_a_matrix_are_the_same():
    random = np.random.default_rng(0)
    texts = [["حرب", "سلام", ""], ["سلام حرب. حرب", "لا", ""], ["معركة", "سلام. سلام", "حرب"]]
    measures = BLOCK.measure(*texts)
    coef = random.normal(size=(len(BLOCK.names), 3))
    np.testing.assert_allclose(measures.scores(coef), measures.matrix(len(BLOCK.names)) @ coef, atol=1e-12)


class TestFile:
    def load(self, tmp_path, text: str) -> dict[str, list[str]]:
        (tmp_path / "terms.toml").write_text(text, encoding="utf-8")
        return load_groups(tmp_path / "terms.toml")

    def test_tables_of_lists(self, tmp_path):
        text = 'loose = ["x"]\n[syria]\nstrong = ["دمشق", "دمشق"]\nweak = ["حلب"]\n'
        assert self.load(tmp_path, text) == {"loose": ["x"], "syria/strong": ["دمشق"], "syria/weak": ["حلب"]}

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "holds no terms"),
            ("[syria]\nterms = 'x'", r"\[syria\] terms: expected a list of terms"),
            ("[syria]\nterms = [1]", "expected a list of terms"),
            ("[syria]\nterms = ['*']", "expected a list of terms"),
            ("[syria]\nterms = ['']", "expected a list of terms"),
            ("[syria", "is not TOML"),
        ],
    )
    def test_what_is_no_list_of_terms(self, tmp_path, text, said):
        with pytest.raises(ConfigError, match=said):
            self.load(tmp_path, text)

    def test_no_file(self, tmp_path):
        with pytest.raises(ConfigError, match="no such file of terms"):
            load_groups(tmp_path / "none.toml")
