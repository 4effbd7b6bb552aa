"""Models in one file, for runtimes that are not TensorFlow; nothing here needs it.

A file takes `images`, uint8 [N, S, S, 3], the squares that the network sees (RGB, upright), and
gives for A attributes, in the order of its metadata:

- `embeddings`: float32 [N, A, D], unit vectors;
- `attention`: float32 [N, A, h, w], over the square, summing to 1; where the model has attention;
- `box`: float32 [N, A, 4], left, top, right, bottom as parts of the square's side; likewise;
- `probabilities`: float32 [N, A, W], 0 beyond the values of an attribute that has fewer than W;
  where the model says which values photographs show.
"""

from asen_tf.serving.files.model import FileModel
from asen_tf.serving.files.runtime import RUNTIMES, Runtime

__all__ = ["RUNTIMES", "FileModel", "Runtime"]
