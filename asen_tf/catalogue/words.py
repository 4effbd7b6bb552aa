"""What words ask of a store: `navy, v-neck, not striped` as values that its items have.

A vocabulary says which words say which value (docs/labels.md), and the store's own names count as
words, too. Names are compared without capitals, accents, blanks, hyphens and underscores.
"""

import collections
import dataclasses
import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import unknown_name
from asen_tf.catalogue.filters import Condition, Not, any_of, every
from asen_tf.text import Matcher, Said, Vocabulary, words
from asen_tf.text.phrases import (
    ARTICLE,
    ELSEWHERE,
    IGNORED,
    JOIN,
    NEGATION,
    PLAIN,
    SENTENCE,
    VALUE,
    Found,
    Meaning,
    table,
)
from asen_tf.text.vocabulary import Attribute, Phrase, Value

_HINTS = 20  # more are no help, and comparing takes its time
_UNKNOWN = Attribute({})
Has = Callable[[str, str], bool]
_END = Found(SENTENCE, {}, (PLAIN, 0))
# Why words ask for nothing.
_NOT_KNOWN = "neither the vocabulary nor the store knows it."
_IGNORED = "the vocabulary ignores it."
_ELSEWHERE = "it speaks of another article."
_NOTHING_DENIED = "nothing that is known follows it."


@dataclasses.dataclass(frozen=True)
class Unknown:
    """Words that ask for nothing: the store does not have it, or they were passed over.

    Attributes:
      words: as they are read.
      why: a sentence, with the nearest names.
    """

    words: str
    why: str


@dataclasses.dataclass(frozen=True)
class Understood:
    """What words ask for.

    Attributes:
      wanted: attribute -> values, of which any will do.
      unwanted: attribute -> values, none of which will do.
      unknown: what was not understood, or was passed over.
      free: free text, for a model that reads such, see `asen_tf.embedders.TextEmbedder`.
    """

    wanted: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    unwanted: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    unknown: Sequence[Unknown] = ()
    free: str = ""

    def __post_init__(self):
        for name in ("wanted", "unwanted"):
            given = getattr(self, name).items()
            object.__setattr__(self, name, {key: tuple(values) for key, values in given if values})

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.wanted or self.unwanted or self.free)

    def condition(self, garment: bool = False, changed: Collection[str] = ()) -> Condition | None:
        """What items have to meet.

        Args:
          garment: the search starts from one, which is changed to what is wanted; then only what is
            unwanted is left out.
          changed: attributes whose wanted values others take the place of.
        """
        wanted = {} if garment else self.wanted
        return every(
            *(any_of(name, values) for name, values in wanted.items() if name not in changed),
            *(Not(any_of(name, values)) for name, values in self.unwanted.items()),
        )

    def __str__(self) -> str:
        """`color=navy blue, not pattern=striped, as free text 'flowing'`."""
        both = (("", self.wanted), ("not ", self.unwanted))
        told = [
            f"{sign}{name}={'|'.join(values)}"
            for sign, asked in both
            for name, values in asked.items()
        ]
        return ", ".join([*told, f"as free text {self.free!r}"] if self.free else told)


class Words:
    """Reads words as values of a store.

    Args:
      space: attributes of the store, and their values.
      vocabulary: what says values.

    Raises:
      ValueError: the vocabulary is ambiguous, or pyahocorasick is not installed.
    """

    def __init__(self, space: AttributeSpace, vocabulary: Vocabulary):
        self._space, self._vocabulary = space, vocabulary
        # What is meant -> attributes and values of the store that are called so.
        self._stored: dict[Meaning, list[Meaning]] = collections.defaultdict(list)
        phrases = table(vocabulary)
        own = self._own(phrases)
        known = {name: dict(one.values) for name, one in vocabulary.attributes.items()}
        for name, value in self._stored:
            known.setdefault(name, {}).setdefault(value, Value())
        attributes = {
            # What is asked for is asked for, also of what has no such attribute by the vocabulary.
            name: dataclasses.replace(
                vocabulary.attributes.get(name, _UNKNOWN), values=values, not_of={}
            )
            for name, values in known.items()
        }
        vocabulary = dataclasses.replace(vocabulary, attributes=attributes)
        self._matcher = Matcher(vocabulary, {**phrases, **own})

    def read(self, text: str, has: Has, free: bool = False) -> Understood:
        """What a text asks for.

        Args:
          text: any.
          has: whether an item of the store has this value of an attribute.
          free: whether a model reads what is no value of the store, as free text.
        """
        cells, unclear = self._matcher.label(text)
        said = {name: tuple(cell.split("|")) for name, cell in cells.items()} | unclear
        found = list(self._matcher.find(text))
        asked: tuple[dict, dict] = {}, {}
        unknown: list[Unknown] = []

        def ask(meaning: Meaning, told: str, negated: bool) -> None:
            stored = self._stored_as(meaning, has, widen=not negated)
            for name, value in stored:
                asked[negated].setdefault(name, {})[value] = None
            if not stored:
                unknown.append(Unknown(told, self._why(meaning)))

        for name, values in said.items():
            speaking = [one for one in found if one.attribute == name and not one.negated]
            told = {one.value: one.words for one in reversed(speaking)}
            for value in values:
                ask((name, value), told.get(value, speaking[0].words), False)
            for one in speaking:  # a white collar, of what is black; a shirt dress
                if self._is_left_out(one, speaking, values):
                    unknown.append(Unknown(one.words, f"{name} is {' or '.join(values)} already."))
        for one in found:
            if one.negated:
                ask((one.attribute, one.value), one.words, True)
        unknown += self._unread(text)
        left = list(self._left(text, has)) if free else []
        unknown = [one for one in dict.fromkeys(unknown) if _told(one.words.split()) not in left]
        # A model reads a sentence better than its words.
        whole = left and not (unknown or any(asked))
        return Understood(*asked, tuple(unknown), text.strip() if whole else " ".join(left))

    def _left(self, text: str, has: Has) -> Iterator[str]:
        """What is no value of the store, and neither denied, ignored nor of another article."""
        denied = reach = elsewhere = False  # reach: "or" takes the denial on
        for said, found in self._matcher.pieces(text):
            kind = None if found is None else found.kind
            if kind in (SENTENCE, ELSEWHERE):
                denied, reach, elsewhere = False, False, kind == ELSEWHERE
            elif kind == NEGATION:
                denied = True
            elif kind == JOIN:
                denied = reach and said != [","]
            elif found is None or kind in (VALUE, IGNORED):
                means = {} if found is None else found.means
                known = any(self._stored_as(meaning, has) for meaning in means.items())
                if not (denied or elsewhere or known or kind == IGNORED) and _told(said):
                    yield _told(said)
                denied, reach = False, denied or (found is not None and found.denies)

    def _own(self, phrases: Mapping[str, Found]) -> dict[str, Found]:
        """Phrases of the store's own names; fills `_stored`."""
        by_name = {_joined(self._phrase(name)): name for name in self._vocabulary.attributes}
        alone: dict[str, set[Meaning]] = collections.defaultdict(set)
        own: dict[str, Found] = {}
        for attribute in self._space:
            noun = self._phrase(attribute)
            name = by_name.setdefault(_joined(noun), attribute)
            known = self._vocabulary.attributes.get(name, _UNKNOWN)
            names = {_joined(self._phrase(value)): value for value in known.values}
            for value in self._space[attribute].values:
                phrase = self._phrase(value)
                if not (noun and phrase):  # what has no letters cannot be said
                    continue
                meant = names.get(_joined(phrase)) or _said_by(phrase, name, known, phrases)
                meaning = name, meant or _joined(phrase)
                self._stored[meaning].append((attribute, value))
                for one in words.joined(phrase) if not meant else ():
                    alone[words.key(one)].add(meaning)
                for one in ((*noun, *phrase), (*noun, ":", *phrase), (*phrase, *noun)):
                    if words.key(one) not in phrases:
                        own[words.key(one)] = _found(meaning, len(one))
        for key, meanings in alone.items():
            # What the vocabulary says of the store's values counts before.
            means = phrases[key].means if key in phrases else {}
            free = key not in phrases or phrases[key].kind in (VALUE, IGNORED, ARTICLE)
            said = any(self._stored_as(meaning, _always) for meaning in means.items())
            if free and not said and len(meanings) == 1:
                [meaning] = meanings
                own[key] = _found(meaning, key.count("<"))
        return own

    def _stored_as(self, meaning: Meaning, has: Has, widen: bool = True) -> list[Meaning]:
        """Attributes and values of items that a meaning is.

        Those called so; if there are none, those that are a kind of it; or else what it is a kind
        of. Unless it is to `widen`: those called so, and those that are a kind of it.
        """
        name, value = meaning
        attribute = self._vocabulary.attributes.get(name, _UNKNOWN)

        def held(values: Iterable[str]) -> list[Meaning]:
            stored = (one for value in values for one in self._stored.get((name, value), ()))
            return [one for one in stored if has(*one)]

        exact = held([value])
        below = held(v for v in attribute.values if value in attribute.kinds_of(v))
        if not widen:
            return exact + below
        above = attribute.kinds_of(value) if value in attribute.values else []
        return exact or below or next(filter(None, (held([kind]) for kind in above)), [])

    def _why(self, meaning: Meaning) -> str:
        name, value = meaning
        if meaning in self._stored:
            (attribute, value), *_ = self._stored[meaning]
            return f"no item is labelled {attribute}={value}."
        attributes = {
            one for (of, _), named in self._stored.items() if of == name for one, _ in named
        }
        if not attributes:
            return unknown_name("attribute of the store", name, self._space)
        attribute = min(attributes)
        return unknown_name(f"{attribute} of the store", value, self._space[attribute].values)

    def _is_left_out(self, one: Said, speaking: Sequence[Said], values: Sequence[str]) -> bool:
        """Whether a value is none of those that count, nor what one of them is a kind of."""
        if one.value in values:
            return False
        if one.part != speaking[0].part:
            return True
        # Of one part nothing is left out where another attribute made them another value.
        kinds = self._vocabulary.attributes.get(one.attribute, _UNKNOWN)
        return any(other.value in values for other in speaking) and not any(
            one.value in kinds.kinds_of(value) for value in values if value in kinds.values
        )

    def _unread(self, text: str) -> Iterator[Unknown]:
        """Words that were passed over."""
        known = [value for name in self._space for value in self._space[name].values]
        hints = _HINTS
        for said, why in dict.fromkeys(self._passed_over(text)):
            near: list[str] = []
            if why == _NOT_KNOWN and hints:
                hints -= 1
                near = difflib.get_close_matches(said, known, n=1)
            yield Unknown(said, f"{why} Did you mean {near[0]!r}?" if near else why)

    def _passed_over(self, text: str) -> Iterator[tuple[str, str]]:
        """Phrases that ask for nothing, and why."""
        elsewhere: list[str] = []
        negation: list[str] = []
        for said, found in (*self._matcher.pieces(text), ([], _END)):
            kind = None if found is None else found.kind
            if (elsewhere and kind != SENTENCE) or kind == ELSEWHERE:
                elsewhere += said
                continue
            if elsewhere:
                yield _told(elsewhere), _ELSEWHERE
                elsewhere = []
            if kind is None and _told(said):
                yield _told(negation + said), _NOT_KNOWN
            elif negation and kind not in (ARTICLE, VALUE):
                yield _told(negation), _NOTHING_DENIED
            if kind == IGNORED and _told(said):
                yield _told(said), _IGNORED
            if kind != ARTICLE:
                negation = said if kind == NEGATION else []

    def _phrase(self, text: str) -> Phrase:
        return words.phrase(text, self._vocabulary.spellings, self._vocabulary.joins)


def _said_by(
    phrase: Phrase, name: str, attribute: Attribute, phrases: Mapping[str, Found]
) -> str | None:
    """The value of an attribute that a phrase says, alone or beside one of its nouns."""
    for one in (phrase, *((*phrase, *noun) for noun in sorted(attribute.nouns))):
        found = phrases.get(words.key(one))
        if found is not None and name in found.means:
            return found.means[name]
    return None


def _found(meaning: Meaning, size: int) -> Found:
    return Found(VALUE, dict([meaning]), (PLAIN, size))


def _told(said: Sequence[str]) -> str:
    return " ".join(word for word in said if any(map(str.isalnum, word)))


def _joined(phrase: Phrase) -> str:
    return "".join(phrase)


def _always(*_: str) -> bool:
    return True
