"""An exported model in this process."""

import os
from collections.abc import Iterable, Sequence
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names
from asen_client.embedders.images import Place
from asen_client.serving import signatures, tensors
from asen_client.serving.base import MAX_MESSAGE_BYTES
from asen_client.serving.batches import split
from asen_client.serving.described import DescribedEmbedder
from asen_client.serving.errors import invalid_input
from asen_tf.images import Photograph
from asen_tf.serving.loaded import LoadedModel


class SavedModel(DescribedEmbedder):
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

    def call(
        self,
        signature: str,
        images: Photograph | Iterable[Photograph] | None = None,
        /,
        **inputs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """See `Client.call`: output -> array."""
        check_names("signature", [signature], self._model.signature_defs)
        if images is None:
            return self._answer(signature, tensors.to_arrays(inputs), ())
        places = self._placed(images)
        outputs = list(self._model.signature_defs[signature].outputs)
        arrays = tensors.to_arrays(inputs, len(places))
        return dict(zip(outputs, self._run(signature, places, outputs, arrays), strict=True))

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        self.attributes.index(attribute)
        return self._run(signatures.embed(attribute), images, [signatures.EMBEDDING])[0]

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        return self._run(signatures.SERVING_DEFAULT, images, [signatures.EMBEDDINGS])[0]

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        self.attributes.index(attribute)
        signature = signatures.explain(attribute)
        if signature not in self._model.signature_defs:
            return super()._explain(images, attribute)
        attention, boxes = self._run(signature, images, [signatures.ATTENTION, signatures.BOX])
        return attention, boxes

    _says_no_values = signatures.SAYS_NO_VALUES

    def _predict(self, images: Sequence[Place], attributes: Sequence[str]) -> list[np.ndarray]:
        for name in attributes:
            self.attributes.index(name)
        signature, outputs = signatures.prediction(attributes)
        if signature not in self._model.signature_defs:
            return super()._predict(images, attributes)
        return self._run(signature, images, outputs)

    def _run(
        self,
        signature: str,
        images: Sequence[Place],
        outputs: Sequence[str],
        inputs: tensors.Inputs = MappingProxyType({}),
    ) -> list[np.ndarray]:
        """The outputs of a signature for all images; `inputs` have a row for each."""
        described = self._model.signature_defs[signature].outputs
        found = {name: [tensors.empty(described[name])] for name in outputs}
        # A file that no server would take is no photograph here either.
        for batch in split(images, self._batch_size, MAX_MESSAGE_BYTES):
            rows = [place.position for place in batch.places]
            given = {name: array[rows] for name, array in inputs.items()}
            given[signatures.IMAGE_BYTES] = np.array(batch.images, object)
            answer = self._answer(signature, given, batch.places)
            for name in outputs:
                found[name].append(answer[name])
        return [np.concatenate(arrays) for arrays in found.values()]

    def _answer(
        self, signature: str, inputs: tensors.Inputs, places: Sequence[Place]
    ) -> dict[str, np.ndarray]:
        try:
            found = self._model.run(signature, inputs)
        except tf.errors.InvalidArgumentError as error:
            raise invalid_input(error.message, places) from error
        return {name: tensor.numpy() for name, tensor in found.items()}
