"""Which characters NFKC may join to, or move past, the character before them.

A text none of whose characters attaches to its predecessor is normalized one character at a time: NFKC reorders only
characters with a combining class, and composes only pairs whose second half is in `_seconds` (Unicode Standard Annex
#15, sections 1.3 and 10).
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LAST_COMPOSING_PLANE = 0x20000  # no character from here on decomposes into two


@lru_cache(maxsize=1)
def _seconds() -> frozenset[str]:
    """Second halves of all canonical pairs, and the Hangul vowels and finals that compose by arithmetic."""
    found = {chr(code) for code in range(0x1161, 0x1176)} | {chr(code) for code in range(0x11A8, 0x11C3)}
    for code in range(_LAST_COMPOSING_PLANE):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


@lru_cache(maxsize=4096)
def attaches(character: str) -> bool:
    """Tell whether NFKC may combine the character with what stands before it."""
    first = unicodedata.normalize("NFKD", character)[0]
    return unicodedata.combining(first) != 0 or first in _seconds()
