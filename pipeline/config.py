"""What a run is: one TOML file, read into typed tables, with every mistake in it reported at once."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline import toml
from pipeline.errors import ConfigError
from pipeline.text import DEFAULT_STEPS, STEPS

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
TextField = Literal["title", "lede", "body"]
ROW_COLUMNS = frozenset(("id", "title", "source", "date", "flags", "model", "evidence"))
MOST_TOLD = 50
"""Mistakes that are told one by one."""


def _day(value: Any) -> Any:
    """An ISO date, which TOML can also write without quotes."""
    if isinstance(value, str):
        try:
            date.fromisoformat(value)
        except ValueError:
            raise ValueError("a day such as 2024-01-31") from None
    return value.isoformat()[:10] if isinstance(value, date) else value


def _not_zero(value: int) -> int:
    if value == 0:
        raise ValueError("a number of threads, or -1 for one a core")
    return value


def _free(name: str) -> str:
    if name in ROW_COLUMNS:
        raise ValueError("another name: every row of predictions has a column of this one")
    return name


HeadName = Annotated[Name, AfterValidator(_free)]


class Table(BaseModel):
    """A TOML table in which a key that is not known, or a value of another type, is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True, allow_inf_nan=False)


class Columns(Table):
    """What the columns (CSV, Parquet) or keys (JSON) of a source are called."""

    id: str = "id"
    title: str = "title"
    text: str = "text"
    source: str = "source"
    date: str = "date"
    url: str = "url"


class Source(Table):
    """Where labelled articles come from: a public corpus by name, or files of the user's own."""

    corpus: str | None = None
    path: str | None = None
    labels: str | None = None
    columns: Columns = Columns()

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if (self.corpus is None) == (self.path is None):
            raise ValueError("give either corpus = NAME or path = FILES, not both and not neither")
        return self


class Data(Table):
    """Labelled articles to learn from, and articles without labels that only lend their vocabulary."""

    sources: Annotated[list[Source], Field(min_length=1)]
    unlabelled: list[Source] = []
    separator: Annotated[str, Field(min_length=1)] = "|"


class Cleaning(Table):
    """Which articles are taken, and what is cut from them."""

    page_noise: bool = True
    min_words: Annotated[int, Field(ge=0)] = 5
    min_arabic: Annotated[float, Field(ge=0, le=1)] = 0.5
    duplicates: Annotated[float, Field(gt=0, le=1)] = 0.7


class Split(Table):
    """How articles are kept apart for judging: a held-out part, and folds over the rest."""

    kind: Literal["random", "date", "source", "column", "none"] = "random"
    test_size: Annotated[float, Field(gt=0, lt=1)] = 0.2
    test_from: Annotated[str | None, BeforeValidator(_day)] = None
    test_sources: list[str] = []
    column: str | None = None
    test_values: list[str] = []
    folds: Annotated[int, Field(ge=2, le=20)] = 5

    @model_validator(mode="after")
    def _complete(self) -> Split:
        if self.kind == "source" and not self.test_sources:
            raise ValueError('kind = "source" needs test_sources = ["...", ...]')
        if self.kind != "source" and self.test_sources:
            raise ValueError('test_sources belongs to kind = "source"')
        if self.kind != "date" and self.test_from:
            raise ValueError('test_from belongs to kind = "date"')
        if self.kind == "column" and not (self.column and self.test_values):
            raise ValueError('kind = "column" needs column = "..." and test_values = ["...", ...]')
        if self.kind != "column" and (self.column or self.test_values):
            raise ValueError('column and test_values belong to kind = "column"')
        return self


class Text(Table):
    """Normalization, as the list of its steps, and how much of a text is read."""

    normalization: list[Literal[STEPS]] = list(DEFAULT_STEPS)  # type: ignore[valid-type]
    first: Annotated[int, Field(ge=0)] = 0


class TfidfBlock(Table):
    """TF-IDF over word or character n-grams of some fields."""

    kind: Literal["tfidf"]
    fields: Annotated[list[TextField], Field(min_length=1)] = ["title", "lede", "body"]
    analyzer: Literal["word", "char_wb", "char"] = "word"
    ngram_range: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10)], Annotated[int, Field(ge=1, le=10)]], Field(strict=False)
    ] = (1, 1)
    min_df: Annotated[int, Field(ge=1)] | Annotated[float, Field(ge=0, le=1)] = 2
    max_df: Annotated[float, Field(gt=0, le=1)] = 1.0
    max_features: Annotated[int, Field(ge=1)] | None = None
    sublinear_tf: bool = True
    idf: Literal["all", "labelled"] = "all"
    weight: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> TfidfBlock:
        if self.ngram_range[0] > self.ngram_range[1]:
            raise ValueError(f"ngram_range = {list(self.ngram_range)} runs backwards: the smaller number first")
        return self


class TermsBlock(Table):
    """Counts of listed terms by title, lede and sentence: how salient each list's subject is."""

    kind: Literal["terms"]
    path: str = "seeds/terms.toml"
    counts: bool = False
    weight: Annotated[float, Field(gt=0)] = 1.0


class TargetBlock(Table):
    """What is said in the sentences that name the sides of a stance's target."""

    kind: Literal["target"]
    path: str = "seeds/target.toml"
    polarity: str = "seeds/polarity.toml"
    weight: Annotated[float, Field(gt=0)] = 1.0


class PairBlock(Table):
    """How title and text agree, for pairs of texts: what each says alone, and words with opposite meanings."""

    kind: Literal["pair"]
    path: str = "seeds/opposites.toml"
    weight: Annotated[float, Field(gt=0)] = 1.0


class LatentBlock(Table):
    """TF-IDF of words whose weights are tied to those of words in like company, as unlabelled articles show it."""

    kind: Literal["latent"]
    fields: Annotated[list[TextField], Field(min_length=1)] = ["title", "lede", "body"]
    company: Literal["window", "article"] = "window"
    components: Annotated[int, Field(ge=1, le=1000)] = 150
    max_features: Annotated[int, Field(ge=10)] = 30_000
    weight: Annotated[float, Field(gt=0)] = 1.0


class SentencesBlock(Table):
    """What single sentences say, learned from marked sentences."""

    kind: Literal["sentences"]
    labels: Annotated[list[str], Field(min_length=1)]
    several: bool = False
    marks: str
    alone: str | None = None
    path: str
    every: bool = False
    reads: Annotated[list[str], Field(min_length=1)] = ["words", "characters"]
    C: Annotated[float, Field(gt=0)] = 2.0
    weight: Annotated[float, Field(gt=0)] = 1.0


Block = Annotated[
    TfidfBlock | TermsBlock | TargetBlock | PairBlock | LatentBlock | SentencesBlock, Field(discriminator="kind")
]
_KINDS: dict[str, type[Table]] = {
    "tfidf": TfidfBlock,
    "terms": TermsBlock,
    "target": TargetBlock,
    "pair": PairBlock,
    "latent": LatentBlock,
    "sentences": SentencesBlock,
}


class Estimator(Table):
    """A linear classifier by name, and the values of its settings to choose among."""

    name: Literal["logistic_regression", "linear_svm", "sgd", "complement_nb", "dummy"] = "logistic_regression"
    C: Annotated[float, Field(gt=0)] = 1.0
    alpha: Annotated[float, Field(gt=0)] = 1e-4
    class_weight: Literal["balanced", "softened", "none"] = "balanced"
    grid: dict[Literal["C", "alpha"], Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _grid_fits(self) -> Estimator:
        knows = {
            "logistic_regression": {"C"},
            "linear_svm": {"C"},
            "sgd": {"alpha"},
            "complement_nb": {"alpha"},
            "dummy": set(),
        }
        for key in self.grid:
            if key not in knows[self.name]:
                raise ValueError(f'grid.{key} has no meaning for name = "{self.name}"')
        return self


class Threshold(Table):
    """How a label's probability becomes yes or no."""

    rule: Literal["f1", "precision", "recall", "fixed"] = "f1"
    at: Annotated[float, Field(gt=0, lt=1)] | None = None

    @model_validator(mode="after")
    def _at(self) -> Threshold:
        if (self.rule == "f1") != (self.at is None):
            raise ValueError(
                f'rule = "{self.rule}" '
                + ("takes no at" if self.rule == "f1" else "needs at = a number between 0 and 1")
            )
        return self


class Score(Table):
    """A figure by which others judge a head: mean F1 of some labels, averaged over the values of a column."""

    labels: Annotated[list[str], Field(min_length=1)]
    by: str | None = None


class HeadConfig(Table):
    """One question asked of every article."""

    kind: Literal["multilabel", "single"]
    labels: Annotated[list[str], Field(min_length=1)]
    column: str
    target: str | None = None
    by: str | None = None
    default: str | None = None
    gate: str | None = None
    blocks: list[str] | None = None
    estimator: Estimator = Estimator()
    calibration: Literal["sigmoid", "isotonic", "none"] = "sigmoid"
    threshold: Threshold = Threshold()
    confidence: Annotated[float, Field(gt=0, lt=1)] = 0.95
    score: Score | None = None

    @model_validator(mode="after")
    def _possible(self) -> HeadConfig:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels names a label twice")
        if self.kind == "single" and len(self.labels) < 2:
            raise ValueError('kind = "single" chooses one of several labels: give two or more')
        if self.kind == "single" and self.threshold != Threshold():
            raise ValueError('threshold belongs to kind = "multilabel"; a single head takes its likeliest label')
        if self.kind == "single" and self.calibration == "isotonic":
            raise ValueError('calibration = "isotonic" belongs to kind = "multilabel"; a single head knows "sigmoid"')
        if self.kind == "multilabel" and (self.gate or self.default):
            raise ValueError('gate and default belong to kind = "single"')
        if self.kind == "multilabel" and self.by:
            raise ValueError('by belongs to kind = "single"')
        if self.score and set(self.score.labels) - set(self.labels):
            raise ValueError("score names a label that the head does not have")
        if self.gate and self.default not in self.labels:
            raise ValueError("gate needs default = the label of an article to which the question does not apply")
        return self


class Gates(Table):
    """What a model must reach to be called good enough in its report: F1 of a label, or macro F1 of a head."""

    f1: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    macro_f1: dict[str, Annotated[float, Field(gt=0, le=1)]] = {}
    ece: Annotated[float, Field(gt=0, le=1)] | None = None


class Evaluation(Table):
    """What a model is compared with: terms alone, a second annotator, itself with fewer articles."""

    terms: str | None = None
    second: str | None = None
    learning_curve: list[Annotated[float, Field(gt=0, lt=1)]] = [0.25, 0.5, 0.75]


class Output(Table):
    """Where the model goes, what it is called, and whether its report holds titles and texts of articles."""

    name: Name
    folder: str = "models"
    texts: bool = True


class Config(Table):
    """A whole run."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    n_jobs: Annotated[int, Field(ge=-1), AfterValidator(_not_zero)] = -1
    data: Data
    cleaning: Cleaning = Cleaning()
    split: Split = Split()
    text: Text = Text()
    features: Annotated[dict[Name, Block], Field(min_length=1)]
    heads: Annotated[dict[HeadName, HeadConfig], Field(min_length=1)]
    evaluation: Evaluation = Evaluation()
    gates: Gates = Gates()
    output: Output


def load(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Read a config file.

    Parameters
    ----------
    path : str or Path
        The TOML file.
    overrides : sequence of str
        `table.key=value` each; the value is TOML, and a bare word is taken as a string.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        Listing every mistake: file, table, key, what was found, what was expected.
    """
    path = Path(path)
    try:
        tree = toml.read(path)
    except FileNotFoundError:
        near = sorted(str(p) for p in path.parent.glob("*.toml")) if path.parent.is_dir() else []
        raise ConfigError(
            "no such config file",
            where=str(path),
            hint=f"There is: {', '.join(near)}" if near else "Write one with: mirsad init NAME",
        ) from None
    for override in overrides:
        _override(tree, override)
    return parse(tree, where=str(path))


def parse(tree: dict[str, Any], *, where: str = "config") -> Config:
    """Validate a config given as nested dictionaries; `where` names it in messages. Raises ConfigError."""
    mistakes, count = list[str](), 0
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        mistakes = list(dict.fromkeys(_sentence(mistake) for mistake in error.errors()[:MOST_TOLD]))
        count = max(error.error_count() - MOST_TOLD, 0)
    mistakes += _dangling(tree)
    if mistakes:
        count += len(mistakes)
        told = "\n  ".join(mistakes[:MOST_TOLD])
        more = f"\n  and {count - MOST_TOLD:,} more" if count > MOST_TOLD else ""
        raise ConfigError("1 mistake" if count == 1 else f"{count:,} mistakes", where=where, hint=told + more)
    return config


def _dangling(tree: dict[str, Any]) -> list[str]:
    """Names that stand for nothing; looked for in the raw tree, so that no other mistake hides them."""

    def table(*path: str) -> dict[str, Any]:
        found: Any = tree
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    features, heads = table("features"), table("heads")
    mistakes, labels = [], dict[str, None]()
    read = [name for name in features if _reads_bodies(table("features", name))]
    for name in features:
        if table("features", name).get("kind") == "sentences":
            named = table("features", name).get("reads", SentencesBlock.model_fields["reads"].default)
            mistakes += [
                f"[features.{name}] reads: found {_shown(block)}, expected tfidf blocks with the body: {_listed(read)}"
                for block in (named if isinstance(named, list) else ())
                if block not in read
            ]
    for name in heads:
        head = {key: value for key, value in table("heads", name).items() if isinstance(value, list)}
        labels |= dict.fromkeys(of for label in head.get("labels", ()) for of in (str(label), f"{name}.{label}"))
        mistakes += [
            f"[heads.{name}] blocks: found {_shown(block)}, expected names of [features]: {_listed(features)}"
            for block in head.get("blocks", ())
            if not (isinstance(block, str) and block in features)
        ]
    for key, known in (("f1", labels), ("macro_f1", heads)):
        mistakes += [
            f"[gates.{key}] {name}: unknown, expected one of {_listed(known)}"
            for name in table("gates", key)
            if name not in known
        ]
    return mistakes


def _reads_bodies(block: dict[str, Any]) -> bool:
    fields = block.get("fields", TfidfBlock.model_fields["fields"].default)
    return block.get("kind") == "tfidf" and isinstance(fields, list) and "body" in fields


def _listed(names: Iterable[Any]) -> str:
    """Some names, with commas between them."""
    shown = [str(name)[:80] for name in islice(names, MOST_TOLD + 1)]
    return ", ".join(shown[:MOST_TOLD]) + (", ..." if len(shown) > MOST_TOLD else "")


def _override(tree: dict[str, Any], override: str) -> None:
    key, sign, text = override.partition("=")
    if not sign or not key.strip():
        raise ConfigError(
            f"found {override!r}, expected table.key=value",
            where="--set",
            hint="For example: --set heads.stance.estimator.C=3",
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        value = text.strip()
    *tables, last = key.strip().split(".")
    for table in tables:
        tree = tree.setdefault(table, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"{key!r} goes through {table!r}, which is a value and not a table", where="--set")
    tree[last] = value


_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "a text in quotes",
    "too_short": "at least one",
    "tuple_type": "a list",
}
"""What pydantic's errors about types mean in a TOML file."""


def _sentence(mistake: Any) -> str:
    """One line for one of pydantic's errors: `[table] key: found X, expected Y`."""
    loc, kind, value = mistake["loc"], mistake["type"], mistake["input"]
    key_itself = loc[-1:] == ("[key]",)
    unknown = kind == "extra_forbidden"  # then the last part is a key, whatever it is called
    path = [part for i, part in enumerate(loc) if not _is_tag(loc, i) or (unknown and i == len(loc) - 1)]
    whole_table = isinstance(value, dict) and kind in ("value_error", "union_tag_not_found", "union_tag_invalid")
    place = _place(path, whole_table=whole_table)
    if kind == "missing":
        return f"{place}: found nothing, expected a value (there is no default)"
    if unknown:
        known = _known_keys(loc[:-1])
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        return f"{place}: unknown key, " + (f"did you mean {near[0]}?" if near else f"expected {', '.join(known)}")
    if kind.startswith("union_tag"):
        return f"{place}: found kind = {_shown(value.get('kind'))}, expected one of {', '.join(_KINDS)}"
    message = mistake["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if whole_table:
        return f"{place}: {message}"
    if kind == "string_pattern_mismatch":
        message = "a name of Latin letters, digits, _ and -, a letter first"
    elif path[-1:] == ["min_df"]:  # a count or a share: two errors of one mistake
        message = "a whole number from 1, or a share between 0.0 and 1.0"
    elif kind in _EXPECTED:
        message = _EXPECTED[kind]
    elif message.startswith(("less", "greater")):
        message = f"a number {message}"
    return f"{place}: found {_shown(path[-1] if key_itself else value)}, expected {message}"


def _is_tag(loc: Sequence[Any], i: int) -> bool:
    """Whether pydantic put the part into a location to say which branch it took; the file has no such key."""
    return (loc[0] == "features" and i == 2) or loc[i] == "[key]" or str(loc[i]).startswith("constrained-")


def _place(path: list[Any], *, whole_table: bool) -> str:
    """`[table] key`, as a person finds it in the file."""
    item = ""
    if not whole_table and path and isinstance(path[-1], int):
        *path, number = path
        item = f", item {number + 1}"
    table, key = (path, "") if whole_table else (path[:-1], str(path[-1]) if path else "")
    lists = [i for i, part in enumerate(table) if isinstance(part, int)]
    if lists:
        name = ".".join(map(str, table[: lists[0]]))
        rest = ".".join(map(str, table[lists[0] + 1 :]))
        header = f"[[{name}]] number {table[lists[0]] + 1}" + (f", {rest}" if rest else "")
    else:
        header = f"[{'.'.join(map(str, table))}]" if table else ""
    return f"{header} {key}".strip() + item


def _shown(value: Any) -> str:
    """A value as TOML would write it, cut short."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _known_keys(loc: Sequence[Any]) -> list[str]:
    """Keys that the schema knows at a place; pydantic's location carries the `kind` that tells blocks apart."""
    tables: list[type[Table]] = [Config]
    for i, part in enumerate(loc):
        if loc[0] == "features" and i == 2:
            tables = [_KINDS[part]]
        elif not isinstance(part, int) and not (i == 1 and loc[0] in ("features", "heads")):
            fields = [table.model_fields[part] for table in tables if part in table.model_fields]
            tables = [inner for field in fields for inner in _tables_in(field.annotation)]
    return [key for table in tables for key in table.model_fields]


def _tables_in(annotation: Any) -> Iterator[type[Table]]:
    """The tables inside an annotation such as `dict[Name, Table]` or `list[Table]`."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        yield annotation
    for inner in get_args(annotation):
        yield from _tables_in(inner)
