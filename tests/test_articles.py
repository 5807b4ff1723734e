"""An article, its parts, and the table."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.articles import REASONS, Article, Columns, fields, table
from pipeline.articles.noise import RULES
from pipeline.articles.parts import LEDE_MAX, LEDE_MIN, split_title

FIRST = "اجتمع الوفدان صباح أمس في قاعة صغيرة تطل على البحيرة، وخرجا بعد ساعتين من غير بيان مشترك."
SECOND = "وقال أحد الحاضرين إن الحديث كان هادئا وإن موعدا آخر سيحدد قريبا."


def test_importing_articles_and_corpora_is_cheap():
    heavy = ["pandas", "numpy", "sklearn", "pyarrow", "numba", "camel_tools", "pooch", "charset_normalizer"]
    code = f"import sys, pipeline.articles, pipeline.corpora; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_lede_is_the_first_paragraph_and_the_parts_are_the_text():
    article = Article("1", "عنوان", f"{FIRST}\n{SECOND}")
    title, lede, body = fields(article)
    assert (title, lede, body) == ("عنوان", FIRST, f"\n{SECOND}")
    assert lede + body == article.text


def test_a_short_first_line_is_joined_by_the_paragraph_after_it():
    text = f"موسكو\n{FIRST}\n{SECOND}"
    _, lede, body = fields(Article("1", "", text))
    assert lede == f"موسكو\n{FIRST}"
    assert body == f"\n{SECOND}"


def test_one_long_paragraph_is_cut_at_a_sentence():
    text = " ".join([FIRST, SECOND] * 10)
    _, lede, body = fields(Article("1", "", text))
    assert lede == FIRST
    assert len(FIRST) >= LEDE_MIN
    assert lede + body == text


def test_a_long_paragraph_without_sentences_is_cut_at_the_limit():
    _, lede, body = fields(Article("1", "", "كلمة " * 500))
    assert len(lede) == LEDE_MAX
    assert lede + body == "كلمة " * 500


@pytest.mark.parametrize("text", ["", "\n", "كلمة", FIRST])
def test_short_texts_are_all_lede(text):
    assert fields(Article("1", "", text))[1:] == (text, "")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"لقاء هادئ على البحيرة\n\n{FIRST}", "لقاء هادئ على البحيرة"),
        (f"\n  هل يعود الحوار؟ \n{FIRST}", "هل يعود الحوار؟"),
        (f"{FIRST}\n{SECOND}", ""),  # ends like a sentence
        (f"قال الوزير:\n{FIRST}", ""),  # leads on
        ("كلمة " * 40 + f"\n{FIRST}", ""),  # too long
        ("لقاء هادئ على البحيرة", ""),  # nothing after it
        ("لقاء هادئ على البحيرة\n \n", ""),
    ],
)
def test_first_line_is_the_title_where_it_reads_like_one(text, title):
    found, rest = split_title(text)
    assert found == title
    assert rest == (FIRST if title else text)


def test_table_has_the_columns_of_the_house_as_objects():
    frame = table([Article("7", "أ", "ب", date="2018-05-11", labels={"stance": "favor"}), Article("8", "", "ج")])
    assert list(frame.columns) == ["id", "title", "text", "source", "date", "url", "stance"]
    assert set(map(str, frame.dtypes)) == {"object"}
    assert frame["id"].tolist() == ["7", "8"]
    assert frame["stance"].tolist() == ["favor", ""]


def test_empty_table_has_the_columns_too():
    assert list(table([]).columns) == ["id", "title", "text", "source", "date", "url"]


def test_columns_that_were_named_are_required():
    assert Columns().required() == ["text"]
    assert Columns(text="body", title="headline", labels=("stance",)).required() == ["body", "headline", "stance"]


def test_documentation_lists_every_rule_and_every_reason():
    page = (Path(__file__).parents[1] / "docs" / "articles.md").read_text(encoding="utf-8")
    assert all(f"| `{rule.name}` |" in page for rule in RULES)
    assert all(f"| `{reason}` |" in page for reason in REASONS)
