"""Label Arabic news: topics and stance, by TF-IDF and linear classifiers.

What a notebook needs, loaded when it is first asked for: `train`, `evaluate` and `predict`, the jobs behind the
commands; `load` for a saved model and its manifest; `Model`, whose `predict` labels articles in memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["Model", "evaluate", "load", "predict", "train"]

if TYPE_CHECKING:
    from pipeline import evaluate, predict, train
    from pipeline.model import Model
    from pipeline.store import load

_HOMES = {"Model": "pipeline.model", "load": "pipeline.store"}
_JOBS = ("evaluate", "predict", "train")


def __getattr__(name: str) -> object:
    """Load a name when it is first asked for (PEP 562): the command's help does not wait for scikit-learn."""
    if name in _JOBS:
        return import_module(f"pipeline.{name}")
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
