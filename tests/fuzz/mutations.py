"""Damaged files: each is a function of a name and a number, so that any can be made again."""

import random
import re
from collections.abc import Sequence

# Edges of what counts, texts that mean something to one parser or another, and long ones.
_TOKENS = (
    *(b"0", b"-1", b"99999999", b"2147483648", b"5000000000", b"9223372036854775808", b"9" * 400),
    *(b"nan", b"1e400", b"-inf", b"null", b"true", b"{}", b"[]", b'"', b"'", b"\\"),
    *(b",", b";", b"|", b"\t", b"\r", b"\n", b"\n\n", b" ", b"\0", b"\xff", b"\xef\xbb\xbf"),
    *(b"[" * 2000, b"{" * 2000, b'{"a":' * 2000, b"[" * 500 + b"]" * 500),
    *(b"../../x", b"/etc/passwd", b"a" * 5000, "\u202e\u0661é".encode(), b"\xff\xd9", b"IEND"),
)
_SIZES = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


def mutated(name: str, number: int, seeds: Sequence[bytes]) -> bytes:
    """The damaged file of this number; the first are the seeds as they are."""
    if number < len(seeds):
        return seeds[number]
    chance = random.Random(f"{name}:{number}")
    raw = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        raw = chance.choice(_WAYS)(chance, raw, seeds)
    return bytes(raw)


def _place(chance, raw):
    return chance.randrange(len(raw) + 1)


def _flip(chance, raw, _):
    if raw:
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return raw


def _set(chance, raw, _):
    if raw:
        raw[chance.randrange(len(raw))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, 0x41))
    return raw


def _cut(chance, raw, _):
    return raw[: _place(chance, raw)]


def _remove(chance, raw, _):
    at = _place(chance, raw)
    del raw[at : at + chance.choice((1, 1, 2, 4, 8, 64))]
    return raw


def _repeat(chance, raw, _):
    at = _place(chance, raw)
    raw[at:at] = raw[at : at + chance.choice((1, 4, 16, 200))] * chance.choice((1, 1, 2, 50))
    return raw


def _insert(chance, raw, _):
    at = _place(chance, raw)
    raw[at:at] = chance.choice(_TOKENS)
    return raw


def _size(chance, raw, _):
    width = chance.choice((1, 2, 4, 8))
    at = chance.randrange(max(1, len(raw) - width))
    number = chance.choice(_SIZES) % 256**width
    raw[at : at + width] = number.to_bytes(width, chance.choice(("little", "big")))
    return raw


def _number(chance, raw, _):
    """Another number in the place of one in a text."""
    found = list(re.finditer(rb"\d+", bytes(raw)))
    if found:
        start, end = chance.choice(found).span()
        raw[start:end] = chance.choice(_TOKENS[:11])
    return raw


def _splice(chance, raw, seeds):
    other = chance.choice(seeds)
    return raw[: _place(chance, raw)] + other[_place(chance, other) :]


_WAYS = (_flip, _set, _cut, _remove, _repeat, _insert, _size, _number, _splice)
