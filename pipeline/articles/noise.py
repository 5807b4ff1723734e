"""The rules by which page noise is known: each has a name, a purpose and the signs without which it has nothing to do.

A rule removes whole paragraphs, or a prefix or suffix of one, and only what no article is made of: where a rule could take
a sentence of an article, it leaves the noise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass


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
        What it is for, in a sentence.
    apply : callable
        Changes a page in place.
    signs : tuple of str
        A page whose title and text hold none of these has no such noise; empty: always look.
    """

    name: str
    purpose: str
    apply: Callable[[Page], None]
    signs: tuple[str, ...] = ()


_CLOSING = (".", "!", "؟", "?", ":", "؛", "،", "…")
_DASH = "[-–—]"
_AGENCY = (
    r"(?:فرانس ?(?:24|برس)|فرنس برس|[أا] ?[.]? ?ف ?[.]? ?ب[.]?|رويترز|[أا]سوشيتد ?برس|[أا] ?[.]? ?ب[.]?|د ?[.]? ?ب ?[.]? ?[أا][.]?|وكالات"
    r"|الوكالات|وكالة الأناضول|الأناضول|الاناضول|سبوتنيك|نوفوستي|تاس|شينخوا|بترا|وام|واس|وفا|سانا|قنا|كونا|إرنا|فارس|يو بي آي"
    r"|الجزيرة(?: نت)?|العربية(?:[.]نت)?|سكاي نيوز عربية|بي بي سي|مواقع إلكترونية|مواقع التواصل الاجتماعي|الصحافة (?:\w+ ){0,2}\w+"
    r"|AFP|AP|UPI|EPA|CNN|BBC|DPA|Reuters|REUTERS|Associated Press|Anadolu|Getty Images|Getty|RT)"
)
_AGENCIES = rf"{_AGENCY}(?:\s*[/+،,|&{_DASH[1:-1]}]\s*و?\s*{_AGENCY}|\s+و\s*{_AGENCY})*"


def _drop(pattern: str, *, longest: int = 160) -> Callable[[Page], None]:
    """Make a rule that drops the paragraphs, up to a length, that a pattern matches as a whole."""
    matches = re.compile(pattern).fullmatch

    def apply(page: Page) -> None:
        page.lines = [line for line in page.lines if len(line) > longest or not matches(line)]

    return apply


# Titles of pages: the site before or after the headline.
_SITE = (
    r"(?:CNNArabic\.com|CNN ?(?:بالعربية|Arabic)|BBC ?Arabic(?:\.com)?|BBC News عربي|بي بي سي عربي|الجزيرة نت|العربية نت|العربية\.نت"
    r"|سكاي نيوز عربية|فرانس ?24|France ?24|RT Arabic|سبوتنيك عربي|رويترز|DW عربية|الشرق الأوسط)"
)
_SITE_FIRST = re.compile(rf"{_SITE}\s+{_DASH}\s+(?:([\w ]{{3,20}})\s+{_DASH}\s+)?(.{{10,}})")
_SITE_LAST = re.compile(rf"(.{{10,}}?)\s+[|{_DASH[1:-1]}]\s+{_SITE}")


def _site_title(page: Page) -> None:
    page.title = _headline(page.title)
    if page.lines and len(page.lines[0]) < 250 and (found := _SITE_FIRST.fullmatch(page.lines[0])):
        page.title = page.title or found[2]
        del page.lines[0]


def _headline(title: str) -> str:
    if found := _SITE_FIRST.fullmatch(title):
        return found[2]
    if found := _SITE_LAST.fullmatch(title):
        return found[1]
    return title


_MARKUP = re.compile(r"</?[a-zA-Z][^<>\n]{0,300}>|<!--[^<>\n]{0,300}-->")
_ATTRIBUTE = re.compile(r"(?:content|alt|title|description)=[\"'].*")


def _markup(page: Page) -> None:
    lines = (_MARKUP.sub(" ", line) if "<" in line else line for line in page.lines if not _ATTRIBUTE.fullmatch(line))
    page.lines = [line for line in (" ".join(line.split()) for line in lines) if line]


_SECTIONS = frozenset(
    "الرئيسية|الشرق الأوسط|العالم|العالم العربي|عربي ودولي|شارك برأيك|اقتصاد|اقتصاد وأعمال|منوعات|علوم|علوم وتكنولوجيا|تكنولوجيا|رياضة"
    "|راديو وتلفزيون|ثقافة|ثقافة وفن|فن|صحة|صور|فيديو|بث مباشر|برامج|البرامج|آراء|رأي|مقالات|أخبار|الأخبار|سياسة|حوادث|مجتمع|القائمة|بحث"
    "|اتصل بنا|من نحن|English|Menu|Home".split("|")
)


def _navigation(page: Page) -> None:
    # One such word may be a subheading; four of them are a menu.
    at = [i for i, line in enumerate(page.lines[:40]) if len(line) < 24 and line in _SECTIONS]
    if len(at) >= 4:
        page.lines = [line for i, line in enumerate(page.lines) if i not in set(at)]


_WEEKDAY = "(?:السبت|الأحد|الاحد|الإثنين|الاثنين|الثلاثاء|الأربعاء|الاربعاء|الخميس|الجمعة)"
_CLOCK = r"\d{1,2}:\d\d(?::\d\d)?(?: ?(?:GMT|UTC|ص|م|صباحا|مساء|بتوقيت غرينتش))?"
_ZONE = r"\((?:GMT|UTC)? ?[+-]?\d{1,2}:?\d{0,2}\)"
_DAY = r"\d{1,2}(?: ?[/.-] ?\d{1,2} ?[/.-] ?|(?: [ء-ي]+){1,2}(?: ?/ ?[ء-ي]+(?: [ء-ي]+)?)?[,،]? )\d{2,4}"
_TIMESTAMP = (
    rf"(?:(?:آخر تحديث|تاريخ النشر|نشر(?:ت)? في|تم النشر|نشر|التاريخ|تحديث)\s*:?\s*)?"
    rf"(?:{_WEEKDAY} ?[,،]? ?)?"
    rf"(?:(?:\d{{4}} {_ZONE} - )?{_DAY}(?:\s*[,،{_DASH[1:-1]}|]?\s*(?:آخر تحديث:?|الساعة)?\s*{_CLOCK})?(?: ?{_ZONE})?|آخر تحديث ?:?)"
)

_DATELINE = re.compile(
    rf"(?!.*[.!؟].*\()[^()\n«»\":]{{0,70}}\(\s*{_AGENCIES}\s*\)\s*{_DASH}{{1,3}}\s*|[\w ،,]{{2,40}}\s{_DASH}\s\(\s*{_AGENCIES}\s*\)\s*:?\s*"
)


def _dateline(page: Page) -> None:
    for i, line in enumerate(page.lines[:6]):
        found = _DATELINE.match(line[:120])
        if not found or found.end() == len(line):
            continue
        page.lines[i] = line[found.end() :]
        # What stands above a dateline is the caption of the page's photograph and other lines that are no sentences.
        page.lines[:i] = [above for above in page.lines[:i] if len(above) > 120 or above.endswith(_CLOSING)]
        return


_AGENCY_TAIL = re.compile(rf"(?<=[.!؟\"”»])\s*[(\[]\s*{_AGENCIES}\s*[)\]]\s*\.?$")


def _agency_tail(page: Page) -> None:
    if page.lines and (found := _AGENCY_TAIL.search(page.lines[-1][-60:])):
        page.lines[-1] = page.lines[-1][: -len(found[0])]


_PHOTO = re.compile(
    r"(?:مصدر الصورة|صدر الصورة)\s*[:،]?\s*(?:Getty Images|Getty|AFP|EPA|Reuters|REUTERS|AP|BBC|PA|رويترز)?\s*(?:Image caption)?"
)


def _photo_credit(page: Page) -> None:
    kept = []
    for line in page.lines:
        if line.startswith(
            ("مصدر الصورة", "صدر الصورة", "التعليق على الصورة", "تعليق الصورة", "Image caption", "Image copyright")
        ):
            if len(line) <= 160:
                continue
            line = _PHOTO.sub("", line, count=1).strip()
        kept.append(line)
    page.lines = kept


_ALSO_HEAD = (
    r"(?:[إأا]قر[أئ](?:ي|وا)? ?(?:أيض[اً]+|ايض[اً]+|المزيد(?: في| عن)?)?|للمزيد(?: من التفاصيل| اقرأ| من المعلومات)?"
    r"|(?:قد|ربما) (?:يهمك|يعجبك|تهمك)(?: أيض[اً]+)?|شاهد(?:وا)?(?: أيض[اً]+| المزيد| بالفيديو| الفيديو)?|طالع (?:أيض[اً]+|المزيد)|كذلك|لمعرفة المزيد"
    r"|(?:مواضيع|موضوعات|مقالات|أخبار|قصص|مواد|روابط|تقارير|صفحات|فيديوهات) (?:ذات|لها) (?:صل[ةه]|علاق[ةه])(?: بالموضوع)?|(?:مواضيع|موضوعات|أخبار) متعلق[ةه]"
    r"|المزيد (?:حول|عن|من) (?:هذه القصة|هذا الموضوع|الموضوع)|الأكثر (?:قراءة|مشاهدة|تداولا)|ا?لأكثر قراءة|اختيارات المحرر|نرشح لك(?:م)?|اخترنا لك(?:م)?)"
)
_ALSO_ALONE = re.compile(rf"[\[(*•»>]?\s*{_ALSO_HEAD}\s*(?:\.\.+|[:|…/])?\s*[\])]?")
_ALSO_INLINE = re.compile(rf"[\[(*•»>]?\s*{_ALSO_HEAD}\s*(?:\.\.+|[:|…/]|{_DASH}\s).*")
_ALSO_PLAIN = re.compile(r"[إأا]قر[أئ](?:ي|وا)? (?:أيض|ايض|المزيد).{5,}")
_NO_HEAD = re.compile(r"(?:كذلك|للمزيد|شاهد|شاهدوا|[إأا]قر[أئ])\s*")


def _is_headline(line: str) -> bool:
    """Tell whether a paragraph reads like the headline of another story: short, with no end of a sentence."""
    return (
        20 <= len(line) <= 120 and not line.endswith((".", ":", "،", "؛", '."', ".”", ".»")) and line[0] not in "-–•*"
    )


def _read_also(page: Page) -> None:
    kept: list[str] = []
    teasers = 0  # how many more paragraphs may be teasers under the heading that was just seen
    for line in page.lines:
        if len(line) <= 200:
            if _ALSO_ALONE.fullmatch(line) and not _NO_HEAD.fullmatch(line):
                teasers = 8
                continue
            if _ALSO_INLINE.fullmatch(line) or _ALSO_PLAIN.fullmatch(line):
                # A teaser that ends like a sentence may be one: "شاهد: ..." in a report is kept.
                if not line.endswith(".") or len(line) < 120:
                    teasers = 2
                    continue
            elif teasers and _is_headline(line):
                teasers -= 1
                continue
        teasers = 0
        kept.append(line)
    page.lines = kept


def _teasers(page: Page) -> None:
    """Drop two to six headlines in a row between paragraphs that end like sentences: links to other stories."""
    lines = page.lines
    whole = sum(line.endswith((".", '"', "؟", "!", "”", "»")) and len(line) > 60 for line in lines)
    if whole < 3:
        return
    links: set[int] = set()
    start = 1
    while start < len(lines):
        end = start
        while end < len(lines) and _is_link(lines[end]):
            end += 1
        before = lines[start - 1]
        if 2 <= end - start <= 6 and len(before) > 60 and not before.endswith((":", "،", "؛")):
            links.update(range(start, end))
        start = max(end, start + 1)
    if links and sum(len(lines[i]) for i in links) <= 0.3 * sum(map(len, lines)):
        page.lines = [line for i, line in enumerate(lines) if i not in links]


def _is_link(line: str) -> bool:
    return 25 <= len(line) and _is_headline(line) and line[0] != "و" and not line[0].isdigit() and " – " not in line


_SHARE = (
    r"(?:شارك(?:ها|وا)?(?: (?:هذه الصفحة|هذا الخبر|هذا الموضوع|المقال|الخبر|عبر|على|مع الأصدقاء|برأيك))*|انشر(?:ه|ها)?|غرد|أرسل(?: إلى صديق)?|طباعة|اطبع|حفظ|نسخ الرابط"
    r"|فيسبوك|فيس بوك|تويتر|إكس|واتساب|واتس ?[اآ]ب|ماسنجر|تلغرام|تيليغرام|تليغرام|لينكد ?إن|بنترست|بريد إلكتروني|البريد الإلكتروني|إيميل|ايميل|غوغل بلس"
    r"|Facebook|Twitter|WhatsApp|Whatsapp|Messenger|Telegram|LinkedIn|Email|Pinterest|Share|Tweet|Copy link|Print|X|[0-9]+)"
)
_COMMENTS = (
    r"(?:(?:ال)?تعليق(?:ات)?(?: الزوار| القراء)? ?[:(]? ?[0-9٠-٩]* ?\)?|[0-9٠-٩]+ (?:تعليق(?:ات|ا|اً)?|مشاهد(?:ة|ات)|قراءة|مشاركة)"
    r"|لا (?:توجد|يوجد) تعليقات?(?: حتى الآن| بعد)?|(?:اكتب|أضف|اترك|أكتب|شارك)(?: ب)? ?تعليق(?:ك|ا|اً)?(?: هنا)?|عدد (?:التعليقات|المشاهدات|القراءات) ?:? ?[0-9٠-٩]*)"
)
_REPRINT = (
    r"[*\s]*(?:نقل(?:اً|ا|ًا) عن .{2,50}|جميع المقالات المنشورة تمثل رأي كتابها.{0,20}|(?:جميع )?(?:ال)?حقوق (?:النشر |الطبع )?محفوظة.{0,80}"
    r"|(?:هذا المقال بقلم .{3,60})?الآراء الوارد[ةه] .{0,60}(?:لا ت(?:عكس|عبر|مثل)|رأي).{0,80}|المقال(?:ة)? (?:لا )?(?:ي|ت)عبر عن (?:رأي|وجهة نظر).{0,80})"
)
_PROMO = (
    r"(?:يمكنكم (?:استلام|تسلم) إشعارات .*|(?:حمّ?ل(?:وا)?|نزّ?ل(?:وا)?) (?:تطبيق|التطبيق).*|(?:تابع(?:وا|نا|ونا)?|انضم(?:وا)?|اشترك(?:وا)?)"
    r" (?:على|عبر|إلى|في|آخر|كل|جديد|قناة|صفحة|نشرتنا|صفحتنا|قناتنا|حسابنا|موقع).{0,110}|اضغط هنا.*|.{0,140}[،,] ?اضغط(?:وا)? هنا\W*"
    r"|(?:ل|من أجل )?(?:الاشتراك|تحميل التطبيق) .{0,60}(?:اضغط|انقر).*|ملاحظة\s*:? ?(?:لمشاهدة|لتحميل).*)"
)
_ORNAMENT = r"[\W_×xX]{1,200}"


def _repeats(page: Page) -> None:
    lines = page.lines
    if page.title and page.title in lines[:8]:
        lines = [line for i, line in enumerate(lines) if i >= 8 or line != page.title]
    if len(set(lines)) < len(lines):
        seen: set[str] = set()
        # A short line may be said twice on purpose (a refrain, a name in an interview).
        lines = [line for line in lines if len(line) < 30 or not (line in seen or seen.add(line))]  # type: ignore[func-returns-value]
    # The abstract of a page is often the beginning of its first paragraph.
    if len(lines) > 1 and 40 <= len(lines[0]) < len(lines[1]) and lines[1].startswith(lines[0].rstrip(" ….")):
        lines = lines[1:]
    page.lines = lines


RULES: tuple[Rule, ...] = (
    Rule("markup", "Tags and attributes that were left when a page was stripped.", _markup, ("<", '="', "='")),
    Rule(
        "site_title",
        "The site's name around the headline; the headline fills an empty title.",
        _site_title,
        (
            "CNN",
            "BBC",
            "بي بي سي",
            "الجزيرة",
            "العربية",
            "سكاي",
            "فرانس",
            "France",
            "RT ",
            "سبوتنيك",
            "رويترز",
            "DW",
            "الشرق",
        ),
    ),
    Rule(
        "navigation",
        "The menu of sections, when four or more of its words stand alone.",
        _navigation,
        ("الرئيسية", "القائمة", "Home"),
    ),
    Rule(
        "timestamp",
        "A line that is only a date and a time.",
        _drop(_TIMESTAMP, longest=90),
        ("GMT", "تحديث", "نشر", "/", "20", "19"),
    ),
    Rule(
        "repeats",
        "The title repeated at the top, a paragraph repeated, an abstract that begins the first paragraph.",
        _repeats,
    ),
    Rule(
        "dateline",
        "City and agency before the first sentence, and the photograph's caption above them.",
        _dateline,
        (") -", ") –", ") —", ")-", ")–", "- ("),
    ),
    Rule(
        "agency_credit",
        "A line of nothing but agencies.",
        _drop(rf"[(\[*\s]*(?:(?:المصدر|المصادر|مصادر)\s*[:+]?\s*)?{_AGENCIES}[)\]*\s.]*", longest=90),
    ),
    Rule("agency_tail", "Agencies in brackets after the last sentence.", _agency_tail, (")", "]")),
    Rule(
        "photo_credit",
        "Credits and captions of photographs.",
        _photo_credit,
        ("صدر الصورة", "التعليق على الصورة", "تعليق الصورة", "Image c"),
    ),
    Rule(
        "share_bar", "Buttons that share, print or save.", _drop(rf"{_SHARE}(?:[\s|،,/:+•-]+{_SHARE})*\W*", longest=200)
    ),
    Rule(
        "comments",
        "Counts of comments and views, invitations to comment.",
        _drop(_COMMENTS, longest=40),
        ("تعليق", "مشاهد", "قراء", "مشاركة"),
    ),
    Rule(
        "reprint",
        "Reprint notes, disclaimers and copyright.",
        _drop(_REPRINT, longest=200),
        ("نقل", "حقوق", "رأي", "الآراء", "المقال"),
    ),
    Rule(
        "promotion",
        "Invitations to install, follow, subscribe or click.",
        _drop(_PROMO, longest=220),
        ("إشعارات", "تطبيق", "تابع", "نضم", "شترك", "ضغط", "ملاحظة", "الاشتراك"),
    ),
    Rule("ornament", "Lines of dashes, stars and other signs without a letter.", _drop(_ORNAMENT)),
    Rule(
        "read_also",
        "Headings such as 'read also', and the headlines under them.",
        _read_also,
        (
            "قرأ",
            "قرئ",
            "اقرا",
            "للمزيد",
            "يهمك",
            "تهمك",
            "يعجبك",
            "شاهد",
            "طالع",
            "صل",
            "علاق",
            "متعلق",
            "المزيد",
            "الأكثر",
            "كذلك",
            "اختيارات",
            "نرشح",
            "اخترنا",
        ),
    ),
    Rule("teasers", "Two to six headlines of other stories in a row between paragraphs, or at the end.", _teasers),
)
