"""The metadata of a catalogue: what a visitor can filter by, and the condition that comes of it."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from asen_tf.app import problems
from asen_tf.catalogue import Catalogue
from asen_tf.catalogue.filters import Comparison, Condition, every, is_number, parse
from asen_tf.catalogue.indexing import BOX
from asen_tf.catalogue.items import Cell

# Items whose metadata are looked at, evenly spread: enough to see which columns there are.
_LOOKED_AT = 20_000
# Columns of more different texts are filtered by typing.
_CHOICES = 60

# For the program, not for visitors.
_NOT_FOR_VISITORS = {"image", BOX}


@dataclasses.dataclass(frozen=True)
class Field:
    """A column of metadata.

    Attributes:
      name: of the column.
      kind: a number, one of a few values, or any text.
      values: to choose from.
      least, most: of a number.
    """

    name: str
    kind: Literal["number", "choice", "text"]
    values: Sequence[str] = ()
    least: float = 0.0
    most: float = 0.0


class Filter(BaseModel):
    """What a column shall have: this value, or a number in a range whose ends count."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    equals: str | None = None
    least: float | None = None
    most: float | None = None


def fields_of(catalogue: Catalogue, ids: Sequence[str]) -> list[Field]:
    """The columns of these items' metadata, by name."""
    spread = np.linspace(0, len(ids) - 1, min(len(ids), _LOOKED_AT)).astype(int)
    cells: dict[str, set[Cell]] = {}
    for record in catalogue.engine.records([ids[n] for n in spread]):
        for name, value in shown(record.metadata):
            cells.setdefault(name, set()).add(value)
    return [_field(name, cells[name]) for name in sorted(cells)]


def shown(metadata: Mapping[str, Cell]) -> Iterator[tuple[str, Cell]]:
    """Name and value of the metadata that visitors see."""
    return ((k, v) for k, v in metadata.items() if v is not None and k not in _NOT_FOR_VISITORS)


def check_shown(names: Iterable[str]) -> None:
    """Raises Problem where one is of a column that visitors do not see."""
    for name in names:
        if name in _NOT_FOR_VISITORS:
            raise problems.bad_query(f"facets: the column {name!r} is not shown.")


def condition(filters: Mapping[str, Filter], text: str) -> Condition | None:
    """All of the filters and the text's condition, None for neither; Problem for a bad text."""
    try:
        written = parse(text)
    except ValueError as error:
        raise problems.Problem(
            422, "condition", f"{error}.", 'Write it as in: price<50 and brand="acme & co"'
        ) from error
    parts = [
        Comparison(name, sign, str(value))
        for name, one in filters.items()
        for sign, value in (("=", one.equals), (">=", one.least), ("<=", one.most))
        if value is not None
    ]
    return every(*parts, written)


def _field(name: str, cells: set[Cell]) -> Field:
    if all(map(is_number, cells)):
        return Field(name, "number", least=min(cells), most=max(cells))
    values = sorted(str(cell).lower() if isinstance(cell, bool) else str(cell) for cell in cells)
    return Field(name, "choice", values) if len(values) <= _CHOICES else Field(name, "text")
