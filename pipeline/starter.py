"""A commented config for a label scheme of the user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline import articles
from pipeline.errors import ConfigError

_TEMPLATE = """\
# {name}: which {what} an article has. Written by `mirsad init`; every key may be changed.
# Check and train:  mirsad train {file}

seed = 0
n_jobs = -1                       # threads; -1 for one a core

[[data.sources]]                  # repeat this table for more sources
path = {articles}                 # .csv, .tsv, .jsonl, .parquet (each also .gz), or a folder of them
# labels = "labels.csv"           # if the labels are in a file of their own: columns id, {column}
columns = {{ id = "id", title = "title", text = "text", source = "source", date = "date" }}   # what yours are called

[cleaning]
page_noise = true                 # cut teasers, photo credits, comment counts
min_words = 5                     # shorter articles are left out
min_arabic = 0.5                  # share of Arabic letters below which an article is left out
duplicates = 0.7                  # articles this alike are copies, and never on both sides of a split

[split]
kind = "random"                   # or "date" (test_from = "2024-01-01"), "source" (test_sources = ["..."]), "none"
test_size = 0.2
folds = 5

[features.words]
kind = "tfidf"
fields = ["title", "lede", "body"]
analyzer = "word"
ngram_range = [1, 2]
min_df = 2
sublinear_tf = true

[features.characters]
kind = "tfidf"
fields = ["title", "lede", "body"]
analyzer = "char_wb"
ngram_range = [2, 5]
min_df = 2
max_features = 200000
sublinear_tf = true

# Where your topics have telling words, list them in a file ([topic] terms = ["...", "..."]) and add:
# [features.terms]
# kind = "terms"
# path = "terms.toml"

[heads.{column}]
kind = "{kind}"              # {explained}
labels = {labels}
column = "{column}"               # labels as {example}; an empty cell means not labelled
calibration = "sigmoid"

[heads.{column}.estimator]
name = "logistic_regression"      # or linear_svm, sgd, complement_nb, dummy
class_weight = "balanced"
grid = {{ C = [1.0, 3.0] }}         # tried by cross-validation
{threshold}
[output]
name = {name_quoted}
folder = "models"
"""

_THRESHOLD = """
[heads.{column}.threshold]
rule = "f1"                       # best F1 on held-out folds; or "precision" / "recall" with at = 0.9
"""


def write(name: str, *, labels: Sequence[str], single: bool, articles_path: str, folder: str | Path = ".") -> Path:
    """Write `NAME.toml`.

    Parameters
    ----------
    name : str
        Letters, digits, `_` and `-`.
    labels : sequence of str
    single : bool
        Whether an article has exactly one of them.
    articles_path : str
        Where the user's labelled articles are.
    folder : str or Path

    Returns
    -------
    Path

    Raises
    ------
    ConfigError
        Where the name does not do, labels are missing, or the file exists.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
        raise ConfigError(f"found {name!r}, expected Latin letters, digits, _ and -, a letter first", where="NAME")
    labels = [label for label in labels if label]
    if len(set(labels)) < len(labels) or len(labels) < (2 if single else 1):
        raise ConfigError(
            f"found {list(labels)}, expected {'two or more' if single else 'one or more'} different labels",
            where="--labels",
        )
    for label in labels:
        if not single and ("|" in label or label == "none"):
            raise ConfigError(
                f"found {label!r}, expected labels without | (it stands between an article's labels), none of them "
                "none (it says that there are none)",
                where="--labels",
            )
    path = Path(folder) / f"{name}.toml"
    if path.exists():
        raise ConfigError("exists already", where=str(path), hint="Choose another name, or remove the file first.")
    column = "label" if single else "labels"
    text = _TEMPLATE.format(
        name=name,
        what="label" if single else "labels",
        file=path.name,
        articles=_quoted(articles_path),
        column=column,
        kind="single" if single else "multilabel",
        explained="exactly one label" if single else "none, one or several labels",
        labels="[" + ", ".join(_quoted(label) for label in labels) + "]",
        example=_quoted(labels[0]) if single else _quoted("|".join(labels[:2])) + ' or "none"',
        threshold="" if single else _THRESHOLD.format(column=column),
        name_quoted=_quoted(name),
    )
    articles.write_text(path, text)
    return path


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
