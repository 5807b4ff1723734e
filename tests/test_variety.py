from __future__ import annotations

import pytest

from pipeline import quality, variety
from pipeline.articles import Article

WORDS = [
    "وصل",
    "الوفد",
    "إلى",
    "العاصمة",
    "مساء",
    "الأحد",
    "وبدأ",
    "محادثات",
    "مع",
    "مسؤولين",
    "كبار",
    "حول",
    "ملفات",
    "عالقة",
    "منذ",
    "سنوات",
    "طويلة",
    "بين",
    "البلدين",
]


def _article(name: str, words: list[str]) -> Article:
    return Article(name, "", " ".join(words))


def _by_name(found: list[variety.Finding]) -> dict[str, variety.Finding]:
    return {finding.name: finding for finding in found}


def test_copies_are_found_and_named():
    found = _by_name(variety.check([_article("a", WORDS), _article("b", [*WORDS[:-1], "الجارين"])]))
    assert not found["alike"].passed
    assert found["alike"].examples == ("a and b: 0.88",)  # 14 of 16 shingles of five words


def test_different_articles_pass():
    found = variety.check([_article("a", WORDS), _article("b", WORDS[::-1])])
    assert all(finding.passed for finding in found)


def test_a_formula_is_told_in_how_many_articles_it_stands():
    formula = WORDS[:8]
    texts = [_article(str(i), [f"كلمة{i}", *formula, f"خاتمة{i}"]) for i in range(4)]
    found = _by_name(variety.check(texts))["told twice"]
    assert not found.passed
    assert found.said.startswith("a sequence of 8 words stands in 4 articles")


def test_openings_are_counted_against_one_in_a_hundred():
    found = _by_name(variety.check([_article(str(i), [*WORDS[:4], f"تتمة{i}"]) for i in range(3)]))["openings"]
    assert not found.passed
    assert found.said == "3 articles at most open with the same four words, allowed are 1"


def test_words_taken_from_real_news_are_found():
    real = [Article("real", "", "قبل ذلك " + " ".join(WORDS[:9]) + " بعد ذلك")]
    found = _by_name(variety.check([_article("a", WORDS)], real))
    assert not found["copied"].passed
    assert "a and real" in found["copied"].examples[0]


def test_sentences_may_share_a_frame_but_not_stand_there_twice_nor_in_real_news():
    alone = [_article("s1", WORDS[:10]), _article("s2", [*WORDS[:9], "سرا"])]
    assert _by_name(variety.check([_article("a", WORDS[::-1])], None, alone))["sentences"].passed
    alone += [Article("s3", "", " ".join(WORDS[:10]) + ".")]
    real = [Article("real", "", " ".join(["قبل", *WORDS[2:10]]))]
    found = _by_name(variety.check([_article("a", WORDS[::-1])], real, alone))
    assert found["sentences"].examples == ("s1, s3",)
    assert "s3 and real" in found["copied"].examples[0]  # the last that has it stands for all


def test_kappa_by_hand():
    # 4 of 5 alike; chance (3/5 * 2/5) + (2/5 * 3/5) = 12/25, so (4/5 - 12/25) / (13/25) = 8/13
    assert variety.kappa("aaabb", "aabbb") == pytest.approx(8 / 13)
    assert variety.kappa("aa", "aa") == 1.0


def test_agreement_of_label_files(tmp_path):
    (tmp_path / "1.csv").write_text("id,topics,relevant,stance\na,syria,0,neutral\nb,none,1,favor\n", encoding="utf-8")
    (tmp_path / "2.csv").write_text("id,topics,relevant,stance\na,syria,0,neutral\nb,none,1,favor\n", encoding="utf-8")
    lines = quality.agreement(str(tmp_path / "1.csv"), str(tmp_path / "2.csv"))
    assert lines[0] == "2 articles labelled twice"
    assert lines[1:] == [
        f"kappa {name}: 1.000"
        for name in ("arms_control", "election_interference", "ukraine", "syria", "relevant", "stance")
    ]


def test_the_written_corpus_passes_its_own_checks():
    report = quality.check_files(
        ["written"],
        sentences="data/sentences.jsonl",
        first="data/labelling/first.csv",
        second="data/labelling/second.csv",
    )
    assert report.passed, report.lines
    assert all(float(line.split(": ")[1]) >= 0.85 for line in report.lines if line.startswith("kappa"))
