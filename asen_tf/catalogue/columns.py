"""Labels or metadata of all items under one name, ready to be compared."""

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from asen_tf.catalogue.items import Cell


class Column:
    """The cells of N items.

    Args:
      cells: [N], each with any number of values; an item that lacks the field has none.
    """

    def __init__(self, cells: Sequence[Sequence[Cell]]):
        self._count = len(cells)
        counts = np.fromiter(map(len, cells), np.int64, self._count)
        self._rows = np.repeat(np.arange(self._count), counts)
        self._codes: dict[tuple[type, Cell], int] = {}
        flat = (value for values in cells for value in values)
        codes = (self._codes.setdefault((type(v), v), len(self._codes)) for v in flat)
        self._values = np.fromiter(codes, np.int64, int(counts.sum()))

    def present(self) -> np.ndarray:
        """bool [N]: who has the field."""
        return self._where(np.ones(len(self._codes), bool))

    def equal(self, value: str) -> np.ndarray:
        """bool [N]: who has this value; numbers are compared as numbers."""
        return self._where([same(known, value) for _, known in self._codes])

    def compared(self, order: Callable, bound: float) -> np.ndarray:
        """bool [N]: who has a number that stands in this order to `bound`."""
        return self._where(order(self._numbers, bound) & ~np.isnan(self._numbers))

    @functools.cached_property
    def _numbers(self) -> np.ndarray:
        return np.array([as_float(v) if is_number(v) else np.nan for _, v in self._codes])

    def _where(self, chosen: Sequence[bool]) -> np.ndarray:
        """Items of which a value is among the chosen of the distinct ones."""
        found = np.zeros(self._count, bool)
        found[self._rows[np.asarray(chosen, bool)[self._values]]] = True
        return found


def is_number(value: Cell) -> bool:
    """Whether a cell is one of the numbers that `<` compares."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def as_float(value: float) -> float:
    """A number as it is compared; stores of earlier versions may hold any integer."""
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def number(text: str) -> float | None:
    """The finite number that a text denotes, or none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and "_" not in text else None


def same(value: Cell, text: str) -> bool:
    """Whether a cell is what a text of a filter says."""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    if is_number(value):
        return number(text) == as_float(value)
    return value == text
