"""Text to matrix, by named blocks; nothing else knows how.

The names are loaded when they are first used: scikit-learn and numba are slow to import, and a command that only
predicts needs neither the estimators nor the matrix.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "ArabicTfidfVectorizer": "pipeline.features.tfidf",
    "TfidfBlocks": "pipeline.features.blocks",
    "TfidfScorer": "pipeline.features.scorer",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_HOMES)
