"""All that a vocabulary knows, as phrases in every form that texts may have them in."""

import dataclasses
import re

from asen_tf.text import words
from asen_tf.text.vocabulary import Attribute, Phrase, Vocabulary

VALUE, IGNORED, ARTICLE, NEGATION, JOIN, PART, ELSEWHERE, SENTENCE = range(8)
# What is found first takes its words: "neck: v", then phrases, then what stands behind its noun.
_TOLD, PLAIN, _BEHIND = 2, 1, 0
# What a phrase says as it is written counts before what a form says, and a word before what stands
# beside a noun.
_WRITTEN, _FORM, _BESIDE = 2, 1, 0
Meaning = tuple[str, str]
MOST = 1_000_000


@dataclasses.dataclass
class Found:
    """What a phrase means.

    Attributes:
      kind: what it is.
      means: of values: attribute and value, one of each attribute.
      rank: what is found before others that overlap it: the order of kinds above, how many words.
      noun: how many characters at its beginning, and at its end, stay free for other attributes.
      denies: it begins with a negation, as "no collar" does.
    """

    kind: int
    means: dict[str, str]
    rank: tuple[int, int]
    noun: tuple[int, int] = (0, 0)
    denies: bool = False


def table(vocabulary: Vocabulary) -> dict[str, Found]:
    """What each phrase means, by its `words.key`.

    Raises:
      ValueError: a form of two values of an attribute; the message says which. Or there are more
        than `MOST` forms.
    """
    return _Table(vocabulary).found


class _Table:
    def __init__(self, vocabulary: Vocabulary):
        self._vocabulary = vocabulary
        self.found: dict[str, Found] = {}
        self._sure: dict[tuple[str, str], int] = {}
        values = [
            (attribute, said, (name, value))
            for name, attribute in vocabulary.attributes.items()
            for value, said in attribute.values.items()
        ]
        # What counts before the others comes first, so that it settles what they leave open.
        for _, said, meaning in values:
            for phrase in said.words:
                self._add(phrase, meaning, _WRITTEN)
        written = frozenset(self.found)
        for _, said, meaning in values:
            for phrase in sorted(said.words):
                for form in words.inflected(phrase, vocabulary.endings):
                    for one in words.joined(form):
                        self._add(one, meaning, _FORM)
        for attribute, said, meaning in values:
            for phrase in sorted(said.beside):
                self._add_beside(phrase, attribute, meaning)
        # A phrase is a value's before it is a word of grammar: "on" may be one of both.
        for kind, phrases in (
            (IGNORED, vocabulary.ignored),
            (ARTICLE, vocabulary.articles),
            (NEGATION, vocabulary.negations),
            (ELSEWHERE, vocabulary.elsewhere),
            (PART, vocabulary.parts | {(words.BRACKET,)}),
            (JOIN, {(sign,) for sign in words.JOINS}),
            (SENTENCE, {(words.SENTENCE,)}),
        ):
            for phrase in phrases:
                key, rank = words.key(phrase), (PLAIN, len(phrase))
                if key not in written:
                    self.found[key] = Found(kind, {}, rank)

    def _add_beside(self, phrase: Phrase, attribute: Attribute, meaning: Meaning) -> None:
        endings = self._vocabulary.endings
        for noun in attribute.nouns:
            for its in words.inflected(noun, endings):
                size = len(words.key(its))
                for form in words.inflected(phrase, endings):
                    for one in words.joined((*form, *its)):
                        apart = one == (*form, *its)
                        self._add(one, meaning, _BESIDE, PLAIN, (0, size if apart else 0))
                    self._add((*its, *form), meaning, _BESIDE, _BEHIND, (size, 0))
                    self._add((*its, ":", *form), meaning, _BESIDE, _TOLD, (size, 0))

    def _add(
        self,
        phrase: Phrase,
        meaning: Meaning,
        sure: int,
        order: int = PLAIN,
        noun: tuple[int, int] = (0, 0),
    ) -> None:
        (attribute, value), key, rank = meaning, words.key(phrase), (order, len(phrase))
        negations = self._vocabulary.negations
        denies = any(phrase[:n] in negations for n in range(1, len(phrase) + 1))
        _check_forms(len(self.found), self._vocabulary, attribute)
        found = self.found.setdefault(key, Found(VALUE, {}, rank, noun, denies))
        other = found.means.get(attribute, value)
        before = self._sure.get((key, attribute), -1)
        if other != value and before == sure:
            one, two = sorted((other, value))
            raise ValueError(
                f"{self._vocabulary.source}: {' '.join(phrase)!r} may say {one!r} or {two!r} of "
                f"{attribute}: write it as a word of one of them"
            )
        if sure >= before:
            found.means[attribute] = value
            self._sure[key, attribute] = sure
        if found.noun != noun:  # one of its meanings takes all of its words
            found.noun = (0, 0)
        found.rank = max(found.rank, rank)


def _check_forms(count, vocabulary, attribute):
    if count > MOST:
        raise ValueError(
            f"{vocabulary.source}: more than {MOST} forms of phrases; fewer words, or fewer nouns "
            f"of {attribute}, make fewer"
        )


def measures(vocabulary: Vocabulary) -> "Measures | None":
    """Finds numbers with units beside what they measure; None where nothing is measured."""
    limits: dict[str, list[tuple[float, float, Meaning]]] = {}
    for name, attribute in vocabulary.attributes.items():
        for value, said in attribute.values.items():
            for phrase, (low, high) in said.measured.items():
                for form in words.inflected(phrase, vocabulary.endings):
                    limits.setdefault(words.key(form), []).append((low, high, (name, value)))
                _check_forms(len(limits), vocabulary, name)
    units = {
        words.key(form): size
        for unit, size in vocabulary.units.items()
        for form in words.inflected(unit, vocabulary.endings)
    }
    return Measures(limits, units) if limits and units else None


class Measures:
    """Finds `<inseam><32><inch>` and `<32><inch><inseam>`."""

    def __init__(
        self, limits: dict[str, list[tuple[float, float, Meaning]]], units: dict[str, float]
    ):
        self._limits, self._units = limits, units

        def any_of(keys):
            return "|".join(map(re.escape, sorted(keys, key=len, reverse=True)))

        number = rf"<(\d+(?:[.,]\d+)?)>({any_of(units)})"
        what = f"({any_of(limits)})"
        self._pattern = re.compile(f"{what}(?:<:>)?(?={number})|(?={number}{what})")

    def __call__(self, key: str) -> list[tuple[int, int, Found]]:
        """(begin, end, what it means) of each number and its unit."""
        found = []
        for one in self._pattern.finditer(key):
            ahead, number, unit, number_, unit_, behind = one.groups()
            number, unit = number or number_, unit or unit_
            size = float(number.replace(",", ".")) * self._units[unit]
            means = {
                attribute: value
                for low, high, (attribute, value) in self._limits[ahead or behind]
                if low <= size < high
            }
            if means:
                end = one.end() + len(number) + 2 + len(unit)
                found.append((one.end(), end, Found(VALUE, means, (_TOLD, 2))))
        return found
