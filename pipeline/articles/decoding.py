"""Bytes to text: which encoding a file is in, and how much of it may be unpacked."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from pipeline import places
from pipeline.articles.sources import STDIN, Source

SAMPLE = 1 << 16
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GRACE = 1 << 24
"""Bytes that may come out of anything."""
DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error)

_ARABIC = re.compile("[ء-ي]")


class BombError(Exception):
    """A file unpacks to far more than text would."""


class Stream(io.RawIOBase):
    """A stream of bytes made of another one."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Put bytes into the buffer."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        return self._stream.read(size)


class _Unpacked(Stream):
    """A gzipped file as it unpacks, stopped where no text would unpack to so much."""

    def __init__(self, packed: BinaryIO, max_ratio: float) -> None:
        super().__init__(cast(BinaryIO, gzip.GzipFile(fileobj=packed, mode="rb")))
        self._packed = packed
        self._max_ratio = max_ratio
        self._out = 0

    def _read(self, size: int) -> bytes:
        data = super()._read(size)
        self._out += len(data)
        if self._out > GRACE and self._out > self._max_ratio * self._packed.tell():
            raise BombError(f"{self._out:,} bytes came out of {self._packed.tell():,}")
        return data

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()


def open_source(source: Source, *, max_ratio: float) -> io.BufferedReader:
    """Open a source for reading bytes, unpacked.

    Parameters
    ----------
    source : Source
    max_ratio : float
        Bytes that one byte of a gzipped file may unpack to, once it is beyond what does no harm.
    """
    if source.path == STDIN:
        return io.BufferedReader(Stream(sys.stdin.buffer), SAMPLE)  # a wrapper: standard input is not ours to close
    if source.gzipped:
        return io.BufferedReader(_Unpacked(io.BufferedReader(open_raw(source.path)), max_ratio), SAMPLE)
    return io.BufferedReader(open_raw(source.path), SAMPLE)


def open_raw(path: str) -> io.RawIOBase:
    """Open a file of this machine, or of a URL, for reading bytes as they are."""
    return places.opened(path) if places.is_url(path) else Path(path).open("rb", buffering=0)


def detect(sample: bytes, *, complete: bool) -> tuple[str, str] | None:
    """Tell the encoding of a text from its first bytes.

    Parameters
    ----------
    sample : bytes
    complete : bool
        Whether the sample is the whole file; if not, its last character may be cut.

    Returns
    -------
    encoding, how : str, or None
        ``how`` says in a few words what it was recognized by. None: not text in an encoding that can be told.
    """
    for bom, name in BOMS:
        if sample.startswith(bom):
            return name, "byte order mark"
    if b"\0" in sample:
        return None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample, final=complete)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8", "valid UTF-8"
    loose = sample.decode("utf-8", errors="replace")
    if len(_ARABIC.findall(loose)) > 20 * loose.count("�"):
        return "utf-8", "UTF-8 with broken characters"
    return _legacy(sample)


# The single-byte encodings Arabic news was ever published in, and the eight letters that make up more than half of any
# Arabic text. Read in the wrong one of these encodings a text has other letters.
_LEGACY = ("cp1256", "iso8859_6", "cp720")
_COMMON = frozenset("اليمنوتر")


def _legacy(sample: bytes) -> tuple[str, str] | None:
    """Recognize an old Arabic encoding: charset-normalizer must choose it, and the commonest letters must be common."""
    from charset_normalizer import from_bytes

    best = from_bytes(sample[:8192]).best()
    if best is None or best.encoding not in _LEGACY:
        return None
    letters = _ARABIC.findall(sample.decode(best.encoding, errors="replace"))
    if sum(letter in _COMMON for letter in letters) < 0.4 * max(len(letters), 1):
        return None
    return best.encoding, "charset-normalizer, checked by letter frequencies"
