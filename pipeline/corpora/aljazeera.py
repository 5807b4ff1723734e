"""Articles of Al Jazeera's site, spring 2022, in four sections."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.articles.article import Article
from pipeline.corpora.archive import Member
from pipeline.corpora.base import Corpus, decode

_TOP = "raw_data/jazeera/"


def parse(member: Member) -> Iterator[Article]:
    """Read one file: the first line is the title."""
    title, _, text = decode(member).partition("\n")
    yield Article(id=member.name.removeprefix(_TOP), title=title.strip(), text=text.strip(), source="Al Jazeera")


CORPUS = Corpus(
    name="aljazeera",
    about="1,797 articles of Al Jazeera, 2022: politics, economy, culture, science.",
    repository="vulca1n/arabic-news-articles-clustering",
    commit="4a1a4e2c711e2185199e96e2af1cb34cb513f26a",
    sha256="b25f1b5a84fc78621c334425cfd1b93bb920172f5327bde038965d7c830d4d8f",
    content_sha256="14fb849236e104c13f44d344e2b522f9b73a60cdee8d0f9fd6aa3a6cb61a4e81",
    size=3_431_892,
    count=1_797,
    licence="none stated: for testing, not for training what is given away",
    citation="github.com/vulca1n/arabic-news-articles-clustering",
    data=re.compile(r"raw_data/jazeera/(?P<id>.+\.txt)"),
    parse=parse,
)
