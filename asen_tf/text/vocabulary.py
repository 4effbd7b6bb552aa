"""Vocabularies: which words say which value of which attribute. docs/labels.md has the format."""

import dataclasses
import importlib.resources
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from asen_client.core.errors import unknown_name
from asen_tf.text import words
from asen_tf.text.entries import Entry, read

SEVERAL = ("blank", "first", "last", "all")
LONGEST_PHRASE = 100
_MOST_KINDS = 8  # a value is a kind of, one above the other
_MOST_ENDINGS, _MOST_FORMS = 200, 50
_LISTS = ("articles", "negations", "joins", "parts", "sets", "elsewhere", "ignore")
_KEYS = ("spellings", "endings", "units", *_LISTS, "attributes")
_ATTRIBUTE = ("several", "nouns", "not_of", "values")
_VALUE = ("words", "beside", "measured", "is", "becomes")
Phrase = tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Value:
    """What says a value.

    Attributes:
      words: phrases that say it wherever they stand.
      beside: those that say it only in front of or behind a noun of the attribute.
      measured: a phrase -> from where, and below what, its number says it, in the units' measure.
      is_: the value that it is a kind of, "" for none: said together, the kind counts.
      becomes: another attribute -> that one's value -> which value it is, said together.
    """

    words: frozenset[Phrase] = frozenset()
    beside: frozenset[Phrase] = frozenset()
    measured: Mapping[Phrase, tuple[float, float]] = dataclasses.field(default_factory=dict)
    is_: str = ""
    becomes: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Attribute:
    """An attribute.

    Attributes:
      values: by their names.
      several: what counts where a text says several values, one of `SEVERAL`.
      nouns: what `Value.beside` stands beside.
      not_of: another attribute -> values of it, and of their kinds, that have no such attribute.
    """

    values: Mapping[str, Value]
    several: str = "blank"
    nouns: frozenset[Phrase] = frozenset()
    not_of: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)

    def kinds_of(self, value: str) -> list[str]:
        """What a value is a kind of, the nearest first."""
        found: list[str] = []
        while (value := self.values[value].is_) and len(found) <= _MOST_KINDS:
            found.append(value)
        return found


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What one or several files say, the later ones extending the earlier.

    Attributes:
      source: names of the files.
      attributes: by their names.
      spellings: what texts are respelled from, and to.
      endings: end of a word -> what its forms have in its place.
      articles: words that say nothing and part nothing, such as "the".
      negations: phrases in front of what is not the case.
      joins: words between things of one rank, beside `& + / ,`.
      parts: phrases with which what belongs to the thing begins, such as "with".
      sets: last words of a name that speaks of all before it, such as "set".
      elsewhere: phrases after which a sentence speaks of other things.
      ignored: phrases that say nothing, such as brands.
      units: how much each is in the common measure.
    """

    source: str
    attributes: Mapping[str, Attribute] = dataclasses.field(default_factory=dict)
    spellings: Mapping[str, str] = dataclasses.field(default_factory=dict)
    endings: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    articles: frozenset[Phrase] = frozenset()
    negations: frozenset[Phrase] = frozenset()
    joins: frozenset[str] = frozenset()
    parts: frozenset[Phrase] = frozenset()
    sets: frozenset[Phrase] = frozenset()
    elsewhere: frozenset[Phrase] = frozenset()
    ignored: frozenset[Phrase] = frozenset()
    units: Mapping[Phrase, float] = dataclasses.field(default_factory=dict)

    @staticmethod
    def load(*names: str | os.PathLike) -> "Vocabulary":
        """Reads vocabularies, later ones extending earlier ones.

        Args:
          names: of vocabularies that asen_tf brings, such as "fashion", or paths of files. A word
            that a later one gives another value, or ignores, is no longer the earlier one's.

        Raises:
          FormatError: a file is not understood; names file, line, entry and what was expected.
          FileNotFoundError: there is no such file.
          ValueError: there is no vocabulary of that name, none is named, or PyYAML is missing.
        """
        if not names:
            raise ValueError(f"expected a vocabulary: one of {', '.join(shipped())}, or a file")
        files = [read(_path(name)) for name in names]
        found = Vocabulary(", ".join(os.fspath(name) for name in names))
        # How words are spelled in one file counts in all of them.
        for file in files:
            found = _with_spellings(found, file)
        for file in files:
            found = _Reader(found, file).extended()
        if not found.attributes:
            files[-1].fail("no `attributes`: expected a mapping of names to `values: ...`")
        return found


def shipped() -> list[str]:
    """Names of the vocabularies that asen_tf brings."""
    folder = importlib.resources.files("asen_tf.text") / "vocabularies"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir())


def _path(name: str | os.PathLike) -> Path:
    path = Path(name).expanduser()
    if path.suffix in (".yaml", ".yml") or len(path.parts) != 1:
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file")
        return path
    if os.fspath(name) not in shipped():
        known = unknown_name("vocabulary", name, shipped())
        raise ValueError(f"{known} A file of your own ends in .yaml")
    return Path(str(importlib.resources.files("asen_tf.text") / "vocabularies" / f"{name}.yaml"))


def _with_spellings(found: Vocabulary, file: Entry) -> Vocabulary:
    root = file.mapping(_KEYS)
    spellings = dict(found.spellings)
    for written, meant in _get(root, "spellings").mapping().items():
        if not (written and written == written.casefold() and written.isalpha()):
            meant.fail("expected letters as texts have them, in lower case")
        spellings[written] = meant.text().casefold()
        if len(spellings[written]) > LONGEST_PHRASE:
            meant.fail(f"expected at most {LONGEST_PHRASE} characters")
    for written, meant in _get(root, "spellings").mapping().items():
        if inside := next((one for one in spellings if one in spellings[written]), None):
            meant.fail(f"contains {inside!r}, which is replaced itself")
    joins = {word for one in _get(root, "joins").texts() for word in words.split(one, spellings)}
    return dataclasses.replace(found, spellings=spellings, joins=found.joins | joins)


def _get(mapping: Mapping[str, Entry], key: str) -> Entry:
    return mapping.get(key) or Entry(None, "", 0)


class _Reader:
    """Extends a vocabulary by a file."""

    def __init__(self, base: Vocabulary, file: Entry):
        self._base, self._file = base, file
        self._root = file.mapping(_KEYS)

    def extended(self) -> Vocabulary:
        base, root = self._base, self._root
        endings = dict(base.endings)
        for end, new in _get(root, "endings").mapping().items():
            endings[end.casefold()] = tuple(dict.fromkeys(one.casefold() for one in new.texts()))
            if len(endings) > _MOST_ENDINGS or len(endings[end.casefold()]) > _MOST_FORMS:
                new.fail(f"expected at most {_MOST_ENDINGS} endings of {_MOST_FORMS} forms each")
        units = dict(base.units)
        for unit, size in _get(root, "units").mapping().items():
            if size.number() <= 0:
                size.fail("expected how much it is in the common measure, above 0")
            units[self._phrase(unit, size)] = size.number()
        lists = {key: self._phrases(_get(root, key)) for key in _LISTS if key != "joins"}
        ignored = lists.pop("ignore")
        own = {
            name: self._attribute(name, entry)
            for name, entry in _get(root, "attributes").mapping().items()
        }
        if twice := sorted(ignored & {p for one in own.values() for p in _said(one.values)}):
            at = next(
                one
                for one in _get(root, "ignore").entries()
                if self._phrase(one.text(), one) == twice[0]
            )
            at.fail(f"{' '.join(twice[0])!r} is a word of a value, too: leave one of them out")
        earlier = {
            name: _without(attribute, ignored, own.get(name))
            for name, attribute in base.attributes.items()
        }
        attributes = {**earlier, **own}
        for name in earlier.keys() & own.keys():
            attributes[name] = _merged(earlier[name], own[name])
        for name, entry in _get(root, "attributes").mapping().items():
            _check_values(attributes, name, entry)
        return dataclasses.replace(
            base,
            attributes=attributes,
            endings=endings,
            units=units,
            ignored=(base.ignored - {p for one in own.values() for p in _said(one.values)})
            | ignored,
            **{key: getattr(base, key) | found for key, found in lists.items()},
        )

    def _attribute(self, name: str, entry: Entry) -> Attribute:
        _check_name(name, entry)
        given = entry.mapping(_ATTRIBUTE)
        before = self._base.attributes.get(name, Attribute({}))
        several = given["several"].text() if "several" in given else before.several
        if several not in SEVERAL:
            given["several"].fail(f"expected one of {', '.join(SEVERAL)}, got {several!r}")
        nouns = self._phrases(_get(given, "nouns"))
        values: dict[str, Value] = {}
        seen: dict[Phrase, str] = {}
        for value, one in _get(given, "values").mapping().items():
            _check_name(value, one)
            values[value] = self._value(value, one)
            if values[value].beside and not (nouns or before.nouns):
                one.fail("`beside` needs the attribute's `nouns: [...]`, which it stands beside")
            for phrase in sorted(values[value].words):
                if phrase in seen:
                    one.fail(
                        f"{' '.join(phrase)!r} says {seen[phrase]!r} already: leave it out of one"
                    )
                seen[phrase] = value
        if not values and not before.values:
            entry.fail("expected `values:`, a line each")
        not_of = {
            other: frozenset(one.texts()) for other, one in _get(given, "not_of").mapping().items()
        }
        return Attribute(values, several, nouns, not_of)

    def _value(self, name: str, entry: Entry) -> Value:
        if isinstance(entry.value, list) or entry.value is None:
            return Value(self._phrases(entry) | {self._phrase(name, entry)})
        if isinstance(entry.value, str):
            entry.fail(f"expected a list of words, [{entry.value[:20]}], or `words: [...]`")
        given = entry.mapping(_VALUE)
        beside = self._phrases(_get(given, "beside"))
        said = self._phrases(_get(given, "words"))
        own = self._phrase(name, entry)
        measured = {}
        for words_, limits in _get(given, "measured").mapping().items():
            bounds = [one.number() for one in limits.entries()]
            if len(bounds) != 2 or bounds[0] >= bounds[1]:
                limits.fail("expected [from, below], two numbers of which the first is less")
            measured[self._phrase(words_, limits)] = (bounds[0], bounds[1])
        kind = given["is"].text() if "is" in given else ""
        # A name that stands beside a noun says nothing elsewhere: `long` of a sleeve.
        becomes = {
            other: {value: one.text() for value, one in found.mapping().items()}
            for other, found in _get(given, "becomes").mapping().items()
        }
        return Value(said if own in beside else said | {own}, beside, measured, kind, becomes)

    def _phrases(self, entry: Entry) -> frozenset[Phrase]:
        return frozenset(self._phrase(one.text(), one) for one in entry.entries())

    def _phrase(self, text: str, entry: Entry) -> Phrase:
        if len(text) > LONGEST_PHRASE:
            entry.fail(f"a phrase of {len(text)} characters; at most {LONGEST_PHRASE} are expected")
        found = words.phrase(text, self._base.spellings, self._base.joins)
        if not found:
            entry.fail(f"expected a phrase with a letter or digit, got {text!r}")
        return found


def _check_name(name: str, entry: Entry) -> None:
    if not name.strip() or name != name.strip() or len(name) > LONGEST_PHRASE or "|" in name:
        entry.fail("expected a name without blanks around it, without |, and not very long")
    if not name.isprintable():
        entry.fail("expected a name without control characters")


def _check_values(attributes: Mapping[str, Attribute], name: str, entry: Entry) -> None:
    """Raises FormatError where a value names one that there is not."""

    def check(kind: str, name: str, known: Iterable[str], at: Entry) -> None:
        if name not in known:
            at.fail(unknown_name(kind, name, known))

    attribute = attributes[name]
    for other, one in _get(entry.mapping(), "not_of").mapping().items():
        check("attribute after `not_of`", other, attributes, one)
        for value in one.texts():
            check(f"value of {other}", value, attributes[other].values, one)
    for value, one in _get(entry.mapping(), "values").mapping().items():
        said = attribute.values[value]
        if said.is_:
            check("value after `is`", said.is_, attribute.values, one)
        kinds = attribute.kinds_of(value)
        if value in kinds:
            one.fail("is a kind of itself")
        if len(kinds) > _MOST_KINDS:
            one.fail(f"is a kind of more than {_MOST_KINDS}, one above the other")
        for other, cases in said.becomes.items():
            check("attribute after `becomes`", other, attributes, one)
            for case, new in cases.items():
                check(f"value of {other}", case, attributes[other].values, one)
                check("value that it becomes", new, attribute.values, one)


def _said(values: Mapping[str, Value]) -> frozenset[Phrase]:
    return frozenset().union(*(value.words for value in values.values()))


def _without(attribute: Attribute, ignored: Iterable[Phrase], later: Attribute | None) -> Attribute:
    """An attribute without what a later file ignores, or says of another value."""
    taken = frozenset(ignored) | (_said(later.values) if later else frozenset())
    beside = {p for v in later.values.values() for p in v.beside} if later else set()
    values = {
        name: dataclasses.replace(value, words=value.words - taken, beside=value.beside - beside)
        for name, value in attribute.values.items()
    }
    return dataclasses.replace(attribute, values=values)


def _merged(earlier: Attribute, later: Attribute) -> Attribute:
    values = dict(earlier.values)
    for name, value in later.values.items():
        before = values.get(name, Value())
        values[name] = Value(
            before.words | value.words,
            before.beside | value.beside,
            {**before.measured, **value.measured},
            value.is_ or before.is_,
            {**before.becomes, **value.becomes},
        )
    not_of = {
        other: earlier.not_of.get(other, frozenset()) | later.not_of.get(other, frozenset())
        for other in {**earlier.not_of, **later.not_of}
    }
    return Attribute(values, later.several, earlier.nouns | later.nouns, not_of)
