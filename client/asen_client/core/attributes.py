"""The attributes a model knows, and the values each of them can take."""

import collections
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence

from asen_client.core.errors import unknown_name


@dataclasses.dataclass(frozen=True)
class Attribute:
    """One attribute, for example `sleeve_length`, with its ordered values."""

    name: str
    values: tuple[str, ...]

    def index(self, value: str) -> int:
        """Position of `value`; raises ValueError naming the nearest known value."""
        try:
            return self._positions[value]
        except KeyError:
            raise ValueError(unknown_name(f"value of {self.name}", value, self.values)) from None

    @functools.cached_property
    def _positions(self) -> dict[str, int]:
        return {value: position for position, value in enumerate(self.values)}


class AttributeSpace:
    """Ordered attributes, each with ordered values. Iterating gives the names in order.

    Attribute i has values `offsets[i] .. offsets[i + 1] - 1` in the flat numbering
    that runs over all values of all attributes.

    Args:
      values: attribute name -> its values, both in the order that numbers them.

    Raises:
      ValueError: no attribute, an attribute without values, or a value given twice.
    """

    def __init__(self, values: Mapping[str, Sequence[str]]):
        if not values:
            raise ValueError("an attribute space needs at least one attribute, got none")
        for name, its_values in values.items():
            if not its_values:
                raise ValueError(f"attribute {name!r} needs at least one value, got none")
            twice = [v for v, count in collections.Counter(its_values).items() if count > 1]
            if twice:
                raise ValueError(f"attribute {name!r} lists {sorted(twice)} more than once")
        self._attributes = {n: Attribute(n, tuple(map(str, v))) for n, v in values.items()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._attributes)

    @property
    def value_counts(self) -> tuple[int, ...]:
        return tuple(len(a.values) for a in self._attributes.values())

    @property
    def offsets(self) -> tuple[int, ...]:
        """A + 1 numbers: where each attribute's values begin in the flat numbering."""
        return tuple(itertools.accumulate(self.value_counts, initial=0))

    def index(self, name: str) -> int:
        """Position of the attribute `name`; raises ValueError naming the nearest known one."""
        self[name]
        return self.names.index(name)

    def __getitem__(self, name: str) -> Attribute:
        if name not in self._attributes:
            raise ValueError(unknown_name("attribute", name, self.names))
        return self._attributes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes)

    def __len__(self) -> int:
        return len(self._attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __eq__(self, other: object) -> bool:
        # Their order counts.
        return isinstance(other, AttributeSpace) and [*self._attributes.values()] == [
            *other._attributes.values()
        ]

    def __hash__(self) -> int:
        return hash(tuple(self._attributes.values()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{a.name}: {len(a.values)}" for a in self._attributes.values())
        return f"AttributeSpace({inside})"

    def to_dict(self) -> dict[str, list[str]]:
        return {a.name: list(a.values) for a in self._attributes.values()}
