"""What identifies a model: its attributes, and what it makes of one fixed image."""

import dataclasses
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from asen_client.core.attributes import AttributeSpace
from asen_client.core.foreign import shown

# Vectors of the same image by the same model agree at least so well, on whatever machine; those of
# two versions of a model, trained apart or further, do not.
_SAME = 0.999
# So much each attribute's do: a store may be filled by two models, of which one is another now.
_ALIKE = 0.5

# Numbers kept of each vector: enough to tell models apart, few enough to keep beside a store.
_NUMBERS = 32

_SIDE = 256
_WAVES = ((2, 1, 3), (1, 4, 5), (7, 2, 1))


@dataclasses.dataclass(frozen=True)
class Fingerprint:
    """What tells the vectors of one model from those of another.

    Attributes:
      attributes: in the order of the vectors, and their values.
      dimension: D, the length of a vector.
      version: what messages call the model.
      numbers: A times n, the beginnings of the vectors that the model gives to one fixed image,
        see `probe`; none where the model is not at hand.
    """

    attributes: AttributeSpace
    dimension: int
    version: str = ""
    numbers: tuple[tuple[float, ...], ...] | None = None

    @classmethod
    def of(cls, attributes: AttributeSpace, vectors: np.ndarray, version: str) -> "Fingerprint":
        """That of a model which gives these vectors [A, D] to the image of `probe`."""
        numbers = np.asarray(vectors, np.float64)[:, :_NUMBERS].round(6)
        return cls(attributes, vectors.shape[-1], version, tuple(map(tuple, numbers.tolist())))

    def check(self, other: "Fingerprint") -> None:
        """Raises ValueError where the vectors of `other` do not belong beside those of this one.

        Numbers decide where both have them, otherwise versions where both have one.
        """
        if list(other.attributes) != list(self.attributes):
            raise ValueError(
                f"the store was filled by a model of the attributes {', '.join(self.attributes)}; "
                f"this one has {', '.join(other.attributes)}"
            )
        if other.dimension != self.dimension:
            raise ValueError(
                f"the store keeps vectors of {self.dimension} numbers, "
                f"this model gives {other.dimension}"
            )
        if self.numbers and other.numbers:
            if not self._same_numbers(other):
                raise ValueError(
                    f"the store was filled by another model ({self.version or 'without a version'})"
                    f": of one photograph this one ({other.version or 'without a version'}) gives "
                    "other vectors; index the catalogue anew, into another store"
                )
        elif self.version and other.version and self.version != other.version:
            raise ValueError(
                f"the store was filled by version {self.version!r} of the model, this is "
                f"{other.version!r}; index the catalogue anew, into another store"
            )

    def matches(self, other: "Fingerprint") -> bool:
        """Whether `check` finds nothing."""
        try:
            self.check(other)
        except ValueError:
            return False
        return True

    def _same_numbers(self, other: "Fingerprint") -> bool:
        ours, theirs = np.array(self.numbers), np.array(other.numbers)
        norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        cosines = (ours * theirs).sum(1) / np.maximum(norms, 1e-12)
        # The region that an attribute is seen in may move by a pixel between two machines, so the
        # most of them decide.
        return np.median(cosines) >= _SAME and cosines.min() >= _ALIKE

    def to_dict(self) -> dict:
        """What JSON can hold; `from_dict` reads it."""
        return {
            "attributes": [
                {"name": name, "values": self.attributes[name].values} for name in self.attributes
            ],
            "dimension": self.dimension,
            "version": self.version,
            "fingerprint": self.numbers,
        }

    @classmethod
    def from_dict(cls, given: Mapping) -> "Fingerprint":
        """Reads what `to_dict` gave, also through JSON; ValueError, KeyError, TypeError: not it."""
        attributes = AttributeSpace({one["name"]: one["values"] for one in given["attributes"]})
        dimension, version, numbers = given["dimension"], given["version"], given["fingerprint"]
        if type(dimension) is not int or dimension < 1:
            raise ValueError(f"dimension {shown(dimension)}, expected a whole number from 1")
        if not isinstance(version, str):
            raise ValueError(f"version {shown(version)}, expected text")
        if numbers:
            if np.array(numbers, np.float64).ndim != 2 or len(numbers) != len(attributes):
                raise ValueError("fingerprint: expected as many numbers for each attribute")
            numbers = tuple(map(tuple, numbers))
        return cls(attributes, dimension, version, numbers)


def probe() -> bytes:
    """The fixed image, as PNG: waves, a block and lines, the same everywhere and always."""
    y, x = np.mgrid[0:_SIDE, 0:_SIDE] / _SIDE
    waves = [np.sin(2 * np.pi * (a * x + b * y * y + c * x * y)) for a, b, c in _WAVES]
    pixels = np.stack([127.5 + 127.5 * wave for wave in waves], -1).round().astype(np.uint8)
    pixels[_SIDE // 4 : _SIDE // 2, _SIDE // 3 : _SIDE // 2] = (200, 40, 60)
    pixels[_SIDE // 2 :: 16, _SIDE // 2 :] = 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
