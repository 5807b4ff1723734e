"""ANT Corpus 2.1: five Arabic outlets, February to October 2018."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from pipeline.articles.article import Article
from pipeline.corpora.archive import Member
from pipeline.corpora.base import Corpus, decode

_OUTLETS = {
    "alarabia": "Al Arabiya",
    "BBC": "BBC Arabic",
    "CNN": "CNN Arabic",
    "france24": "France 24",
    "skynews": "Sky News Arabia",
}
_FIELD = re.compile(r"<(DOCNO|URL|SRC|TITLE|TIME)>(.*?)</\1>", re.DOTALL)
_TEXT = re.compile(r"<TEXT>(.*?)(?:</TEXT>|\Z)", re.DOTALL)
_DAY = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}")


def parse(member: Member) -> Iterator[Article]:
    """Read one file: fields in the manner of TREC, the text between TEXT tags."""
    page = decode(member)
    head, _, _ = page.partition("<TEXT>")
    field = {name: value.strip() for name, value in _FIELD.findall(head)}
    text = _TEXT.search(page)
    if "DOCNO" not in field or text is None:
        return
    source = field.get("SRC", "")
    yield Article(
        id=field["DOCNO"],
        title=field.get("TITLE", ""),
        text=text[1].strip(),
        source=_OUTLETS.get(source, source),
        date=_date(field.get("TIME", "")),
        url=field.get("URL", ""),
    )


def _date(time: str) -> str:
    """Give the ISO date of a time as mail writes it (RFC 5322), in its own zone."""
    found = _DAY.search(time)
    return datetime.strptime(found[0], "%d %b %Y").date().isoformat() if found else ""


CORPUS = Corpus(
    name="ant",
    about="31,525 articles of BBC, CNN, Al Arabiya, France 24 and Sky News Arabia, February to October 2018.",
    repository="antcorpus/antcorpus.multisource.data",
    commit="f117ce44a9cfad0dcbd341b7d744e4c3cdb4fed8",
    sha256="d167960998b0157eae459f073264cc8350d9bcd1aad360bdfe60c53f160534f3",
    content_sha256="258289cc9d51c02f56198249759586484035f6bc8c6a8884b3b8f0031a6a13c1",
    size=27_780_472,
    count=31_523,
    licence="Apache-2.0 (badge of the repository) and a citation licence (its README)",
    citation=(
        "A. Chouigui, O. Ben Khiroun, B. Elayeb. An Arabic Multi-source News Corpus: Experimenting on Single-document "
        "Extractive Summarization. Arabian Journal for Science and Engineering 46, 2021. doi:10.1007/s13369-020-05258-z"
    ),
    data=re.compile(r"(?:Alarabia|BBC|CNN|France24|SkyNews)/[^/]+/(?P<id>[^/]+)\.txt"),
    parse=parse,
)
