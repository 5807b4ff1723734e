"""Public corpora, one file each, and the labels that were given to some of their articles."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corpora import aljazeera, ans, ant, mawqif, osac, written
from pipeline.corpora.base import Corpus
from pipeline.corpora.labels import FOLDER, STANCES, TOPICS, Annotation, read_annotations
from pipeline.corpora.written import Written
from pipeline.errors import CorpusError, LabelError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "STANCES",
    "TOPICS",
    "Annotation",
    "Corpus",
    "annotations",
    "describe",
    "get",
    "labelled",
    "names",
    "read_annotations",
]

_CORPORA: dict[str, Corpus | Written] = {
    module.CORPUS.name: module.CORPUS for module in (ant, osac, aljazeera, mawqif, ans, written)
}


def names() -> tuple[str, ...]:
    """Give the short names of all corpora."""
    return tuple(_CORPORA)


def get(name: str, *, from_dir: str | Path | None = None, download: bool = False) -> Corpus | Written:
    """Give a corpus by its short name.

    Parameters
    ----------
    name : str
        One of ``names()``.
    from_dir : str or Path, optional
        A folder in which archives lie already.
    download : bool
        Whether the archive may be fetched from its host when it is nowhere. Nothing else here uses the network.

    Returns
    -------
    Corpus or Written
        Nothing is looked for until ``path()`` or ``articles()`` is called.

    Raises
    ------
    CorpusError
        There is no corpus of that name.
    """
    if name not in _CORPORA:
        raise CorpusError(f"there is no corpus {name!r}", hint=f"There are: {', '.join(names())}")
    corpus = _CORPORA[name]
    if isinstance(corpus, Written):
        return corpus
    return replace(corpus, folder=Path(from_dir) if from_dir is not None else None, download=download)


def describe(name: str, *, from_dir: str | Path | None = None) -> list[str]:
    """Say what a corpus is, for a person.

    Parameters
    ----------
    name : str
    from_dir : str or Path, optional
        As for ``get``.

    Returns
    -------
    list of str
        One line a fact. Counts of labels are those of the project's own label files; a corpus that brings its own
        labels inside the archive has them counted only where the archive is here already.

    Raises
    ------
    CorpusError
        There is no corpus of that name, or the archive that is here is not what was pinned.
    """
    from pipeline.corpora.describing import describe

    return describe(get(name, from_dir=from_dir))


def annotations(name: str) -> "pd.DataFrame":
    """Give the labels of a corpus.

    Parameters
    ----------
    name : str
        A corpus that has labels under the codebook: ant, osac, aljazeera, written; or seeds, the five seed articles.

    Returns
    -------
    pandas.DataFrame
        Columns id (str), topics (tuple of str), relevant (int), stance (str), sure (int).

    Raises
    ------
    LabelError
        There are none, or one is not in the codebook.
    """
    import pandas as pd

    if name == "written":
        rows = list(written.CORPUS.annotations())
    else:
        path = FOLDER / f"{name}.csv"
        if not path.is_file():
            known = sorted([*(file.stem for file in FOLDER.glob("*.csv")), "written"])
            raise LabelError(f"there are no labels for {name!r}", hint=f"There are labels for: {', '.join(known)}")
        rows = list(read_annotations(path))
    data = {field: [getattr(row, field) for row in rows] for field in Annotation._fields}
    objects = {field: pd.Series(data[field], dtype=object) for field in ("id", "topics", "stance")}
    return pd.DataFrame({**data, **objects})


def labelled(name: str, *, from_dir: str | Path | None = None, download: bool = False) -> "pd.DataFrame":
    """Give the labelled articles of a corpus with their labels.

    Parameters
    ----------
    name : str
    from_dir, download
        As for ``get``.

    Returns
    -------
    pandas.DataFrame
        Columns of ``articles.table`` and of ``annotations``, in the order of the label file. Of a corpus with labels of
        its own (mawqif, ans) every article, with these labels as str.

    Raises
    ------
    LabelError
        An id has no article; the message names it.
    CorpusError
        The corpus is absent or changed.
    """
    from pipeline.articles.article import FIELDS, table

    corpus = get(name, from_dir=from_dir, download=download)
    if isinstance(corpus, Corpus) and not corpus.pages:
        return table(corpus.articles())
    labels = annotations(name)
    found = table(corpus.articles(ids=set(labels["id"])))[list(FIELDS)]
    there = set(found["id"])
    if missing := [id_ for id_ in labels["id"] if id_ not in there]:
        shown = ", ".join(repr(id_) for id_ in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise LabelError(f"the labels of {name!r} name articles that the corpus does not have: {shown}{more}")
    return found.set_index("id").loc[list(labels["id"])].reset_index().merge(labels, on="id", validate="one_to_one")
