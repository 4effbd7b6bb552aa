"""Which channels of the feature maps count for an attribute."""

import numpy as np
import tensorflow as tf

from asen_tf.models.base import EmbeddingModel


def channel_profiles(
    model: EmbeddingModel, canvases: np.ndarray, batch_size: int = 32
) -> np.ndarray:
    """How much each channel counts for each attribute: the mean over photographs.

    Args:
      model: one that weighs channels (`EmbeddingModel.weighs_channels`).
      canvases: uint8 [N, S, S, 3], N >= 1.
      batch_size: photographs that go through the model at once.

    Returns:
      float32 [A, C]; of ASEN, channel attention in 0..1.

    Raises:
      ValueError: the model does not weigh channels, or there is no photograph.
    """
    if not model.weighs_channels:
        raise ValueError(
            f"{type(model).__name__} does not weigh channels by attribute here: expected ASEN or "
            "ASENAAAI2020 with channel attention"
        )
    if not len(canvases):
        raise ValueError("expected photographs, received none")
    weigh = tf.function(
        lambda images: model.channel_weights(images, model.all_attributes(images)),
        reduce_retracing=True,
    )
    starts = range(0, len(canvases), batch_size)
    total = sum(weigh(canvases[n : n + batch_size]).numpy().sum(0) for n in starts)
    return total / len(canvases)
