"""Which model filled a store."""

import dataclasses
import json
from collections.abc import Mapping, Sequence

import numpy as np

from asen_tf.core.attributes import AttributeSpace

# Vectors of the same photograph by the same model agree at least so well, on whatever machine;
# those of two versions of a model, trained apart or further, do not.
_SAME = 0.999


@dataclasses.dataclass(frozen=True)
class Identity:
    """What tells the vectors of one model from those of another.

    Attributes:
      space: the attributes, in the order of the vectors, and their values.
      dimension: D, the length of a vector.
      version: of the model, in its owner's words.
      fingerprint: [A][n] numbers, the beginnings of the vectors that the model gives to one fixed
        photograph; none where nobody asked the model.
    """

    space: AttributeSpace
    dimension: int
    version: str = ""
    fingerprint: Sequence[Sequence[float]] | None = None

    def check(self, other: "Identity") -> None:
        """Raises ValueError where the vectors of `other` do not belong beside those of this one.

        Fingerprints decide where both have one, otherwise versions where both have one.
        """
        if list(other.space) != list(self.space):
            raise ValueError(
                f"the store was filled by a model of the attributes {', '.join(self.space)}; "
                f"this one has {', '.join(other.space)}"
            )
        if other.dimension != self.dimension:
            raise ValueError(
                f"the store keeps vectors of {self.dimension} numbers, "
                f"this model gives {other.dimension}"
            )
        if self.fingerprint and other.fingerprint:
            self._check_fingerprint(other)
        elif self.version and other.version and self.version != other.version:
            raise ValueError(
                f"the store was filled by version {self.version!r} of the model, this is "
                f"{other.version!r}; index the catalogue anew, into another store"
            )

    def _check_fingerprint(self, other: "Identity") -> None:
        ours, theirs = np.array(self.fingerprint), np.array(other.fingerprint)
        norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        cosines = (ours * theirs).sum(1) / np.maximum(norms, 1e-12)
        # The region that an attribute is seen in may move by a pixel between two machines, so the
        # most of them decide.
        if np.median(cosines) < _SAME:
            raise ValueError(
                f"the store was filled by another model ({self.version or 'without a version'}): "
                f"of one photograph this one ({other.version or 'without a version'}) gives other "
                "vectors; index the catalogue anew, into another store"
            )

    def to_dict(self) -> Mapping:
        """What JSON can hold; `from_dict` reads it."""
        return {
            "attributes": [
                {"name": name, "values": self.space[name].values} for name in self.space
            ],
            "dimension": self.dimension,
            "version": self.version,
            "fingerprint": self.fingerprint,
        }

    @classmethod
    def from_dict(cls, given: Mapping) -> "Identity":
        space = AttributeSpace({one["name"]: one["values"] for one in given["attributes"]})
        return cls(space, given["dimension"], given["version"], given["fingerprint"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and json.dumps(self.to_dict()) == json.dumps(
            other.to_dict()
        )

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict()))
