"""The rules by which page noise is known: each has a name, a purpose and the signs without which it has nothing to do.

A rule removes whole paragraphs, or a prefix or suffix of one, and only what no article is made of: where a rule could
take a sentence of an article, it leaves the noise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.articles import phrases


@dataclass(slots=True)
class Page:
    """An article while it is cleaned: its title and its paragraphs, without blanks around them."""

    title: str
    lines: list[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of page noise.

    Parameters
    ----------
    name : str
    purpose : str
        What it removes, in a sentence.
    apply : callable
        Changes a page in place.
    signs : tuple of str
        A page has no such noise if none of these stands in a suspect paragraph; empty: always look.
    """

    name: str
    purpose: str
    apply: Callable[[Page], None]
    signs: tuple[str, ...] = ()


# What is longer is a paragraph of the article. It is also what makes cleaning fast: most paragraphs are longer.
LONGEST = 130


def is_suspect(line: str) -> bool:
    """Tell whether a short paragraph could be noise: it does not end like a sentence, or begins like noise."""
    return line[-1] != "." or line.startswith(phrases.OPENINGS) or line.endswith(("هنا.", "هنا).", "..."))


def _drop(pattern: str, *, longest: int = LONGEST) -> Callable[[Page], None]:
    """Make a rule that drops the paragraphs, up to a length, that a pattern matches as a whole."""
    matches = re.compile(pattern).fullmatch

    def apply(page: Page) -> None:
        page.lines = [line for line in page.lines if len(line) > longest or not matches(line)]

    return apply


def _markup(page: Page) -> None:
    lines = []
    for line in page.lines:
        if line.startswith(phrases.ATTRIBUTES):
            continue
        lines.append(" ".join(phrases.MARKUP.sub(" ", line).split()) if "<" in line else line)
    page.lines = [line for line in lines if line]


def _site_title(page: Page) -> None:
    page.title = _without_site(page.title)
    if page.lines and len(page.lines[0]) < 250 and (found := phrases.SITE_FIRST.fullmatch(page.lines[0])):
        page.title = page.title or found[1]
        del page.lines[0]


def _without_site(title: str) -> str:
    if not any(sign in title for sign in "|" + phrases.DASHES):
        return title
    found = phrases.SITE_FIRST.fullmatch(title) or phrases.SITE_LAST.fullmatch(title)
    return found[1] if found else title


def _navigation(page: Page) -> None:
    # One such word may be a subheading; four of them are a menu.
    menu = {i for i, line in enumerate(page.lines[:40]) if line in phrases.SECTIONS}
    if len(menu) >= 4:
        page.lines = [line for i, line in enumerate(page.lines) if i not in menu]


def _repeats(page: Page) -> None:
    lines = page.lines
    if page.title and page.title in lines[:8]:
        lines = [line for i, line in enumerate(lines) if i >= 8 or line != page.title]
    if len(set(map(len, lines))) < len(lines) and len(set(lines)) < len(lines):
        # A short line may be said twice on purpose: a refrain, a name in an interview.
        first = {line: i for i, line in reversed(list(enumerate(lines)))}
        lines = [line for i, line in enumerate(lines) if len(line) < 30 or first[line] == i]
    # The abstract of a page is often the beginning of its first paragraph.
    if len(lines) > 1 and 40 <= len(lines[0]) < len(lines[1]) and lines[1].startswith(lines[0].rstrip(" ….")):
        lines = lines[1:]
    page.lines = lines


def _dateline(page: Page) -> None:
    for i, line in enumerate(page.lines[:6]):
        if line.find("(", 0, 80) < 0 or not (found := phrases.DATELINE.match(line)) or found.end() == len(line):
            continue
        page.lines[i] = line[found.end() :]
        # What stands above a dateline is the caption of the photograph and other lines that are no sentences.
        page.lines[:i] = [above for above in page.lines[:i] if len(above) > 120 or above.endswith((".", "؟", "!", ":"))]
        return


def _agency_tail(page: Page) -> None:
    tail = page.lines[-1][-60:] if page.lines else ""
    if tail.endswith((")", "]", ").", "].")) and (found := phrases.AGENCY_TAIL.search(tail)):
        page.lines[-1] = page.lines[-1][: -len(found[0])]


def _photo_credit(page: Page) -> None:
    kept = []
    for line in page.lines:
        if line.startswith(phrases.PHOTO_HEADS):
            if len(line) <= LONGEST and (line[-1] != "." or "،" in line[:24]):
                continue
            # Too long for a caption, or a sentence: what follows the credit belongs to the article.
            line = phrases.PHOTO_SOURCE.sub("", line, count=1).strip()
        kept.append(line)
    page.lines = kept


def _ornament(page: Page) -> None:
    page.lines = [line for line in page.lines if line[0].isalpha() or len(line) > 2 * LONGEST or _has_word(line)]


_has_word = re.compile(r"[^\W_×]").search


def _read_also(page: Page) -> None:
    kept = []
    teasers = 0  # how many more paragraphs may be headlines under the heading that was just seen
    for line in page.lines:
        if len(line) <= LONGEST and phrases.READ_ALSO.fullmatch(line):
            teasers = 8
        elif len(line) <= LONGEST and phrases.READ_ALSO_HEADLINE.fullmatch(line):
            teasers = 2
        elif teasers and _is_headline(line):
            teasers -= 1
        else:
            teasers = 0
            kept.append(line)
    page.lines = kept


def _is_headline(line: str) -> bool:
    """Tell whether a paragraph reads like the headline of another story: short, and not ended like a sentence."""
    return 20 <= len(line) <= 120 and not line.endswith(_ENDS) and line[0] not in "-–•*"


_ENDS = (".", ":", "،", "؛", "…", '."', ".”", ".»", "!")


def _teasers(page: Page) -> None:
    """Drop two to six headlines in a row between paragraphs that end like sentences: links to other stories."""
    lines = page.lines
    headlines = {i for i, line in enumerate(lines) if i and _is_headline(line)}
    if (
        len(headlines) < 2
        or sum(len(line) > 60 and line.endswith((".", '"', "؟", "!", "”", "»")) for line in lines) < 3
    ):
        return
    links: set[int] = set()
    start = 1
    while start < len(lines):
        end = start
        while end in headlines and _is_link(lines[end]):
            end += 1
        before = lines[start - 1]
        if 2 <= end - start <= 6 and len(before) > 60 and not before.endswith((":", "،", "؛")):
            links.update(range(start, end))
        start = max(end, start + 1)
    # Where headlines are much of the text, it is a list of headlines.
    if links and sum(len(lines[i]) for i in links) <= 0.3 * sum(map(len, lines)):
        page.lines = [line for i, line in enumerate(lines) if i not in links]


def _is_link(line: str) -> bool:
    # "and ..." goes on from the paragraph before; a number or a long dash is an item of a list.
    return len(line) >= 25 and line[0] != "و" and not line[0].isdigit() and " – " not in line


_ANY = ("",)  # any suspect paragraph at all
_ALSO_SIGNS = (
    *("قرأ", "قرئ", "مزيد", "همك", "عجبك", "شاهد", "طالع"),
    *("ذات ", "لها ", "متعلق", "الأكثر", "كذلك", "اخت", "نرشح"),
)

RULES: tuple[Rule, ...] = (
    Rule("markup", "Tags and attributes left over from the page's source.", _markup),
    Rule("site_title", "The site's name around the headline; the headline fills an empty title.", _site_title),
    Rule(
        "navigation",
        "The menu of sections, when four or more of its words stand alone.",
        _navigation,
        ("الرئيسية", "القائمة", "Home"),
    ),
    Rule(
        "timestamp",
        "A line that is only a date and a time.",
        _drop(phrases.TIMESTAMP, longest=90),
        (":", "تحديث", "20", "/"),
    ),
    Rule(
        "repeats",
        "The title again at the top, a paragraph again, an abstract that begins the next paragraph.",
        _repeats,
    ),
    Rule(
        "dateline", "City and agency before the first sentence, and the caption of a photograph above them.", _dateline
    ),
    Rule("agency_credit", "A line of nothing but agencies.", _drop(phrases.AGENCY_LINE, longest=90), _ANY),
    Rule("agency_tail", "Agencies in brackets after the last sentence.", _agency_tail),
    Rule("photo_credit", "Sources and captions of photographs.", _photo_credit),
    Rule("share_bar", "Buttons that share, print or save.", _drop(phrases.SHARE_BAR), _ANY),
    Rule(
        "comments", "Counts of comments and views, invitations to comment.", _drop(phrases.COMMENTS, longest=40), _ANY
    ),
    Rule(
        "reprint",
        "Reprint notes, disclaimers and copyright.",
        _drop(phrases.REPRINT),
        ("نقل", "حقوق", "رأي", "الآراء", "المقال"),
    ),
    Rule(
        "promotion",
        "Invitations to install, follow, subscribe or click.",
        _drop(phrases.PROMOTION),
        ("يمكنكم", "تطبيق", "تابع", "نضم", "شترك", "ضغط", "اشتراك"),
    ),
    Rule("ornament", "Lines of dashes, stars and other signs without a letter.", _ornament),
    Rule(
        "read_also",
        "Headings such as 'read also' and the headlines under them.",
        _read_also,
        _ALSO_SIGNS,
    ),
    Rule("teasers", "Two to six headlines of other stories in a row, between paragraphs or at the end.", _teasers),
)
