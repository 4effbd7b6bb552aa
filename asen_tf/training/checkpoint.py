"""Everything a stage needs to go on as if it had never stopped."""

import tempfile
from pathlib import Path

import keras
import tensorflow as tf

_KEPT = 2
_COUNTERS = {
    "step": tf.int64,
    "best": tf.float64,
    "stale": tf.int64,
    "seconds": tf.float64,
    "began": tf.float64,
}


class Checkpoints:
    """Model, optimizer and the run's counters, saved together.

    Attributes:
      step: steps of the stage that are done.
      best: best validation score of the stage, -1 before the first.
      stale: validations since then.
      seconds: time that the whole run has taken.
      began: those of them that had passed when the stage began.

    Args:
      folder: where they lie. Every worker must save, because replicas hold parts of some
        variables, but only the chief's files count.
      model: built.
      optimizer: built.
      chief: whether this process is the chief.
    """

    def __init__(
        self,
        folder: Path,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        chief: bool = True,
    ):
        self.step, self.best, self.stale, self.seconds, self.began = 0, -1.0, 0, 0.0, 0.0
        self._counters = {
            name: tf.Variable(getattr(self, name), dtype=dtype) for name, dtype in _COUNTERS.items()
        }
        weights = set(map(id, model.weights))
        self._checkpoint = tf.train.Checkpoint(
            model=model,
            # TensorFlow does not find those that a MultiOptimizer shares out variables to.
            optimizers=list(getattr(optimizer, "optimizers", [optimizer])),
            # Nor the states of what draws numbers, such as dropout, which are not weights.
            states=[v.value for v in model.variables if id(v) not in weights],
            **self._counters,
        )
        self._folder = folder
        # What others than the chief have to write is removed with this object.
        self._elsewhere = None if chief else tempfile.TemporaryDirectory(prefix="asen_worker_")
        own = folder if chief else self._elsewhere.name
        self._manager = tf.train.CheckpointManager(self._checkpoint, own, max_to_keep=_KEPT)

    @property
    def latest(self) -> str | None:
        """The last checkpoint, None before the first."""
        return tf.train.latest_checkpoint(self._folder)

    def restore(self) -> bool:
        """Goes back to the last checkpoint, if there is one."""
        if not self.latest:
            return False
        self._checkpoint.restore(self.latest).assert_consumed()
        for name, variable in self._counters.items():
            setattr(self, name, variable.numpy().item())
        return True

    def save(self) -> None:
        for name, variable in self._counters.items():
            variable.assign(getattr(self, name))
        self._manager.save(checkpoint_number=self.step)
