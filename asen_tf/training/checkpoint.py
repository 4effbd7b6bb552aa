"""Everything a stage needs to go on as if it had never stopped."""

import os
import shutil
import tempfile
from pathlib import Path

import keras
import tensorflow as tf

from asen_tf.core import files
from asen_tf.core.progress import say
from asen_tf.training.disk import reason, writing

_KEPT = 2
_UNFINISHED = "unfinished-"
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
            optimizers=_each(optimizer),
            # Nor the states of what draws numbers, such as dropout, which are not weights.
            states=[v.value for v in model.variables if id(v) not in weights],
            **self._counters,
        )
        _ = self._checkpoint.save_counter  # TensorFlow's own, which counts as a part of it
        self._folder = folder
        # What others than the chief have to write is removed with this object.
        self._elsewhere = None if chief else tempfile.TemporaryDirectory(prefix="asen_worker_")
        self._own = folder if chief else Path(self._elsewhere.name)
        self._whole = _steps(folder)

    @property
    def latest(self) -> Path | None:
        """The last checkpoint, None before the first."""
        return self._folder / _name(self._whole[-1]) if self._whole else None

    def restore(self) -> bool:
        """Goes back to the last checkpoint, if there is one; to the one before if it is damaged.

        Raises:
          ValueError: all of them are.
        """
        found, problem = list(self._whole), None
        while self._whole:
            try:
                with files.literal(self._folder) as folder:
                    path = os.path.join(folder, _name(self._whole[-1]))
                    read = self._checkpoint.restore(path)
            except Exception as error:  # many types, of files that hold other bytes
                problem = f"{self.latest} is damaged ({reason(error)})"
                self._whole.pop()
                if self._whole:
                    say(f"{problem}; going back to {self.latest.name}")
                continue
            read.assert_consumed()
            for name, variable in self._counters.items():
                setattr(self, name, variable.numpy().item())
            return True
        if found:
            raise ValueError(f"{problem}; delete {self._folder} to begin this stage again")
        return False

    def save(self) -> None:
        """Keeps what there is now.

        Raises:
          OSError: it cannot be written; the checkpoints before stay.
        """
        for name, variable in self._counters.items():
            variable.assign(getattr(self, name))
        self._own.mkdir(parents=True, exist_ok=True)
        kept = f"; {self.latest.name} is kept" if self.latest else "; there is none before it"
        name = _name(self.step)
        with files.literal(self._own) as folder, writing(self._own / name, kept):
            self._checkpoint.write(os.path.join(folder, _UNFINISHED + name))
            self._finish(name)
        self._whole = [*(step for step in self._whole if step != self.step), self.step]
        for step in set(_steps(self._own)).difference(self._whole[-_KEPT:]):
            for file in self._own.glob(f"{_name(step)}.*"):
                file.unlink()
        for unfinished in self._own.glob(f"{_UNFINISHED}*"):
            if unfinished.is_dir():
                shutil.rmtree(unfinished, ignore_errors=True)
            else:
                unfinished.unlink()

    def _finish(self, name):
        """TensorFlow writes the index where it will be read: a killed process leaves a part."""
        written = list(self._own.glob(f"{_UNFINISHED}{name}.*"))
        for file in sorted(written, key=lambda file: file.suffix == ".index"):
            file.replace(self._own / file.name.removeprefix(_UNFINISHED))


def _each(optimizer: keras.optimizers.Optimizer) -> list[keras.optimizers.Optimizer]:
    """TensorFlow does not find those that a MultiOptimizer shares out variables to."""
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return [optimizer, *_each(optimizer.inner_optimizer)]
    return list(getattr(optimizer, "optimizers", [optimizer]))


def _name(step: int) -> str:
    return f"ckpt-{step}"


def _steps(folder: Path) -> list[int]:
    """Those of the checkpoints in a folder, oldest first; the index comes last."""
    names = (path.stem.removeprefix("ckpt-") for path in folder.glob("ckpt-*.index"))
    return sorted(int(name) for name in names if name.isdecimal())
