"""Whether arrays out of a file are those of a scorer.

Compiled code trusts every index it is given: one that points out of its array would read, or write, memory that is
none of its business. So whatever the kernel follows is checked here first, once a model, in a few milliseconds: types,
shapes, bounds, that tables have room to end a search in, and that numbers are numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.features.alphabet import (
    BINARY,
    CODED,
    FIRST_EXPANSION,
    IS_CODED,
    LONGEST_EXPANSION,
    NORMS,
    POINT,
    SPECIAL,
    SYMBOL,
)
from pipeline.text import Normalizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.features.plan import Analysis

LARGEST = 1e30
"""A weight beyond it could add up to what is no number."""
LONGEST_RUN = 1000
"""Slots of a hash table that may be taken one after the other; a search ends at the first that is free. Those of real
vocabularies are below 30."""
LONGEST_NGRAM = 10
"""As a config allows."""


def require(condition: object, what: str) -> None:
    """Say what is wrong, as a ValueError, unless the condition holds."""
    if not condition:
        raise ValueError(what)


def check_numbers(array: Any, shape: tuple[int, ...], dtype: type, what: str) -> None:
    """Require an array of this shape and type, of numbers that can be added up."""
    check_array(array, shape, dtype, what)
    require(bool((np.abs(array) <= LARGEST).all()), f"{what} holds what is no number, or too large")


def check_array(array: Any, shape: tuple[int, ...], dtype: type, what: str) -> None:
    """Require an array of this type and shape; -1 stands for any length."""
    require(isinstance(array, np.ndarray) and array.dtype == dtype, f"{what} is no array of {np.dtype(dtype)}")
    same = len(shape) == array.ndim and all(n in (-1, m) for n, m in zip(shape, array.shape, strict=True))
    require(same, f"{what} has the shape {array.shape}, not {shape}")


def check_tables(state: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], analyses: Sequence[Analysis]) -> None:
    """Require that the arrays of a TF-IDF scorer are ones that the kernel can follow.

    Parameters
    ----------
    state : mapping of str to ndarray
        As `TfidfScorer.state` gives it.
    meta : mapping
        Its page of JSON.
    analyses : sequence of Analysis
        What each block reads.

    Raises
    ------
    ValueError
        Naming the first thing that is wrong.
    """
    n_blocks = len(analyses)
    require(1 <= n_blocks <= 255, f"it has {n_blocks} blocks")
    names = {f"{block}.{part}" for block in range(n_blocks) for part in _PARTS}
    known = {"meta", "units", "expansions", "blocks", "rows"} | names
    require(set(state) == known, f"it has other arrays than a scorer: {sorted(set(state) ^ known)[:3]}")
    _check_meta(meta, analyses)
    _check_characters(state["units"], state["expansions"])
    n_columns = len(state["blocks"])
    require(n_columns < 1 << 31, "it has too many columns")
    check_array(state["blocks"], (n_columns,), np.uint8, "blocks")
    require(state["blocks"].max(initial=0) < n_blocks, "blocks: a column belongs to no block")
    require(state["rows"].ndim == 2 and state["rows"].shape[1] >= 2, "rows has no outputs")
    check_numbers(state["rows"], (n_columns, -1), np.float32, "rows")
    for block in range(n_blocks):
        _check_index({part: state[f"{block}.{part}"] for part in _PARTS}, n_columns, f"block {block}")


_PARTS = ("table", "slots", "spans", "pool", "word_columns")


def _check_meta(meta: Mapping[str, Any], analyses: Sequence[Analysis]) -> None:
    sources, wholes = meta["sources"], meta["wholes"]
    require(Normalizer(meta["steps"]).version == meta["normalization"], "its normalization is another one")
    require(len(sources) == len(wholes) > 0, "sources and wholes differ in length")
    require(len(meta["counting"]) == len(meta["norms"]) == len(analyses), "counting and norms differ in length")
    require(all(_is_whole(c) and 0 <= c <= BINARY for c in meta["counting"]), "an unknown way of counting")
    require(all(norm in NORMS for norm in meta["norms"]), "an unknown norm")
    require(all(isinstance(whole, bool) for whole in wholes), "wholes are not true or false")
    require(all(source and all(_is_whole(f) and 0 <= f <= 2 for f in source) for source in sources), "an unknown field")
    for of in analyses:
        require(isinstance(of.words, bool) and isinstance(of.padded, bool), "words and padded are not true or false")
        lengths = _is_whole(of.low) and _is_whole(of.high) and 1 <= of.low <= of.high <= LONGEST_NGRAM
        require(lengths, f"n-grams of {of.low!r} to {of.high!r}")
        fields = all(_is_whole(f) and 0 <= f < len(sources) for f in of.fields)
        require(fields and len(set(of.fields)) == len(of.fields) > 0, "a block of unknown fields")


def _is_whole(value: object) -> bool:
    return type(value) is int


def _check_characters(units: NDArray[Any], expansions: NDArray[Any]) -> None:
    """Entries stand for a character, or say what else to do with it."""
    check_array(units, (1 << 16,), np.uint32, "units")
    check_array(expansions, (-1, LONGEST_EXPANSION), np.uint32, "expansions")
    special = (units & SPECIAL) != 0
    meaning = units[special] & POINT
    require(meaning.max(initial=0) < FIRST_EXPANSION + len(expansions), "units: an expansion that there is not")
    entries = np.concatenate((units[~special], expansions[expansions != 0]))
    codes = entries[(entries & IS_CODED) != 0] & np.uint32(SYMBOL & ~IS_CODED)
    require(codes.min(initial=1) >= 1 and codes.max(initial=1) <= len(CODED), "units: a code that there is not")
    require(entries.max(initial=0) < SPECIAL, "units: an entry that is none")


def _check_index(index: Mapping[str, NDArray[Any]], n_columns: int, where: str) -> None:
    """Tables of one block; see `vocabulary.Index` and `kernel.Trie` for what they hold."""
    table, slots, spans, pool, word_columns = (index[part] for part in _PARTS)
    _check_hash_table(table, 2, 0, f"{where}, table")
    values = table[table[:, 0] != 0, 1]
    require((values & 0xFFFFFFFF).max(initial=0) < max(len(values), 1), f"{where}, table: a node that there is not")
    require((values >> np.uint64(32)).max(initial=0) <= n_columns, f"{where}, table: a column that there is not")
    _check_hash_table(slots, 4, 1, f"{where}, slots")
    check_array(spans, (-1, 2), np.int64, f"{where}, spans")
    check_array(pool, (-1,), np.uint32, f"{where}, pool")
    inside = (spans >= 0).all() and (spans[:, 0] <= len(pool)).all() and (spans[:, 1] <= len(pool) - spans[:, 0]).all()
    require(inside, f"{where}, spans: a word outside the pool")
    check_array(word_columns, (len(spans),), np.int32, f"{where}, word_columns")
    numbers = slots[slots[:, 1] != 0, 2]
    require(numbers.max(initial=0) < max(len(spans), 1) and (len(spans) or not len(numbers)),
            f"{where}, slots: a word that there is not")  # fmt: skip
    within = word_columns.min(initial=0) >= -2 and word_columns.max(initial=-1) < n_columns
    require(within, f"{where}, word_columns: a column that there is not")


def _check_hash_table(table: NDArray[Any], width: int, mark: int, what: str) -> None:
    """A table of a power of two slots, in which every search soon comes to a free one (where column `mark` is 0)."""
    check_array(table, (-1, width), np.uint64, what)
    require(len(table) > 0 and len(table) & (len(table) - 1) == 0, f"{what} has {len(table):,} slots")
    free = np.flatnonzero(table[:, mark] == 0)
    require(len(free), f"{what} is full")
    runs = np.diff(free, append=free[0] + len(table)) - 1  # the last run goes on at the start
    require(runs.max() <= LONGEST_RUN, f"{what} is too full")
