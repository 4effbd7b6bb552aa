"""Where photographs stand among the caller's, through all splitting into batches."""

from collections.abc import Sequence
from typing import NamedTuple

from asen_tf.data.photograph_forms import Photograph, describe


class Place(NamedTuple):
    """A photograph, its position in the list that the caller gave, and how messages call it."""

    photograph: Photograph
    position: int
    label: str


def placed(photographs: Sequence[Photograph], which: str = "") -> list[Place]:
    """The photographs of one of the caller's lists; `which` tells two lists apart in messages."""
    return [Place(p, n, f"{which}{describe(p, n)}") for n, p in enumerate(photographs)]
