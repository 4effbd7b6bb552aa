"""The triplet ranking loss of ASEN and ASEN++."""

from collections.abc import Sequence

import keras
import tensorflow as tf
from keras import ops

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import MINING, NO_MINING
from asen_tf.losses.base import Loss, example_mean, holds_triplets
from asen_tf.losses.distances import check_distance, similarity
from asen_tf.losses.mining import mined_triplet_loss, pair_masks


def triplet_loss(anchor, positive, negative, margin: float = 0.2, distance: str = "cosine"):
    """max(0, margin - s(a, p) + s(a, n)), a value a triplet: three [..., D] -> [...].

    Args:
      anchor, positive, negative: embeddings, not normalised.
      margin: of the ranking loss.
      distance: s is the cosine, or with "euclidean" (Veit et al., CVPR 2017) and
        "squared_euclidean" the negative distance.
    """
    return ops.relu(
        margin - similarity(anchor, positive, distance) + similarity(anchor, negative, distance)
    )


@keras.saving.register_keras_serializable(package="asen_tf")
class TripletLoss(Loss):
    """Anchors are nearer to images that share their value than to others, by a margin.

    Args:
      output: name of the embeddings, see `Loss`.
      distance: "cosine", "euclidean" or "squared_euclidean".
      mining: which triplets count. "none": those that the batch holds, three rows each: anchor,
        positive, negative. "all", "semi_hard", "hard": those that its labelled images form, see
        `mined_triplet_loss`.
      margin: by how much.
      offsets: `AttributeSpace.offsets`, with mining; None: all labels are of one attribute.
      name: what it is called in logs.

    Call arguments:
      y_true: targets of the library's batches, see `Loss`. In an ordinary Keras model: with
        mining, int [N], the class of each image; without, it is not used: give `fit` whole triplets
        (`batch_size` a multiple of 3) and `shuffle=False`, for it shuffles rows of arrays.
      y_pred: embeddings float [N, D] or [N, M, D], M attributes an image, not normalised; alone
        or by name.

    Returns:
      float [E], a value for each triplet, or for each image: the mean over the attributes for
      which it anchors a triplet, 0 where there is none.
    """

    def __init__(
        self,
        output: str = "embedding",
        distance: str = "cosine",
        mining: str = NO_MINING,
        margin: float = 0.2,
        offsets: Sequence[int] | None = None,
        name: str = "triplet_loss",
    ):
        super().__init__(output, name)
        check_distance(distance)
        if mining not in MINING:
            raise ValueError(unknown_name("mining", mining, MINING))
        if not (margin >= 0 and margin < float("inf")):
            raise ValueError(f"margin must be a number from 0, got {margin}")
        self.distance = distance
        self.mining = mining
        self.needs_labels = mining != NO_MINING
        self.margin = margin
        self.offsets = None if offsets is None else tuple(offsets)

    def call(self, y_true, y_pred):
        (embeddings,) = self.select(y_pred)
        if len(embeddings.shape) == 2:
            embeddings = embeddings[:, None]
        if self.mining == NO_MINING:
            return self._of_triplets(y_true, embeddings)
        return self._mined(y_true, embeddings)

    def _of_triplets(self, y_true, embeddings):
        if isinstance(y_true, dict) and not holds_triplets(y_true):
            raise ValueError(
                f"{self.name} has mining='none', which takes batches of triplets; this one holds "
                "labelled images: choose mining 'all', 'semi_hard' or 'hard', or sampling 'triplet'"
            )
        expected = (
            f"{self.name} has mining='none', which takes anchor, positive and negative in turn, "
            "three rows a triplet"
        )
        if embeddings.shape[0] is None:
            # Of `fit`, which cuts arrays into batches of `batch_size` rows and one of the rest.
            rows = tf.shape(embeddings)[0]
            message = f"{expected}: make batch_size and the number of rows multiples of 3"
            with tf.control_dependencies([tf.debugging.assert_equal(rows % 3, 0, message)]):
                embeddings = tf.identity(embeddings)
        elif embeddings.shape[0] % 3:
            raise ValueError(f"{expected}: got {embeddings.shape[0]} rows")
        roles = ops.reshape(embeddings, (-1, 3, *ops.shape(embeddings)[1:]))
        loss = triplet_loss(*ops.unstack(roles, 3, axis=1), self.margin, self.distance)
        return ops.mean(loss, axis=1)

    def _mined(self, y_true, embeddings):
        if holds_triplets(y_true):
            raise ValueError(
                f"{self.name} has mining={self.mining!r}, which takes batches of labelled images; "
                "this one holds triplets: choose mining 'none', or sampling 'multi_attribute'"
            )
        loss, valid = mined_triplet_loss(
            embeddings, *self._masks(y_true), self.margin, self.mining, self.distance
        )
        return tf.math.divide_no_nan(
            tf.reduce_sum(loss, 1), tf.reduce_sum(tf.cast(valid, loss.dtype), 1)
        )

    def _masks(self, y_true):
        if not isinstance(y_true, dict):
            classes = tf.reshape(y_true, (-1,))
            shared = classes[:, None] == classes[None, :]
            same = tf.eye(tf.shape(classes)[0], dtype=tf.bool)
            return (shared & ~same)[None], (~shared)[None]
        labels = y_true["labels"]
        offsets = self.offsets or (0, labels.shape[1])
        # The same attributes for every image.
        return pair_masks(labels, y_true["attributes"][0], offsets, y_true["ids"])

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "distance": self.distance,
            "mining": self.mining,
            "margin": self.margin,
            "offsets": self.offsets,
        }


@keras.saving.register_keras_serializable(package="asen_tf")
class AlignmentLoss(Loss):
    """Holds two branches together: 1 - cos(f_g, f_l) (ASEN++). Gradients into both.

    The sum over the three roles of a triplet; a labelled image plays all of them.

    Args:
      output: names of the two embeddings, float [N, M, D], of one length.
      name: what it is called in logs.
    """

    def __init__(self, output: Sequence[str] = ("global", "local"), name: str = "alignment"):
        super().__init__(output, name)
        if len(self.outputs) != 2:
            raise ValueError(f"alignment compares two outputs, got {', '.join(self.outputs)}")

    def call(self, y_true, y_pred):
        one, other = self.select(y_pred)
        if one.shape[-1] != other.shape[-1]:
            raise ValueError(
                "alignment compares the two branches' embeddings: embedding_dim must be the same, "
                f"got {one.shape[-1]} ({self.outputs[0]}) and {other.shape[-1]} "
                f"({self.outputs[1]})"
            )
        return 3.0 * example_mean(y_true, 1.0 - similarity(one, other))
