"""The parts of an article: its title, its lede and the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.articles.article import Article

Fields = tuple[list[str], list[str], list[str]]
"""Titles, ledes and bodies of articles, three parallel lists."""

# A lede is the first paragraph. Pages that come as one long paragraph, or open with a line that is no paragraph (a
# dateline, a subtitle), are cut at the end of a sentence instead.
LEDE_MIN = 80
LEDE_MAX = 600

_SENTENCE_END = re.compile(r"[.!?؟…][\"'»”)\]]*(?=\s)")
# what normalization deletes beside tatweel, and what is a word outside of the basic plane
_UNSEEN = r"\u00ad\u061c\u064b-\u0652\u0670\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_FAR = r"\U00010000-\U0010ffff"
_ENDS = re.compile(rf"[!?؟\n]|[.…](?=[{_UNSEEN}\u0640]*(?:[^\w.…{_UNSEEN}{_FAR}]|\Z))")
_LAST_GAP = re.compile(r".*\s", re.DOTALL)
_HAS_WORD = re.compile(rf"[^\W\u0640]|[{_FAR}]")
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


def top(title: Sequence[str], lede: Sequence[str], body: Sequence[str], first: int) -> Fields:
    """Titles, and of each text its first so many characters, to the end of a word; all of them for 0."""
    if not first:
        return list(title), list(lede), list(body)
    ledes = [_cut(text, first) for text in lede]
    return list(title), ledes, [_cut(text, first - len(part)) for part, text in zip(lede, body, strict=True)]


def _cut(text: str, length: int) -> str:
    """The start of a text, up to the last white space within so many characters."""
    length = max(length, 0)
    if len(text) <= length or text[length].isspace():
        return text[:length]
    within = _LAST_GAP.search(text, 0, length)
    return text[: within.end()] if within else text[:length]


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
    """Starts and ends of the sentences of a text.

    One ends with ! ? ؟ and a line, and with a point that no word follows at once, as in 5.1; what holds no word is no
    sentence. So does `features.automaton` count them, which finds listed terms.
    """
    spans, start = [], 0
    for stop in [*(match.end() for match in _ENDS.finditer(text)), len(text)]:
        part = text[start:stop]
        if _HAS_WORD.search(part):
            bare = part.lstrip()
            first = start + len(part) - len(bare)
            spans.append((first, first + len(bare.rstrip())))
        start = stop
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
