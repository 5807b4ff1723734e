"""The characters that have a short code, in the order of their code points.

Latin to Arabic Extended, punctuation to symbols, and a few: what news in Arabic script is written with. Any other
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
