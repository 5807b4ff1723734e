"""Whether a labelled set of articles is worth training on: varied, no copies, labelled alike by two people."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.text import Normalizer

if TYPE_CHECKING:
    from pipeline.articles import Article

MAX_ALIKE = 0.25
"""Jaccard index over 5-word shingles from which a pair of articles is called alike."""
RUN = 8
"""Words of a sequence that should not be told twice."""
MAX_RUN = 3
"""Articles that may share such a sequence."""
MAX_OPENING = 0.01
"""Share of the articles that may open with the same four words."""
MAX_RICHNESS = 0.15
"""How far the type-token ratio may lie from that of real news of the same size."""

_WORD = re.compile(r"[^\W\d_]+|\d+")


@dataclass(frozen=True)
class Finding:
    """One check and what came out of it.

    Attributes
    ----------
    name : str
    passed : bool
    said : str
        The figure against its bar, in a sentence.
    examples : tuple of str
        What to look at, the worst first.
    """

    name: str
    passed: bool
    said: str
    examples: tuple[str, ...] = ()


def words(text: str) -> list[str]:
    """Words and numbers of a text, normalized."""
    return _WORD.findall(_normalize(text))


_normalize = Normalizer()


def check(
    articles: Sequence[Article], reference: Iterable[Article] | None = None, sentences: Sequence[Article] = ()
) -> list[Finding]:
    """Judge the variety of a set of articles.

    Parameters
    ----------
    articles : sequence of Article
    reference : iterable of Article, optional
        Real news: for the richness of the vocabulary, and to see that nothing was copied from it.
    sentences : sequence of Article
        Sentences that stand alone: of one frame by intent, and so compared for being the same only.

    Returns
    -------
    list of Finding
    """
    tokens = {article.id: words(article.text) for article in articles}
    findings = [_alike(tokens), _told_twice(tokens), _openings(tokens)]
    if sentences:
        findings.append(_same(sentences))
    if reference is not None:
        findings += _beside(tokens, [*articles, *sentences], reference)
    return findings


def kappa(first: Sequence[object], second: Sequence[object]) -> float:
    """Agreement of two annotators beyond chance (Cohen, 1960); 1 where both gave everything the same label."""
    n = len(first)
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    left, right = Counter(first), Counter(second)
    chance = sum(left[label] * right[label] for label in left) / n**2
    return 1.0 if chance == 1 else (observed - chance) / (1 - chance)


def _runs(tokens: Sequence[str], length: int) -> Iterator[str]:
    for i in range(len(tokens) - length + 1):
        yield " ".join(tokens[i : i + length])


def _alike(tokens: dict[str, list[str]]) -> Finding:
    shingles = {name: set(_runs(found, 5)) for name, found in tokens.items()}
    holders = defaultdict(list)
    for name, found in shingles.items():
        for shingle in found:
            holders[shingle].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        for i, one in enumerate(names):
            for other in names[i + 1 :]:
                shared[one, other] += 1
    pairs = [
        (count / (len(shingles[one]) + len(shingles[other]) - count), one, other)
        for (one, other), count in shared.items()
    ]
    pairs.sort(reverse=True)
    worst = pairs[0][0] if pairs else 0.0
    examples = tuple(f"{one} and {other}: {index:.2f}" for index, one, other in pairs[:5] if index > MAX_ALIKE)
    return Finding("alike", worst <= MAX_ALIKE, f"most alike pair {worst:.2f}, at most {MAX_ALIKE}", examples)


def _told_twice(tokens: dict[str, list[str]]) -> Finding:
    holders = defaultdict(set)
    for name, found in tokens.items():
        for run in _runs(found, RUN):
            holders[run].add(name)
    often = sorted(((len(names), run) for run, names in holders.items() if len(names) > MAX_RUN), reverse=True)
    most = max((len(names) for names in holders.values()), default=0)
    said = f"a sequence of {RUN} words stands in {most} articles at most, allowed are {MAX_RUN}"
    return Finding("told twice", not often, said, tuple(f"{count} articles: {run}" for count, run in often[:5]))


def _openings(tokens: dict[str, list[str]]) -> Finding:
    openings = Counter(" ".join(found[:4]) for found in tokens.values())
    opening, count = openings.most_common(1)[0]
    most = max(1, int(MAX_OPENING * len(tokens)))
    said = f"{count} articles at most open with the same four words, allowed are {most}"
    return Finding("openings", count <= most, said, (f"{count} articles: {opening}",))


def _same(sentences: Sequence[Article]) -> Finding:
    holders = defaultdict(list)
    for sentence in sentences:
        holders[" ".join(words(sentence.text))].append(sentence.id)
    twice = [", ".join(ids) for ids in holders.values() if len(ids) > 1]
    return Finding("sentences", not twice, f"{len(twice)} stand there twice, allowed are 0", tuple(twice[:20]))


def _beside(tokens: dict[str, list[str]], texts: Sequence[Article], reference: Iterable[Article]) -> list[Finding]:
    # hashes keep millions of sequences small; a hit is a hit of 64 bits, and is shown to be looked at
    own = {hash(run): text.id for text in texts for run in _runs(words(f"{text.title} {text.text}"), RUN)}
    wanted = sum(map(len, tokens.values()))
    sample: list[str] = []
    copied: dict[str, str] = {}
    for article in reference:
        found = words(f"{article.title} {article.text}")
        if len(sample) < wanted:
            sample += found
        for run in _runs(found, RUN):
            if hash(run) in own:
                copied.setdefault(own[hash(run)], f"{own[hash(run)]} and {article.id}: {run}")
    said = f"{len(copied)} texts share {RUN} words in a row with real news, allowed are 0"
    findings = [Finding("copied", not copied, said, tuple(list(copied.values())[:20]))]
    if sample:
        size = min(wanted, len(sample))
        mine = [word for found in tokens.values() for word in found][:size]
        ratio = (len(set(mine)) / size) / (len(set(sample[:size])) / size)
        said = f"type-token ratio {ratio:.2f} of that of real news over {size:,} words, within {MAX_RICHNESS:.0%}"
        findings.append(Finding("richness", abs(ratio - 1) <= MAX_RICHNESS, said))
    return findings
