"""A YAML file as entries that know their place, for messages; every scalar is a text.

The events of a safe loader are taken, no objects are made: `no` and `3/4` stay texts, an anchor
cannot multiply, and depth and size are bounded.
"""

import dataclasses
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn

from asen_client.core.errors import unknown_name
from asen_client.core.foreign import FormatError, check_stand_in, not_utf8, shown
from asen_client.core.terminal import printable

MOST_BYTES = 1 << 20
_DEEPEST = 8


@dataclasses.dataclass(frozen=True)
class Entry:
    """A scalar, list or mapping of the file.

    Attributes:
      value: text, None, a list of entries, or a mapping of texts to entries.
      source: the file.
      line: where it begins, from 1.
      path: the keys that lead to it.
    """

    value: Any
    source: str
    line: int
    path: tuple[str, ...] = ()

    def fail(self, message: str) -> NoReturn:
        """Raises FormatError, which names file, line and entry."""
        place = f"{' > '.join(map(printable, self.path))}: " if self.path else ""
        raise FormatError(self.source, f"{place}{message}", line=self.line)

    def mapping(self, known: Collection[str] = ()) -> dict[str, "Entry"]:
        """Its entries by their keys, which are among `known` where there are any."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.fail(f"expected `key: ...`, a line each, got {_kind(self.value)}")
        for key in self.value if known else ():
            if key not in known:
                self.value[key].fail(unknown_name("key", key, known))
        return self.value

    def entries(self) -> list["Entry"]:
        """The entries of a list, each a text; none where nothing is written."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            self.fail(f"expected a list, [one, another], got {_kind(self.value)}")
        for one in self.value:
            one.text()
        return self.value

    def texts(self) -> list[str]:
        """The texts of a list."""
        return [one.text() for one in self.entries()]

    def text(self) -> str:
        """The text of a scalar."""
        if not isinstance(self.value, str):
            self.fail(f"expected a text, got {_kind(self.value)}")
        return self.value

    def number(self) -> float:
        """The number that a scalar says."""
        try:
            found = float(self.text())
        except ValueError:
            found = float("nan")
        if not abs(found) < 1e9:
            self.fail(f"expected a number, got {shown(self.value)}")
        return found


def read(path: Path) -> Entry:
    """Reads a file of YAML.

    Raises:
      FormatError: it is no YAML, is large or deep, has an anchor, or a key twice.
      OSError: it cannot be read.
      ValueError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise ValueError(f'a vocabulary needs pip install "asen_tf[text]" ({error})') from error
    source = os.fspath(path)
    check_stand_in(path)
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise FormatError(source, f"more than {MOST_BYTES} bytes: divide it, and name both files")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(path, source) from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _document(yaml.parse(text, Loader=loader), source)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        message = f"not YAML: {said[:200]}; texts with signs such as : # % & stand in quotes"
        raise FormatError(source, message, line=mark.line + 1 if mark else 0) from error


def _document(events: Iterator[Any], source: str) -> Entry:
    found = Entry(None, source, 1)
    documents = 0
    for event in events:
        kind = type(event).__name__
        if kind == "DocumentStartEvent":
            documents += 1
            if documents > 1:
                Entry(None, source, event.start_mark.line + 1).fail("a second document: `---`")
        elif kind not in ("StreamStartEvent", "StreamEndEvent", "DocumentEndEvent"):
            found = _entry(event, events, source, ())
    return found


def _entry(event: Any, events: Iterator[Any], source: str, path: tuple[str, ...]) -> Entry:
    kind, line = type(event).__name__, event.start_mark.line + 1
    here = Entry(None, source, line, path)
    if kind == "AliasEvent":
        here.fail("refers to another entry by `*`: write it out, or in quotes")
    if len(path) > _DEEPEST:
        here.fail(f"lies more than {_DEEPEST} levels deep")
    if kind == "ScalarEvent":
        nothing = event.implicit[0] and event.value in ("", "~", "null")
        return dataclasses.replace(here, value=None if nothing else event.value)
    if kind == "SequenceStartEvent":
        inside = iter(lambda: next(events), None)
        items: list[Entry] = []
        for one in inside:
            if type(one).__name__ == "SequenceEndEvent":
                break
            items.append(_entry(one, events, source, (*path, str(len(items) + 1))))
        return dataclasses.replace(here, value=items)
    found: dict[str, Entry] = {}
    for one in iter(lambda: next(events), None):
        if type(one).__name__ == "MappingEndEvent":
            break
        if type(one).__name__ not in ("ScalarEvent", "AliasEvent"):
            Entry(None, source, one.start_mark.line + 1, path).fail("expected a text before `:`")
        key = _entry(one, events, source, path)
        name = "" if key.value is None else key.text()
        value = _entry(next(events), events, source, (*path, name))
        if name in found:
            key.fail(f"{shown(name)} is there twice, first on line {found[name].line}")
        found[name] = dataclasses.replace(value, line=key.line)
    return dataclasses.replace(here, value=found)


def _kind(value: Any) -> str:
    names = {dict: "a mapping", list: "a list", type(None): "nothing"}
    return names.get(type(value)) or shown(value)
