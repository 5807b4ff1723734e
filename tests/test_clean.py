"""Cleaning: every rule has an example, and what looks like noise but is news stays."""

import os
from itertools import islice
from pathlib import Path

import pytest

from pipeline.articles import clean
from pipeline.articles.cleaning import layout, removed
from pipeline.articles.noise import RULES

ONE = "وصل الوزير إلى العاصمة صباح الثلاثاء على رأس وفد كبير من رجال الأعمال والخبراء، واستقبله نظيره في المطار."
TWO = "وعقد الجانبان جلسة أولى استمرت ثلاث ساعات، تناولت التبادل التجاري وحركة السفن بين الموانئ في البلدين."
THREE = "ومن المنتظر أن تختتم الزيارة مساء الخميس بتوقيع مذكرة تفاهم، على أن تعقد جولة ثانية في الخريف المقبل."
NEWS = [ONE, TWO, THREE]

# rule, paragraphs of the page, paragraphs that stay
EXAMPLES = [
    ("markup", [f"<p class='x'>{ONE}</p>", 'content="ملخص قصير للصفحة." />', "<br/>", TWO], [ONE, TWO]),
    ("site_title", ["BBC Arabic - العالم - وزير يصل إلى العاصمة", ONE], [ONE]),
    ("site_title", ["CNNArabic.com - وزير يصل إلى العاصمة", ONE], [ONE]),
    ("navigation", ["الرئيسية", "العالم", "رياضة", "منوعات", ONE], [ONE]),
    ("timestamp", ["1421 (GMT+04:00) - 05/03/09", ONE], [ONE]),
    ("timestamp", ["آخر تحديث:", "الاربعاء, 14 أكتوبر/ تشرين الأول, 2009, 08:15 GMT", ONE], [ONE]),
    ("timestamp", ["الخميس، 3 كانون الأول/ديسمبر 2009، آخر تحديث 21:00 (GMT+0400)", ONE], [ONE]),
    ("timestamp", ["تاريخ النشر: 12/10/2018", ONE], [ONE]),
    ("timestamp", ["السبت 12 مايو 2018 - 14:05", ONE], [ONE]),
    ("repeats", ["عنوان الصفحة هنا", ONE, TWO, ONE], [ONE, TWO]),
    ("repeats", [f"{ONE[:60]}...", ONE, TWO], [ONE, TWO]),
    ("dateline", ["الوزير عند وصوله", f"مسقط، عمان (CNN) -- {ONE}", TWO], [ONE, TWO]),
    ("dateline", [f"طوكيو (رويترز) - {ONE}"], [ONE]),
    ("dateline", [f"بيروت - (أ ف ب): {ONE}"], [ONE]),
    ("agency_credit", [ONE, "فرانس24/ أ ف ب"], [ONE]),
    ("agency_credit", [ONE, "المصدر : الجزيرة + وكالات"], [ONE]),
    ("agency_credit", [ONE, "(رويترز، د ب أ)"], [ONE]),
    ("agency_tail", [f"{ONE} (أ ف ب، رويترز)"], [ONE]),
    ("photo_credit", ["مصدر الصورة Getty Images", "التعليق على الصورة، الوزير في المطار", ONE], [ONE]),
    ("photo_credit", [f"مصدر الصورة Reuters Image caption {ONE} {TWO}"], [f"{ONE} {TWO}"]),
    ("share_bar", ["شارك هذه الصفحة عبر", "فيسبوك | تويتر | واتساب | طباعة", ONE, "نسخ الرابط"], [ONE]),
    ("comments", [ONE, "التعليقات (12)", "٣ تعليقات", "لا توجد تعليقات حتى الآن", "أضف تعليقك"], [ONE]),
    ("reprint", [ONE, "*نقلاً عن صحيفة البلاد", "** جميع المقالات المنشورة تمثل رأي كتابها فقط."], [ONE]),
    ("reprint", [ONE, "جميع الحقوق محفوظة لوكالة الأطلس 2018"], [ONE]),
    ("promotion", [ONE, "تابعونا على صفحتنا في فيسبوك", "لتحميل التقرير كاملا، اضغط هنا..."], [ONE]),
    ("promotion", [ONE, "يمكنكم تسلم إشعارات بأهم الأخبار بعد تحميل التطبيق على الهاتف."], [ONE]),
    ("ornament", [ONE, "-----------------", "* * *", "×××", TWO], [ONE, TWO]),
    ("read_also", [ONE, "اقرأ أيضاً: ميناء جديد على الساحل الشرقي", TWO], [ONE, TWO]),
    ("read_also", [ONE, "مواضيع ذات صلة", "ميناء جديد على الساحل الشرقي", "عودة الملاحة بعد توقف", TWO], [ONE, TWO]),
    ("read_also", [ONE, "للمزيد: لماذا تأخرت السفن في العبور؟", TWO], [ONE, TWO]),
    ("read_also", [ONE, "شاهد.. لحظة وصول الوفد إلى المطار", TWO], [ONE, TWO]),
    ("read_also", [ONE, "مقالات ذات صله"], [ONE]),
    ("read_also", [ONE, "قد يهمك أيضا: كيف تعمل الموانئ الحديثة", TWO], [ONE, TWO]),
    ("teasers", [ONE, "السفراء يبحثون رسوم العبور", "ميناء جديد على الساحل الشرقي", TWO, THREE], NEWS),
    ("teasers", [*NEWS, "ميناء جديد على الساحل الشرقي", "كيف عادت الملاحة بعد التوقف؟"], NEWS),
]


@pytest.mark.parametrize(("rule", "page", "kept"), EXAMPLES)
def test_rule_removes_its_noise_and_nothing_else(rule, page, kept):
    title, text = clean("عنوان الصفحة هنا", "\n".join(page))
    assert text.split("\n") == kept
    assert title == "عنوان الصفحة هنا"
    assert set(removed("عنوان الصفحة هنا", "\n".join(page))) == {rule}


def test_every_rule_has_an_example_and_a_purpose():
    assert {rule for rule, _, _ in EXAMPLES} == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.purpose.endswith(".") for rule in RULES)


@pytest.mark.parametrize(
    "line",
    [
        "شاهد الجمهور المباراة في الساحة الكبرى",
        "شاهد",
        "للمزيد من الأمان تغلق الأبواب ليلا.",
        "اقرأ الدستور، قال الرئيس، ثم احكم.",
        "تابع الوزير كلمته وسط تصفيق الحضور.",
        "تعليق العضوية",
        "رويترز تعلن تعيين مدير جديد",
        "وقالت رويترز إن السفينة غادرت.",
        "الشرق الأوسط",
        "2018",
        "1- ميناء الجنوب",
        "في 12/10/2018 وقع الطرفان الاتفاق",
        "مصدر الصورة الذهنية عن البلاد هو الإعلام.",
        "مصدر الصورة الذهنية عن البلاد هو الإعلام، كما يرى باحثون درسوا ما تنشره الصحف عنها منذ عشرين عاما، "
        "وجمعوا ما وجدوا في كتاب كبير.",
        "حقوق الإنسان",
        "نقل المصابون إلى المستشفى.",
        "يمكنكم زيارة المعرض حتى نهاية الشهر.",
        "انضم إلى الفريق لاعبان جديدان.",
        "وقال (وهو يبتسم) - كما روى الحاضرون - إن الأمر انتهى.",
        "قال المتحدث: (رويترز) - نقلت الخبر خطأ.",
        "العلاقة",
        "كذلك فعلوا",
        "ما الذي حدث؟",
    ],
)
def test_what_looks_like_noise_but_is_news_stays(line):
    assert clean("عنوان", f"{ONE}\n{line}\n{TWO}\n{THREE}")[1].split("\n") == [ONE, line, TWO, THREE]


def test_list_after_a_colon_is_no_list_of_teasers():
    page = [ONE, TWO, "واتفق الطرفان بعد الجلسة الثانية على جملة من البنود، وهذه أبرزها كما وردت في البيان:"]
    items = ["خفض الرسوم على البضائع العابرة", "فتح خط بحري بين المينائين", "تبادل الخبرات في الجمارك"]
    assert clean("", "\n".join([*page, *items, THREE]))[1].split("\n") == [*page, *items, THREE]


def test_page_of_nothing_but_headlines_is_left_alone():
    headlines = [f"عنوان طويل عن موضوع مهم رقم {word}" for word in ("أول", "ثان", "ثالث", "رابع", "خامس")]
    assert clean("", "\n".join([*NEWS, *headlines * 3]))[1].split("\n")[:3] == NEWS
    text = "\n".join(headlines)
    assert clean("", text)[1] == text


def test_refrain_is_said_twice_on_purpose():
    assert clean("", f"{ONE}\nنعم يا سيدي\n{TWO}\nنعم يا سيدي")[1].count("نعم يا سيدي") == 2


def test_paragraphs_of_a_page_that_lost_its_tags_come_apart_at_the_gaps():
    page = f"   {ONE}               {TWO}\t\t  \t{THREE}   "
    assert clean("", page)[1].split("\n") == NEWS


def test_layout_mends_blanks_entities_and_invisible_marks():
    page = layout(
        " عنوان\u200f  طويل ",
        "\u202bقال\xa0&quot;نعم&quot;\u202c  ثم\u00a0 مضى &amp; عاد\r\n\r\n\ufeffسطر\u200bثان\x07 ",
    )
    assert page.title == "عنوان طويل"
    assert page.lines == ['قال "نعم" ثم مضى & عاد', "سطرثان"]


def test_zero_width_non_joiner_stays():
    assert clean("", "می\u200cخواهد")[1] == "می\u200cخواهد"


def test_empty_title_is_filled_by_the_page():
    assert clean("", f"CNNArabic.com - وزير يصل إلى العاصمة   \n{ONE}") == ("وزير يصل إلى العاصمة", ONE)


@pytest.mark.parametrize(
    "title",
    [
        "CNNArabic.com - وزير يصل إلى العاصمة",
        "وزير يصل إلى العاصمة - BBC News عربي",
        "وزير يصل إلى العاصمة | الجزيرة نت",
    ],
)
def test_name_of_the_site_leaves_the_title(title):
    assert clean(title, ONE)[0] == "وزير يصل إلى العاصمة"


def test_title_about_a_site_keeps_its_words():
    assert clean("الجزيرة نت تفتح مكتبا - وتغلق آخر", ONE)[0] == "الجزيرة نت تفتح مكتبا - وتغلق آخر"


def test_whole_page_of_the_year_2009():
    page = (
        "          CNNArabic.com - سفينة تعود إلى الميناء   \n"
        "        1600 (GMT+04:00) - 09/07/09    سفينة تعود إلى الميناء        السفينة عند وصولها         \n"
        f"          مسقط، عمان (CNN) -- {ONE}   {TWO} \n"
        "          روابط ذات علاقة    ميناء جديد على الساحل الشرقي    عودة الملاحة بعد توقف طويل     "
        f"{THREE} \n"
    )
    assert clean("", page) == ("سفينة تعود إلى الميناء", "\n".join(NEWS))


def test_cleaning_twice_is_cleaning_once():
    for _, page, _ in EXAMPLES:
        once = clean("عنوان", "\n".join(page))
        assert clean(*once) == once


CORPORA = Path(__file__).parents[2] / "shared" / "corpora"


@pytest.mark.skipif(not CORPORA.is_dir(), reason="needs the public corpora beside the project")
@pytest.mark.parametrize(("name", "most"), [("ant", 0.02), ("osac", 0.2), ("aljazeera", 0.001)])
def test_on_real_pages_cleaning_takes_little_and_the_signs_miss_nothing(name, most, monkeypatch):
    from pipeline import corpora

    monkeypatch.setitem(os.environ, "MIRSAD_CORPORA", str(CORPORA))
    before = after = 0
    for article in islice(corpora.get(name).articles(clean=False), 0, 4000, 8):
        page = layout(article.title, article.text)
        before += sum(map(len, page.lines))
        for rule in RULES:
            rule.apply(page)
        text = clean(article.title, article.text)[1]
        assert text == "\n".join(page.lines), article.id
        after += len(text) - text.count("\n")
    assert 0 <= 1 - after / before <= most
