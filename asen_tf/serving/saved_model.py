"""An exported model in this process."""

import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from asen_tf.core.attributes import AttributeSpace
from asen_tf.embedders.base import BaseEmbedder
from asen_tf.embedders.images import Place
from asen_tf.serving import signatures
from asen_tf.serving.client import tensors
from asen_tf.serving.client.base import MAX_MESSAGE_BYTES
from asen_tf.serving.client.batches import split
from asen_tf.serving.client.errors import invalid_input
from asen_tf.serving.loaded import LoadedModel


class SavedModel(BaseEmbedder):
    """The `Embedder` of what `asen-export` wrote, without a server.

    Attributes:
      metadata: what the model says of itself.

    Args:
      folder: a version, such as DIR/1, on any file system that TensorFlow knows.
      batch_size: photographs that go through the model at once.

    Raises:
      FileNotFoundError: there is no such model.
    """

    def __init__(self, folder: str | os.PathLike, batch_size: int = 32):
        described = os.path.join(folder, "assets", signatures.METADATA_FILE)
        try:
            with tf.io.gfile.GFile(described, "rb") as file:
                self.metadata = signatures.Metadata.from_json(file.read())
        except tf.errors.NotFoundError:
            raise FileNotFoundError(
                f"{described}: no such file; expected a version that asen-export wrote, such as "
                "DIR/1"
            ) from None
        self.version = os.fspath(folder)
        self._attributes = AttributeSpace(self.metadata.attributes)
        self._batch_size = batch_size
        self._model = LoadedModel(folder)

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order."""
        return self._attributes

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        self.attributes.index(attribute)
        return self._run(signatures.embed(attribute), images, signatures.EMBEDDING)[0]

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        return self._run(signatures.SERVING_DEFAULT, images, signatures.EMBEDDINGS)[0]

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        self.attributes.index(attribute)
        signature = signatures.explain(attribute)
        if signature not in self._model.signature_defs:
            return super()._explain(images, attribute)
        attention, boxes = self._run(signature, images, signatures.ATTENTION, signatures.BOX)
        return attention, boxes

    def _run(self, signature: str, images: Sequence[Place], *outputs: str) -> list[np.ndarray]:
        """The outputs of a signature for all images."""
        described = self._model.signature_defs[signature].outputs
        found = {name: [tensors.empty(described[name])] for name in outputs}
        # A file that no server would take is no photograph here either.
        for batch in split(images, self._batch_size, MAX_MESSAGE_BYTES):
            encoded = np.array(batch.images, object)
            try:
                answer = self._model.run(signature, {signatures.IMAGE_BYTES: encoded})
            except tf.errors.InvalidArgumentError as error:
                raise invalid_input(error.message, batch.places) from error
            for name in outputs:
                found[name].append(answer[name].numpy())
        return [np.concatenate(arrays) for arrays in found.values()]
