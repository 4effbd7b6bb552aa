"""A caller's images: their places in the caller's list, and errors that name them."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeGuard, TypeVar

import numpy as np

from asen_client.images import Boxed, Photograph, describe, listed, listed_pairs

Result = TypeVar("Result")

# A box, x1, y1, x2, y2, or None for each image; or one box of one image.
Boxes = Sequence[Sequence[float] | None] | Sequence[float] | np.ndarray | None


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
        """The error that says what is wrong with this image, whose label has its path already."""
        said = getattr(reason, "strerror", None) or str(reason)
        return InvalidInputError(f"{self.label}: {said}", self.position, said)


def placed(
    images: Photograph | Iterable[Photograph], boxes: Boxes = None, which: str = ""
) -> list[Place]:
    """A caller's images.

    Args:
      images: one, or any iterable of them.
      boxes: see `Embedder`; each image that has one becomes `Boxed`.
      which: tells two lists apart in messages.

    Raises:
      InvalidInputError: a box is none, or an image has two.
      ValueError: there are more or fewer boxes than images.
    """
    places = [Place(p, n, f"{which}{describe(p, n)}") for n, p in enumerate(listed(images))]
    if boxes is None:
        return places
    given: Any = boxes
    given = [given] if len(places) == 1 and np.shape(given) == (4,) else list(given)
    if len(given) != len(places):
        raise ValueError(
            f"expected a box, or None, for each of {len(places)} photographs, got {len(given)}"
        )
    return [_boxed(place, box) for place, box in zip(places, given, strict=True)]


def _boxed(place: Place, box: Any) -> Place:
    try:
        if box is None or (np.size(box) and np.isnan(np.asarray(box, np.float64)).all()):
            return place
        return place._replace(photograph=Boxed(place.photograph, box))
    except ValueError as error:
        raise place.refused(error) from error


def placed_pairs(
    images: Photograph | Iterable[Photograph],
    others: Photograph | Iterable[Photograph],
    boxes: Boxes = None,
    other_boxes: Boxes = None,
) -> tuple[list[Place], int]:
    """Two sides to compare in one list, and how many of it are the first side's.

    Raises:
      ValueError: the sides hold different numbers of images, and neither holds one; or as `placed`.
    """
    images, others = listed_pairs(images, others)
    return [*placed(images, boxes), *placed(others, other_boxes, "other ")], len(images)


def lacks_margin(places: Iterable[Place]) -> bool:
    """Whether a box of these images leaves its margin to the model."""
    return any(_lacks_margin(place.photograph) for place in places)


def with_margin(places: Iterable[Place], margin: float) -> list[Place]:
    """The images with the margin of the model around boxes that leave it to the model."""
    return [
        place._replace(photograph=dataclasses.replace(place.photograph, margin=margin))
        if _lacks_margin(place.photograph)
        else place
        for place in places
    ]


def _lacks_margin(photograph: Photograph) -> TypeGuard[Boxed]:
    return isinstance(photograph, Boxed) and photograph.margin is None


def in_whole(boxes: np.ndarray, places: Sequence[Place]) -> np.ndarray:
    """Boxes int32 [N, 4] in pixels of what was cut out, in those of the whole photographs."""
    corners = [
        place.photograph.corner() if isinstance(place.photograph, Boxed) else (0, 0)
        for place in places
    ]
    return boxes + np.tile(np.array(corners, np.int32).reshape(-1, 2), (1, 2))


def cosines(vectors: np.ndarray, first: int) -> np.ndarray:
    """Cosines of the pairs of `placed_pairs`: unit vectors [N + M, D] -> [max(N, M)]."""
    return (vectors[:first] * vectors[first:]).sum(-1)


def each(
    function: Callable[[Sequence[bytes | Boxed]], Sequence[Result]],
    images: Sequence[bytes | Boxed | str],
) -> list[Result | str]:
    """What a function gives for each image; one that is bad takes no other with it.

    Args:
      function: from encoded images to a sequence as long; raises ValueError where one is bad.
      images: encoded images, with or without a box; or texts, why there is none.

    Returns:
      For each image the function's result, or what is wrong with it.
    """
    results = iter(_each(function, [image for image in images if not isinstance(image, str)]))
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
