"""Files appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from pipeline.errors import MirsadError


class Replacement:
    """A file under a temporary name beside its final one, which it takes when it is committed.

    Parameters
    ----------
    path : str or Path
        The final name. If it is a symbolic link, the link is replaced, never what it points to.

    Attributes
    ----------
    stream : binary file
        Where to write.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        try:
            # O_EXCL: whoever put a link under this name before us does not get our bytes.
            handle = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            raise MirsadError(
                f"cannot be written: {error.strerror}",
                where=str(path),
                hint="Check that the folder exists and is yours.",
            ) from error
        self.stream: BinaryIO = os.fdopen(handle, "wb")

    def commit(self) -> None:
        """Close the file and give it its final name."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        self.stream.close()
        self._temporary.replace(self.path)

    def discard(self) -> None:
        """Close the file and remove it."""
        self.stream.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.discard()
