"""The one family of errors that a user may see.

A mistake of the user (a missing file, a wrong key, a changed model) is raised as one of these and shown as one
message: where it is, what is wrong, what to do. Anything else that escapes is a fault of the program and keeps its
traceback.
"""

from __future__ import annotations

import re

LONGEST = 500
_HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """A text with every character spelled out that would steer a terminal or turn the line around, except line ends.

    Names of files, ids and cells come from strangers, and are told in messages.
    """
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _in_line(text: str) -> str:
    """A text as part of one line: visible, and its middle left out where it is long."""
    text = visible(text).replace("\n", "\\n")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 100]} ... {text[-100:]}"


class MirsadError(Exception):
    """Something the user can put right.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence, with what was found and what was expected.
    where : str, optional
        File, row, table or key.
    hint : str, optional
        What to do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(str(self))

    def __str__(self) -> str:
        message = f"{_in_line(self.where)}: {_in_line(self.what)}" if self.where else _in_line(self.what)
        return f"{message}\n  {visible(self.hint)}" if self.hint else message


class ConfigError(MirsadError):
    """A config that cannot be run; lists every mistake found."""


class InputError(MirsadError):
    """Articles that cannot be read at all (a bad single article is a reject, not an error)."""


class LabelError(MirsadError):
    """Labels that are unknown, missing, or belong to no article."""


class CorpusError(MirsadError):
    """A public corpus that is absent, changed or cannot be fetched."""


class ModelError(MirsadError):
    """A model folder that is missing, changed, too new, or holds what is not trusted."""


class MachineError(MirsadError):
    """The machine gave out (a full disk, a process that was ended): the same command can be run again."""

    exit_code = 3
