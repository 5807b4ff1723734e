"""Find listed terms in Arabic text: one trie, walked from every word start, in compiled code.

A term is one or more words of normalized text. It matches at a word start, after any particles that Arabic writes onto
the word (و ف ب ل ك, the article ال, and their combinations); it must end at a word end unless it was given with `*`.
Sentences are told apart in the same pass, because every use of a hit asks in which sentence it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

PROCLITICS = tuple(
    sorted(
        {first + second + third for first in ("", "و", "ف") for second in ("", "ب", "ك", "ل") for third in ("", "ال")}
        - {"لال", "ولال", "فلال"}
        | {"لل", "ولل", "فلل"}
    )
)
"""What may stand between a word's start and a term: conjunction, preposition, article (ل and ال contract to لل)."""

COMPILED_FROM = 20_000
"""Characters from which compiled code is worth loading."""
MOST_CELLS = 50_000_000
"""Letters of all terms, times different letters: room for a hundred thousand terms."""

_GAP, _OTHER, _BREAK, _NEWLINE, _STOP = 0, 1, 2, 3, 4
_FIRST_LETTER = 5
_MOST_LETTERS = 256 - _FIRST_LETTER


class Hits(NamedTuple):
    """Where terms were found; one entry a hit, ordered by text and place.

    Attributes
    ----------
    text : ndarray of shape (n_hits,), int32
        Which of the texts.
    sentence : ndarray of shape (n_hits,), int32
        Which sentence of that text, from 0.
    start, end : ndarray of shape (n_hits,), int32
        Characters of the normalized text, without the particles before it.
    word : ndarray of shape (n_hits,), int32
        The start of the word that holds the hit's start.
    term : ndarray of shape (n_hits,), int32
        Which of the terms.
    sentences, words : ndarray of shape (n_texts,), int32
        How many each text has (at least 1 sentence).
    """

    text: NDArray[np.int32]
    sentence: NDArray[np.int32]
    start: NDArray[np.int32]
    end: NDArray[np.int32]
    word: NDArray[np.int32]
    term: NDArray[np.int32]
    sentences: NDArray[np.int32]
    words: NDArray[np.int32]


class Automaton:
    """The trie of some terms.

    Parameters
    ----------
    terms : sequence of str
        Each once; `*` at the end lets any ending follow.
    normalize : callable
        The normalization that texts will have gone through.
    """

    def __init__(self, terms: Sequence[str], normalize: Callable[[str], str]) -> None:
        plain = [normalize(term.removesuffix("*")).strip() for term in terms]
        letters = sorted(set("".join(plain + list(PROCLITICS))) - {" "})
        if len(letters) > _MOST_LETTERS or letters[-1] > "\uffff" or sum(map(len, plain)) * len(letters) > MOST_CELLS:
            raise ConfigError(
                f"{len(terms):,} terms of {len(letters):,} characters, the last of them {letters[-1]!r}, are too many",
                hint=f"Terms may have {_MOST_LETTERS} different characters, none of them an emoji.",
            )
        self._classes = _character_classes(letters)
        code = {letter: _FIRST_LETTER + i for i, letter in enumerate(letters)} | {" ": _GAP}
        width = _FIRST_LETTER + len(letters)
        self._terms = _trie(
            ((text, i, term.endswith("*")) for i, (text, term) in enumerate(zip(plain, terms, strict=True))),
            code,
            width,
        )
        self._particles = _trie(((text, 0, True) for text in PROCLITICS if text), code, width)

        # hits that one word can have: two for each letter of the longest term, after each of six strings of particles
        self._room = 12 * (2 + max(map(len, plain), default=0))

    def scan(self, texts: Sequence[str]) -> Hits:
        """Find every term in normalized texts."""
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in texts], out=offsets[1:])
        # "utf-32" of a lone surrogate fails, and one may stand in hostile input; it is no letter either way
        codes = np.frombuffer("".join(texts).encode("utf-32-le", errors="replace"), dtype=np.uint32)
        # loading compiled code takes longer than reading an article or two without it
        scan: Callable[..., Any] = _scan if len(codes) < COMPILED_FROM else _compiled()
        hits, sentences, words = scan(
            codes, offsets, self._classes, *self._terms, self._particles[0], self._particles[2], self._room
        )
        text, sentence, start, end, word, term = np.ascontiguousarray(hits.T)
        return Hits(text, sentence, start, end, word, term, sentences, words)


def _character_classes(letters: Sequence[str]) -> NDArray[np.uint8]:
    """Class of each character of the BMP: gap, sentence break, other word character, or one of the terms' letters."""
    classes = np.zeros(0x10000, dtype=np.uint8)
    classes[_word_characters()] = _OTHER
    classes[[ord(c) for c in "!?؟…"]] = _BREAK
    classes[ord("\n")] = _NEWLINE
    classes[ord(".")] = _STOP
    for i, letter in enumerate(letters):
        classes[ord(letter)] = _FIRST_LETTER + i
    return classes


@lru_cache(maxsize=1)
def _word_characters() -> list[int]:
    return [code for code in range(0x10000) if chr(code).isalnum() or code == ord("_")]


def _trie(
    terms: Iterable[tuple[str, int, bool]], code: dict[str, int], width: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Child table (n_nodes, width); per node the term that ends with the word, and the open-ended one, or -1."""
    children: list[list[int]] = [[-1] * width]
    whole, open_ended = [-1], [-1]
    for text, index, is_open in terms:
        node = 0
        for letter in text:
            c = code[letter]
            if children[node][c] < 0:
                children[node][c] = len(children)
                children.append([-1] * width)
                whole.append(-1)
                open_ended.append(-1)
            node = children[node][c]
        (open_ended if is_open else whole)[node] = index
    return np.array(children, dtype=np.int32), np.array(whole, dtype=np.int32), np.array(open_ended, dtype=np.int32)


def _scan(codes, offsets, classes, child, whole, open_ended, particle_child, particle_end, room):  # type: ignore[no-untyped-def]
    n = len(offsets) - 1
    hits = np.empty((1024, 6), dtype=np.int32)
    count = 0
    sentences = np.ones(n, dtype=np.int32)
    words = np.zeros(n, dtype=np.int32)
    for text in range(n):
        begin, stop = offsets[text], offsets[text + 1]
        sentence = 0
        broken = False  # a sentence has ended; the next word opens another one
        any_word = False
        inside = False
        for i in range(begin, stop):
            code = codes[i]
            kind = classes[code] if code < 0x10000 else _OTHER
            if kind == _GAP or (_OTHER < kind < _FIRST_LETTER):
                inside = False
                if kind in (_BREAK, _NEWLINE):
                    broken = any_word
                elif kind == _STOP:  # not the point in 5.1
                    after = codes[i + 1] if i + 1 < stop else 10
                    if after < 0x10000 and classes[after] in (_GAP, _NEWLINE):
                        broken = any_word
                continue
            if inside:
                continue
            inside = True
            words[text] += 1
            if broken:
                sentence += 1
                broken = False
            any_word = True
            if count + room > len(hits):
                longer = np.empty((2 * len(hits) + room, 6), dtype=np.int32)
                longer[:count] = hits[:count]
                hits = longer
            # walk the terms from the word's start, and again after each string of particles that opens it
            particle, at = 0, i
            while at >= 0:
                node, j, gap = 0, at, False
                while node >= 0:
                    code = codes[j] if j < stop else 10
                    kind = classes[code] if code < 0x10000 else _OTHER
                    if kind < _FIRST_LETTER and kind != _OTHER:
                        if whole[node] >= 0 and not gap:
                            hits[count, 0], hits[count, 1], hits[count, 2] = text, sentence, at - begin
                            hits[count, 3], hits[count, 4], hits[count, 5] = j - begin, i - begin, whole[node]
                            count += 1
                        if kind != _GAP:  # a term does not run across a sentence's end
                            break
                        j += 1
                        if gap:
                            continue
                        gap = True
                        node = child[node, _GAP]
                    elif kind == _OTHER:
                        break
                    else:
                        gap = False
                        j += 1
                        node = child[node, kind]
                    if node >= 0 and open_ended[node] >= 0:
                        hits[count, 0], hits[count, 1], hits[count, 2] = text, sentence, at - begin
                        hits[count, 3], hits[count, 4], hits[count, 5] = j - begin, i - begin, open_ended[node]
                        count += 1
                # the next longer string of particles, if the word opens with one
                found = False
                while not found and particle >= 0 and at < stop:
                    code = codes[at]
                    kind = classes[code] if code < 0x10000 else _OTHER
                    particle = particle_child[particle, kind] if kind >= _FIRST_LETTER else -1
                    at += 1
                    found = particle >= 0 and particle_end[particle] >= 0
                if not found:
                    at = -1
        sentences[text] = sentence + 1
    return hits[:count], sentences, words


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., Any]:
    import numba

    return numba.njit(nogil=True, cache=True)(_scan)
