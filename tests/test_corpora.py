"""Public corpora: archives made here stand in for them; the real ones are read where they lie beside the project."""

import gzip
import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import corpora
from pipeline.corpora import aljazeera, ans, ant, mawqif, osac
from pipeline.corpora import archive as archive_module
from pipeline.corpora.archive import Member, content_sha256, file_sha256, members
from pipeline.corpora.base import Corpus
from pipeline.corpora.labels import annotation, read_annotations
from pipeline.corpora.written import Written
from pipeline.errors import CorpusError, LabelError

REAL = Path(__file__).parents[2] / "shared" / "corpora"
real = pytest.mark.skipif(not REAL.is_dir(), reason="needs the public corpora beside the project")
HEADER = "id,topics,relevant,stance,sure\n"
TEXT = "رست السفينة في الميناء فجر أمس بعد رحلة استمرت أسبوعين في بحر هائج."


def pack(path, files, *, top="repo-abc", extra=()):
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(data.encode())
            tar.addfile(info, io.BytesIO(data.encode()))
        for info in extra:
            tar.addfile(info)
    return path


def toy(path, files, **changes):
    pattern = re.compile(r"news/(?P<id>[^/]+\.txt)")
    return Corpus(
        name="toy",
        about="A toy.",
        repository="nobody/repo",
        commit="abc",
        sha256=file_sha256(path),
        content_sha256=content_sha256(path, pattern),
        size=path.stat().st_size,
        count=len(files),
        licence="none",
        citation="none",
        data=pattern,
        parse=aljazeera.parse,
        folder=path.parent,
        **changes,
    )


FILES = {"news/a.txt": f"عنوان أول\n{TEXT}", "news/b.txt": f"عنوان ثان\n{TEXT}", "README.md": "x", "news/c.txt": " \n "}


@pytest.fixture
def corpus(tmp_path):
    return toy(pack(tmp_path / "repo-abc.tar.gz", FILES), FILES)


def test_names_and_addresses():
    assert corpora.names() == ("ant", "osac", "aljazeera", "mawqif", "ans", "written")
    found = corpora.get("ant")
    assert found.address == (
        "https://github.com/antcorpus/antcorpus.multisource.data/archive/f117ce44a9cfad0dcbd341b7d744e4c3cdb4fed8.tar.gz"
    )
    assert found.file_name == "antcorpus.multisource.data-f117ce44a9cfad0dcbd341b7d744e4c3cdb4fed8.tar.gz"
    for name in corpora.names()[:-1]:
        one = corpora.get(name)
        assert re.fullmatch("[0-9a-f]{40}", one.commit)
        assert re.fullmatch("[0-9a-f]{64}", one.sha256)
        assert re.fullmatch("[0-9a-f]{64}", one.content_sha256)
        assert one.licence
        assert one.citation


def test_unknown_name_lists_the_known():
    with pytest.raises(CorpusError, match=r"no corpus 'anl'\n  There are: ant, osac"):
        corpora.get("anl")


def test_absent_archive_says_what_to_do_and_touches_no_network(tmp_path, monkeypatch):
    import pooch

    monkeypatch.setattr(pooch, "retrieve", lambda *a, **k: pytest.fail("the network was touched"))
    with pytest.raises(CorpusError, match="mirsad corpora get ant"):
        corpora.get("ant", from_dir=tmp_path).path()


def test_folder_may_come_from_the_environment(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("MIRSAD_CORPORA", str(tmp_path))
    assert replace(corpus, folder=None).path() == tmp_path / "repo-abc.tar.gz"


def test_fetched_archive_is_checked_and_a_wrong_one_removed(corpus, tmp_path, monkeypatch):
    import pooch

    fetched = tmp_path / "elsewhere" / "repo-abc.tar.gz"
    fetched.parent.mkdir()

    def retrieve(url, known_hash, fname, path):
        assert (url, fname) == ("https://github.com/nobody/repo/archive/abc.tar.gz", "repo-abc.tar.gz")
        return str(pack(fetched, contents))

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    wants = replace(corpus, folder=fetched.parent, download=True)
    contents = {**FILES, "news/a.txt": "changed"}
    with pytest.raises(CorpusError, match="is not the archive of nobody/repo"):
        wants.path()
    assert not fetched.exists()
    contents = FILES
    assert wants.path() == fetched


def test_failed_download_is_one_message(corpus, tmp_path, monkeypatch):
    import pooch

    def refuse(*args, **options):
        raise ConnectionError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    with pytest.raises(CorpusError, match="could not be fetched: no route to host"):
        replace(corpus, folder=tmp_path / "empty", download=True).path()


def test_same_data_in_another_archive_is_genuine(corpus, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    files = dict(reversed({**FILES, "code/train.py": "print()"}.items()))
    path = pack(other / "repo-abc.tar.gz", files, top="repo-of-the-host")
    assert file_sha256(path) != corpus.sha256
    assert [a.title for a in replace(corpus, folder=other).articles()] == ["عنوان ثان", "عنوان أول"]


@pytest.mark.parametrize(
    "change",
    [{"news/a.txt": "x"}, {"news/d.txt": "more"}, {"news/b.txt": None}, {"news/b.txt": None, "news/B.txt": "x"}],
)
def test_changed_data_is_refused(corpus, tmp_path, change):
    other = tmp_path / "other"
    other.mkdir()
    files = {name: data for name, data in {**FILES, **change}.items() if data is not None}
    pack(other / "repo-abc.tar.gz", files)
    with pytest.raises(CorpusError, match="another SHA-256"):
        replace(corpus, folder=other).path()


def test_truncated_archive_is_one_message(tmp_path):
    path = pack(tmp_path / "a.tar.gz", {f"news/{i}.txt": TEXT * i for i in range(300)})
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(CorpusError, match="cannot be read"):
        list(members(path, re.compile(".*")))
    path.write_bytes(b"not an archive")
    with pytest.raises(CorpusError, match="cannot be read"):
        list(members(path, re.compile(".*")))


def test_links_devices_and_climbing_names_have_nothing_to_take_hold_of(tmp_path, monkeypatch):
    extra = []
    for name, kind in (("repo/news/link.txt", tarfile.SYMTYPE), ("repo/news/hard.txt", tarfile.LNKTYPE)):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        extra.append(info)
    pipe = tarfile.TarInfo("repo/news/pipe.txt")
    pipe.type = tarfile.FIFOTYPE
    path = pack(tmp_path / "a.tar.gz", {"news/a.txt": TEXT, "../../news/b.txt": TEXT}, extra=[*extra, pipe])
    monkeypatch.chdir(tmp_path)
    assert [m.name for m in members(path, re.compile(r"news/[^/]+\.txt"))] == ["news/a.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.tar.gz"]


def test_bombs_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_MEMBER", 1000)
    path = pack(tmp_path / "a.tar.gz", {"news/a.txt": "x" * 1001})
    with pytest.raises(CorpusError, match="larger than any corpus"):
        list(members(path, re.compile(".*")))
    monkeypatch.setattr(archive_module, "MAX_TOTAL", 2000)
    path = pack(tmp_path / "b.tar.gz", {f"news/{i}.txt": "x" * 900 for i in range(3)})
    with pytest.raises(CorpusError, match="larger than any corpus"):
        list(members(path, re.compile(".*")))


def test_only_the_articles_wanted_are_parsed(corpus):
    parsed = []

    def parse(member):
        parsed.append(member.name)
        yield from aljazeera.parse(member)

    wants = replace(corpus, parse=parse)
    assert [a.title for a in wants.articles(ids={"news/b.txt"})] == []  # an id is not a path
    found = list(replace(corpus, parse=lambda m: iter(())).articles(ids=["a.txt"]))
    assert found == []
    list(wants.articles(ids=["b.txt"]))
    assert parsed == ["news/b.txt"]


# Parsers, on files of our own in the shape of each corpus


def one(module, name, text):
    (article,) = module.parse(Member(name, text.encode()))
    return article


def test_ant_file():
    article = one(
        ant,
        "BBC/economy/BB-economy-9-20180302.txt",
        "<DOC>\n<DOCNO>BB-economy-9-20180302</DOCNO>\n<URL>http://example.org/9</URL>\n<SRC>BBC</SRC>\n<TITLE>السفينة"
        " تعود</TITLE>\n<TIME>Fri, 02 Mar 2018 23:59:30 +0400</TIME>\n<ABSTRACT>\nموجز\n</ABSTRACT>\n"
        f"<TEXT>\n{TEXT}\n</TEXT>\n</DOC>",
    )
    assert (article.id, article.title, article.text) == ("BB-economy-9-20180302", "السفينة تعود", TEXT)
    assert (article.source, article.date, article.url) == ("BBC Arabic", "2018-03-02", "http://example.org/9")


def test_osac_pages():
    short = one(
        osac, "x/middle_eastcnnAr09me (3).html.txt", "  CNNArabic.com - السفينة تعود  \n 1600 (GMT+04:00) - 09/07/09   "
    )
    assert (short.id, short.title) == ("middle_eastcnnAr09me (3).html.txt", "السفينة تعود")
    assert (short.source, short.date) == ("CNN Arabic", "2009-07-09")
    long = one(
        osac,
        "x/worldcnnAr09world (3).html.txt",
        "CNNArabic.com - السفينة   الاثنين، 16 تشرين الثاني/نوفمبر 2009، آخر تحديث 13:00",
    )
    assert long.date == "2009-11-16"
    page = "\u202dBBC Arabic\u202c - \u202eالعالم\u202c - \u202eالسفينة تعود - من جديد \u202c        content="
    bbc = one(osac, "x/اخبار العالم100330_ship_tc2.shtml.txt", page)
    assert (bbc.title, bbc.source, bbc.date) == ("السفينة تعود - من جديد", "BBC Arabic", "2010-03-30")
    assert one(osac, "x/اخبار العالم109930_ship.shtml.txt", page).date == ""


def test_aljazeera_file():
    article = one(aljazeera, "raw_data/jazeera/culture/104.txt", f"السفينة تعود \n\n {TEXT}")
    assert (article.id, article.title, article.text) == ("culture/104.txt", "السفينة تعود", TEXT)


def test_mawqif_and_ans_rows_have_their_own_labels_and_splits():
    header = "\ufeffID,text,target,stance,stance:confidence,sarcasm,sentiment,datetime\r\n"
    row = f'3,"{TEXT}\r\nسطر ثان",Covid Vaccine,None,1,No,Neutral,2022-04-28 11:12:56+00:00\r\n'
    tweet = one(mawqif, "Data/Mawqif_AllTargets_Train.csv", header + row)
    assert (tweet.id, tweet.date, tweet.text) == ("3", "2022-04-28", f"{TEXT}\r\nسطر ثان")
    assert tweet.labels == {
        "target": "Covid Vaccine",
        "stance": "None",
        "sarcasm": "No",
        "sentiment": "Neutral",
        "split": "train",
    }
    pair = one(ans, "data/stance/dev.csv", "s1,s2,stance\nالسفينة تعود,السفينة غرقت,disagree\n")
    assert (pair.id, pair.title, pair.text) == ("stance/dev/1", "السفينة تعود", "السفينة غرقت")
    assert pair.labels == {"stance": "disagree", "split": "dev"}


def test_old_encodings_in_a_corpus_are_recognized():
    (article,) = aljazeera.parse(
        Member("raw_data/jazeera/a/1.txt", f"السفينة تعود إلى الميناء\n{TEXT * 4}".encode("cp1256"))
    )
    assert article.title == "السفينة تعود إلى الميناء"


# Labels


def test_labels_are_read_as_the_codebook_writes_them():
    found = annotation("7", "syria|ukraine", "1", "against", "3", where="x.csv")
    assert found == ("7", ("syria", "ukraine"), 1, "against", 3)
    assert annotation("7", "none", "0", "neutral", "1", where="x.csv").topics == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ("syria|iran", "1", "favor", "3"),
            r"x\.csv: article '7' has the topic 'iran', which the codebook",
        ),
        (("", "1", "favor", "3"), "topic ''"),
        (("syria|syria", "1", "favor", "3"), "a topic twice"),
        (("none", "2", "favor", "3"), "relevant '2'"),
        (("none", "1", "Favor", "3"), "stance 'Favor'"),
        (("none", "1", "favor", "4"), "sure '4'"),
    ],
)
def test_label_that_the_codebook_does_not_know_is_named(values, message):
    with pytest.raises(LabelError, match=message):
        annotation("7", *values, where="x.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("id,topics,stance\n", "lacks the columns relevant, sure"),
        (
            "id,topics,relevant,stance,sure\n1,none,0,neutral,3\n1,none,0,neutral,3\n",
            "line 3: article '1' is labelled a second time",
        ),
        ("id,topics,relevant,stance,sure\n1,none\n", "relevant ''"),
    ],
)
def test_broken_label_file_is_one_message(tmp_path, data, message):
    path = tmp_path / "toy.csv"
    path.write_text(data)
    with pytest.raises(LabelError, match=message):
        list(read_annotations(path))


def test_label_file_that_is_not_there(tmp_path):
    with pytest.raises(LabelError, match="no such label file"):
        list(read_annotations(tmp_path / "x.csv"))
    with pytest.raises(
        LabelError, match=r"no labels for 'mawqif'\n  There are labels for: aljazeera, ant, osac, seeds, written"
    ):
        corpora.annotations("mawqif")


@pytest.mark.parametrize(("name", "count"), [("ant", 2643), ("osac", 125), ("aljazeera", 125), ("seeds", 5)])
def test_the_projects_own_labels_are_all_known(name, count):
    frame = corpora.annotations(name)
    assert list(frame.columns) == ["id", "topics", "relevant", "stance", "sure"]
    assert len(frame) == count
    assert all(isinstance(topics, tuple) for topics in frame["topics"])
    assert set(frame["relevant"]) <= {0, 1}
    # The codebook: where the relation is no subject, the stance is neutral.
    assert set(frame.loc[frame["relevant"] == 0, "stance"]) <= {"neutral"}


def test_label_without_an_article_is_named(corpus, tmp_path, monkeypatch):
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "toy.csv").write_text("id,topics,relevant,stance,sure\nb.txt,syria,0,neutral,3\nz.txt,none,0,neutral,3\n")
    by_name = replace(corpus, parse=lambda m: aljazeera.parse(Member(m.name.removeprefix("news/"), m.data)))
    monkeypatch.setattr(corpora, "FOLDER", labels)
    monkeypatch.setitem(corpora._CORPORA, "toy", by_name)
    with pytest.raises(LabelError, match=r"articles that the corpus does not have: 'z\.txt'"):
        corpora.labelled("toy", from_dir=tmp_path)
    (labels / "toy.csv").write_text("id,topics,relevant,stance,sure\nb.txt,syria,0,neutral,3\na.txt,none,0,neutral,3\n")
    frame = corpora.labelled("toy", from_dir=tmp_path)
    assert frame["id"].tolist() == ["b.txt", "a.txt"]
    assert frame["topics"].tolist() == [("syria",), ()]
    assert frame["title"].tolist() == ["عنوان ثان", "عنوان أول"]


def test_written_corpus(tmp_path):
    path = tmp_path / "articles.jsonl"
    path.write_text(
        '{"id": "w-1", "title": "السفينة", "text": "' + TEXT + '", "date": "2014-04-18", "topics": ["ukraine"], '
        '"relevant": 1, "stance": "favor", "sure": 3, "genre": "report"}\n\n'
        '{"id": "w-2", "title": "الميناء", "text": "'
        + TEXT
        + '", "topics": [], "relevant": 0, "stance": "neutral", "sure": 2}\n'
    )
    first, second = Written(path).articles()
    assert first.labels == {"topics": "ukraine", "relevant": "1", "stance": "favor", "sure": "3"}
    assert (first.date, second.date) == ("2014-04-18", "")
    assert [a.topics for a in Written(path).annotations()] == [("ukraine",), ()]
    assert [a.id for a in Written(path).articles(ids={"w-2"})] == ["w-2"]
    with pytest.raises(CorpusError, match="the written corpus is not here"):
        Written(tmp_path / "none.jsonl").path()


# The real ones


@real
@pytest.mark.parametrize("name", ["osac", "aljazeera", "mawqif", "ans"])
def test_real_corpus_has_the_articles_it_says(name):
    corpus = corpora.get(name, from_dir=REAL)
    ids = [article.id for article in corpus.articles(clean=False)]
    assert len(ids) == len(set(ids)) == corpus.count
    assert content_sha256(corpus.path(), corpus.data) == corpus.content_sha256


@real
@pytest.mark.parametrize(("name", "count"), [("ant", 2643), ("osac", 125), ("aljazeera", 125)])
def test_real_labels_find_their_articles(name, count):
    frame = corpora.labelled(name, from_dir=REAL)
    assert len(frame) == count
    assert frame["text"].str.len().min() > 50
    assert frame["title"].str.len().min() > 5
    if name == "ant":
        older = frame[~frame["date"].str.fullmatch(r"2018-\d\d-\d\d")]  # pages of years before, met in 2018
        assert sorted(older["date"]) == ["2013-12-26", "2013-12-28", "2014-01-05", "2014-01-12", "2014-01-12"]
        assert set(frame["source"]) == {"BBC Arabic", "CNN Arabic", "Al Arabiya", "France 24", "Sky News Arabia"}


@real
def test_real_corpus_with_labels_of_its_own():
    frame = corpora.labelled("mawqif", from_dir=REAL)
    assert frame.groupby("split").size().to_dict() == {"test": 619, "train": 3502}
    assert set(frame["stance"]) == {"Favor", "Against", "None"}


def test_gzip_of_an_empty_archive_is_no_error_of_ours(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"\0" * 10240))
    assert list(members(path, re.compile(".*"))) == []
