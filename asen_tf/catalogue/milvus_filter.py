"""Conditions as expressions of Milvus, and the fields that they look at.

Milvus keeps what a collection has no field for as JSON. Its own comparisons of JSON are slow in
milvus-lite where a key holds values of several kinds, or lists, so that every key here holds one:
`label.color` and `label.color=red` are true for a red item, `number.price` is a number,
`text.brand` a text and `flag.new` a truth value.
"""

from collections.abc import Iterable

from asen_client.core.attributes import AttributeSpace
from asen_tf.catalogue.filters import (
    All,
    AnyOf,
    Comparison,
    Condition,
    Not,
    is_number,
    number,
)
from asen_tf.catalogue.items import Cell, Record
from asen_tf.catalogue.storage.cells import Kept

# What Milvus and milvus-lite both know; other control characters stand for themselves.
_ESCAPED = str.maketrans({'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def facts(record: Record) -> dict[str, Cell]:
    """What Milvus shall keep of a record for `expression`."""
    found: dict[str, Cell] = {}
    for name, values in record.labels.items():
        if values:
            found[f"label.{name}"] = True
        found.update((f"label.{name}={value}", True) for value in values)
    for name, value in record.metadata.items():
        if isinstance(value, bool):
            found[f"flag.{name}"] = value
        elif is_number(value):
            found[f"number.{name}"] = float(value)
        elif value is not None:
            found[f"text.{name}"] = value
    return found


def expression(condition: Condition, space: AttributeSpace, met: bool = True) -> str:
    """What Milvus understands, for items that meet a condition, or that do not.

    `not` goes down to the comparisons: to Milvus a field that an item lacks meets neither a
    comparison nor its opposite.
    """
    if isinstance(condition, Not):
        return expression(condition.one, space, not met)
    if isinstance(condition, All | AnyOf):
        word = " and " if isinstance(condition, All) == met else " or "
        return word.join(f"({expression(part, space, met)})" for part in condition.parts)
    if not isinstance(condition, Comparison):
        raise TypeError(f"unknown condition {type(condition).__name__}")
    ways = _ways(condition, space)
    if met:
        return " or ".join(f"{_exists(key)} and {test}" for key, test in ways)
    return " and ".join(f"(not {_exists(key)} or not ({test}))" for key, test in ways)


def has_field(name: str, space: AttributeSpace) -> str:
    """The expression for items that have a label or metadata of this name."""
    kinds = ("label",) if name in space else ("text", "number", "flag")
    return " or ".join(_exists(f"{kind}.{name}") for kind in kinds)


def has_numbers(name: str) -> str:
    """The expression for items whose metadata of this name is a number."""
    return _exists(f"number.{name}")


def having(name: str, values: Iterable[Kept]) -> str:
    """The expression for items whose metadata of this name is one of these values."""
    kinds = {str: ("text", text), float: ("number", repr), bytes: ("flag", bytes.decode)}
    tests = []
    for value in values:
        kind, literal = kinds[type(value)]
        key = f"{kind}.{name}"
        tests.append(f"{_exists(key)} and {_path(key)} == {literal(value)}")
    return " or ".join(tests)


def text(value: str) -> str:
    """A literal: the only way by which a text gets into an expression."""
    return f'"{value.translate(_ESCAPED)}"'


def of_ids(ids: Iterable[str], word: str = "in") -> str:
    """The expression for the items of these ids, or with `not in` for all others."""
    return f"id {word} [{', '.join(map(text, ids))}]"


def _ways(condition: Comparison, space: AttributeSpace) -> list[tuple[str, str]]:
    """Key and test of each way to meet a comparison."""
    name, value = condition.name, condition.value
    if name in space:
        # A key that no item has where the sign is another: labels are no numbers.
        key = f"label.{name}{condition.sign}{value}"
        return [(key, f"{_path(key)} == true")]
    if condition.sign != "=":
        key = f"number.{name}"
        return [(key, f"{_path(key)} {condition.sign} {float(value)!r}")]
    ways = [(f"text.{name}", f"{_path(f'text.{name}')} == {text(value)}")]
    if (as_number := number(value)) is not None:
        ways.append((f"number.{name}", f"{_path(f'number.{name}')} == {as_number!r}"))
    if value.lower() in ("true", "false"):
        ways.append((f"flag.{name}", f"{_path(f'flag.{name}')} == {value.lower()}"))
    return ways


def _exists(key: str) -> str:
    # Servers of Milvus 2.3 take what follows without the brackets for the key's value.
    return f"(exists {_path(key)})"


def _path(key: str) -> str:
    return f"$meta[{text(key)}]"
