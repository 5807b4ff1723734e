"""What is accepted as an article."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.articles.article import Article
from pipeline.articles.rejects import Reject

_WORD = re.compile("[ء-ي]{2}")
_LEADS = b"\xd8\xd9\xda\xdb"  # the first bytes, in UTF-8, of U+0600 to U+06FF and of nothing else
_SCRIPT = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is accepted as an article, and how files are read.

    Parameters
    ----------
    min_words : int
        Words that the text must have.
    min_arabic : float
        Arabic characters among the Arabic characters and the letters of other scripts, 0 to 1.
    clean : bool
        Whether page noise is removed.
    encoding : str, optional
        The encoding of every file; None recognizes it file by file.
    unique_ids : bool
        Whether a second article with the same id is a reject. It costs about 100 bytes of memory an article.
    max_chars : int
        Characters that a text, or a line of CSV or JSONL, may have.
    max_ratio : float
        Bytes that one byte of a gzipped file may unpack to.
    """

    min_words: int = 5
    min_arabic: float = 0.5
    clean: bool = True
    encoding: str | None = None
    unique_ids: bool = False
    max_chars: int = 1_000_000
    max_ratio: float = 200.0


def judge(article: Article, rules: Rules) -> Reject | None:
    """Say why an article is not acceptable.

    Parameters
    ----------
    article : Article
    rules : Rules

    Returns
    -------
    Reject or None
        None where it is acceptable.
    """
    text = article.text
    if not text or text.isspace():
        return Reject("empty", id=article.id)
    longest = max(len(text), len(article.title), len(article.id))
    if longest > rules.max_chars:
        return Reject("too_long", f"{longest:,} characters", article.id[: rules.max_chars], text)
    if not _WORD.search(text) or arabic_fraction(text, at_least=rules.min_arabic) < rules.min_arabic:
        return Reject("no_arabic", f"{arabic_fraction(text):.0%} of its letters", article.id, text)
    words = text.split(None, rules.min_words)
    if len(words) < rules.min_words:
        return Reject("too_short", f"{len(words)} words", article.id, text)
    return None


def arabic_fraction(text: str, *, at_least: float = 1.0) -> float:
    """Give the fraction of Arabic among the letters of a text.

    Parameters
    ----------
    text : str
        Encodable as UTF-8.
    at_least : float
        Where a fraction this high is certain from counting bytes, a lower bound of the fraction is given instead of the
        fraction itself: much faster, and enough for a rule.

    Returns
    -------
    float
        Arabic characters / (Arabic characters + letters of other scripts), 0 to 1; 0 for a text without either.
    """
    data = text.encode()
    bound = (len(data) - len(data.translate(None, _LEADS))) / max(len(text), 1)
    if bound >= at_least:
        return bound
    arabic = len(_SCRIPT.findall(text))
    others = sum(map(str.isalpha, _SCRIPT.sub("", text)))
    return arabic / (arabic + others) if arabic else 0.0
