"""One training step, on every replica, that comes out the same each time."""

import math

import keras
import tensorflow as tf

from asen_tf.models.base import EmbeddingModel
from asen_tf.tracing import traced


class TrainStep:
    """Moves a compiled model along the gradient of its losses.

    It does what a step of `fit` does with the same `compute_loss`, and besides adds gradients in an
    order that does not depend on timing, and averages the moving statistics of replicas.

    Args:
      strategy: where it runs.
      model: made and compiled in the scope of the strategy.
      optimizer: built for its trainable variables, in the scope as well.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        model: EmbeddingModel,
        optimizer: keras.optimizers.Optimizer,
    ):
        self._strategy = strategy
        self._model = model
        self._optimizer = optimizer
        self._variables = model.trainable_variables
        self._run = traced(self._on_replicas)

    def __call__(self, batch) -> dict[str, tf.Tensor]:
        """Runs a step: a distributed batch (x, y) -> the loss and the gradient's norm.

        With several replicas that norm is the mean of the norms of their own gradients. It is 0
        of a step that is skipped, see `keras.optimizers.LossScaleOptimizer`.
        """
        return self._run(batch)

    def _on_replicas(self, batch):
        measured = self._strategy.run(self._on_replica, args=(batch,))
        return {
            name: self._strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in measured.items()
        }

    def _on_replica(self, batch):
        x, y = batch
        scale = self._optimizer.scale_loss(tf.ones(()))
        with tf.GradientTape() as tape:
            loss = self._model.compute_loss(x, y, self._model(x, training=True), training=True)
            scaled = scale * loss
        gradients = self._gradients(scaled, tape)
        norm = tf.linalg.global_norm(gradients) / scale
        if isinstance(self._optimizer, keras.optimizers.LossScaleOptimizer):
            gradients, norm = self._overflow_of_any(gradients, norm, scale)
        self._optimizer.apply(gradients, self._variables)
        self._share_statistics()
        return {"loss": loss, "gradient_norm": norm / self._strategy.num_replicas_in_sync}

    def _gradients(self, loss, tape):
        """The gradients of the variables, the same ones each time.

        A sum of three or more gradients would begin with whichever happens to be free to be
        overwritten: here they are added two by two, which only graphs can be asked for. Eagerly
        (`tf.config.run_functions_eagerly`, to look into a step) one operation follows another.
        """
        values = [variable.value for variable in self._variables]
        unconnected = tf.UnconnectedGradients.ZERO
        if tf.executing_eagerly():
            return tape.gradient(loss, values, unconnected_gradients=unconnected)
        return tf.gradients(
            loss,
            values,
            aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE,
            unconnected_gradients=unconnected,
        )

    def _overflow_of_any(self, gradients, norm, scale):
        """Gradients that no replica takes if those of one overflowed, and the norm to report.

        Keras asks the first replica alone whether to skip the step and to scale less from then on.
        What overflows only because it is scaled is no reason to stop a run.
        """
        norm = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, norm)
        finite = tf.math.is_finite(norm)
        spoiled = tf.where(finite, gradients[0], math.nan)
        return [spoiled, *gradients[1:]], tf.where(finite | (scale <= 1), norm, 0.0)

    def _share_statistics(self):
        """Averages the moving statistics, which Keras updates on each replica alone."""
        if self._strategy.num_replicas_in_sync == 1:
            return
        weights = [variable.value for variable in self._model.non_trainable_weights]
        statistics = [value for value in weights if value.dtype.is_floating]
        if not statistics:
            return
        means = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, [tf.identity(v) for v in statistics]
        )
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)
