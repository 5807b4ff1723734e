"""Page noise out of real news, by the named rules of ``noise.RULES``."""

from __future__ import annotations

import html
import re

from pipeline.articles.noise import LONGEST, RULES, Page, is_suspect

_GAP = re.compile(" {3,}")
_ENTITY = re.compile(r"&(?:#\d{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});")
_ODD_BLANK = re.compile(r"[^\S\n\r ]")
# Control characters that are no blanks, marks of direction, and other invisible marks. The zero-width non-joiner
# stays: it shapes Persian words, and the normalization of the text decides about it.
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def clean(title: str, text: str) -> tuple[str, str]:
    """Remove page noise from an article.

    Parameters
    ----------
    title, text : str

    Returns
    -------
    title, text : str
        Paragraphs of the text are separated by one line feed; blanks are single spaces. An empty title is filled where
        the page itself names one.
    """
    page = layout(title, text)
    suspects = "\n".join([line for line in page.lines if len(line) <= LONGEST and is_suspect(line)])
    for rule in RULES:
        if not rule.signs or (suspects and any(sign in suspects for sign in rule.signs)):
            rule.apply(page)
    return page.title, "\n".join(page.lines)


def removed(title: str, text: str) -> dict[str, int]:
    """Count the characters that each rule removes from the text of an article.

    Parameters
    ----------
    title, text : str

    Returns
    -------
    dict of str to int
        By name of the rule, for those that removed some.
    """
    page = layout(title, text)
    counts: dict[str, int] = {}
    left = sum(map(len, page.lines))
    for rule in RULES:
        rule.apply(page)
        now = sum(map(len, page.lines))
        if now != left:
            counts[rule.name] = left - now
        left = now
    return counts


def layout(title: str, text: str) -> Page:
    """Break a text into paragraphs with single blanks between words.

    Entities become the characters they stand for and invisible characters go. A gap of three blanks or more is what is
    left of a paragraph where a page was stripped of its tags, so it separates paragraphs too.
    """
    lines: list[str] = []
    for line in _entities(text).replace("\xa0", " ").replace("\r\n", "\n").split("\n"):
        if not line.isprintable():  # rare, and asking first is many times cheaper; so is splitting at line feeds only
            for piece in line.splitlines():
                lines += _at_gaps(_ODD_BLANK.sub(" ", _INVISIBLE.sub("", piece)))
        elif "  " in line:
            lines += _at_gaps(line)
        else:
            lines.append(line.strip())
    return Page(" ".join(_INVISIBLE.sub("", _entities(title)).split()), [line for line in lines if line])


def _at_gaps(line: str) -> list[str]:
    return [piece.strip().replace("  ", " ") for piece in _GAP.split(line)]


def _entities(text: str) -> str:
    return html.unescape(text) if "&" in text and _ENTITY.search(text) else text
