"""The names a served model answers to, and what it says of itself; needs no TensorFlow.

Signature -> inputs -> outputs, with N photographs, A attributes and vectors of length D:

- `embed_<attribute>`: image_bytes string [N] -> embedding float32 [N, D];
- `explain_<attribute>`: image_bytes -> embedding, attention float32 [N, h, w], box int32 [N, 4]
  (left, top, right, bottom in pixels of the photograph), size int32 [N, 2] (height, width);
- `similarity_<attribute>`: image_bytes, other_image_bytes -> similarity float32 [N];
- `embed`, `explain`, `similarity`: the same of the attributes in a further input, attribute
  string [N], one for each photograph or pair, or [1], one for all;
- `predict_<attribute>`: image_bytes -> probabilities float32 [N, V], of its values;
- `predict`: image_bytes -> for each attribute, by its name, the same;
- `serving_default`: image_bytes -> embeddings float32 [N, A, D];
- `embed_tensor`: images uint8 [N, H, W, 3], attribute -> embedding float32 [N, D];
- `metadata`: nothing -> attributes string [A], json string [], see `Metadata`.
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence

from asen_client.core.foreign import shown
from asen_client.core.limits import BOX_MARGIN

MODEL_NAME = "asen"

FITS = ("crop", "pad")
"""How a photograph becomes the square that a model sees: its centre, or all of it with margins."""

SERVING_DEFAULT = "serving_default"
PREDICT = "predict"
EMBED_TENSOR = "embed_tensor"
METADATA = "metadata"

IMAGE_BYTES = "image_bytes"
OTHER_IMAGE_BYTES = "other_image_bytes"
IMAGES = "images"
ATTRIBUTE = "attribute"
EMBEDDING = "embedding"
EMBEDDINGS = "embeddings"
ATTENTION = "attention"
BOX = "box"
SIZE = "size"
SIMILARITY = "similarity"
PROBABILITIES = "probabilities"
ATTRIBUTES = "attributes"
JSON = "json"

SAYS_NO_VALUES = (
    "this model was exported without what says which values photographs show: let "
    "asen_tf.fit_recognition(RUN) teach the run, then export it anew"
)

# In the assets folder of a SavedModel: the same text as the output `json` of `metadata`.
METADATA_FILE = "attributes.json"


def embed(attribute: str) -> str:
    """Name of the signature that embeds photographs in this attribute's space."""
    return f"embed_{attribute}"


def explain(attribute: str) -> str:
    """Name of the signature that says where the model looked for this attribute."""
    return f"explain_{attribute}"


def similarity(attribute: str) -> str:
    """Name of the signature that compares pairs of photographs in this attribute."""
    return f"similarity_{attribute}"


def predict(attribute: str) -> str:
    """Name of the signature that says how probable each value of this attribute is."""
    return f"{PREDICT}_{attribute}"


def prediction(attributes: Sequence[str]) -> tuple[str, list[str]]:
    """The signature that says how probable the values of attributes are, and its outputs."""
    if len(attributes) == 1:
        return predict(attributes[0]), [PROBABILITIES]
    return PREDICT, list(attributes)


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What a served model says of itself.

    Attributes:
      attributes: name -> values, in the order of `serving_default`.
      dimension: length of a vector, D.
      model: name and settings of the model.
      library_version: of the asen_tf that exported it.
      max_pixels: a photograph that declares more is refused.
      fit: how photographs become square images: "crop" or "pad".
      box_margin: of a garment's box, see `asen_client.Boxed`. The model takes no boxes: callers
        cut photographs before they send them.
      size: side of the square that the network sees, in pixels; None: an older export.
      version: of the model, in words: where its run validated best.
    """

    attributes: Mapping[str, Sequence[str]]
    dimension: int
    model: Mapping
    library_version: str
    max_pixels: int
    fit: str = "crop"
    box_margin: float = BOX_MARGIN
    size: int | None = None
    version: str = ""

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Metadata":
        """Reads what `to_json` wrote; keys that it does not know are left out.

        Raises:
          ValueError: the text is no JSON object, lacks a key, or has something else in its place.
        """
        what = "the metadata of a served model"
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{what} is no JSON: {error}") from error
        if not isinstance(given, dict):
            raise ValueError(f"{what} is no object but {type(given).__name__}")
        fields = dataclasses.fields(cls)
        required = {field.name for field in fields if field.default is dataclasses.MISSING}
        if missing := required - set(given):
            raise ValueError(f"{what} lacks {sorted(missing)}")
        if not _is_texts_by_name(given["attributes"]):
            raise ValueError(f"{what} has no lists of texts as attributes")
        for name, is_one in _CHECKS.items():
            if name in given and not is_one(given[name]):
                raise ValueError(f"{what} has a bad {name}: {shown(given[name])}")
        return cls(**{field.name: given[field.name] for field in fields if field.name in given})


def _is_whole(most: int) -> Callable[[object], bool]:
    return lambda given: type(given) is int and 1 <= given <= most


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "dimension": _is_whole(1 << 20),
    "model": lambda given: isinstance(given, dict),
    "library_version": lambda given: isinstance(given, str),
    "max_pixels": _is_whole(1 << 60),
    "fit": lambda given: isinstance(given, str) and given in FITS,
    "box_margin": lambda given: type(given) in (int, float) and 0 <= given < math.inf,
    "size": lambda given: given is None or _is_whole(1 << 12)(given),
    "version": lambda given: isinstance(given, str),
}


def _is_texts_by_name(given: object) -> bool:
    return isinstance(given, dict) and all(
        isinstance(values, list) and all(isinstance(value, str) for value in values)
        for values in given.values()
    )
