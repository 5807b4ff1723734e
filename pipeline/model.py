"""A model: features and heads, fitted together, asked together."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pipeline import splits
from pipeline.articles import Fields
from pipeline.dataset import Dataset
from pipeline.errors import ConfigError, InputError, LabelError
from pipeline.estimators import Linear, rounded
from pipeline.features.featurizer import Featurizer
from pipeline.features.scorer import TfidfScorer
from pipeline.heads import Head, Rule, fit_head
from pipeline.scoring import Scorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from scipy.sparse import csr_matrix

    from pipeline.articles import Article
    from pipeline.config import Config

MIN_ARTICLES = 10


@dataclass
class Model:
    """What training makes.

    Attributes
    ----------
    featurizer : Featurizer
    heads : dict of str to Head
    familiar_from : float
        Share of known n-grams below which an article is out of scope.
    """

    featurizer: Featurizer
    heads: dict[str, Head]
    familiar_from: float = 0.0

    def matrix(self, fields: Fields) -> csr_matrix:
        """Features of raw articles (lists of titles, ledes, bodies); csr matrix of shape (n_articles, n_features)."""
        return self.featurizer.transform(*fields)

    def columns(self, head: Head) -> NDArray[np.int64]:
        """Columns of the matrix that a head reads, in the order of its weights."""
        return head_columns(self.featurizer, head.blocks)

    def decisions(
        self, X: csr_matrix, columns: Mapping[str, Sequence[str]] = MappingProxyType({})
    ) -> dict[str, NDArray[np.float64]]:
        """Decision values by head, each of shape (n_articles, n_outputs); `columns` as for `Scorer.ask`."""
        return {
            name: head.meant(head.linear.decision(X[:, self.columns(head)]), head.places(X.shape[0], columns))
            for name, head in self.heads.items()
        }

    def predict(self, articles: Iterable[Article | str] | pd.DataFrame) -> pd.DataFrame:
        """Label articles in memory.

        Parameters
        ----------
        articles : iterable of Article or str, or pandas.DataFrame
            As `articles.read` gives them, or plain texts, or a table with a row an article. A table needs a column
            `text`, and those that a head's `by` names; `id`, `title`, `source`, `date` and `url` are taken where they
            are there, other columns are passed over, and missing values are empty. Who has no id gets its position.
            Page noise is not removed.

        Returns
        -------
        pandas.DataFrame
            One row an article: the columns of the command's rows, except `model`, with scores as mappings.

        Raises
        ------
        InputError
            The table lacks a column, or a cell holds neither text nor a number nor a date.
        """
        import pandas as pd

        from pipeline.articles import Article
        from pipeline.rows import label

        scorer = self.compile()
        if isinstance(articles, pd.DataFrame):
            articles = _of_table(articles, scorer.columns)
        batch = [
            Article(id=str(i), title="", text=item) if isinstance(item, str) else item
            for i, item in enumerate(articles)
        ]
        return pd.DataFrame(label(scorer, batch, model="")).drop(columns="model", errors="ignore")

    def compile(self) -> Scorer:
        """What production asks: the same answers from flat arrays."""
        heads = list(self.heads.values())
        coef = np.zeros(
            (sum(s.stop - s.start for s in self.featurizer.slices.values()), sum(head.width for head in heads))
        )
        start = 0
        for head in heads:
            coef[self.columns(head), start : start + head.width] = head.linear.coef.T
            start += head.width
        scale = np.ones(len(coef))
        for name, columns in self.featurizer.slices.items():
            scale[columns] = self.featurizer.weights[name]
        weighed = coef * scale[:, None]
        tfidf, reading = self.featurizer.tfidf, self.featurizer.sentences
        edge = max((s.stop for s in tfidf.slices.values()), default=0) if tfidf.blocks else 0
        return Scorer(
            [Rule(**{field: getattr(head, field) for field in Rule.__dataclass_fields__}) for head in heads],
            TfidfScorer.compile(tfidf, coef[:edge], scale[:edge]) if tfidf.blocks else None,
            [(block, weighed[self.featurizer.slices[name]]) for name, block in self.featurizer.lexical.items()],
            np.concatenate([head.linear.intercept for head in heads]),
            self.featurizer.normalization,
            self.familiar_from,
            [(block, weighed[self.featurizer.slices[name]]) for name, block in reading.items()],
            TfidfScorer.compile(tfidf, self.featurizer.reading(edge)) if reading else None,
            self.featurizer.first,
        )


def _of_table(table: pd.DataFrame, contexts: Iterable[str]) -> Iterator[Article]:
    """Articles of the rows of a table."""
    from pipeline.articles import Columns, Reject
    from pipeline.articles.formats import from_mapping

    columns = Columns(labels=tuple(contexts))
    for name in columns.required():
        if name not in table:
            raise InputError(
                f"no {name!r} among its columns: {', '.join(map(repr, table.columns)) or 'nothing'}",
                where="the table",
                hint=f"Rename the column that is meant to {name!r}.",
            )
    for i, row in enumerate(table.astype(object).where(table.notna(), None).to_dict("records")):
        cells = {str(key): value for key, value in row.items() if value is not None}
        found = from_mapping(dict.fromkeys(columns.required(), "") | {"id": str(i)} | cells, "", i, columns)
        if isinstance(found, Reject):
            raise InputError(found.detail, where=f"row {i} of the table", hint="Make it text.")
        yield found


def head_columns(featurizer: Featurizer, blocks: list[str] | None) -> NDArray[np.int64]:
    """Columns of the named blocks; of all blocks for None."""
    slices = featurizer.slices
    return np.concatenate(
        [np.arange(s.start, s.stop) for name, s in slices.items() if blocks is None or name in blocks]
    )


def fit(config: Config, data: Dataset, rows: NDArray[np.int64], *, background: Fields | None = None) -> Model:
    """Fit features and heads on some rows of a dataset.

    Parameters
    ----------
    config : Config
    data : Dataset
    rows : ndarray of int
        What may be learned from; nothing else is looked at.
    background : Fields, optional
        Articles without labels, for document frequencies.

    Returns
    -------
    Model

    Raises
    ------
    LabelError
        Where there are too few articles, of a label or at all.
    ConfigError
        Where no article has what the features ask for.
    """
    if len(data) < MIN_ARTICLES:
        raise LabelError(
            f"{len(data)} labelled article{'s are' if len(data) > 1 else ' is'} too few to train on",
            where="[data] sources",
            hint=f"{MIN_ARTICLES} is the least; useful results begin at about 100.",
        )
    featurizer = Featurizer(config.features, config.text.normalization, first=config.text.first, n_jobs=config.n_jobs)
    try:
        X = featurizer.fit_transform(*data.fields(rows), background=background, of=data.origin(rows))
    except ValueError as error:
        raise no_features(error, len(rows)) from error
    heads: dict[str, Head] = {}
    for name, settings in config.heads.items():
        known = data.labelled(name)[rows]
        y, groups = data.labels[name][rows][known], data.groups[rows][known]
        inner = splits.folds(splits.strata({name: y}), groups, config.split.folds, seed=config.seed)
        columns = head_columns(featurizer, settings.blocks)
        tie = featurizer.tie(settings.blocks)
        features = X[known][:, columns]
        heads[name] = head = fit_head(
            name,
            settings,
            features if tie is None else features @ tie,
            y,
            inner,
            seed=config.seed,
            n_jobs=config.n_jobs,
            of=data.table[settings.by].iloc[rows][known].tolist() if settings.by else None,
        )
        if tie is not None:
            head.linear = rounded(Linear((tie @ head.linear.coef.T).T, head.linear.intercept))
    return Model(featurizer, heads)


def no_features(error: ValueError, n: int) -> ConfigError:
    """What to tell a user whose articles have none of the features asked for."""
    return ConfigError(
        f"no features can be made of {n} articles: {error}",
        where="[features]",
        hint="Lower min_df, raise max_df, or add articles.",
    )
