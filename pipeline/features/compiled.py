"""Compiling the kernel, and saying so.

numba keeps machine code beside the source; where that folder cannot be written (a read-only installation) it uses the
user's cache folder, and where ``NUMBA_CACHE_DIR`` is set, that one. Compiling takes about half a minute once for an
installation, so the first function that has to be compiled says so through `announce`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event


def say_on_stderr(message: str) -> None:
    """Print the line on standard error."""
    print(message, file=sys.stderr)


announce: Callable[[str], None] = say_on_stderr
"""Called with one line when machine code has to be made; replace it to show the line elsewhere or not at all."""


class _Announcer(event.Listener):
    """Says one line when the first of our functions is compiled in this process."""

    def __init__(self) -> None:
        self.said = False

    def on_start(self, event: event.Event) -> None:
        module = event.data["dispatcher"].py_func.__module__
        if not self.said and module.startswith("pipeline."):
            self.said = True
            announce("Compiling the text kernel for this machine (half a minute, once) ...")

    def on_end(self, event: event.Event) -> None:
        pass


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the function a part of every compiled function that calls it."""
    return numba.njit(nogil=True, inline="always")(function)


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile the function when it is first called; it runs without the GIL, its machine code is kept on disk."""
    try:
        return numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # no folder can be written at all: compile in every process
        return numba.njit(nogil=True)(function)
