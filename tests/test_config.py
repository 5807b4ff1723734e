"""Configs: what they default to, and every mistake told at once, where it is and what was expected."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from pipeline import config as configs
from pipeline.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]

LEAST = """\
[[data.sources]]
path = "articles.csv"
[features.words]
kind = "tfidf"
[heads.topics]
kind = "multilabel"
labels = ["syria", "ukraine"]
column = "topics"
[output]
name = "tiny"
"""


def least(tmp_path: Path, more: str = "") -> Path:
    path = tmp_path / "run.toml"
    path.write_text(LEAST + more, encoding="utf-8")
    return path


def mistakes(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        configs.load(path)
    head, *lines = str(caught.value).split("\n  ")
    assert head == f"{path}: {len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return lines


def test_a_short_config_has_working_defaults(tmp_path):
    config = configs.load(least(tmp_path))
    assert config.seed == 0
    assert config.split.kind == "random"
    assert config.features["words"].fields == ["title", "lede", "body"]
    assert config.heads["topics"].estimator.name == "logistic_regression"
    assert config.heads["topics"].threshold.rule == "f1"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.toml")), ids=lambda path: path.name)
def test_shipped_configs_are_valid_and_survive_a_manifest(path):
    config = configs.load(path)
    assert configs.parse(json.loads(json.dumps(config.model_dump(mode="json")))) == config


def test_four_mistakes_are_told_at_once(tmp_path):
    text = LEAST.replace('kind = "tfidf"', 'kind = "tfidf"\nmin_fd = 2').replace('column = "topics"\n', "")
    assert mistakes(tmp_path, text + '[split]\nkind = "sometimes"\ntest_size = 1.5\n') == [
        "[split] kind: found \"sometimes\", expected 'random', 'date', 'source', 'column' or 'none'",
        "[split] test_size: found 1.5, expected a number less than 1",
        "[features.words] min_fd: unknown key, did you mean min_df?",
        "[heads.topics] column: found nothing, expected a value (there is no default)",
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[text]\nnormalisation = []", "[text] normalisation: unknown key, did you mean normalization?"),
        (
            "[cleaning]\nzebra = 1",
            "[cleaning] zebra: unknown key, expected page_noise, min_words, min_arabic, duplicates",
        ),
        ('[cleaning]\nmin_words = "5"', '[cleaning] min_words: found "5", expected a whole number'),
        ("[cleaning]\nmin_words = true", "[cleaning] min_words: found true, expected a whole number"),
        ("[cleaning]\npage_noise = 1", "[cleaning] page_noise: found 1, expected true or false"),
        ("[cleaning]\nmin_arabic = 50", "[cleaning] min_arabic: found 50, expected a number less than or equal to 1"),
        ("[split]\nfolds = 2.5", "[split] folds: found 2.5, expected a whole number"),
        ('[split]\nkind = "source"', '[split]: kind = "source" needs test_sources = ["...", ...]'),
        ('[split]\ntest_sources = ["a"]', '[split]: test_sources belongs to kind = "source"'),
        ("[split]\ntest_from = 2020-01-01", '[split]: test_from belongs to kind = "date"'),
        (
            '[split]\ntest_from = "2020-13-01"',
            '[split] test_from: found "2020-13-01", expected a day such as 2024-01-31',
        ),
        ('[evaluation]\nterms = ["a"]', '[evaluation] terms: found ["a"], expected a text in quotes'),
        (
            "[[data.unlabelled]]",
            "[[data.unlabelled]] number 1: give either corpus = NAME or path = FILES, not both and not neither",
        ),
        (
            '[[data.unlabelled]]\npath = "a"\ncolumns = { body = "b" }',
            "[[data.unlabelled]] number 1, columns body: unknown key, expected id, title, text, source, date, url",
        ),
        (
            '[features.more]\nkind = "bm25"',
            '[features.more]: found kind = "bm25", expected one of tfidf, terms, target, pair, latent, sentences',
        ),
        (
            "[features.more]\nmin_df = 1",
            "[features.more]: found kind = null, expected one of tfidf, terms, target, pair, latent, sentences",
        ),
        ("[features.terms]\nkind = 'terms'\npath = 5", "[features.terms] path: found 5, expected a text in quotes"),
        ("[features.terms]\nkind = 'terms'\npaths = 5", "[features.terms] paths: unknown key, did you mean path?"),
        (
            "[features.more]\nkind = 'tfidf'\nngram_range = [2, 1]",
            "[features.more]: ngram_range = [2, 1] runs backwards: the smaller number first",
        ),
        (
            "[features.more]\nkind = 'tfidf'\nfields = ['titel']",
            "[features.more] fields, item 1: found \"titel\", expected 'title', 'lede' or 'body'",
        ),
        (
            "[features.more]\nkind = 'tfidf'\nmin_df = 'few'",
            '[features.more] min_df: found "few", expected a whole number from 1, or a share between 0.0 and 1.0',
        ),
        (
            "[features.'x y']\nkind = 'terms'",
            '[features] x y: found "x y", expected a name of Latin letters, digits, _ and -, a letter first',
        ),
        (
            "[heads.topics.estimator]\ngrid = { alpha = [1.0] }",
            '[heads.topics.estimator]: grid.alpha has no meaning for name = "logistic_regression"',
        ),
        (
            "[heads.topics.estimator]\ngrid = { C = [0] }",
            "[heads.topics.estimator.grid] C, item 1: found 0, expected a number greater than 0",
        ),
        (
            '[heads.topics.threshold]\nrule = "precision"',
            '[heads.topics.threshold]: rule = "precision" needs at = a number between 0 and 1',
        ),
        ("[heads.topics.threshold]\nat = 0.5", '[heads.topics.threshold]: rule = "f1" takes no at'),
        (
            "[gates]\nf1 = { sirya = 0.8 }",
            "[gates.f1] sirya: unknown, expected one of syria, topics.syria, ukraine, topics.ukraine",
        ),
        ("[gates]\nmacro_f1 = { stance = 0.8 }", "[gates.macro_f1] stance: unknown, expected one of topics"),
    ],
)
def test_each_mistake_names_table_key_found_and_expected(tmp_path, more, said):
    assert mistakes(tmp_path, LEAST + more) == [said]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('labels = ["a"]', "chooses one of several labels"),
        ('labels = ["a", "b", "a"]', "names a label twice"),
        ('labels = ["a", "b"]\nthreshold = { rule = "fixed", at = 0.4 }', 'threshold belongs to kind = "multilabel"'),
        ('labels = ["a", "b"]\ncalibration = "isotonic"', "belongs to kind"),
        ('labels = ["a", "b"]\ngate = "relevant"', "gate needs default"),
        ('labels = ["a", "b"]\ngate = "relevant"\ndefault = "c"', "gate needs default"),
    ],
)
def test_a_single_head_refuses_what_cannot_be(tmp_path, head, said):
    (line,) = mistakes(tmp_path, f'{LEAST}\n[heads.stance]\nkind = "single"\ncolumn = "stance"\n{head}\n')
    assert line.startswith("[heads.stance]: ")
    assert said in line


def test_a_name_that_stands_for_nothing_is_told_beside_other_mistakes(tmp_path):
    text = LEAST.replace('column = "topics"', 'column = "topics"\nblocks = ["word"]')
    assert mistakes(tmp_path, text + "[split]\nfolds = 1\n") == [
        "[split] folds: found 1, expected a number greater than or equal to 2",
        '[heads.topics] blocks: found "word", expected names of [features]: words',
    ]


def test_a_block_may_be_called_like_a_kind(tmp_path):
    (line,) = mistakes(tmp_path, LEAST + '[features.target]\nkind = "terms"\npolarity = "x"\n')
    assert line == "[features.target] polarity: unknown key, expected kind, path, counts, weight"


def test_days_may_stand_with_or_without_quotes(tmp_path):
    for day in ("2020-02-01", '"2020-02-01"'):
        config = configs.load(least(tmp_path, f'[split]\nkind = "date"\ntest_from = {day}\n'))
        assert config.split.test_from == "2020-02-01"


def test_no_threads_are_refused(tmp_path):
    assert mistakes(tmp_path, "n_jobs = 0\n" + LEAST) == [
        "n_jobs: found 0, expected a number of threads, or -1 for one a core"
    ]


def test_long_values_are_cut_in_messages(tmp_path):
    (line,) = mistakes(tmp_path, f'seed = "{"9" * 500}"\n' + LEAST)
    assert line.endswith("..., expected a whole number")
    assert len(line) < 130


class TestFiles:
    def test_a_missing_file_names_those_beside_it(self, tmp_path):
        least(tmp_path)
        with pytest.raises(ConfigError, match=r"no such config file\n  There is: .*run\.toml"):
            configs.load(tmp_path / "rum.toml")

    def test_a_missing_file_alone_says_how_to_get_one(self, tmp_path):
        with pytest.raises(ConfigError, match="mirsad init NAME"):
            configs.load(tmp_path / "nowhere" / "run.toml")

    def test_no_toml(self, tmp_path):
        (tmp_path / "run.toml").write_text("seed = zero\n")
        with pytest.raises(ConfigError, match=r"is not TOML: .*line 1.*\n  Text needs quotes"):
            configs.load(tmp_path / "run.toml")

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00seed", b"\x89PNG\r\n\x1a\n\x00\xff"])
    def test_no_text(self, tmp_path, content):
        (tmp_path / "run.toml").write_bytes(content)
        with pytest.raises(ConfigError, match=r"is not UTF-8: byte 0x(ff|89) at 0\n  Save it as UTF-8"):
            configs.load(tmp_path / "run.toml")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("a = " + "[" * 100_000, "nested too deeply"),
            ("a = " + "{ a = " * 50_000, "nested too deeply"),
            ("seed = " + "9" * 100_000, "is not TOML: Exceeds the limit"),
            (".".join(["a"] * 50_000) + " = 1", "has a line with more than 1,000 dots"),
            ("# " + "-" * (1 << 20), "has more than 1,048,576 bytes"),
            ("".join(f"k{i} = 1\n" for i in range(70_000)), "70,004 mistakes"),
            ("".join(f"[features.f{i}]\n" for i in range(40_000)), "and 39,953 more"),
        ],
        ids=lambda value: value[:12],
    )
    def test_bombs(self, tmp_path, content, said):
        (tmp_path / "run.toml").write_text(content)
        begun = time.perf_counter()
        with pytest.raises(ConfigError) as caught:
            configs.load(tmp_path / "run.toml")
        assert said in str(caught.value)
        assert len(str(caught.value)) < 20_000
        assert time.perf_counter() - begun < 5

    def test_a_folder(self, tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            configs.load(tmp_path)

    def test_a_byte_order_mark_is_no_mistake(self, tmp_path):
        (tmp_path / "run.toml").write_bytes(b"\xef\xbb\xbf" + LEAST.encode())
        assert configs.load(tmp_path / "run.toml").output.name == "tiny"


class TestOverrides:
    @pytest.mark.parametrize(
        ("override", "value"),
        [
            ("heads.topics.estimator.C=3", 3.0),
            ("heads.topics.estimator.C = 0.5", 0.5),
        ],
    )
    def test_a_number(self, tmp_path, override, value):
        config = configs.load(least(tmp_path), [override])
        assert [value] == [config.heads["topics"].estimator.C]

    def test_a_bare_word_is_a_text_and_a_list_is_a_list(self, tmp_path):
        config = configs.load(
            least(tmp_path), ["split.kind=source", 'split.test_sources=["a", "b"]', "output.name=big"]
        )
        assert (config.split.kind, config.split.test_sources, config.output.name) == ("source", ["a", "b"], "big")

    def test_a_mistake_in_it_is_told_like_one_in_the_file(self, tmp_path):
        with pytest.raises(ConfigError, match=r"\[split\] fold: unknown key, did you mean folds\?"):
            configs.load(least(tmp_path), ["split.fold=3"])

    @pytest.mark.parametrize("override", ["split.folds", "=3", " = 3"])
    def test_without_a_key_or_a_value(self, tmp_path, override):
        with pytest.raises(ConfigError, match=r"--set: found .*, expected table\.key=value"):
            configs.load(least(tmp_path), [override])

    def test_through_a_value(self, tmp_path):
        with pytest.raises(ConfigError, match="goes through 'name', which is a value"):
            configs.load(least(tmp_path), ["output.name.first=a"])


def test_a_key_that_is_called_as_pydantic_calls_keys(tmp_path):
    """Found by fuzzing: `[key]` is what pydantic adds to a location to say that the key itself is wrong."""
    least(tmp_path)
    path = tmp_path / "run.toml"
    path.write_text('"[key]" = 1\n' + path.read_text())
    with pytest.raises(ConfigError, match=r"1 mistake\n  \[key\]: unknown key, expected seed"):
        configs.load(path)
