"""What an exported model answers to: signatures by name, ours and those of other packages."""

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np
import tensorflow as tf

from asen_client.serving import signatures as names
from asen_tf.core.registry import Registry
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export.functions import Functions, Outputs

_OURS = "asen_tf.serving.export.builtin"
SIGNATURES = Registry(
    "signature",
    "asen_tf.signatures",
    {
        names.SERVING_DEFAULT: f"{_OURS}:EmbedAll",
        names.EMBED_TENSOR: f"{_OURS}:EmbedTensor",
        names.METADATA: f"{_OURS}:Describe",
        "embed": f"{_OURS}:Embed",
        "explain": f"{_OURS}:Explain",
        "similarity": f"{_OURS}:Similarity",
        names.PREDICT: f"{_OURS}:Predict",
    },
)

# Input -> array.
Request = dict[str, np.ndarray]


class Signature(abc.ABC):
    """A signature, with all that an export needs of it.

    A class that `SIGNATURES` knows by name goes into every export, which runs it in both loaders
    and compares the outputs with those of `answer` on the Keras model.

    Attributes:
      each_attribute: whether each attribute has one, called NAME_ATTRIBUTE.
      whole: whether there is one called NAME; given None: where `each_attribute` is False.
      inputs: name -> shape and dtype. The first dimension is that of the rows, None.

    Args:
      attribute: whose signature it is; None where it is not one of each attribute.
    """

    each_attribute = False
    whole: bool | None = None
    inputs: ClassVar[Mapping[str, tf.TensorSpec]] = {
        names.IMAGE_BYTES: tf.TensorSpec((None,), tf.string)
    }

    def __init__(self, attribute: str | None = None):
        self.attribute = attribute

    @classmethod
    def suits(cls, model: EmbeddingModel) -> bool:
        """Whether the model can answer it."""
        return True

    @abc.abstractmethod
    def answer(self, functions: Functions, **inputs: tf.Tensor) -> Outputs:
        """The outputs by name, a row for each row of the inputs; in a graph and eagerly.

        Args:
          functions: what the model does.
          **inputs: tensors as `inputs` says.
        """

    def sample(self, photographs: Sequence[bytes], attributes: Sequence[str]) -> Request:
        """A request of these encoded photographs and the exported attributes, to verify it by."""
        return {names.IMAGE_BYTES: np.array(photographs, object)}


def signatures_of(model: EmbeddingModel, attributes: Iterable[str]) -> dict[str, Signature]:
    """All that a model answers to, by name; ValueError where two would have one name."""
    kinds = {name: SIGNATURES[name] for name in SIGNATURES.names()}
    kinds = {name: kind for name, kind in kinds.items() if kind.suits(model)}
    found = {
        name: kind()
        for name, kind in kinds.items()
        if (not kind.each_attribute if kind.whole is None else kind.whole)
    }
    for attribute in attributes:
        for name, kind in kinds.items():
            if kind.each_attribute:
                whole = f"{name}_{attribute}"
                if whole in found:
                    raise ValueError(
                        f"attribute {attribute!r} cannot be served: there is another signature "
                        f"{whole}. Rename the attribute, or leave it out of --attributes"
                    )
                found[whole] = kind(attribute)
    return found
