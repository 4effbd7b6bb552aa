"""What every loss of the library has in common."""

from collections.abc import Sequence

import keras
from keras import ops


class Loss(keras.losses.Loss):
    """A loss on named outputs of a model.

    A loss of one's own is one registered class:

        @LOSSES.register("center")
        @keras.saving.register_keras_serializable(package="my_package")
        class CenterLoss(Loss):
            def call(self, y_true, y_pred):
                return ...  # float [E], a value for each example

    `call` gets the targets of a batch and the model's outputs by name; where it stands in an
    ordinary Keras model, it gets that model's only output. Batches of the library bring as targets
    `attributes` int32 [N, M]; `roles` int32 [N], 0, 1, 2 in turn, where they hold triplets; else
    `ids` int64 [N]; and `labels` bool [N, V] where `needs_labels`.

    Attributes:
      outputs: names of the model's outputs that it needs.
      needs_labels: whether it needs `labels`.

    Args:
      output: name of the output, or several.
      name: what the loss is called in logs.
    """

    needs_labels = False

    def __init__(self, output: str | Sequence[str] = "embedding", name: str | None = None):
        super().__init__(name=name)
        self.outputs = (output,) if isinstance(output, str) else tuple(output)

    def __call__(self, y_true, y_pred, sample_weight=None):
        """The mean over the examples, float32 []. Targets keep their dtypes."""
        values = self.call(y_true, y_pred)
        if sample_weight is not None:
            values = values * ops.cast(sample_weight, values.dtype)
        return ops.sum(values) / ops.cast(ops.shape(values)[0], values.dtype)

    def select(self, y_pred) -> list:
        """The outputs it needs, of a dict or as the only one."""
        return [y_pred[name] for name in self.outputs] if isinstance(y_pred, dict) else [y_pred]

    def get_config(self) -> dict:
        output = self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)
        return {"output": output, "name": self.name}


def holds_triplets(y_true) -> bool:
    """Whether the targets are those of triplets: anchor, positive and negative in turn."""
    return isinstance(y_true, dict) and "roles" in y_true


def example_mean(y_true, values):
    """The mean of values [N, M] over the roles or attributes of each example, [E]."""
    if holds_triplets(y_true):
        values = ops.reshape(values, (-1, 3 * ops.shape(values)[1]))
    return ops.mean(values, axis=1)
