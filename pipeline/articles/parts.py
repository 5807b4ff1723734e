"""The parts of an article: its title, its lede and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pipeline.articles.article import Article

Fields = tuple[list[str], list[str], list[str]]
"""Titles, ledes and bodies of articles, three parallel lists."""

# A lede is the first paragraph. Pages that come as one long paragraph, or open with a line that is no paragraph (a
# dateline, a subtitle), are cut at the end of a sentence instead.
LEDE_MIN = 80
LEDE_MAX = 600

_SENTENCE_END = re.compile(r"[.!?؟…][\"'»”)\]]*(?=\s)")
_BETWEEN = re.compile(r"(?<=[.!?؟…])\s+|\n+")
_TITLE_MAX = 160


def fields(article: Article) -> tuple[str, str, str]:
    """Tell title, lede and body of an article apart.

    Parameters
    ----------
    article : Article

    Returns
    -------
    title, lede, body : str
        ``lede + body`` is the text, character by character: a position in the body is that position plus ``len(lede)``
        in the text.
    """
    text = article.text
    cut = lede_end(text)
    return article.title, text[:cut], text[cut:]


def split_fields(articles: Iterable[Article]) -> Fields:
    """Title, lede and body of articles, as three parallel lists."""
    parts = [fields(article) for article in articles]
    return [p[0] for p in parts], [p[1] for p in parts], [p[2] for p in parts]


def lede_end(text: str) -> int:
    """Find where the lede of a text ends.

    Parameters
    ----------
    text : str
        Paragraphs separated by line feeds.

    Returns
    -------
    int
        The end of the first paragraph of at least ``LEDE_MIN`` characters, together with the shorter ones before it;
        where that is longer than ``LEDE_MAX``, the end of the first sentence that is at least ``LEDE_MIN`` characters
        in.
    """
    end = text.find("\n", LEDE_MIN)
    if end < 0:
        end = len(text)
    if end <= LEDE_MAX:
        return end
    sentence = _SENTENCE_END.search(text, LEDE_MIN, LEDE_MAX)
    return sentence.end() if sentence else min(end, LEDE_MAX)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Starts and ends of the sentences of a text: cut after . ! ? ؟ … before white space, and at line ends."""
    edges = [0, *(edge for match in _BETWEEN.finditer(text) for edge in match.span()), len(text)]
    spans = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        part = text[start:stop]
        start += len(part) - len(part.lstrip())
        if part := part.strip():
            spans.append((start, start + len(part)))
    return spans


def split_title(text: str) -> tuple[str, str]:
    """Take the first line off a plain text when it reads like a title.

    Parameters
    ----------
    text : str

    Returns
    -------
    title, text : str
        The title is "" when the first line is long, ends like a sentence, or has nothing after it.
    """
    head, _, rest = text.strip().partition("\n")
    head = head.strip()
    if not head or len(head) > _TITLE_MAX or head.endswith((".", "،", ":", "؛")) or not rest.strip():
        return "", text
    return head, rest.lstrip()
