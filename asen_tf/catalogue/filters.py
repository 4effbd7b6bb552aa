"""Conditions on labels and metadata: `price<50 and brand=acme and not color=red`.

    condition  = every { "or" every }
    every      = single { "and" single }
    single     = "not" single | "(" condition ")" | comparison
    comparison = NAME ("=" | "!=" | "<" | "<=" | ">" | ">=") VALUE
               | NAME "in" "(" VALUE {"," VALUE} ")"

A name is that of an attribute, then its labels are meant, or of metadata. Names and values that
hold spaces, signs of the grammar, or one of its words stand in quotes: `brand="acme & co"`,
`"skirt length (cm)"=35`. A label meets `=` if one of its values does. `<` and its like compare
numbers only. What an item does not have meets no comparison: `not color=red` and `color!=red` hold
for items without a color.
"""

import abc
import dataclasses
import math
import re
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from asen_tf.catalogue.items import Cell

_SIGN = r"!=|<=|>=|==|[=<>(),]"
_TOKEN = re.compile(
    rf"""\s*(?:(?P<sign>{_SIGN})|"(?P<double>(?:[^"\\]|\\.)*)"|"""
    r"""'(?P<single>(?:[^'\\]|\\.)*)'|(?P<word>[^\s=!<>(),"']+))"""
)
_ORDERS = ("<", "<=", ">", ">=")
_DEEPEST = 100


class Condition(abc.ABC):
    """What an item meets or does not."""

    @abc.abstractmethod
    def comparisons(self) -> "set[Comparison]":
        """All that it is made of."""

    @abc.abstractmethod
    def mask(self, met: "Callable[[Comparison], np.ndarray]") -> np.ndarray:
        """bool [N]: which of N items meet it; `met` says this of a comparison."""


@dataclasses.dataclass(frozen=True, order=True)
class Comparison(Condition):
    """A field beside a value; `sign` is =, <, <=, > or >=."""

    name: str
    sign: str
    value: str

    def comparisons(self) -> "set[Comparison]":
        return {self}

    def mask(self, met: "Callable[[Comparison], np.ndarray]") -> np.ndarray:
        return met(self)


@dataclasses.dataclass(frozen=True)
class Not(Condition):
    """Met where `one` is not."""

    one: Condition

    def comparisons(self) -> set[Comparison]:
        return self.one.comparisons()

    def mask(self, met: Callable[[Comparison], np.ndarray]) -> np.ndarray:
        return ~self.one.mask(met)


@dataclasses.dataclass(frozen=True)
class _Several(Condition):
    parts: Sequence[Condition]
    _joined: ClassVar[np.ufunc]

    def comparisons(self) -> set[Comparison]:
        return set().union(*(part.comparisons() for part in self.parts))

    def mask(self, met: Callable[[Comparison], np.ndarray]) -> np.ndarray:
        return self._joined.reduce([part.mask(met) for part in self.parts])


class All(_Several):
    """Met where every one of `parts` is."""

    _joined = np.logical_and


class AnyOf(_Several):
    """Met where at least one of `parts` is."""

    _joined = np.logical_or


def any_of(name: str, values: Sequence[str]) -> Condition:
    """Met where a field is one of the values, of which there is at least one."""
    parts = tuple(Comparison(name, "=", value) for value in values)
    return parts[0] if len(parts) == 1 else AnyOf(parts)


def every(*parts: Condition | None) -> Condition | None:
    """Met where all of them are that are one; None where none is."""
    found = tuple(part for part in parts if part is not None)
    return All(found) if len(found) > 1 else found[0] if found else None


def parse(text: str) -> Condition | None:
    """Reads a condition, None of a blank text; a ValueError says where it breaks the grammar."""
    return _Parser(text).whole() if text.strip() else None


def is_number(value: Cell) -> bool:
    """Whether a cell is one of the numbers that `<` compares."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(text: str) -> float | None:
    """The finite number that a text denotes, or none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in text else None


@dataclasses.dataclass(frozen=True)
class _Token:
    text: str
    kind: str  # word, quoted, sign or end
    start: int


class _Parser:
    def __init__(self, text: str):
        self._text = text
        self._tokens = list(self._split(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Condition:
        found = self._either()
        if self._now.kind != "end":
            raise self._wrong("'and', 'or' or the end")
        return found

    @staticmethod
    def _split(text: str):
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if not match:
                rest = text[at:].strip()
                wrong = "the quote is not closed" if rest[0] in "\"'" else f"{rest!r} is no word"
                raise ValueError(f"filter, position {text.index(rest, at) + 1}: {wrong}")
            kind = match.lastgroup
            found = match[kind]
            if kind in ("double", "single"):
                kind, found = "quoted", re.sub(r"\\(.)", r"\1", found)
            yield _Token(found, kind, match.end() - len(match[0].lstrip()))
            at = match.end()
        yield _Token("", "end", len(text))

    @property
    def _now(self) -> _Token:
        return self._tokens[self._next]

    def _took(self, text: str) -> bool:
        """Whether the next token is this word or sign, which is passed over then."""
        found = self._now.kind in ("word", "sign") and self._now.text.lower() == text
        self._next += found
        return found

    def _either(self) -> Condition:
        return self._several("or", AnyOf, self._every)

    def _every(self) -> Condition:
        return self._several("and", All, self._single)

    def _several(self, word: str, kind: type[_Several], one: Callable) -> Condition:
        parts = [one()]
        while self._took(word):
            parts.append(one())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _single(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ValueError(f"filter: more than {_DEEPEST} levels of 'not' and parentheses")
        try:
            if self._took("not"):
                return Not(self._single())
            if not self._took("("):
                return self._comparison()
            inner = self._either()
            self._expect(")")
            return inner
        finally:
            self._depth -= 1

    def _comparison(self) -> Condition:
        name = self._word("the name of a label or of metadata")
        if self._took("in"):
            self._expect("(")
            values = [self._word("a value")]
            while self._took(","):
                values.append(self._word("a value"))
            self._expect(")")
            return any_of(name, values)
        sign = self._now.text if self._now.kind == "sign" else ""
        if sign not in ("=", "==", "!=", *_ORDERS):
            raise self._wrong("one of = != < <= > >= in")
        self._next += 1
        token = self._now
        value = self._word("a value")
        if sign in _ORDERS:
            if number(value) is None:
                self._next -= 1
                raise self._wrong(f"a number after {sign!r}", token)
            return Comparison(name, sign, value)
        equal = Comparison(name, "=", value)
        return Not(equal) if sign == "!=" else equal

    def _word(self, expected: str) -> str:
        token = self._now
        reserved = token.kind == "word" and token.text.lower() in ("and", "or", "not", "in")
        if token.kind not in ("word", "quoted") or reserved:
            raise self._wrong(expected)
        self._next += 1
        return token.text

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self._wrong(repr(sign))

    def _wrong(self, expected: str, token: _Token | None = None) -> ValueError:
        token = token or self._now
        found = "the end" if token.kind == "end" else repr(token.text)
        return ValueError(
            f"filter {self._text!r}, position {token.start + 1}: expected {expected}, found {found}"
        )
