"""The one family of errors that a user may see.

A mistake of the user (a missing file, a wrong key, a changed model) is raised as one of these and shown as one
message: where it is, what is wrong, what to do. Anything else that escapes is a fault of the program and keeps its
traceback.
"""

from __future__ import annotations


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
        message = f"{self.where}: {self.what}" if self.where else self.what
        return f"{message}\n  {self.hint}" if self.hint else message


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
