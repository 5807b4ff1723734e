"""Mawqif: tweets with their stance towards one of three targets, 2022."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from pipeline.articles.article import Article
from pipeline.corpora.archive import Member
from pipeline.corpora.base import Corpus, decode


def parse(member: Member) -> Iterator[Article]:
    """Read one official split; labels are target, stance (Favor, Against, None), sarcasm, sentiment and split."""
    split = "train" if "Train" in member.name else "test"
    for row in csv.DictReader(decode(member).splitlines(keepends=True)):
        labels = {name: row[name] for name in ("target", "stance", "sarcasm", "sentiment")}
        yield Article(row["ID"], "", row["text"], "Twitter", row["datetime"][:10], labels={**labels, "split": split})


CORPUS = Corpus(
    name="mawqif",
    about="4,121 tweets: favor, against or none towards Covid vaccine, digital transformation or women empowerment.",
    repository="NoraAlt/Mawqif-Arabic-Stance",
    commit="1310ffe31762dae33ccb33c6446875ded1c02391",
    sha256="b7f4d1279dd83ec10a5c955c947a3a1585abae9c57df2445106798ab0d347e4a",
    content_sha256="585b6359527357343c31f072403d8511a37f80b834dc82a9a4d3e59f6fc309ea",
    size=538_468,
    count=4_121,
    licence="none stated: for testing, not for training what is given away",
    citation=(
        "N. Alturayeif, H. Luqman, M. Ahmed. Mawqif: A Multi-label Arabic Dataset for Target-specific Stance "
        "Detection. Seventh Arabic Natural Language Processing Workshop, 2022, 174-184"
    ),
    # The blind test repeats the test without its labels.
    data=re.compile(r"Data/Mawqif_AllTargets_(?:Train|Test)\.csv"),
    parse=parse,
    pages=False,
)
