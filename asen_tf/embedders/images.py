"""A caller's images: their places in the caller's list, and errors that name them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from asen_tf.images import Photograph, describe, listed, listed_pairs

Result = TypeVar("Result")


class InvalidInputError(ValueError):
    """An image is missing, refused, or no photograph.

    Attributes:
      position: of the image in the list that the caller gave; None where it is not one image's
        fault or that is not known. A server that batches the requests of many callers together
        counts within such a batch, and may name another image.
      reason: what is wrong, without the position.
    """

    def __init__(self, message: str, position: int | None = None, reason: str | None = None):
        super().__init__(message)
        self.position = position
        self.reason = message if reason is None else reason


class Place(NamedTuple):
    """An image, its position in the list that the caller gave, and what messages call it."""

    photograph: Photograph
    position: int
    label: str

    def refused(self, reason: object) -> InvalidInputError:
        """The error that says what is wrong with this image."""
        return InvalidInputError(f"{self.label}: {reason}", self.position, str(reason))


def placed(images: Photograph | Iterable[Photograph], which: str = "") -> list[Place]:
    """A caller's images; `which` tells two lists apart in messages."""
    return [Place(p, n, f"{which}{describe(p, n)}") for n, p in enumerate(listed(images))]


def placed_pairs(
    images: Photograph | Iterable[Photograph], others: Photograph | Iterable[Photograph]
) -> tuple[list[Place], int]:
    """Two sides to compare in one list, and how many of it are the first side's.

    Raises:
      ValueError: the sides hold different numbers of images, and neither holds one.
    """
    images, others = listed_pairs(images, others)
    return [*placed(images), *placed(others, "other ")], len(images)


def cosines(vectors: np.ndarray, first: int) -> np.ndarray:
    """Cosines of the pairs of `placed_pairs`: unit vectors [N + M, D] -> [max(N, M)]."""
    return (vectors[:first] * vectors[first:]).sum(-1)


def each(
    function: Callable[[Sequence[bytes]], Sequence[Result]], images: Sequence[bytes | str]
) -> list[Result | str]:
    """What a function gives for each image; one that is bad takes no other with it.

    Args:
      function: from encoded images to a sequence as long; raises ValueError where one is bad.
      images: encoded images, or why there is none.

    Returns:
      For each image the function's result, or what is wrong with it.
    """
    results = iter(_each(function, [image for image in images if isinstance(image, bytes)]))
    return [image if isinstance(image, str) else next(results) for image in images]


def _each(function, images):
    if not images:
        return []
    try:
        return list(function(images))
    except ValueError as error:
        if len(images) == 1:
            return [getattr(error, "reason", None) or str(error)]
    # Not every error says which image it is about: halves find it in few calls.
    middle = len(images) // 2
    return _each(function, images[:middle]) + _each(function, images[middle:])
