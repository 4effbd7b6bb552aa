"""Which values texts say.

All phrases of a vocabulary are found in one pass by an Aho-Corasick automaton (Aho & Corasick,
CACM 1975). Of those that overlap, the one of most words counts, then the first.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from asen_tf.text import words
from asen_tf.text.phrases import (
    ARTICLE,
    ELSEWHERE,
    JOIN,
    NEGATION,
    PART,
    SENTENCE,
    VALUE,
    Found,
    measures,
    table,
)
from asen_tf.text.vocabulary import Vocabulary

_COMMA = words.key([","])
_DIGIT = re.compile(r"\d")
Text = str | None | Sequence[str | None]  # NaN and NA of pandas are None


@dataclasses.dataclass(frozen=True)
class Said:
    """A value in a text.

    Attributes:
      attribute: which.
      value: of the vocabulary.
      words: that say it, as the matcher reads them.
      negated: the text says that it is not so.
      part: number of the part of the text; a new one begins with each sentence, bracket, "with".
      joint: how many signs and words such as "and" stood before it.
    """

    attribute: str
    value: str
    words: str
    negated: bool
    part: int
    joint: int


@dataclasses.dataclass(frozen=True)
class Labels:
    """What texts say.

    Attributes:
      columns: attribute -> a cell for each text: its value, `a|b` for several, "" for none.
      conflicts: attribute -> number of a text -> the values that it says, where its cell is blank
        since there are several.
    """

    columns: dict[str, list[str]]
    conflicts: dict[str, dict[int, tuple[str, ...]]]


def label(texts: Iterable[Text], vocabulary: Vocabulary) -> Labels:
    """Finds the values that texts say, as docs/labels.md describes it.

    Args:
      texts: each a text, None, or several of one thing, such as title and description: a later
        one is asked for what the earlier ones do not speak of. Of a frame, `frame["title"]`, or
        `zip(frame["title"], frame["description"])`.
      vocabulary: what to look for.

    Raises:
      ValueError: the vocabulary is ambiguous, or pyahocorasick is not installed.
      TypeError: one is no text.
    """
    matcher = Matcher(vocabulary)
    columns: dict[str, list[str]] = {name: [] for name in vocabulary.attributes}
    conflicts: dict[str, dict[int, tuple[str, ...]]] = {name: {} for name in columns}
    for row, text in enumerate(texts):
        cells, unclear = matcher.label(text)
        for name, column in columns.items():
            column.append(cells.get(name, ""))
        for name, values in unclear.items():
            conflicts[name][row] = values
    return Labels(columns, conflicts)


class Matcher:
    """Finds a vocabulary's values in texts.

    Args:
      vocabulary: its attributes, spellings and joins.
      phrases: what each phrase means, by its `words.key`; none: what `phrases.table` says.

    Raises:
      ValueError: the vocabulary is ambiguous, or pyahocorasick is not installed.
    """

    def __init__(self, vocabulary: Vocabulary, phrases: Mapping[str, Found] | None = None):
        try:
            import ahocorasick
        except ImportError as error:
            raise ValueError(f'labels need pip install "asen_tf[text]" ({error})') from error
        self.vocabulary = vocabulary
        self._measures = measures(vocabulary)
        self._automaton = ahocorasick.Automaton()
        for key, found in (table(vocabulary) if phrases is None else phrases).items():
            self._automaton.add_word(key, (len(key), found))
        self._automaton.make_automaton()
        self._kinds = {
            name: {value: frozenset(attribute.kinds_of(value)) for value in attribute.values}
            for name, attribute in vocabulary.attributes.items()
        }
        self._sets = frozenset(
            " ".join(form)
            for one in vocabulary.sets
            for form in words.inflected(one, vocabulary.endings)
        )
        self._cases = {
            name: cases
            for name, attribute in vocabulary.attributes.items()
            if (cases := {v: one.becomes for v, one in attribute.values.items() if one.becomes})
        }

    def label(self, text: Text) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
        """The cells of one thing, and the values of attributes of which it says several."""
        cells: dict[str, str] = {}
        unclear: dict[str, tuple[str, ...]] = {}
        for one in several(text):
            said: dict[str, list[Said]] = {}
            for found in self.find(one):
                name = found.attribute
                if found.negated or name in cells or name in unclear:
                    continue
                known = said.setdefault(name, [])
                if not known or known[0].part == found.part:
                    known.append(found)
            for name, known in said.items():
                values, clear = self._chosen(name, known)
                if clear:
                    cells[name] = "|".join(values)
                else:
                    unclear[name] = values
        cells |= dict(self._become(cells))
        for name in self._unsaid(cells):
            cells.pop(name, None)
            unclear.pop(name, None)
        return cells, unclear

    def _unsaid(self, cells: Mapping[str, str]) -> list[str]:
        """Attributes that a thing with such values does not have: a perfume no colour."""
        return [
            name
            for name, attribute in self.vocabulary.attributes.items()
            for other, values in attribute.not_of.items()
            for value in filter(None, cells.get(other, "").split("|"))
            if value in values or self._kinds[other][value] & values
        ]

    def _become(self, cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        """What values are beside those of other attributes: shoes of sports are sports shoes."""
        for name, cases in self._cases.items():
            for other, values in cases.get(cells.get(name, ""), {}).items():
                if new := values.get(cells.get(other, "")):
                    yield name, new

    def _chosen(self, name: str, said: list[Said]) -> tuple[tuple[str, ...], bool]:
        """The values that count, and whether that is clear."""
        values = dict.fromkeys(one.value for one in said)
        if len(values) > 1:
            kinds = self._kinds[name]
            general = frozenset().union(*(kinds[value] for value in values))
            values = {value: None for value in values if value not in general}
        found = tuple(values)
        if len(found) == 1:
            return found, True
        several = self.vocabulary.attributes[name].several
        if several == "all":
            return found, True
        if several == "first":
            return found[:1], True
        if several == "last":
            said = [one for one in said if one.value in values]
            last = said[-1]
            before = next(one for one in reversed(said) if one.value != last.value)
            if before.joint == last.joint or self._is_set(last.words):
                return (last.value,), True
        return found, False

    def _is_set(self, said: str) -> bool:
        return any(f" {said}".endswith(f" {one}") for one in self._sets)

    def find(self, text: str) -> Iterator[Said]:
        """What a text says, in its order, also what it says is not so."""
        key = self.key(text)
        part = joint = 0
        denied_to = reach = -1  # up to where a negation reaches, and where "or" takes it on
        elsewhere = False
        for begin, end, found in self.spans(key):
            kind = found.kind
            if kind == VALUE:
                negated = begin == denied_to
                reach = end if negated or found.denies else -1
                if not elsewhere:
                    said = " ".join(words.of_key(key[begin:end]))
                    for attribute, value in found.means.items():
                        yield Said(attribute, value, said, negated, part, joint)
            elif kind == NEGATION or (kind == ARTICLE and begin == denied_to):
                denied_to = end
            elif kind == JOIN:
                joint += 1
                # "without collar or hood" has neither; "without collar, red" is red.
                if begin == reach and key[begin:end] != _COMMA:
                    denied_to = end
            elif kind == PART:
                part += 1
            elif kind == SENTENCE:
                part, elsewhere = part + 1, False
            elif kind == ELSEWHERE:
                elsewhere = True

    def pieces(self, text: str) -> Iterator[tuple[list[str], Found | None]]:
        """All words in their order, as phrases and what they mean; None: nothing that is known."""
        key, at = self.key(text), 0
        for begin, end, found in self.spans(key):
            if at < begin:
                yield words.of_key(key[at:begin]), None
            yield words.of_key(key[max(at, begin) : end]), found
            at = max(at, end)
        if at < len(key):
            yield words.of_key(key[at:]), None

    def key(self, text: str) -> str:
        """A text as `spans` takes it."""
        joins = self.vocabulary.joins
        split = words.split(text, self.vocabulary.spellings)
        return words.key(["&" if word in joins else word for word in split])

    def spans(self, key: str) -> list[tuple[int, int, Found]]:
        """(begin, end, what it means) of the phrases that count, in their order."""
        found = [
            (end + 1 - length, end + 1, meant) for end, (length, meant) in self._automaton.iter(key)
        ]
        if self._measures and _DIGIT.search(key):
            found += self._measures(key)
        if len(found) < 2:
            return found
        found.sort(key=_order)
        taken, kept = bytearray(len(key)), []
        nouns: dict[str, bytearray] = {}  # which an attribute has used
        for begin, end, meant in found:
            front, back = meant.noun
            if taken.find(1, begin + front, end - back) >= 0:
                continue
            used = (nouns[name] for name in meant.means if name in nouns)
            if any(its.find(1, begin, end) >= 0 for its in used):
                continue
            taken[begin + front : end - back] = b"\1" * (end - back - begin - front)
            if front or back:
                at = slice(begin, begin + front) if front else slice(end - back, end)
                for name in meant.means:
                    its = nouns.setdefault(name, bytearray(len(key)))
                    its[at] = b"\1" * (front or back)
            kept.append((begin, end, meant))
        kept.sort(key=_begin)
        return kept


def several(text: Text) -> list[str]:
    """The texts of one thing, "" where there is none; raises TypeError where one is no text."""
    if isinstance(text, Sequence) and not isinstance(text, str):
        return [_text(one) for one in text]
    return [_text(text)]


def _text(one: object) -> str:
    if isinstance(one, str):
        return one
    if one is None or str(one) in ("nan", "<NA>"):
        return ""
    raise TypeError(f"expected a text or None, got {type(one).__name__}")


def _order(span: tuple[int, int, Found]) -> tuple[int, int, int]:
    order, size = span[2].rank
    return -order, -size, span[0]


def _begin(span: tuple[int, int, Found]) -> int:
    return span[0]
