"""The losses that a model was compiled with."""

from collections.abc import Mapping

import keras
import tensorflow as tf

from asen_client.core.errors import unknown_name
from asen_tf.losses import Loss


class CompiledLosses:
    """Named losses and their weights; keeps the running mean of each.

    Attributes:
      outputs: names of the model's outputs that they need.
      means: a Keras metric for each.
    """

    def __init__(self, losses: Mapping[str, Loss], weights: Mapping[str, float]):
        for name in weights:
            if name not in losses:
                raise ValueError(unknown_name("loss in loss_weights", name, losses))
        self._losses = dict(losses)
        self._weights = {name: weights.get(name, 1.0) for name in losses}
        self.outputs = tuple(dict.fromkeys(o for loss in losses.values() for o in loss.outputs))
        self.means = {name: keras.metrics.Mean(name) for name in losses}

    @classmethod
    def of(cls, loss, weights) -> "CompiledLosses | None":
        """What `compile` takes; a loss alone goes by its own name. None without a loss."""
        if loss is None:
            return None
        alone = {getattr(loss, "name", "loss"): loss}
        losses = dict(loss) if isinstance(loss, Mapping) else alone
        for name, given in losses.items():
            if not isinstance(given, Loss):
                raise ValueError(
                    f"loss {name!r} must be an asen_tf.losses.Loss, which names the outputs that "
                    f"it needs, got {type(given).__name__}"
                )
        return cls(losses, weights or {})

    def __call__(self, targets, outputs) -> tf.Tensor:
        """Their weighted sum for a batch, the share of this replica: float32 []."""
        total = 0.0
        for name, loss in self._losses.items():
            value = loss(targets, outputs)
            self.means[name].update_state(value)
            total += self._weights[name] * value
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return total if replicas == 1 else total / replicas

    def get_config(self) -> dict:
        """As `compile` takes them, serialised."""
        losses = {n: keras.saving.serialize_keras_object(x) for n, x in self._losses.items()}
        return {"loss": losses, "loss_weights": self._weights}
