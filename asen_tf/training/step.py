"""One training step of one stage, on every replica."""

from collections.abc import Callable

import tensorflow as tf

from asen_tf.models.base import EmbeddingModel
from asen_tf.training.stages import Stage


class TrainStep:
    """Moves the parts that a stage trains along the gradient of its weighted losses.

    Each part has an optimizer of its own, so that each can have its own rate. Losses are sums over
    a replica's examples divided by the global batch; the optimizers add the replicas' gradients.

    Args:
      strategy: where it runs.
      model: made in the scope of the strategy.
      objective: (model, batch, names) -> named per-example losses.
      stage: what to train.
      batch_size: of all replicas together.
      steps_per_epoch: for the schedules.
    """

    def __init__(
        self,
        strategy: tf.distribute.Strategy,
        model: EmbeddingModel,
        objective: Callable[..., dict[str, tf.Tensor]],
        stage: Stage,
        batch_size: int,
        steps_per_epoch: int,
    ):
        self._strategy = strategy
        self._model = model
        self._objective = objective
        self._stage = stage
        self._batch_size = batch_size
        parts = model.parts()
        self._variables = {part: parts[part] for part in stage.rates}
        with strategy.scope():
            self.optimizers = {
                part: stage.optimizer_of(part, steps_per_epoch) for part in stage.rates
            }
            for part, optimizer in self.optimizers.items():
                optimizer.build(self._variables[part])
        self._run = tf.function(self._on_replicas)

    def __call__(self, batch) -> dict[str, tf.Tensor]:
        """Runs a step: a distributed batch -> each loss, their total, and the gradient's norm.

        With several replicas that norm is the mean of the norms of their own gradients.
        """
        return self._run(batch)

    def _on_replicas(self, batch):
        measured = self._strategy.run(self._on_replica, args=(batch,))
        return {
            name: self._strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for name, value in measured.items()
        }

    def _on_replica(self, batch):
        with tf.GradientTape() as tape:
            losses = self._objective(self._model, batch, tuple(self._stage.losses), training=True)
            means = {n: tf.reduce_sum(loss) / self._batch_size for n, loss in losses.items()}
            total = sum(weight * means[n] for n, weight in self._stage.losses.items())
        gradients = self._gradients(total, tape)
        for part, optimizer in self.optimizers.items():
            optimizer.apply(gradients[part], self._variables[part])
        self._share_statistics()
        norm = tf.linalg.global_norm(tf.nest.flatten(gradients))
        replicas = self._strategy.num_replicas_in_sync
        return {**means, "total": total, "gradient_norm": norm / replicas}

    def _gradients(self, total, tape):
        """Part -> its gradients, the same ones each time.

        A sum of three or more gradients would begin with whichever happens to be free to be
        overwritten: here they are added two by two, which only graphs can be asked for. Eagerly
        (`tf.config.run_functions_eagerly`, to look into a step) one operation follows another.
        """
        values = {part: [v.value for v in own] for part, own in self._variables.items()}
        unconnected = tf.UnconnectedGradients.ZERO
        if tf.executing_eagerly():
            return tape.gradient(total, values, unconnected_gradients=unconnected)
        flat = tf.gradients(
            total,
            tf.nest.flatten(values),
            aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE,
            unconnected_gradients=unconnected,
        )
        return tf.nest.pack_sequence_as(values, flat)

    def _share_statistics(self):
        """Averages the moving statistics, which Keras updates on each replica alone."""
        if self._strategy.num_replicas_in_sync == 1:
            return
        statistics = [v.value for v in self._model.non_trainable_variables]
        if not statistics:
            return
        means = tf.distribute.get_replica_context().all_reduce(
            tf.distribute.ReduceOp.MEAN, [tf.identity(v) for v in statistics]
        )
        for variable, mean in zip(statistics, means, strict=True):
            variable.assign(mean)
