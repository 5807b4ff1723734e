"""Files that may come from a stranger, read into memory and looked at from outside, before a library opens them.

An archive is listed, not unpacked: its members' names, sizes and packing, what the headers of its arrays say, and every
type and loader that a skops schema names. Only what passes all of it is handed to numpy or skops.
"""

from __future__ import annotations

import io
import json
import re
import stat
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

MAX_UNPACKED = 2 << 30
"""Bytes that an archive may unpack to."""
MAX_RATIO = 200
"""What a packed byte may unpack to, in an archive that unpacks to more than `GRACE` bytes; models come to 4 to 15."""
GRACE = 64 << 20
MAX_MEMBERS = 10_000
MAX_SCHEMA = 64 << 20
"""Bytes of a skops schema, which is parsed as one page of JSON."""

SCHEMA = "schema.json"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_PACKING = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1
_LOADERS = {
    "DictNode": {"builtins.dict"},
    "JsonNode": {"builtins.str"},
    "ListNode": {"builtins.list"},
    "NdArrayNode": {"numpy.ndarray"},
    "TupleNode": {"builtins.tuple"},
    "TypeNode": {"builtins.str"},
}
"""What skops may build beside the project's own objects, and as what; a model needs none of the many more it knows."""


def read_file(path: Path, limit: int) -> bytes:
    """The bytes of a plain file; links, pipes and devices are refused, and no file beyond the limit is read.

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is no plain file, or too large.
    """
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        kind = "a link" if stat.S_ISLNK(info.st_mode) else "a folder" if stat.S_ISDIR(info.st_mode) else "a device"
        raise ValueError(f"is {kind}, not a plain file")
    if info.st_size > limit:
        raise ValueError(f"has {info.st_size:,} bytes where {limit:,} are expected")
    with path.open("rb") as file:
        return file.read(limit)


def check_archive(content: bytes) -> None:
    """Look at an archive of arrays and JSON without unpacking more than its arrays' headers.

    Raises
    ------
    ValueError
        It is larger than any model is, or not made as models are.
    zipfile.BadZipFile
        It is no archive.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        total = sum(member.file_size for member in members)
        if len(members) > MAX_MEMBERS:
            raise ValueError(f"has {len(members):,} members, and {MAX_MEMBERS:,} is the most")
        if total > MAX_UNPACKED:
            raise ValueError(f"unpacks to {total:,} bytes, and {MAX_UNPACKED:,} is the most")
        if total > GRACE and total > MAX_RATIO * len(content):
            raise ValueError(f"unpacks to {total:,} bytes, {MAX_RATIO} times its size or more")
        if len(set(names)) < len(names):
            raise ValueError("names a member twice")
        for member in members:
            if not _NAME.fullmatch(member.filename):
                raise ValueError(f"has a member with the name {member.filename[:80]!r}")
            if member.flag_bits & _ENCRYPTED or member.compress_type not in _PACKING:
                raise ValueError(f"has a member packed in a way that models are not: {member.filename}")
            if member.filename.endswith(".npy"):
                _check_array(archive, member)


def _check_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Make sure that an array has the size that its header says, so that nothing is allocated on its word alone."""
    with archive.open(member) as file, warnings.catch_warnings():
        warnings.simplefilter("error")
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{member.filename} is an array of format {version}")
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)
        if dtype.kind not in "biuf" or any(side < 0 for side in shape):
            raise ValueError(f"{member.filename} is no array of numbers")
        size = dtype.itemsize
        for side in shape:
            size *= side
        if size != member.file_size - file.tell():
            raise ValueError(f"{member.filename} has another size than its header says")


def check_schema(content: bytes, trusted: frozenset[str]) -> set[str]:
    """Compare what a skops file names with closed lists, before skops looks at it.

    Parameters
    ----------
    content : bytes
        A file that `check_archive` let pass.
    trusted : frozenset of str
        Types that it may hold as objects.

    Returns
    -------
    set of str
        Types that are not trusted, and loaders that no model needs.

    Raises
    ------
    ValueError
        The schema is too large, or names two different parts by one number, which could make it endless.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if archive.getinfo(SCHEMA).file_size > MAX_SCHEMA:
            raise ValueError(f"has a schema of more than {MAX_SCHEMA:,} bytes")
        schema = json.loads(archive.read(SCHEMA), object_hook=_Twins())
    found: set[str] = set()
    for node in _nodes(schema):
        loader, name = str(node["__loader__"]), f"{node['__module__']}.{node['__class__']}"
        if name not in _LOADERS.get(loader, trusted if loader == "ObjectNode" else ()):
            found.add(name if loader == "ObjectNode" or loader in _LOADERS else f"{name} ({loader})")
        if node.get("type", "numpy") != "numpy":
            found.add(f"{name} of objects")
    return found


class _Twins:
    """Takes the numbers off the parts of a schema, and refuses two parts that differ under one number.

    skops builds what stands in several places once, but looks through it every time: ten lists, each twice in the
    next, would keep it busy for ever. What it writes itself is whole in every place, so that a walk through all of it
    takes no longer than the file is long.
    """

    def __init__(self) -> None:
        self.first: dict[Any, dict[str, Any]] = {}

    def __call__(self, part: dict[str, Any]) -> dict[str, Any]:
        number = part.pop("__id__", None)
        if number is not None and self.first.setdefault(number, part) != part:
            raise ValueError("holds two parts that differ under one number")
        return part


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that names a loader, without recursion: it may be nested as deep as it likes."""
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "__loader__" in part or "__class__" in part:
                yield part
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
