"""The job behind `mirsad data check`: read, look for what spoils training, compare annotators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline import articles, corpora, variety
from pipeline.articles import Article
from pipeline.dataset import read_labels
from pipeline.errors import InputError, LabelError

_SHORT = articles.Rules(min_words=1, clean=False)


@dataclass(frozen=True)
class Quality:
    """Lines to show, and whether every check passed."""

    lines: tuple[str, ...]
    passed: bool


def check_files(
    inputs: Sequence[str],
    *,
    against: Sequence[str] = (),
    sentences: str | None = None,
    first: str | None = None,
    second: str | None = None,
) -> Quality:
    """Check articles for variety, and labels for agreement.

    Parameters
    ----------
    inputs : sequence of str
        Files as `articles.read` takes them, or names of corpora.
    against : sequence of str
        Corpora of real news to compare with.
    sentences : str, optional
        A file of sentences that stand alone: no two alike, and none from those corpora.
    first, second : str, optional
        CSV files of labels by id, from two annotators; both or neither.

    Returns
    -------
    Quality

    Raises
    ------
    InputError, LabelError, CorpusError
    """
    found = [article for name in inputs for article in _articles(name)]
    if not found:
        raise InputError("no article was read", where=", ".join(inputs))
    alone = [one for batch in articles.read(sentences, rules=_SHORT) for one in batch] if sentences else []
    reference = (article for name in against for article in corpora.get(name).articles(clean=False))
    findings = variety.check(found, reference if against else None, alone)
    lines = [f"{len(found):,} articles" + (f", {len(alone):,} sentences" if sentences else "")]
    for finding in findings:
        lines.append(f"{'pass' if finding.passed else 'FAIL'}  {finding.name}: {finding.said}")
        lines += [f"        {example}" for example in finding.examples if not finding.passed]
    if (first is None) != (second is None):
        raise LabelError("agreement needs two label files", hint="Give both --first and --second.")
    if first and second:
        lines += agreement(first, second)
    return Quality(tuple(lines), all(finding.passed for finding in findings))


def agreement(first: str, second: str) -> list[str]:
    """Cohen's kappa of two label files, topic by topic, for relevance and for stance."""
    columns = ["topics", "relevant", "stance"]
    one, two = read_labels(first, columns), read_labels(second, columns)
    ids = sorted(one.keys() & two.keys())
    if not ids:
        raise LabelError("have no id in common", where=f"{first} and {second}")
    lines = [f"{len(ids):,} articles labelled twice"]
    for topic in corpora.TOPICS:
        pairs = [[topic in labels[i]["topics"].split("|") for i in ids] for labels in (one, two)]
        lines.append(f"kappa {topic}: {variety.kappa(*pairs):.3f}")
    for column in columns[1:]:
        pairs_of = [[labels[i][column] for i in ids] for labels in (one, two)]
        lines.append(f"kappa {column}: {variety.kappa(*pairs_of):.3f}")
    return lines


def _articles(name: str) -> Iterator[Article]:
    if name in corpora.names():
        yield from corpora.get(name).articles(clean=False)
    else:
        for batch in articles.read(name):
            yield from batch
