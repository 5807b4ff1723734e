"""Find listed terms in Arabic text: one trie, walked from every word start, in compiled code.

A term is one or more words of normalized text. It matches at a word start, after any particles that Arabic writes onto
the word (و ف ب ل ك, the article ال, and their combinations); it must end at a word end unless it was given with `*`.
Sentences are told apart in the same pass, because every use of a hit asks in which sentence it stands.

Texts are given raw. All that the walk asks of a character is its class, so normalization is a part of the table of
classes, but for what looks at more than one character (`Normalizer.composed`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    from pipeline.text import Normalizer

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

# Classes: what stands between words (and may end a sentence), then what words are made of. Deleted ones have the last.
_GAP, _STOP, _BREAK, _NEWLINE, _OTHER = 0, 1, 2, 3, 4
_FIRST_LETTER = 5
_DELETED = 255
_MOST_LETTERS = _DELETED - _FIRST_LETTER


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
    normalizer : Normalizer
        The normalization of terms and texts.
    """

    def __init__(self, terms: Sequence[str], normalizer: Normalizer) -> None:
        self._normalizer = normalizer
        plain = [normalizer.plainly(term.removesuffix("*")).strip() for term in terms]
        letters = sorted(set("".join(plain + list(PROCLITICS))) - {" "})
        if len(letters) > _MOST_LETTERS or letters[-1] > "\uffff" or sum(map(len, plain)) * len(letters) > MOST_CELLS:
            raise ConfigError(
                f"{len(terms):,} terms of {len(letters):,} characters, the last of them {letters[-1]!r}, are too many",
                hint=f"Terms may have {_MOST_LETTERS} different characters, none of them an emoji.",
            )
        self._classes = _character_classes(letters, normalizer)
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
        """Find every term in raw texts; hits are placed in normalized ones."""
        composed = list(map(self._normalizer.composed, texts))
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        np.cumsum([len(text) for text in composed], out=offsets[1:])
        # "utf-32" of a lone surrogate fails, and one may stand in hostile input; it is no letter either way
        codes = np.frombuffer("".join(composed).encode("utf-32-le", errors="replace"), dtype=np.uint32)
        # loading compiled code takes longer than reading an article or two without it
        scan: Callable[..., Any] = _scan if len(codes) < COMPILED_FROM else _compiled()
        hits, sentences, words = scan(
            codes, offsets, self._classes, *self._terms, self._particles[0], self._particles[2], self._room
        )
        text, sentence, start, end, word, term = np.ascontiguousarray(hits.T)
        return Hits(text, sentence, start, end, word, term, sentences, words)


def _character_classes(letters: Sequence[str], normalizer: Normalizer) -> NDArray[np.uint8]:
    """Class of what each character of the BMP becomes: of a word or not, one of the terms' letters, or deleted."""
    classes = np.zeros(0x10000, dtype=np.uint8)
    classes[_word_characters()] = _OTHER
    classes[[ord(c) for c in "!?؟…"]] = _BREAK
    classes[ord("\n")] = _NEWLINE
    classes[ord(".")] = _STOP
    for i, letter in enumerate(letters):
        classes[ord(letter)] = _FIRST_LETTER + i
    becomes = normalizer.characters
    return np.where(becomes < 0, _DELETED, classes[becomes]).astype(np.uint8)


@lru_cache(maxsize=1)
def _word_characters() -> list[int]:
    return [code for code in range(0x10000) if chr(code).isalnum() or code == ord("_")]


def _trie(
    terms: Iterable[tuple[str, int, bool]], code: dict[str, int], width: int
) -> tuple[NDArray[np.uint32], NDArray[np.int32], NDArray[np.int32]]:
    """Child table (n_nodes, width), 0 for none; by node the term that ends with the word, the open-ended one, or -1."""
    children: dict[tuple[int, int], int] = {}
    whole, open_ended = [-1], [-1]
    for text, index, is_open in terms:
        node = 0
        for letter in text:
            step = node, code[letter]
            if step not in children:
                children[step] = len(whole)
                whole.append(-1)
                open_ended.append(-1)
            node = children[step]
        (open_ended if is_open else whole)[node] = index
    child = np.zeros((len(whole), width), dtype=np.uint32)
    for step, node in children.items():
        child[step] = node
    return child, np.array(whole, dtype=np.int32), np.array(open_ended, dtype=np.int32)


def _scan(codes, offsets, classes, child, whole, open_ended, particle_child, particle_end, room):  # type: ignore[no-untyped-def]
    n = len(offsets) - 1
    hits = np.empty((1024, 6), dtype=np.int32)
    count = 0
    sentences = np.empty(n, dtype=np.int32)
    words = np.empty(n, dtype=np.int32)
    longest = np.max(offsets[1:] - offsets[:-1]) + 1 if n else 0
    kinds = np.empty(longest, dtype=np.uint8)
    marks = np.empty(longest, dtype=np.int32)
    for text in range(n):
        # classes of the characters that normalization keeps, a line's end behind them, and which of them start a word
        # or may end a sentence; without branches, since what comes next in a text cannot be foretold
        stop, n_marks, before = 0, 0, _GAP
        for i in range(offsets[text], offsets[text + 1]):
            kind = classes[codes[i]] if codes[i] < 0x10000 else _OTHER
            kinds[stop] = kind
            marks[n_marks] = stop
            kept = kind != _DELETED
            n_marks += kept & (kind != _GAP) & ((kind < _OTHER) | (before < _OTHER))
            stop += kept
            before = kind if kept else before
        kinds[stop] = _NEWLINE
        sentence, n_words = 0, 0
        broken = False  # a sentence has ended; the next word opens another one
        for i in marks[:n_marks]:
            kind = kinds[i]
            if kind < _OTHER:
                if kind != _STOP or kinds[i + 1] in (_GAP, _NEWLINE):  # not the point in 5.1
                    broken = n_words > 0
                continue
            n_words += 1
            if broken:
                sentence += 1
                broken = False
            if count + room > len(hits):
                longer = np.empty((2 * len(hits) + room, 6), dtype=np.int32)
                longer[:count] = hits[:count]
                hits = longer
            # walk the terms from the word's start, and again after each string of particles that opens it
            particle, at = 0, i
            while True:
                node, j, gap = child[0, kinds[at]], at + 1, False
                while node:
                    if open_ended[node] >= 0:
                        hits[count, 0], hits[count, 1], hits[count, 2] = text, sentence, at
                        hits[count, 3], hits[count, 4], hits[count, 5] = j, i, open_ended[node]
                        count += 1
                    kind = kinds[j]
                    j += 1
                    if kind < _OTHER:
                        if whole[node] >= 0:
                            hits[count, 0], hits[count, 1], hits[count, 2] = text, sentence, at
                            hits[count, 3], hits[count, 4], hits[count, 5] = j - 1, i, whole[node]
                            count += 1
                        if kind != _GAP:  # a term does not run across a sentence's end
                            break
                        if gap:
                            continue
                    gap = kind == _GAP
                    node = child[node, kind]
                # the next longer string of particles, if the word opens with one
                particle = particle_child[particle, kinds[at]]
                at += 1
                while particle and particle_end[particle] < 0:
                    particle = particle_child[particle, kinds[at]]
                    at += 1
                if not particle:
                    break
        sentences[text] = sentence + 1
        words[text] = n_words
    return hits[:count], sentences, words


@lru_cache(maxsize=1)
def _compiled() -> Callable[..., Any]:
    from pipeline.features.compiled import compiled

    return compiled(_scan)
