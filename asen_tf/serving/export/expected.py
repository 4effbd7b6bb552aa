"""What a servable should answer: the Keras model's answers, from outside of any SavedModel."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from asen_tf.data.photographs import to_canvas
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving import signatures as names
from asen_tf.serving.export.samples import Requests
from asen_tf.serving.signatures import Metadata

# Output -> array.
Answer = dict[str, np.ndarray]


def expected_answers(
    model: EmbeddingModel,
    ids: Mapping[str, int],
    slices: Sequence[str] | None,
    metadata: Metadata,
    requests: Requests,
) -> dict[str, Answer]:
    """The Keras model's answers to `samples.requests`.

    Args:
      model, ids, slices, metadata: see `Servable`.
      requests: those whose answers are wanted.

    Returns:
      Signature -> output -> array.
    """
    embed = tf.function(lambda canvases, pairs: model.embed(canvases, pairs, slices))
    canvases, sizes = _canvases(requests[names.SERVING_DEFAULT][names.IMAGE_BYTES], model)
    pairs = np.tile(np.array(list(ids.values()), np.int32), (len(canvases), 1))
    vectors = embed(canvases, pairs).numpy()

    tensors = requests[names.EMBED_TENSOR]
    wanted = np.array([[ids[name.decode()]] for name in tensors[names.ATTRIBUTE]], np.int32)
    images, _ = _canvases(tensors[names.IMAGES], model)
    answers = {
        names.SERVING_DEFAULT: {names.EMBEDDINGS: vectors},
        names.EMBED_TENSOR: {names.EMBEDDING: embed(images, wanted)[:, 0].numpy()},
        names.METADATA: {
            names.ATTRIBUTES: np.array([name.encode() for name in ids], object),
            names.JSON: np.array(metadata.to_json().encode(), object),
        },
    }
    for place, name in enumerate(ids):
        vector = vectors[:, place]
        answers[names.embed(name)] = {names.EMBEDDING: vector}
        # The other photographs of a request are the same in reverse.
        answers[names.similarity(name)] = {names.SIMILARITY: (vector * vector[::-1]).sum(-1)}
    if model.explains:
        attention, boxes = tf.function(model.explain)(canvases, pairs, sizes)
        for place, name in enumerate(ids):
            answers[names.explain(name)] = {
                names.EMBEDDING: vectors[:, place],
                names.ATTENTION: attention[:, place].numpy(),
                names.BOX: boxes[:, place].numpy(),
                names.SIZE: sizes,
            }
    return answers


def _canvases(photographs: Iterable, model) -> tuple[np.ndarray, np.ndarray]:
    prepared = [
        to_canvas(photograph, row, model.image_size) for row, photograph in enumerate(photographs)
    ]
    canvases = np.stack([canvas.numpy() for canvas, _ in prepared])
    return canvases, np.array([size for _, size in prepared], np.int32)
