"""The front door: read, check, clean, find duplicates, write; one table type for the whole house."""

from pipeline.articles.article import FIELDS, Article, Columns, table
from pipeline.articles.cleaning import clean
from pipeline.articles.parts import fields
from pipeline.articles.reading import read
from pipeline.articles.rejects import REASONS, Reject, Rejects
from pipeline.articles.rules import Rules

__all__ = [
    "FIELDS",
    "REASONS",
    "Article",
    "Columns",
    "Reject",
    "Rejects",
    "Rules",
    "clean",
    "fields",
    "read",
    "table",
]
