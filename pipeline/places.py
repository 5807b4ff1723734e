"""Places that are named by a URL: object stores, and whatever else fsspec reaches (`s3://bucket/in/*.parquet`).

A reject is an article's fault, and a place that fails for a moment is not: whatever goes wrong here ends the part with
a `MachineError`, to be tried again, rather than leaving articles out.
"""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.errors import InputError, MachineError, MirsadError

INSTALL = "pip install 'mirsad[dask]'"

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(place: object) -> bool:
    """Whether a place is named by a URL rather than a path of this machine."""
    return isinstance(place, str) and _URL.match(place) is not None


def within(folder: str, name: str) -> str:
    """The URL of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def files(url: str) -> list[tuple[str, str]]:
    """The files that a URL means, which may be a file, a folder or a glob.

    Parameters
    ----------
    url : str

    Returns
    -------
    list of (str, str)
        The URL of each, and its path below the folder (that before the first wildcard), sorted by it.

    Raises
    ------
    InputError
        There is nothing.
    MirsadError
        fsspec, or what it needs for such a URL, is not installed; MachineError where the place cannot be reached.
    """
    store, path = _store(url)
    fixed = re.split(r"[*?\[]", path)[0]
    with reached(url):
        store.invalidate_cache()
        if fixed != path:
            found, root = store.glob(path), fixed.rpartition("/")[0]
        elif store.isdir(path):
            found, root = store.find(path), path.rstrip("/")
        else:
            store.info(path)
            found, root = [path], path.rpartition("/")[0]
    names = sorted((name.removeprefix(root).lstrip("/"), name) for name in found)
    names.sort(key=lambda pair: PurePosixPath(pair[0]).parts)  # as files of a folder are
    return [(store.unstrip_protocol(name), below) for below, name in names]


def facts(url: str) -> tuple[int, str]:
    """Size of a file, and what tells that it was changed: a tag or a time, whatever its place keeps."""
    store, path = _store(url)
    with reached(url):
        info = store.info(path)
    told = (info.get(key) for key in ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated", "created"))
    return int(info["size"]), str(next((value for value in told if value is not None), ""))


def opened(url: str) -> io.RawIOBase:
    """A file to read, from any place in it."""
    store, path = _store(url)
    with reached(url):
        return _File(store.open(path, "rb"), url)


def read(url: str) -> bytes:
    """A whole small file; InputError where there is none."""
    store, path = _store(url)
    with reached(url):
        return bytes(store.cat_file(path))


def write(url: str, data: bytes) -> None:
    """Write a small file that appears whole or not at all."""
    with _replacing(url) as (store, temporary):
        store.pipe_file(temporary, data)


def put(file: Path, url: str) -> None:
    """Copy a file of this machine to a place, where it appears whole or not at all."""
    with _replacing(url) as (store, temporary):
        store.put_file(str(file), temporary)


def fetch(url: str, file: Path) -> None:
    """Copy a file of a place to this machine."""
    store, path = _store(url)
    with reached(url):
        store.get_file(path, str(file))


def names(folder: str) -> list[str]:
    """Names of the files in a folder; none where there is no such folder."""
    store, path = _store(folder)
    with reached(folder):
        store.invalidate_cache()
        try:
            found = (str(item).rstrip("/") for item in store.ls(path, detail=False))
            return sorted(PurePosixPath(item).name for item in found if item != path)  # some list the folder itself
        except FileNotFoundError:
            return []


def sizes(folder: str) -> dict[str, int]:
    """Sizes of the files in a folder, by name."""
    store, path = _store(folder)
    with reached(folder):
        store.invalidate_cache()
        return {PurePosixPath(item["name"]).name: int(item["size"] or 0) for item in store.ls(path, detail=True)}


def remove(folder: str, unwanted: Iterable[str]) -> None:
    """Remove files of a folder, those of them that are there."""
    store, path = _store(folder)
    with reached(folder):
        for name in unwanted:
            with suppress(FileNotFoundError):
                store.rm_file(f"{path}/{name}")


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Say in one message why a place could not be reached; each kind of place has errors of its own."""
    try:
        yield
    except MirsadError:
        raise
    except FileNotFoundError:
        raise InputError("there is no such file or folder", where=url) from None
    except (ImportError, ValueError) as error:
        raise MirsadError(
            f"cannot be reached: {error}", where=url, hint="Each kind of place has a package of its own: s3fs, gcsfs."
        ) from error
    except Exception as error:
        raise MachineError(
            f"cannot be reached: {error or type(error).__name__}",
            where=url,
            hint="Check the address and what you may do there. Then the same command can be run again.",
        ) from error


def _store(url: str) -> tuple[Any, str]:
    """The file system of a URL, and its path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise MirsadError("URLs need fsspec", where=url, hint=INSTALL) from error
    with reached(url):
        store, path = url_to_fs(url.rstrip("/"))
    return store, str(path)


@contextmanager
def _replacing(url: str) -> Iterator[tuple[Any, str]]:
    """A temporary name beside the final one, which what was written there is moved to."""
    store, path = _store(url)
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{secrets.token_hex(4)}.part"
    with reached(url):
        store.makedirs(folder, exist_ok=True)
        try:
            yield store, temporary
            store.mv(temporary, path)
        except BaseException:
            with suppress(Exception):
                store.rm_file(temporary)
            raise


class _File(io.RawIOBase):
    """A file of a place, whose failures are told as such."""

    def __init__(self, file: Any, url: str) -> None:
        self._file, self._url = file, url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with reached(self._url):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with reached(self._url):
            return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        if not self.closed:
            with suppress(Exception):  # it was read
                self._file.close()
        super().close()
