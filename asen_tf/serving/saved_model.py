"""An exported model in this process: what the client offers, without a server."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf

from asen_tf.core.attributes import AttributeSpace
from asen_tf.data.photograph_forms import Photograph, listed
from asen_tf.serving import signatures
from asen_tf.serving.client.base import MAX_MESSAGE_BYTES
from asen_tf.serving.client.batches import split
from asen_tf.serving.client.errors import from_status
from asen_tf.serving.client.places import placed


class SavedModel:
    """What `asen-export` wrote, loaded here.

    Attributes:
      metadata: what the model says of itself.
      attributes: those it knows; iterating them gives their names in order.

    Args:
      folder: a version, such as DIR/1.
      batch_size: photographs that go through the model at once.

    Raises:
      FileNotFoundError: there is no such model.
    """

    def __init__(self, folder: str | os.PathLike, batch_size: int = 32):
        described = Path(folder) / "assets" / signatures.METADATA_FILE
        if not described.is_file():
            raise FileNotFoundError(
                f"{described}: no such file; expected a version that asen-export wrote, such as "
                "DIR/1"
            )
        self.metadata = signatures.Metadata.from_json(described.read_bytes())
        self.attributes = AttributeSpace(self.metadata.attributes)
        self._batch_size = batch_size
        self._loaded = tf.saved_model.load(os.fspath(folder))

    def embed_all(self, images: Photograph | Iterable[Photograph]) -> np.ndarray:
        """Unit vectors in every attribute's space, float32 [N, A, D]; see `Client`.

        Raises:
          InvalidInputError: a photograph is missing or refused; it is a ValueError.
        """
        vectors = [np.empty((0, len(self.attributes), self.metadata.dimension), np.float32)]
        for found in self._answers(signatures.SERVING_DEFAULT, images):
            vectors.append(found[signatures.EMBEDDINGS].numpy())
        return np.concatenate(vectors)

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the model looked for an attribute; see `Client`.

        Returns:
          attention float32 [N, h, w] and boxes int32 [N, 4], of one photograph or more.

        Raises:
          ValueError: an unknown attribute, or no photographs.
          NotImplementedError: the model has no attention.
          InvalidInputError: a photograph is missing or refused; it is a ValueError.
        """
        self.attributes.index(attribute)
        signature = signatures.explain(attribute)
        if signature not in self._loaded.signatures:
            raise NotImplementedError("this model has no attention that says where it looks")
        found = list(self._answers(signature, images))
        if not found:
            raise ValueError("expected at least one photograph, got none")
        attention, boxes = (
            np.concatenate([answer[name].numpy() for answer in found])
            for name in (signatures.ATTENTION, signatures.BOX)
        )
        return attention, boxes

    def _answers(
        self, signature: str, images: Photograph | Iterable[Photograph]
    ) -> Iterator[dict[str, tf.Tensor]]:
        """What a signature gives, batch by batch."""
        ask = self._loaded.signatures[signature]
        # A file that no server would take is no photograph here either.
        for batch in split(placed(listed(images)), self._batch_size, MAX_MESSAGE_BYTES):
            try:
                yield ask(image_bytes=tf.constant(batch.images, tf.string))
            except tf.errors.InvalidArgumentError as error:
                code = grpc.StatusCode.INVALID_ARGUMENT
                raise from_status(code, error.message, batch.places) from error
