"""One spelling for each Arabic word: normalization as a list of named steps, each of which can be switched off.

camel-tools defines the steps that it has (``normalize_unicode``, ``dediac_ar``, the alef, alef maksura and teh marbuta
normalizers); it takes most of a second to import, so what it does to each character is written down here, and the
tests hold the two equal on the whole of the basic plane and on real articles.

All steps but the first and the last look at one character at a time, so they are composed into one table. The first,
NFKC, composes some characters with their neighbours (alef + hamza above); the last, ``str.lower``, looks around at a
capital sigma. `compose.py` tells which characters those are; everywhere else a text is the sum of its characters.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.text.compose import attaches

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What NFKC spells otherwise than an Arabic reader would: the rial with a Persian yeh, the basmala not at all.
LIGATURES = {"\ufdfc": "ريال", "\ufdfd": "بسم الله الرحمن الرحيم"}

# What becomes two characters in lower case, or one that depends on its neighbours.
CONTEXTUAL = "\u0130\u03a3"


def _all_to(characters: Iterable[str], target: str) -> dict[str, str]:
    return dict.fromkeys(characters, target)


def _span(first: int, last: int) -> list[str]:
    return [chr(code) for code in range(first, last + 1)]


# No step produces a character that a later step reads (Persian yeh becomes yeh, never alef maksura), so their order
# among each other does not matter; it does matter that NFKC comes first, which turns presentation forms into letters.
CHARACTER_STEPS: dict[str, dict[str, str]] = {
    # Fathatan ... sukun and the dagger alef.
    "diacritics": _all_to([*_span(0x064B, 0x0652), "\u0670"], ""),
    "tatweel": {"\u0640": ""},
    # Bidirectional controls and characters without width. They stand inside words in text that was copied from a web
    # page, so they are removed and not turned into spaces.
    "marks": _all_to(["\u00ad", "\u061c", "\u180e", "\ufeff", *_span(0x200B, 0x200F), *_span(0x202A, 0x202E)], "")
    | _all_to(_span(0x2060, 0x206F), ""),
    "alef": _all_to("آأإٱ", "ا"),
    "alef_maksura": {"ى": "ي"},
    "teh_marbuta": {"ة": "ه"},
    "persian": {"\u06a9": "\u0643", "\u06cc": "\u064a"},
    "digits": {chr(zero + value): str(value) for zero in (0x0660, 0x06F0) for value in range(10)},
}
STEPS: tuple[str, ...] = ("unicode", *CHARACTER_STEPS, "lowercase")
DEFAULT_STEPS: tuple[str, ...] = STEPS


class Normalizer:
    """Bring the spellings of a word to one.

    Parameters
    ----------
    steps : iterable of str, default=DEFAULT_STEPS
        Names out of ``STEPS``. They run in the order of ``STEPS``, however they are listed.

    Attributes
    ----------
    steps : tuple of str
        The steps that run, in order.
    version : str
        The steps' names and a hash of what they do to each character; two normalizers with the same version give
        the same text.

    Raises
    ------
    ConfigError
        If a step has an unknown name.

    Examples
    --------
    >>> Normalizer()("إلـــى المدرسَةِ")
    'الي المدرسه'
    """

    def __init__(self, steps: Iterable[str] = DEFAULT_STEPS) -> None:
        asked = [steps] if isinstance(steps, str) else list(steps)
        unknown = [name for name in asked if name not in STEPS]
        if unknown:
            raise ConfigError(f"unknown normalization step {unknown[0]!r}", hint=f"The steps are: {', '.join(STEPS)}.")
        self.steps = tuple(name for name in STEPS if name in asked)
        self._unicode = "unicode" in self.steps
        self._lower = "lowercase" in self.steps
        self._characters = {
            character: target for name in self.steps for character, target in CHARACTER_STEPS.get(name, {}).items()
        }
        self._translation = {ord(character): target for character, target in self._characters.items()}
        spelled = repr((sorted(self._characters.items()), sorted(LIGATURES.items()) if self._unicode else []))
        self.version = f"{'+'.join(self.steps) or 'none'}@{hashlib.sha256(spelled.encode()).hexdigest()[:8]}"

    def __repr__(self) -> str:
        return f"Normalizer({self.steps!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Normalizer) and other.version == self.version

    def __hash__(self) -> int:
        return hash(self.version)

    def __call__(self, text: str) -> str:
        """Normalize one text.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        str
            The normalized text; it may be shorter or longer.
        """
        import numpy as np

        if self._unicode:
            text = self._nfkc(text)
        if not text:
            return text
        # NFKC is behind us and the rest is a table, so UTF-16 units can be mapped as an array: ten times faster than
        # str.translate. Surrogates map to themselves, so only what the table cannot tell goes the plain way.
        units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
        table = _unit_table(self.steps)
        mapped = table[units]
        if mapped.min() == _PLAIN or len(units) != len(text):
            return self._plain(text)
        kept: NDArray[np.uint16] = (mapped[mapped != _DELETED] - _SHIFT).astype(np.uint16)
        return kept.tobytes().decode("utf-16-le")

    def composed(self, text: str) -> str:
        """Do what looks at several characters: replaced one by one as `characters` says, the result is normalized.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        str
            What NFKC makes of it; nearly always the same text.
        """
        if self._unicode:
            text = self._nfkc(text)
        if self._lower and any(map(text.__contains__, CONTEXTUAL)):
            text = self._plain(text)
        return text

    @property
    def characters(self) -> NDArray[np.int32]:
        """What each character of the basic plane becomes in a composed text: its code, or -1 for nothing.

        Surrogates, which stay what they are, have -2; others beyond the plane become others beyond it, one for one.
        """
        import numpy as np

        return _unit_table(self.steps).astype(np.int32) - _SHIFT

    def with_offsets(self, text: str) -> tuple[str, NDArray[np.int64]]:
        """Normalize one text and say where each character of the result came from.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        normalized : str
            What calling the normalizer returns.
        offsets : ndarray of shape (len(normalized) + 1,), dtype int64
            Index in `text` at which the character's source starts, never decreasing; the last entry is
            ``len(text)``. A span ``[i, j)`` of the normalized text stands for ``text[offsets[i]:offsets[j]]``.
        """
        import numpy as np

        pieces: list[str] = []
        offsets: list[int] = []
        start = 0
        while start < len(text):
            stop = start + 1
            while self._unicode and stop < len(text) and attaches(text[stop]):
                stop += 1
            segment = text[start:stop]
            composed = self._nfkc(segment) if self._unicode else segment
            for index, character in enumerate(composed):
                target = self._characters.get(character, character)
                pieces.append(target)
                width = len(target.lower()) if self._lower else len(target)
                offsets.extend([min(start + index, stop - 1)] * width)
            start = stop
        offsets.append(len(text))
        joined = "".join(pieces)
        return joined.lower() if self._lower else joined, np.asarray(offsets, dtype=np.int64)

    def plainly(self, text: str) -> str:
        """Normalize by the plain path, without tables: the same result, sooner for a few characters."""
        return self._plain(self._nfkc(text) if self._unicode else text)

    @staticmethod
    def _nfkc(text: str) -> str:
        for ligature, spelled in LIGATURES.items():
            text = text.replace(ligature, spelled)
        return unicodedata.normalize("NFKC", text)

    def _plain(self, text: str) -> str:
        text = text.translate(self._translation)
        return text.lower() if self._lower else text


# Entries of the unit table: 0 asks for the plain path, 1 deletes, everything else is a UTF-16 unit plus 2.
_PLAIN, _DELETED, _SHIFT = 0, 1, 2


@lru_cache(maxsize=16)
def _unit_table(steps: tuple[str, ...]) -> NDArray[np.uint32]:
    """What each UTF-16 unit becomes after NFKC, for texts without surrogates; shape (65536,)."""
    import numpy as np

    table = np.arange(0x10000, dtype=np.uint32) + _SHIFT
    table[0xD800:0xE000] = _PLAIN
    if "lowercase" in steps:
        for code in range(0x10000):
            lowered = chr(code).lower()
            if len(lowered) > 1 or lowered == "\u03c3":  # capital sigma: which small one depends on its neighbours
                table[code] = _PLAIN if code != 0x03C3 else code + _SHIFT
            elif ord(lowered) != code:
                table[code] = ord(lowered) + _SHIFT
    for name in steps:
        for character, target in CHARACTER_STEPS.get(name, {}).items():
            table[ord(character)] = ord(target) + _SHIFT if target else _DELETED
    return table
