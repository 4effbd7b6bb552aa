"""An exported model in a worker."""

import re
from collections.abc import Sequence

import numpy as np

from asen_tf.serving import signatures as names

# float32 [A, D], or why there are no vectors.
Vectors = np.ndarray | str


class Vectorizer:
    """Gives the vectors of encoded photographs; one that is bad takes no other with it.

    Args:
      saved_model: folder of the SavedModel.
      served: all its attributes, in its order.
      attributes: those wanted.
    """

    def __init__(self, saved_model: str, served: Sequence[str], attributes: Sequence[str]):
        import tensorflow as tf  # workers need it, the program that starts them does not

        self._tf = tf
        self._loaded = tf.saved_model.load(saved_model)
        if len(attributes) == 1:  # the local branch works for each attribute
            signature, self._output = names.embed(attributes[0]), names.EMBEDDING
        else:
            signature, self._output = names.SERVING_DEFAULT, names.EMBEDDINGS
        self._signature = self._loaded.signatures[signature]
        self._columns = [list(served).index(name) for name in attributes]

    def __call__(self, encoded: Sequence[bytes]) -> list[Vectors]:
        """The vectors of each photograph, or what is wrong with it."""
        if not encoded:
            return []
        try:
            return list(self._embed(encoded))
        except self._tf.errors.InvalidArgumentError as error:
            if len(encoded) == 1:
                return [_reason(error.message)]
        # Not every error says which photograph it is about: halves find it in few calls.
        middle = len(encoded) // 2
        return self(encoded[:middle]) + self(encoded[middle:])

    def _embed(self, encoded) -> np.ndarray:
        """float32 [N, A, D]"""
        photographs = self._tf.constant(encoded, self._tf.string)
        found = self._signature(image_bytes=photographs)[self._output].numpy()
        return found[:, None] if found.ndim == 2 else found[:, self._columns]


def _reason(message: str) -> str:
    """What an error of TensorFlow says, without where in the graph it was raised."""
    said = message.split("\n\t [[")[0].splitlines()[-1]
    return re.sub(r"^assertion failed: \[(?:photograph 0: )?(.*)\]$", r"\1", said)
