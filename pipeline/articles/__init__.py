"""The front door: read, check, clean, find duplicates, write; one table type for the whole house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.articles.article import FIELDS, Article, Columns, table
from pipeline.articles.cleaning import clean
from pipeline.articles.parts import Fields, fields, split_fields
from pipeline.articles.reading import read
from pipeline.articles.rejects import REASONS, Reject, Rejects, told
from pipeline.articles.rules import Rules
from pipeline.articles.writing import write, write_text, writer

__all__ = [
    "FIELDS",
    "REASONS",
    "Article",
    "Columns",
    "Fields",
    "Reject",
    "Rejects",
    "Rules",
    "clean",
    "duplicate_groups",
    "fields",
    "read",
    "split_fields",
    "table",
    "told",
    "write",
    "write_text",
    "writer",
]

if TYPE_CHECKING:
    from pipeline.articles.duplicates import duplicate_groups


def __getattr__(name: str) -> object:
    """Load what needs numpy when it is first asked for, so that reading starts fast."""
    if name == "duplicate_groups":
        from pipeline.articles.duplicates import duplicate_groups

        return duplicate_groups
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
