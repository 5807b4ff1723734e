"""OSAC: pages of CNN and BBC Arabic, 2009 and 2010, with the noise of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pipeline.articles.article import Article
from pipeline.corpora.archive import Member
from pipeline.corpora.base import Corpus, decode

_MARKS = re.compile("[\u200e\u200f\u202a-\u202e]")
_TITLE = re.compile(r"(?:CNNArabic\.com|BBC Arabic - [^-\n]{3,30}) - (.+?)\s*(?:\n|   |$)")
_CNN_SHORT = re.compile(r"\(GMT[+-]\d\d:\d\d\) - (?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d\d)")
_CNN_LONG = re.compile(r"(?P<day>\d{1,2}) [ء-ي ]+/\s?(?P<month>[ء-ي]+) (?P<year>\d{4})، آخر")
_BBC_NAME = re.compile(r"(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)_[^/]*$")
_MONTHS = (
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
)


def parse(member: Member) -> Iterator[Article]:
    """Read one page. The date is that of the last change, which the page or its file name gives."""
    name = member.name.rpartition("/")[2]
    page = _MARKS.sub("", decode(member)).strip()
    cnn = "cnnAr" in name
    title = _TITLE.match(page)
    found = (_CNN_SHORT.search(page, 0, 600) or _CNN_LONG.search(page, 0, 600)) if cnn else _BBC_NAME.search(name)
    yield Article(
        id=name,
        title=title[1].strip() if title else "",
        text=page,
        source="CNN Arabic" if cnn else "BBC Arabic",
        date=_date(**found.groupdict()) if found else "",
    )


def _date(day: str, month: str, year: str) -> str:
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1 if month in _MONTHS else 0
    try:
        return date(int(year) + 2000 * (len(year) == 2), number, int(day)).isoformat()
    except ValueError:
        return ""


CORPUS = Corpus(
    name="osac",
    about="6,317 pages of CNN Arabic and BBC Arabic, 2009 and 2010, with the noise of the page.",
    repository="menaattia/arabic-fake-news",
    commit="d0a2c8301c86005140d14814f57fd7bf5f13c887",
    sha256="0f3f84b42478fdc666ab68521b8aa9185ae72416a8f2d8660c7329d155149cfd",
    content_sha256="6ebb56a58407d3bb672b2b33cb5d91a3b3ef64826af22911ed9c834b9c67d166",
    size=7_254_811,
    count=6_317,
    licence="none stated: for testing, not for training what is given away",
    citation=(
        "M. K. Saad, W. Ashour. OSAC: Open Source Arabic Corpora. 6th International Conference on Electrical and "
        "Computer Systems (EECS), 2010"
    ),
    data=re.compile(r"dataset_processing/Articles_dataset_preparation/real_news/(?P<id>[^/]+\.txt)"),
    parse=parse,
)
