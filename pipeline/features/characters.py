"""Tables of characters for the kernel: what each becomes, what class it has, which code it gets in a key."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.alphabet import (
    CODED,
    DELETED,
    FIRST_EXPANSION,
    IS_CODED,
    LONGEST_EXPANSION,
    PLAIN,
    SPACE,
    SPECIAL,
    WORD,
)
from pipeline.text import Normalizer
from pipeline.text.compose import attaches

_BASIC_PLANE = 0x10000
_CODES = {point: code for code, point in enumerate(CODED, start=1)}


class Characters(NamedTuple):
    """Tables of one normalization.

    Attributes
    ----------
    units : ndarray of uint32, shape (65536,)
        Entry of each UTF-16 unit of raw text: the normalized character with its class, or a special meaning.
    expansions : ndarray of uint32, shape (n, LONGEST_EXPANSION)
        Entries of characters that become several, 0 after the last.
    """

    units: NDArray[np.uint32]
    expansions: NDArray[np.uint32]


def entry(character: str) -> int:
    r"""A normalized character with its class, as Python's ``re`` sees ``\w`` and ``\s``."""
    is_word = character.isalnum() or character == "_"
    code = _CODES.get(ord(character))
    symbol = ord(character) if code is None else code | IS_CODED
    return symbol | (WORD if is_word else 0) | (SPACE if character.isspace() else 0)


@lru_cache(maxsize=1)
def _entries() -> NDArray[np.uint32]:
    return np.fromiter((entry(chr(code)) for code in range(_BASIC_PLANE)), np.uint32, _BASIC_PLANE)


def entries(normalized: str) -> NDArray[np.uint32]:
    """Entries of a normalized text of any characters."""
    points = np.frombuffer(normalized.encode("utf-32-le", "surrogatepass"), np.uint32)
    if len(points) < _BASIC_PLANE:  # a table would take longer to make than to do without
        distinct, places = np.unique(points, return_inverse=True)
        return np.array([entry(chr(point)) for point in distinct], np.uint32)[places]
    found = _entries()[np.minimum(points, _BASIC_PLANE - 1)]
    for index in np.flatnonzero(points >= _BASIC_PLANE):
        found[index] = entry(normalized[index])
    return found


@lru_cache(maxsize=8)
def characters(steps: tuple[str, ...]) -> Characters:
    """Tables of the normalization with these steps."""
    normalizer = Normalizer(steps)
    plain_class = _entries()
    units = np.empty(_BASIC_PLANE, np.uint32)
    expansions: list[list[int]] = []
    for code in range(_BASIC_PLANE):
        character = chr(code)
        target = normalizer.plainly(character)
        if len(target) == 1 and target == character:
            units[code] = plain_class[code]
        elif not target:
            units[code] = SPECIAL | DELETED
        elif len(target) == 1:
            units[code] = entry(target)
        elif len(target) <= LONGEST_EXPANSION:
            units[code] = SPECIAL | (FIRST_EXPANSION + len(expansions))
            expansions.append([*map(entry, target), *[0] * (LONGEST_EXPANSION - len(target))])
        else:
            units[code] = SPECIAL | PLAIN
        # A character that composes with its predecessor needs the whole text, unless it is deleted anyway; so does
        # capital sigma, which becomes one of two small ones.
        composes = "unicode" in normalizer.steps and target and attaches(character)
        if composes or ("lowercase" in normalizer.steps and target in ("σ", "ς") and character not in ("σ", "ς")):
            units[code] = SPECIAL | PLAIN
    units[0xD800:0xE000] = SPECIAL | PLAIN
    return Characters(units, np.asarray(expansions, np.uint32).reshape(-1, LONGEST_EXPANSION))
