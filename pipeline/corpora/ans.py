"""ANS: pairs of headlines, whether the second agrees with the first, 2020."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from pipeline.articles.article import Article
from pipeline.corpora.archive import Member
from pipeline.corpora.base import Corpus, decode


def parse(member: Member) -> Iterator[Article]:
    """Read one official split. The claim is the title, the headline about it the text; labels are stance and split."""
    split = member.name.rpartition("/")[2].removesuffix(".csv")
    for number, row in enumerate(csv.DictReader(decode(member).splitlines(keepends=True)), start=1):
        yield Article(
            f"stance/{split}/{number}", row["s1"], row["s2"], labels={"stance": row["stance"], "split": split}
        )


CORPUS = Corpus(
    name="ans",
    about="3,786 pairs of headlines: agree, disagree or other, with official train, dev and test splits.",
    repository="latynt/ans",
    commit="9c5f313ab225880b9f60f4e795e6afb4da3352c8",
    sha256="eb51af23e831e2827aabe2aad58b633af7d40e3bc6877368c992b0c13170e214",
    content_sha256="a866dccd5becaa6ff5a8776f0bbd182b96393bfaf8200c39b3b5e653d1e95908",
    size=261_486,
    count=3_786,
    licence="Apache-2.0 (README)",
    citation=(
        "J. Khouja. Stance Prediction and Claim Verification: An Arabic Perspective. Third Workshop on Fact "
        "Extraction and VERification (FEVER), 2020, 8-17"
    ),
    data=re.compile(r"data/stance/(?:train|dev|test)\.csv"),
    parse=parse,
    pages=False,
)
