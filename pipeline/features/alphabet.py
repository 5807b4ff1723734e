"""Characters, n-grams and words as integers: the layout that the kernel and the plain path share.

Some characters have a short code, in the order of their code points: Latin to Arabic Extended, punctuation to
symbols, and a few; what news in Arabic script is written with. Any other
character works too, by a longer path. There are fewer than 4096, so that five codes fit in 60 bits.
"""

from __future__ import annotations

CODED: tuple[int, ...] = tuple(
    sorted(
        {0x09, 0x0A, 0x0D, *range(0x20, 0x900), *range(0x2000, 0x2700)}
        | {0x3001, 0x3002, 0x300A, 0x300B, 0xFD3E, 0xFD3F, 0xFFFC, 0xFFFD}
    )
)
"""Code points; the code of ``CODED[i]`` is i + 1."""

BITS = 12
"""Bits of a code."""

# One entry of the character table: a symbol and its class. The symbol is the character's code where it has one, else
# its code point. A special entry (deleted, spelled out, or left to the plain path) has its meaning there instead.
POINT = (1 << 21) - 1
IS_CODED = 1 << 21
SYMBOL = (1 << 22) - 1
WORD, SPACE, SPECIAL = 1 << 24, 1 << 25, 1 << 26
BLANK = SPACE | IS_CODED | (CODED.index(0x20) + 1)
DELETED, PLAIN, FIRST_EXPANSION = 0, 1, 2
LONGEST_EXPANSION = 4

PACKED = 5  # characters that fit in the key of an n-gram
CHAIN = 1 << 63  # marks the key of a longer path: CHAIN | parent node << 22 | symbol
ROOT = (1 << 41) - 1  # parent of a path that starts with a character that has no code
SHORT = 2 * PACKED  # characters that fit in the two words of a string's key
LONG = 1 << 63  # marks the key of a longer string, which is a hash

LINEAR, SUBLINEAR, BINARY = 0, 1, 2  # what a count n is worth: n, 1 + log(n), 1
NORMS = {None: 0, "l1": 1, "l2": 2}
TABLED = 256  # counts whose worth is looked up

GOLDEN = 0x9E3779B97F4A7C15  # odd multipliers of the hash tables
MIX = 0xD6E8FEB86659FD93
