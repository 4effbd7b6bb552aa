"""Texts as words: what is one to a reader is one here.

Capitals, accents, signs of hyphenation and the apostrophe do not count; digits stand apart from
letters. Ends of sentences are the word `.`, brackets `|`, and `& , / :` stay words.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

# Apostrophes, the trade mark, the soft hyphen and the blank of no width.
_DROPPED = dict.fromkeys(map(ord, "'`\u2019\u2018\u00b4\u02bc\u2122\u00ad\u200b"))
_SLASHES = dict.fromkeys(map(ord, "\u2044\u2215"), "/")  # the first is that of one sign, 3/4
_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)?|[&+,/:;|(){}\[\]\n\r•·]|(?<=\w\w\w)[.!?](?=\s|$)")
_ACCENT = re.compile("[\u0300-\u036f]+")
_SIGNS = {"+": "&"} | dict.fromkeys("!?;\n\r•·", ".") | dict.fromkeys("(){}[]", "|")
SENTENCE, BRACKET, JOINS = ".", "|", ("&", ",", "/")
_MOST_JOINED = 4


def split(text: str, spellings: Mapping[str, str]) -> list[str]:
    """The words of a text.

    Args:
      text: any.
      spellings: what is replaced, also inside words, and by what.
    """
    text = text.translate(_DROPPED)
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = unicodedata.normalize("NFKC", _ACCENT.sub("", text)).translate(_SLASHES)
    text = text.casefold()
    for written, meant in spellings.items():
        if written in text:
            text = text.replace(written, meant)
    return [_SIGNS.get(word, word) for word in _WORD.findall(text)]


def phrase(text: str, spellings: Mapping[str, str], joins: Iterable[str] = ()) -> tuple[str, ...]:
    """The words of a phrase of a vocabulary; those of `joins` are `&`."""
    joins = frozenset(joins)
    words = ("&" if word in joins else word for word in split(text, spellings))
    return tuple(word for word in words if word not in (SENTENCE, BRACKET, ":"))


def key(words: Iterable[str]) -> str:
    """Words as one text, in which no word is part of another."""
    return "".join([f"<{word}>" for word in words])


def of_key(key: str) -> list[str]:
    """The words that `key` made a text, or a part of one, of."""
    return key[1:-1].split("><") if key else []


def inflected(words: Sequence[str], endings: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """A phrase and its forms: each ending of its last word's longest known end."""
    *front, last = words
    forms = [tuple(words)]
    if last.isalpha() and len(last) > 1:
        end = max((end for end in endings if last.endswith(end)), key=len, default=None)
        if end is not None:
            stem = last[: len(last) - len(end)]
            forms += [(*front, stem + new) for new in endings[end]]
    return forms


def joined(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A phrase with none, some or all of its words written as one."""
    if len(words) > _MOST_JOINED:
        return [words]
    found = [words[:1]]
    for word in words[1:]:
        apart = [(*one, word) for one in found]
        able = word.isalpha() and word != "&"
        together = [(*one[:-1], one[-1] + word) for one in found if able and one[-1].isalpha()]
        found = apart + together
    return found
