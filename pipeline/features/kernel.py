"""The compiled inner loops of TF-IDF: text to n-grams to rows of a matrix, or straight to scores.

The plan
--------
scikit-learn builds a Python string for every n-gram of every document and looks it up in a dict. Nearly all of that
is repeated work: an article has a few hundred words, most of which the program has met before, and an n-gram of
characters within word boundaries is a property of the word. So:

1. `tokenize` maps UTF-16 units through a table (normalized character and its class in one entry), cuts the text at
   white space and replaces each *chunk* (a word with the punctuation that sticks to it) by its number in a `Lexicon`.
   From here on a document is a short array of integers.
2. `expand_characters` and `expand_words` work out, once for each chunk that is new, the list of n-grams that lie within
   it; `cross` finds the n-grams that span chunks (word bigrams and longer).
3. `emit` adds up the lists of a document's distinct chunks and writes its row; `score` multiplies with the weights
   instead. `count_documents` does the same bookkeeping to learn document frequencies.

No hash decides anything alone
------------------------------
A chunk or word of up to ten coded characters is its own key; a longer one is found by a hash of 126 bits and then
compared character by character. An n-gram is a path in a trie, and its key
is the path's last step: up to five characters, twelve bits each, spelled out (60 bits); otherwise the node
of the n-gram without its last character, and that character; for words, the node of the shorter n-gram and the
number of the last word. A key identifies its n-gram, so two n-grams never share a column: the probability of a wrong
column by collision is zero, in fit and in transform alike.

Memory
------
Whatever misses the cache is asked for ahead of its use: loops over hash tables and lists prefetch what the next steps
read, so that many cache misses are under way at once. Nothing here allocates in proportion to the text; a function that
runs out of room returns how far it came, its caller makes room and calls again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from pipeline.features.alphabet import (
    BINARY,
    BITS,
    BLANK,
    CHAIN,
    FIRST_EXPANSION,
    GOLDEN,
    IS_CODED,
    LONG,
    LONGEST_EXPANSION,
    MIX,
    PACKED,
    PLAIN,
    POINT,
    ROOT,
    SHORT,
    SPACE,
    SPECIAL,
    SUBLINEAR,
    SYMBOL,
    WORD,
)
from pipeline.features.compiled import compiled, inlined

AHEAD = 8  # chunks between asking for a list and reading it
ROOM, PLAIN_TEXT = 1, 2  # why `tokenize` stopped

_CODE = np.uint64((1 << BITS) - 1)
_BITS, _ABOVE = np.uint64(BITS), np.uint64(BITS * (PACKED - 1))
_FIVE = np.uint64((1 << BITS * PACKED) - 1)
_GOLDEN, _MIX = np.uint64(GOLDEN), np.uint64(MIX)
_ONE, _32, _63, _LOW = np.uint64(1), np.uint64(32), np.uint64(63), np.uint64(0xFFFFFFFF)
_NOWHERE = np.uint64(0xFFFFFFFFFFFFFFFE)  # a key that no n-gram has


class Lexicon(NamedTuple):
    """Strings by number. Its arrays are as long as there is room, `used` tells how much is filled.

    Attributes
    ----------
    slots : ndarray of uint64, shape (a power of two, 4)
        Open addressing: the two words of the key, and the number; the second word is 0 where the slot is free. One
        slot is half a cache line.
    keys : ndarray of uint64, shape (room, 2)
        Key of each string: its codes, if it has up to ``SHORT`` characters that all have one, else a hash.
    spans : ndarray of int64, shape (room, 2)
        Start and length of each string in `pool`.
    pool : ndarray of uint32
        Characters, as entries of the character table.
    used : ndarray of int64, shape (2,)
        Strings; characters in the pool.
    """

    slots: Any
    keys: Any
    spans: Any
    pool: Any
    used: Any


class Trie(NamedTuple):
    """N-grams by number.

    Attributes
    ----------
    table : ndarray of uint64, shape (a power of two, 2)
        Key + 1 (0 is free); node in the lower half and column + 1 in the upper half.
    keys : ndarray of uint64
        Key of each node.
    used : ndarray of int64, shape (2,)
        Nodes; number given to the first node.
    """

    table: Any
    keys: Any
    used: Any


class Lists(NamedTuple):
    """The n-grams within each chunk, for each block.

    Attributes
    ----------
    start : ndarray of int64, shape (n_blocks, room)
        Where the list of a chunk starts in `pool`.
    count, every : ndarray of int32, shape (n_blocks, room)
        Length of the list; number of n-grams including those without a column.
    pool : ndarray of int32
        Columns (in fit: nodes).
    used : ndarray of int64, shape (1,)
        Filled part of the pool.
    """

    start: Any
    count: Any
    every: Any
    pool: Any
    used: Any


class Corpus(NamedTuple):
    """Documents as numbers.

    Attributes
    ----------
    chunks : ndarray of int32
        Chunks of all fields of all documents, one after the other.
    ends : ndarray of int64, shape (n_documents * n_fields + 1,)
        Field f of document d is ``chunks[ends[d * n_fields + f] : ends[d * n_fields + f + 1]]``.
    stream : ndarray of int32
        Columns (in fit: nodes) of n-grams across chunks.
    stream_ends : ndarray of int64, shape (n_blocks, n_documents, 2)
        Start and stop in `stream`.
    stream_every : ndarray of int64, shape (n_blocks, n_documents)
        N-grams across chunks including those without a column.
    fields : ndarray of int64, shape (n_blocks, n_fields)
        Fields of each block in order, -1 after the last.
    """

    chunks: Any
    ends: Any
    stream: Any
    stream_ends: Any
    stream_every: Any
    fields: Any


class Scratch(NamedTuple):
    """Counters that are zero between calls, and room for lists of what was touched."""

    chunk_counts: Any
    chunks: Any
    counts: Any
    columns: Any
    bits: Any
    bits_of_bits: Any


class Weighting(NamedTuple):
    """How counts become values.

    Inside, columns are numbered by frequency, the most frequent first: what most documents touch then lies close
    together, and the counters in use fit in the nearest cache.

    Attributes
    ----------
    bounds : ndarray of int64, shape (n_blocks + 1,)
        First column of each block.
    columns, numbers : ndarray of int32, shape (n_columns,)
        Column of each number, and number of each column.
    idf : ndarray of float64, shape (n_columns,)
        Factor of each number.
    tf : ndarray of float64, shape (n_blocks, n)
        Value of each small count.
    counting : ndarray of int64, shape (n_blocks,)
        What larger counts are worth: ``LINEAR`` the count, ``SUBLINEAR`` 1 + log(count), ``BINARY`` 1.
    norm : ndarray of int64, shape (n_blocks,)
        Order of the norm that rows are divided by; 0 for none.
    """

    bounds: Any
    columns: Any
    numbers: Any
    idf: Any
    tf: Any
    counting: Any
    norm: Any


@inlined
def _u(number):
    """The number as an index that cannot be negative: spares the check for an index counted from the end."""
    return np.uint64(number)


@intrinsic
def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of an element (counted along the memory of the array), without waiting for it."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        address = builder.bitcast(builder.gep(data, [arguments[1]]), ir.PointerType(ir.IntType(8)))
        kind = ir.FunctionType(ir.VoidType(), [address.type, *[ir.IntType(32)] * 3])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        constants = [ir.Constant(ir.IntType(32), value) for value in (0, 3, 1)]  # to read, keep, data
        builder.call(function, [address, *constants])
        return context.get_dummy_value()

    return types.void(array, types.uint64), code


@intrinsic
def _count_ones(typing_context: Any, word: Any) -> Any:
    """Number of set bits of an uint64."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), code


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    """Position of the lowest set bit of an uint64, 64 where none is."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), code


# ---------------------------------------------------------------------------------------------------------- strings


@inlined
def string_key(characters, start, length):
    """The two words of a string's key."""
    upper = np.uint64(0)
    lower = np.uint64(0)
    coded = np.uint32(IS_CODED)
    for i in range(start, start + length):
        upper = ((upper << _BITS) | (lower >> _ABOVE)) & _FIVE
        lower = ((lower << _BITS) | (np.uint64(characters[i]) & _CODE)) & _FIVE
        coded &= characters[i]
    if length > SHORT or length == 0 or coded == 0:
        upper = np.uint64(length)
        lower = np.uint64(0)
        for i in range(start, start + length):
            upper = (upper ^ np.uint64(characters[i])) * _MIX
            lower = (lower + np.uint64(characters[i])) * _GOLDEN
        upper |= np.uint64(LONG)
        lower |= _ONE
    return upper, lower


@inlined
def string_slot(upper, lower, size):
    """Where the search for a string starts in a table of `size` (a power of two) slots."""
    h = ((upper * _MIX) ^ lower) * _GOLDEN
    return (h ^ (h >> _32)) & np.uint64(size - 1)


@compiled
def find_string(lexicon, characters, start, length, upper, lower, insert):
    """Number of ``characters[start : start + length]``; where it is new it is added (`insert`) or -1 is returned."""
    slots, spans, pool, used = lexicon.slots, lexicon.spans, lexicon.pool, lexicon.used
    mask = np.uint64(len(slots) - 1)
    slot = string_slot(upper, lower, len(slots))
    while slots[slot, 1] != 0:
        if slots[slot, 0] == upper and slots[slot, 1] == lower:
            number = np.int64(slots[slot, 2])
            same = True
            if upper & np.uint64(LONG) != 0:  # the key is a hash: look at the string itself
                same = spans[number, 1] == length
                at = spans[number, 0]
                i = 0
                while same and i < length:
                    same = pool[at + i] == characters[start + i]
                    i += 1
            if same:
                return number
        slot = (slot + _ONE) & mask
    if not insert:
        return -1
    number, at = used[0], used[1]
    slots[slot, 0], slots[slot, 1], slots[slot, 2] = upper, lower, np.uint64(number)
    lexicon.keys[number, 0], lexicon.keys[number, 1] = upper, lower
    spans[number, 0], spans[number, 1] = at, length
    for i in range(length):
        pool[at + i] = characters[start + i]
    used[0], used[1] = number + 1, at + length
    return number


@compiled
def rehash_strings(slots, keys, n):
    """Fill empty slots with the first n strings."""
    mask = np.uint64(len(slots) - 1)
    for number in range(n):
        slot = string_slot(keys[number, 0], keys[number, 1], len(slots))
        while slots[slot, 1] != 0:
            slot = (slot + _ONE) & mask
        slots[slot, 0], slots[slot, 1], slots[slot, 2] = keys[number, 0], keys[number, 1], np.uint64(number)


# ------------------------------------------------------------------------------------------------------------ step 1


@compiled
def tokenize(
    first,
    last,
    units,
    bounds,
    ready,
    table,
    expansions,
    wholes,
    buffer,
    starts,
    lengths,
    found_keys,
    lexicon,
    chunks,
    ends,
    stopped,
):
    """Replace texts by the numbers of their chunks.

    Parameters
    ----------
    first, last : int
        Texts to read.
    units : ndarray of uint16
        UTF-16 units of all texts.
    bounds : ndarray of int64
        Text t is ``units[bounds[t] : bounds[t + 1]]``.
    ready : int
        Where it is not negative, `buffer` holds the normalized text already, this many entries; one text is read.
    table : ndarray of uint32, shape (65536,)
        Entry of each unit.
    expansions : ndarray of uint32, shape (n, LONGEST_EXPANSION)
        Entries of characters that NFKC spells out, 0 after the last.
    wholes : ndarray of uint8, shape (n_fields,)
        1 for fields that are not cut at white space: the text is one chunk, runs of white space are one blank.
    buffer, starts, lengths, found_keys : ndarray
        Room for the characters and chunks of one text; `found_keys` has shape (room, 4).
    lexicon : Lexicon
        Chunks known; new ones are added.
    chunks, ends : ndarray
        Receive the numbers and, after each text, how many there are so far.
    stopped : ndarray of int64, shape (1,)
        Receives why the function returned early: ``ROOM`` or ``PLAIN_TEXT``.

    Returns
    -------
    int
        The text it stopped at; `last` when all are read.
    """
    slots, spans, pool, used = lexicon.slots, lexicon.spans, lexicon.pool, lexicon.used
    size = len(slots)
    stopped[0] = 0
    for text in range(first, last):
        n = 0
        if ready >= 0:
            n = ready
        else:
            # Deleting costs nothing: the entry is written and then not counted.
            flags = np.uint32(0)
            for i in range(bounds[text], bounds[text + 1]):
                entry = table[units[i]]
                buffer[n] = entry
                special = (entry >> np.uint32(26)) & np.uint32(1)
                flags |= (entry & np.uint32(POINT)) * special
                n += 1 - special
            if flags != 0:
                n = 0
                for i in range(bounds[text], bounds[text + 1]):
                    entry = table[units[i]]
                    if entry & np.uint32(SPECIAL) == 0:
                        buffer[n] = entry
                        n += 1
                        continue
                    meaning = np.int64(entry & np.uint32(POINT))
                    if meaning == PLAIN:
                        stopped[0] = PLAIN_TEXT
                        return text
                    if meaning >= FIRST_EXPANSION:
                        for j in range(LONGEST_EXPANSION):
                            spelled = expansions[meaning - FIRST_EXPANSION, j]
                            if spelled == 0:
                                break
                            buffer[n] = spelled
                            n += 1

        found = 0
        if wholes[text % len(wholes)] != 0:
            kept = 0
            i = 0
            while i < n:
                entry = buffer[i]
                i += 1
                if entry & np.uint32(SPACE) != 0 and i < n and buffer[i] & np.uint32(SPACE) != 0:
                    entry = np.uint32(BLANK)
                    while i < n and buffer[i] & np.uint32(SPACE) != 0:
                        i += 1
                buffer[kept] = entry
                kept += 1
            starts[0], lengths[0] = 0, kept
            found_keys[0, 0], found_keys[0, 1] = string_key(buffer, 0, kept)
            found = 1 if kept > 0 else 0
        else:
            # A blank after the end closes the last chunk. The two words of the key are a shift register of codes.
            buffer[n] = np.uint32(BLANK)
            begin = 0
            upper = np.uint64(0)
            lower = np.uint64(0)
            coded = np.uint32(IS_CODED)
            for i in range(n + 1):
                entry = buffer[i]
                if entry & np.uint32(SPACE) != 0:
                    if i > begin:
                        starts[found] = begin
                        lengths[found] = i - begin
                        if i - begin > SHORT or coded == 0:
                            upper, lower = string_key(buffer, begin, i - begin)
                        found_keys[found, 0] = upper
                        found_keys[found, 1] = lower
                        _prefetch(slots, string_slot(upper, lower, size) * np.uint64(4))
                        found += 1
                    begin = i + 1
                    upper = np.uint64(0)
                    lower = np.uint64(0)
                    coded = np.uint32(IS_CODED)
                else:
                    upper = ((upper << _BITS) | (lower >> _ABOVE)) & _FIVE
                    lower = ((lower << _BITS) | (np.uint64(entry) & _CODE)) & _FIVE
                    coded &= entry

        filled = ends[text]
        if (
            used[0] + found > len(spans)
            or used[1] + n > len(pool)
            or 2 * (used[0] + found) > size
            or filled + found > len(chunks)
        ):
            stopped[0] = ROOM
            return text
        for k in range(found):
            slot = string_slot(found_keys[k, 0], found_keys[k, 1], size)
            found_keys[k, 2] = np.uint64(
                slots[slot, 0] == found_keys[k, 0]
                and slots[slot, 1] == found_keys[k, 1]
                and found_keys[k, 0] < np.uint64(LONG)
            )
            chunks[filled + k] = np.int32(slots[slot, 2])
        for k in range(found):
            if found_keys[k, 2] == 0:
                chunks[filled + k] = find_string(
                    lexicon, buffer, starts[k], lengths[k], found_keys[k, 0], found_keys[k, 1], True
                )
        ends[text + 1] = filled + found
    return last


# ------------------------------------------------------------------------------------------------------------ step 2


@inlined
def slot_of(key, size):
    """Where the search for a key starts in a table of `size` (a power of two) slots."""
    h = (key ^ (key >> _32)) * _GOLDEN
    return (h ^ (h >> np.uint64(29))) & np.uint64(size - 1)


@inlined
def find_key(trie, key, slot, insert):
    """Value (column + 1 above, node below) of a key from its first slot on; a new key is added, or -1."""
    table = trie.table
    wanted = key + _ONE
    mask = np.uint64(len(table) - 1)
    while True:
        held = table[slot, 0]
        if held == wanted:
            return np.int64(table[slot, 1])
        if held == 0:
            break
        slot = (slot + _ONE) & mask
    if not insert:
        return -1
    node = trie.used[0]
    trie.keys[node] = key
    trie.used[0] = node + 1
    table[slot, 0] = wanted
    table[slot, 1] = np.uint64(node)
    return node


@compiled
def rehash_keys(old, table):
    """Copy a table into a larger empty one."""
    mask = np.uint64(len(table) - 1)
    for i in range(len(old)):
        if old[i, 0] != 0:
            slot = slot_of(old[i, 0] - _ONE, len(table))
            while table[slot, 0] != 0:
                slot = (slot + _ONE) & mask
            table[slot, 0], table[slot, 1] = old[i, 0], old[i, 1]


@compiled
def find_path(trie, characters, start, stop, insert):
    """Value of the n-gram ``characters[start:stop]``, step by step; the way for n-grams that a key cannot hold."""
    value = np.int64(-1)
    packed = np.uint64(0)
    fits = True
    for i in range(start, stop):
        depth = i - start
        if fits and depth < PACKED and characters[i] & np.uint32(IS_CODED) != 0:
            packed |= (np.uint64(characters[i]) & _CODE) << np.uint64(BITS * (PACKED - 1 - depth))
            if i + 1 < stop:
                continue
            key = packed
        else:
            if fits and depth > 0:
                value = find_key(trie, packed, slot_of(packed, len(trie.table)), insert)
                if value < 0:
                    return value
            fits = False
            parent = np.uint64(value) & _LOW if depth > 0 else np.uint64(ROOT)
            key = np.uint64(CHAIN) | (parent << np.uint64(22)) | np.uint64(characters[i] & np.uint32(SYMBOL))
        value = find_key(trie, key, slot_of(key, len(trie.table)), insert)
        if value < 0:
            return value
    return value


@inlined
def _find_all(trie, keys, n, insert, pool, filled, values):
    """Look n keys up, write the numbers of those that have one to the pool, and return how much of it is used then.

    The first loop asks for each key's first slot, so that many reads are under way at once. `values` (it may be
    `keys` itself) receives the values, -1 for keys that are not there.
    """
    table = trie.table
    size = len(table)
    for k in range(n):
        _prefetch(table, slot_of(keys[k], size) * np.uint64(2))
    if insert:
        for k in range(n):
            slot = slot_of(keys[k], size)
            held = table[slot, 0] == keys[k] + _ONE
            value = np.int64(table[slot, 1])
            if not held:
                value = find_key(trie, keys[k], slot, True)
            values[k] = np.uint64(value)
            pool[filled] = np.int32(value + trie.used[1])
            filled += 1
        return filled
    for k in range(n):
        slot = slot_of(keys[k], size)
        found = table[slot, 0]
        held = found == keys[k] + _ONE
        value = np.int64(table[slot, 1]) if held else np.int64(-1)
        if not held and found != 0:
            value = find_key(trie, keys[k], slot, False)
        values[k] = np.uint64(value)
        pool[filled] = np.int32((value >> 32) - 1)
        filled += value >= 4294967296
    return filled


@compiled
def expand_characters(first, last, block, lexicon, padded, low, high, trie, insert, lists, keys, wide):
    """List the character n-grams of the chunks `first` to `last`; returns the chunk at which room ran out.

    As in scikit-learn's ``char_wb``, a chunk is padded with a blank on each side (`padded`), and one that is
    shorter than the shortest n-gram counts once as it is; without padding (``char``) such a text has no n-grams.
    """
    pool, spans, used, table = lexicon.pool, lexicon.spans, lists.used, trie.table
    size = len(table)
    for chunk in range(first, last):
        at, length = spans[chunk, 0], spans[chunk, 1]
        n = length + 2 if padded else length
        most = n * (high - low + 1) + 1
        if used[0] + most > len(lists.pool):
            return chunk
        # A path of uncoded characters adds a node a step.
        if insert and (2 * (trie.used[0] + most * high) > size or trie.used[0] + most * high > len(trie.keys)):
            return chunk
        if padded:
            wide[0] = wide[n - 1] = np.uint32(BLANK)
            for i in range(length):
                wide[i + 1] = pool[at + i]
        else:
            for i in range(length):
                wide[i] = pool[at + i]
        coded = np.uint32(IS_CODED)
        for i in range(n):
            coded &= wide[i]

        begin = used[0]
        every = 0
        shortest = low
        if padded and n < low:
            shortest = n
        longest = min(high, n)
        if coded != 0 and longest <= PACKED:
            for i in range(n):
                packed = np.uint64(0)
                for depth in range(min(longest, n - i)):
                    packed |= (np.uint64(wide[i + depth]) & _CODE) << np.uint64(BITS * (PACKED - 1 - depth))
                    if depth + 1 >= shortest:
                        keys[every] = packed
                        every += 1
            used[0] = _find_all(trie, keys, every, insert, lists.pool, used[0], keys)
        else:
            for i in range(n):
                for size_of_ngram in range(shortest, min(longest, n - i) + 1):
                    value = find_path(trie, wide, i, i + size_of_ngram, insert)
                    used[0] = _append(lists.pool, used[0], value, trie.used[1], insert)
                    every += 1
        lists.start[block, chunk] = begin
        lists.count[block, chunk] = used[0] - begin
        lists.every[block, chunk] = every
    return last


@inlined
def _append(pool, filled, value, base, insert):
    """Write the number of an n-gram, if it has one, and return how many there are."""
    if insert:
        pool[filled] = np.int32(value + base)
        return filled + 1
    if value < 0:
        return filled
    column = (value >> 32) - 1
    pool[filled] = np.int32(column)
    return filled + (column >= 0)


@compiled
def expand_words(first, last, block, lexicon, words, columns, unigrams, base, insert, lists, chunk_words):
    r"""List the words of the chunks `first` to `last`, and their unigrams; returns the chunk at which room ran out.

    A word is what ``\b\w\w+\b`` finds: two or more word characters in a row, as many as there are.

    Parameters
    ----------
    words : Lexicon
        Words known.
    columns : ndarray of int32
        Column of each word in its role as an unigram, -1 without; -2 removes the word (a stop word). Not read for
        words that are new.
    unigrams : bool
        Whether words are n-grams of their own.
    chunk_words : Lists
        Receives the words of each chunk at index 0; -1 stands for one that is not known.
    """
    pool, spans, used, word_used = lexicon.pool, lexicon.spans, lists.used, chunk_words.used
    for chunk in range(first, last):
        at, length = spans[chunk, 0], spans[chunk, 1]
        most = length // 2 + 1
        if used[0] + most > len(lists.pool) or word_used[0] + most > len(chunk_words.pool):
            return chunk
        if insert and (
            2 * (words.used[0] + most) > len(words.slots)
            or words.used[0] + most > len(words.spans)
            or words.used[1] + length > len(words.pool)
        ):
            return chunk
        begin, word_begin = used[0], word_used[0]
        every = 0
        i = at
        stop = at + length
        while i < stop:
            if pool[i] & np.uint32(WORD) == 0:
                i += 1
                continue
            start = i
            while i < stop and pool[i] & np.uint32(WORD) != 0:
                i += 1
            if i - start < 2:
                continue
            upper, lower = string_key(pool, start, i - start)
            word = find_string(words, pool, start, i - start, upper, lower, insert)
            column = np.int32(-1)
            if word >= 0 and word < len(columns):
                column = columns[word]
            if column == -2:
                continue
            chunk_words.pool[word_used[0]] = np.int32(word)
            word_used[0] += 1
            every += 1
            if unigrams:
                if insert:
                    lists.pool[used[0]] = np.int32(word + base)
                    used[0] += 1
                elif column >= 0:
                    lists.pool[used[0]] = column
                    used[0] += 1
        lists.start[block, chunk] = begin
        lists.count[block, chunk] = used[0] - begin
        lists.every[block, chunk] = every if unigrams else 0
        chunk_words.start[0, chunk] = word_begin
        chunk_words.count[0, chunk] = word_used[0] - word_begin
    return last


@compiled
def cross(first, last, block, corpus, chunk_words, low, high, n_words, trie, insert, filled, tokens, parents, keys):
    """Write the n-grams of two and more words of documents `first` to `last` to the stream.

    Node k of the trie is number ``n_words + k`` among parents, below which words count as themselves. `filled` (one
    int64) tells how much of the stream is used. Returns the document at which room ran out.
    """
    size = len(trie.table)
    n_fields = corpus.fields.shape[1]
    for document in range(first, last):
        n = 0
        for f in range(n_fields):
            field = corpus.fields[block, f]
            if field < 0:
                break
            for k in range(corpus.ends[document * n_fields + field], corpus.ends[document * n_fields + field + 1]):
                chunk = corpus.chunks[k]
                start = chunk_words.start[0, chunk]
                for j in range(start, start + chunk_words.count[0, chunk]):
                    if n < len(tokens):
                        tokens[n] = chunk_words.pool[j]
                    n += 1
        most = n * (high - 1)
        if n > len(tokens) or filled[0] + most > len(corpus.stream):
            return document
        if insert and (2 * (trie.used[0] + most) > size or trie.used[0] + most > len(trie.keys)):
            return document
        begin = filled[0]
        every = 0
        for i in range(n):
            parents[i] = tokens[i]
        for length in range(2, high + 1):
            m = n - length + 1
            if m <= 0:
                break
            for i in range(m):
                parent, word = parents[i], tokens[i + length - 1]
                keys[i] = (np.uint64(parent) << _32) | np.uint64(word) if parent >= 0 and word >= 0 else _NOWHERE
            if length < low:  # only the way to longer ones: what is written is not kept
                _find_all(trie, keys, m, insert, corpus.stream, filled[0], keys)
            else:
                filled[0] = _find_all(trie, keys, m, insert, corpus.stream, filled[0], keys)
                every += m
            for i in range(m):
                value = np.int64(keys[i])
                parents[i] = (value & 0xFFFFFFFF) + n_words if value >= 0 else -1
        corpus.stream_ends[block, document, 0] = begin
        corpus.stream_ends[block, document, 1] = filled[0]
        corpus.stream_every[block, document] = every
    return last


# ------------------------------------------------------------------------------------------------------------ step 3


@inlined
def _distinct_chunks(document, block, corpus, scratch):
    """Count the chunks of a document's fields; returns how many are distinct (they stand in ``scratch.chunks``)."""
    n_fields = corpus.fields.shape[1]
    counts, seen = scratch.chunk_counts, scratch.chunks
    n = _u(0)
    for f in range(n_fields):
        field = corpus.fields[block, f]
        if field < 0:
            break
        at = document * n_fields + field
        for k in range(_u(corpus.ends[at]), _u(corpus.ends[at + 1])):
            chunk = _u(corpus.chunks[k])
            before = counts[chunk]
            counts[chunk] = before + 1
            seen[n] = np.int32(chunk)
            n += _u(before == 0)
    return n


@inlined
def _count_ngrams(document, corpus, lists, scratch, totals):
    """Add up the n-grams of a document; returns how many columns it has (they stand in ``scratch.columns``).

    Every distinct chunk's list is read once, with the chunk's count. Whether a column is new is not branched upon: it
    is written to the list of columns in any case, and the list grows by a comparison's outcome.
    """
    counts, columns, chunk_counts = scratch.counts, scratch.columns, scratch.chunk_counts
    pool, stream = lists.pool, corpus.stream
    touched = _u(0)
    for block in range(corpus.fields.shape[0]):
        n_chunks = _distinct_chunks(document, block, corpus, scratch)
        for k in range(n_chunks):
            _prefetch(pool, _u(lists.start[block, _u(scratch.chunks[min(k + _u(AHEAD), n_chunks - _u(1))])]))
            chunk = _u(scratch.chunks[k])
            times = chunk_counts[chunk]
            chunk_counts[chunk] = 0
            start = _u(lists.start[block, chunk])
            n = lists.count[block, chunk]
            totals[0] += np.int64(n) * times
            totals[1] += np.int64(lists.every[block, chunk]) * times
            for j in range(start, start + _u(n)):
                column = _u(pool[j])
                before = counts[column]
                counts[column] = before + times
                columns[touched] = np.int32(column)
                touched += _u(before == 0)
        begin, end = corpus.stream_ends[block, document, 0], corpus.stream_ends[block, document, 1]
        totals[0] += end - begin
        totals[1] += corpus.stream_every[block, document]
        for j in range(_u(begin), _u(end)):
            column = _u(stream[j])
            before = counts[column]
            counts[column] = before + 1
            columns[touched] = np.int32(column)
            touched += _u(before == 0)
    return np.int64(touched)


@compiled
def count_documents(first, last, corpus, lists, scratch, seen):
    """Add to ``seen[node, 1]`` how many documents have the node; ``seen[node, 0]`` is the last of them + 1."""
    for document in range(first, last):
        stamp = np.int32(document + 1)
        for block in range(corpus.fields.shape[0]):
            n_chunks = _distinct_chunks(document, block, corpus, scratch)
            for k in range(n_chunks):
                _prefetch(lists.pool, _u(lists.start[block, _u(scratch.chunks[min(k + _u(AHEAD), n_chunks - _u(1))])]))
                chunk = _u(scratch.chunks[k])
                scratch.chunk_counts[chunk] = 0
                start = _u(lists.start[block, chunk])
                for j in range(start, start + _u(lists.count[block, chunk])):
                    node = _u(lists.pool[j])
                    seen[node, 1] += seen[node, 0] != stamp
                    seen[node, 0] = stamp
            begin, end = corpus.stream_ends[block, document, 0], corpus.stream_ends[block, document, 1]
            for j in range(_u(begin), _u(end)):
                node = _u(corpus.stream[j])
                seen[node, 1] += seen[node, 0] != stamp
                seen[node, 0] = stamp


@inlined
def _sort(scratch, n, mapping):
    """Map the first n of ``scratch.columns`` and sort them: set a bit for each, read the bits in order.

    A second level of bits tells which words of the first have any.

    Bits are read four at a time whether there are so many or not, and the ones too many are overwritten by the next
    word's: how many bits a word has cannot be predicted, and a wrong guess costs more than reading.
    """
    columns, bits, bits_of_bits = scratch.columns, scratch.bits, scratch.bits_of_bits
    six = np.uint64(6)
    for k in range(_u(n)):
        column = _u(mapping[_u(columns[k])])
        word = column >> six
        bits[word] |= _ONE << (column & _63)
        bits_of_bits[word >> six] |= _ONE << (word & _63)
    filled = _u(0)
    for w in range(_u(len(bits_of_bits))):
        above = bits_of_bits[w]
        bits_of_bits[w] = 0
        while above != 0:
            word = (w << six) | _trailing_zeros(above)
            above &= above - _ONE
            below = bits[word]
            bits[word] = 0
            base = word << six
            while True:
                stop = filled + _count_ones(below)
                for i in range(_u(4)):
                    columns[filled + i] = np.int32(base | _trailing_zeros(below))
                    below &= below - _ONE
                if below == 0:
                    filled = stop
                    break
                filled += _u(4)


@compiled
def emit(first, last, corpus, lists, scratch, weighting, indices, values, row_ends, totals):
    """Write the rows of documents `first` to `last`: sorted columns and weighted, normalized values.

    ``row_ends[d + 1]`` receives the end of row d. Returns the document at which `indices` and `values` were full.
    """
    counts = scratch.counts
    bounds, numbers, idf, tf = weighting.bounds, weighting.numbers, weighting.idf, weighting.tf
    n_tabled = _u(tf.shape[1])
    for document in range(first, last):
        filled = row_ends[document]
        known, every = totals[0], totals[1]
        touched = _count_ngrams(document, corpus, lists, scratch, totals)
        if filled + touched > len(indices):
            for k in range(touched):
                counts[scratch.columns[k]] = 0
            totals[0], totals[1] = known, every
            return document
        _sort(scratch, touched, weighting.columns)
        start = 0
        for block in range(len(weighting.norm)):
            stop = _first_not_below(scratch.columns, start, touched, bounds[block + 1])
            norm, counting = weighting.norm[block], weighting.counting[block]
            total = 0.0
            for k in range(_u(start), _u(stop)):
                column = scratch.columns[k]
                number = _u(numbers[_u(column)])
                n = _u(counts[number])
                counts[number] = 0
                value = (tf[block, n] if n < n_tabled else _tf(n, counting)) * idf[number]
                indices[_u(filled) + k] = column
                values[_u(filled) + k] = value
                total += value * value if norm == 2 else abs(value)
            if norm != 0 and total > 0.0:
                factor = 1.0 / (np.sqrt(total) if norm == 2 else total)
                for k in range(_u(filled + start), _u(filled + stop)):
                    values[k] *= factor
            start = stop
        filled += touched
        row_ends[document + 1] = filled
    return last


@inlined
def _first_not_below(columns, start, stop, bound):
    """Where the sorted columns reach the bound."""
    while start < stop:
        middle = (start + stop) // 2
        if columns[middle] < bound:
            start = middle + 1
        else:
            stop = middle
    return start


@inlined
def _tf(count, counting):
    """What a count is worth."""
    if counting == SUBLINEAR:
        return 1.0 + np.log(float(count))
    return 1.0 if counting == BINARY else float(count)


@compiled
def score(first, last, corpus, lists, scratch, tf, counting, norm, blocks, rows, scores, totals):
    """Write the linear scores of documents `first` to `last`: what the row times the weights would be.

    Parameters
    ----------
    blocks : ndarray of uint8, shape (n_columns,)
        Block of each number.
    rows : ndarray of float32, shape (n_columns, 1 + n_outputs)
        Inverse document frequency and, multiplied with it, the weights of each number, side by side in memory.
    scores : ndarray of float64, shape (n_documents, n_outputs)
        Receives the scores.
    totals : ndarray of int64, shape (n_documents, 2)
        Receives the numbers of known and of all n-grams.
    """
    counts, columns = scratch.counts, scratch.columns
    n_blocks = len(norm)
    n_outputs = scores.shape[1]
    n_tabled = _u(tf.shape[1])
    sums = np.zeros((n_blocks, n_outputs))
    sizes = np.zeros(n_blocks)
    for document in range(first, last):
        touched = _count_ngrams(document, corpus, lists, scratch, totals[document])
        sums[:] = 0.0
        sizes[:] = 0.0
        for k in range(_u(touched)):
            number = _u(columns[k])
            block = _u(blocks[number])
            n = _u(counts[number])
            counts[number] = 0
            value = tf[block, n] if n < n_tabled else _tf(n, counting[block])
            weighted = value * rows[number, 0]
            sizes[block] += weighted * weighted if norm[block] == 2 else abs(weighted)
            for output in range(_u(n_outputs)):
                sums[block, output] += value * rows[number, _u(1) + output]
        for block in range(n_blocks):
            factor = 1.0
            if norm[block] != 0 and sizes[block] > 0.0:
                factor = 1.0 / (np.sqrt(sizes[block]) if norm[block] == 2 else sizes[block])
            for output in range(n_outputs):
                scores[document, output] += sums[block, output] * factor


# ---------------------------------------------------------------------------------------------------- vocabularies


@compiled
def relabel(columns, corpus, lists, n_chunks):
    """Replace nodes by their columns in all lists and in the stream; nodes without a column are dropped."""
    for block in range(corpus.fields.shape[0]):
        for chunk in range(n_chunks):
            start = lists.start[block, chunk]
            kept = start
            for j in range(start, start + lists.count[block, chunk]):
                column = columns[lists.pool[j]]
                lists.pool[kept] = column
                kept += column >= 0
            lists.count[block, chunk] = kept - start
        for document in range(corpus.stream_ends.shape[1]):
            kept = corpus.stream_ends[block, document, 0]
            for j in range(kept, corpus.stream_ends[block, document, 1]):
                column = columns[corpus.stream[j]]
                corpus.stream[kept] = column
                kept += column >= 0
            corpus.stream_ends[block, document, 1] = kept


@compiled
def spell_characters(nodes, keys, letters, points, ends):
    """Write the characters of n-grams; `letters` is the character of each code. Returns how many there are."""
    filled = 0
    for k in range(len(nodes)):
        node = nodes[k]
        begin = filled
        # Longer paths are walked from the last character to the first, and then turned around.
        while node != ROOT and keys[node] & np.uint64(CHAIN) != 0:
            if filled < len(points):
                symbol = np.int64(keys[node] & np.uint64(SYMBOL))
                points[filled] = letters[symbol - IS_CODED] if symbol >= IS_CODED else symbol
            filled += 1
            node = np.int64((keys[node] & ~np.uint64(CHAIN)) >> np.uint64(22))
        if node != ROOT:
            for depth in range(PACKED - 1, -1, -1):
                code = (keys[node] >> np.uint64(BITS * (PACKED - 1 - depth))) & _CODE
                if code != 0:
                    if filled < len(points):
                        points[filled] = letters[code]
                    filled += 1
        if filled <= len(points):
            i, j = begin, filled - 1
            while i < j:
                points[i], points[j] = points[j], points[i]
                i += 1
                j -= 1
        ends[k + 1] = filled
    return filled


@compiled
def spell_words(nodes, n_words, keys, words, letters, points, ends):
    """Write the characters of word n-grams, words parted by blanks. Returns how many there are."""
    filled = 0
    for k in range(len(nodes)):
        # First the length, by walking from the last word to the first, then the words from the end.
        node = nodes[k]
        length = 0
        while node >= n_words:
            key = keys[node - n_words]
            length += words.spans[np.int64(key & _LOW), 1] + 1
            node = np.int64(key >> _32)
        length += words.spans[node, 1]
        stop = filled + length
        if stop <= len(points):
            node = nodes[k]
            at = stop
            while True:
                word = node if node < n_words else np.int64(keys[node - n_words] & _LOW)
                start = words.spans[word, 0]
                at -= words.spans[word, 1]
                for i in range(words.spans[word, 1]):
                    symbol = words.pool[start + i] & np.uint32(SYMBOL)
                    points[at + i] = letters[symbol - IS_CODED] if symbol >= IS_CODED else symbol
                if node < n_words:
                    break
                at -= 1
                points[at] = np.uint32(32)
                node = np.int64(keys[node - n_words] >> _32)
        filled = stop
        ends[k + 1] = filled
    return filled


@compiled
def learn_characters(entries, bounds, trie, node_columns):
    """Put n-grams into an empty trie that has room for all; n-gram k has column k."""
    for k in range(len(bounds) - 1):
        if bounds[k + 1] > bounds[k]:
            value = find_path(trie, entries, bounds[k], bounds[k + 1], True)
            node_columns[value] = k


@compiled
def learn_words(entries, bounds, words, word_columns, trie, node_columns):
    """Put n-grams of words, parted by blanks, into an empty lexicon and trie that have room for all."""
    blank = np.uint32(BLANK)
    for rounds in range(2):  # all words are numbered before the first longer n-gram
        n_words = words.used[0]
        for k in range(len(bounds) - 1):
            parent = np.int64(-1)
            start = bounds[k]
            n = 0
            for i in range(bounds[k], bounds[k + 1] + 1):
                if i < bounds[k + 1] and entries[i] != blank:
                    continue
                upper, lower = string_key(entries, start, i - start)
                word = find_string(words, entries, start, i - start, upper, lower, True)
                start = i + 1
                n += 1
                if rounds == 0 or n == 1:
                    parent = word
                else:
                    key = (np.uint64(parent) << _32) | np.uint64(word)
                    parent = find_key(trie, key, slot_of(key, len(trie.table)), True) + n_words
            if n == 1:
                word_columns[parent] = k
            elif rounds == 1:
                node_columns[parent - n_words] = k


@compiled
def label(trie, node_columns):
    """Write the column of each node beside it into the table."""
    table = trie.table
    for slot in range(len(table)):
        if table[slot, 0] != 0:
            node = table[slot, 1] & _LOW
            table[slot, 1] = node | (np.uint64(node_columns[node] + 1) << _32)
