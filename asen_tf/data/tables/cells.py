"""Cells of other kinds than text, as a table of text would have them."""

import datetime
import decimal
import importlib
from types import ModuleType

import numpy as np

from asen_client.core.foreign import FormatError

LONGEST = 1 << 17
# Readers that hold a table as a whole refuse one with more cells, or with more bytes unpacked.
MOST_CELLS = 50_000_000
MOST_BYTES = 1 << 29


def text(value: object) -> str:
    """A cell as text: numbers by their digits, dates as ISO 8601, lists as `a|b`, nothing as "".

    Raises:
      ValueError: it is something else, or long.
    """
    # Not lists of lists, which JSON may have to any depth.
    return "|".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and len(value) <= LONGEST:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return "" if np.isnan(value) else np.format_float_positional(value, trim="-")
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        value = value.date()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if not isinstance(value, str | int | decimal.Decimal | datetime.timedelta):
        raise ValueError(
            f"expected text, a number, a date or a list of these, got {type(value).__name__}"
        )
    found = str(value)
    if len(found) > LONGEST:
        raise ValueError(f"a cell of {len(found)} characters; at most {LONGEST} are expected")
    return found


def check_size(source: str, rows: int, columns: int) -> None:
    """Raises FormatError where a table declares more cells than `MOST_CELLS`."""
    if rows * columns > MOST_CELLS:
        raise FormatError(
            source,
            f"a table of {rows} rows and {columns} columns; at most {MOST_CELLS} cells are read: "
            "split it, or leave columns out",
        )


def needed(module: str, kind: str) -> ModuleType:
    """The module that reads a kind of table, or a ValueError that says how to get it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ValueError(f'{kind} needs pip install "asen_tf[tables]" ({error})') from error
