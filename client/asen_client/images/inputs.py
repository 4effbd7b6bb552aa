"""The forms in which a caller may have photographs; needs no TensorFlow."""

import os
from collections.abc import Iterable

import numpy as np
from PIL import Image

from asen_client.images.boxes import Boxed

# A path, an encoded image, an array uint8 [H, W, 3] or gray [H, W], a PIL image; or one of them
# with a box of what counts in it.
Photograph = str | os.PathLike | bytes | np.ndarray | Image.Image | Boxed

# One photograph each; the last two are no form of it, and not many either.
_ONE = str | os.PathLike | bytes | Image.Image | Boxed | bytearray | memoryview


def listed(photographs: Photograph | Iterable[Photograph]) -> list[Photograph]:
    """One photograph, or any iterable of them, as a list."""
    many = isinstance(photographs, Iterable) or hasattr(type(photographs), "__getitem__")
    if isinstance(photographs, _ONE) or hasattr(photographs, "read") or not many:
        return [photographs]
    if isinstance(photographs, np.ndarray) and photographs.dtype.kind not in "USO":
        return list(photographs) if photographs.ndim == 4 else [photographs]
    return list(photographs)


def listed_pairs(
    images: Photograph | Iterable[Photograph], others: Photograph | Iterable[Photograph]
) -> tuple[list[Photograph], list[Photograph]]:
    """Two sides to compare: equally many, or one photograph on either side.

    Raises:
      ValueError: the sides hold different numbers of photographs, and neither holds one.
    """
    images, others = listed(images), listed(others)
    if len(images) != len(others) and 1 not in (len(images), len(others)):
        raise ValueError(
            "similarity compares pairs, or one photograph with all others; "
            f"got {len(images)} and {len(others)}"
        )
    return images, others


def describe(photograph: Photograph, position: int) -> str:
    """How messages call a photograph: its place among the caller's, and its path if it has one."""
    photograph = photograph.photograph if isinstance(photograph, Boxed) else photograph
    path = f" ({photograph})" if isinstance(photograph, str | os.PathLike) else ""
    return f"photograph {position}{path}"


def checked_array(array: np.ndarray) -> np.ndarray:
    """An array uint8 [H, W, 3] or gray [H, W] as [H, W, 3]; raises ValueError if it is neither."""
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or array.shape[2:] not in ((), (3,)):
        raise ValueError(
            f"expected uint8 of shape [H, W, 3] or [H, W], got {array.dtype} {list(array.shape)}"
        )
    if not array.size:
        raise ValueError("the array is empty")
    return array if array.ndim == 3 else np.repeat(array[..., None], 3, axis=2)
