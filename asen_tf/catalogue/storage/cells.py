"""Labels and metadata as cells of a table, and comparisons as SQL.

The type of a cell tells what it is: texts are TEXT, numbers REAL, truth values BLOB. So no number
equals a text, and in SQLite's order all numbers come before all texts.
"""

import math
from collections.abc import Sequence

from asen_tf.catalogue.filters import Comparison, is_number, number
from asen_tf.catalogue.items import Record

Kept = str | float | bytes

_TRUTH = {"true": b"true", "false": b"false"}

TABLE = """CREATE TABLE cells (
  name TEXT NOT NULL, value BLOB NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (name, value, row)
) WITHOUT ROWID"""


def cells_of(record: Record) -> set[tuple[str, Kept]]:
    """Name and value of each cell of an item."""
    found = {(name, value) for name, values in record.labels.items() for value in values}
    found.update((k, kept(v)) for k, v in record.metadata.items() if v is not None)
    return found


def shown(value: Kept) -> str | int | float | bool:
    """What a cell as it is kept stands for; whole numbers are integers."""
    if isinstance(value, bytes):
        return value == _TRUTH["true"]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def met(comparison: Comparison) -> tuple[str, Sequence]:
    """The condition on cells of a comparison, with its parameters."""
    name, sign, value = comparison.name, comparison.sign, comparison.value
    if sign != "=":
        # Texts and truth values are above all numbers.
        return f"name = ? AND value {sign} ? AND value < ''", (name, float(value))
    equal = [value, number(value), _TRUTH.get(value.lower())]
    equal = [one for one in equal if one is not None]
    return f"name = ? AND value IN ({', '.join('?' * len(equal))})", (name, *equal)


def kept(value: str | int | float | bool) -> Kept:
    """A cell as it is kept: those that are equal are kept alike, and no others."""
    if isinstance(value, bool):
        return _TRUTH[str(value).lower()]
    if not is_number(value):
        return value
    try:
        return float(value)
    except OverflowError:  # of stores of earlier versions
        return math.inf if value > 0 else -math.inf
