"""Modules that can be called: `pipeline.train(...)` is the job, and `pipeline.train` its module as well."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class Job(ModuleType):
    """A module with one job, named by `JOB`; calling the module does it.

    The package wants the job under the name that the module has. A lazy import could put either there, depending on
    who came first; a module that can be called is right in both places.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do the job."""
        return getattr(self, vars(self)["JOB"])(*args, **kwargs)


def callable_module(name: str) -> None:
    """Make a module callable; it says so itself, with its `__name__`."""
    sys.modules[name].__class__ = Job
