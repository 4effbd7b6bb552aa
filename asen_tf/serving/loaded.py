"""A SavedModel in memory, as the server and `SavedModel` run it."""

import os
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

from asen_tf.core import files


class LoadedModel:
    """A SavedModel in memory, from a folder on any file system that TensorFlow knows.

    Attributes:
      signature_defs: name -> what the signature takes and gives.

    Raises:
      OSError, ValueError, tf.errors.OpError and others of TensorFlow's loader: the folder has no
      SavedModel, or a broken one.
    """

    def __init__(self, folder: str | os.PathLike):
        self.signature_defs = _signature_defs(folder)
        # Keeps the variables alive, which signatures only point to.
        with files.literal(folder) as place:
            self._loaded = tf.saved_model.load(place, tags=["serve"])

    def run(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
        """The outputs of a signature, by name.

        Raises:
          tf.errors.OpError: the graph refuses the inputs, or fails.
        """
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return self._loaded.signatures[signature](**tensors)


def _signature_defs(folder: str | os.PathLike) -> dict[str, meta_graph_pb2.SignatureDef]:
    with tf.io.gfile.GFile(os.path.join(folder, "saved_model.pb"), "rb") as file:
        saved = saved_model_pb2.SavedModel.FromString(file.read())
    for graph in saved.meta_graphs:
        if list(graph.meta_info_def.tags) == ["serve"]:
            return dict(graph.signature_def)
    raise ValueError(f"{folder}: no graph with the tag 'serve'")
