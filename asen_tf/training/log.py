"""What a run says while it runs: a line, the history file, TensorBoard."""

import contextlib
import math
import time
from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from ml_collections import config_dict

from asen_tf.core.progress import duration, say
from asen_tf.evaluation.report import LABELS
from asen_tf.training.disk import writing
from asen_tf.training.stages import Stage
from asen_tf.workdir import Workdir


class Log:
    """Writes what steps measured, now and then.

    Nothing is read off the device between two calls of `write`.

    Args:
      workdir: gets `history.jsonl` and `tensorboard/`.
      config: of the run.
      stages: of the run, in their order.
      chief: others write nothing.
      callbacks: `on_epoch_end(step, values)` of each gets every entry of the history, named and
        counted as in TensorBoard: "stage2/loss", steps of all stages. `model.optimizer` is None:
        a stage's optimizer is not the model's.
    """

    def __init__(
        self,
        workdir: Workdir,
        config: config_dict.ConfigDict,
        stages: Sequence[Stage],
        chief: bool = True,
        callbacks: keras.callbacks.CallbackList | None = None,
    ):
        self._callbacks = callbacks or keras.callbacks.CallbackList()
        self._workdir = workdir
        self._stages = list(stages)
        self._chief = chief
        self._batch_size = config.train.batch_size
        self._steps = 0
        self._since = time.monotonic()
        self._offset = 0
        self._score = ""

    def __enter__(self) -> "Log":
        folder = str(self._workdir.tensorboard)
        writer = (
            tf.summary.create_file_writer
            if self._chief
            else lambda _: tf.summary.create_noop_writer()
        )
        self._writer = writer(folder)
        self._callbacks.on_train_begin()
        return self

    def __exit__(self, kind, *_) -> None:
        try:
            with writing(self._workdir.tensorboard):
                self._writer.close()
        except OSError:
            if kind is None:
                raise
        if kind is None:
            self._callbacks.on_train_end()

    def resume(self, stage: Stage, step: int) -> None:
        """A stage begins, or goes on from `step`; later entries of it are forgotten."""
        entries = self._workdir.history()
        kept = [e for e in entries if e["stage"] != stage.name or e["step"] <= step]
        if self._chief:
            self._workdir.write_history(kept)
            if step:
                say(f"{stage.name} goes on from step {step}")
        earlier = {e["stage"]: e["step"] for e in kept if e["stage"] != stage.name}
        self._offset = sum(earlier.values())
        self._steps, self._since = step, time.monotonic()
        self._score = ""

    def write(
        self, stage: Stage, step: int, began: float, seconds: float, means: dict[str, float]
    ) -> bool:
        """Writes means over the steps since the last time; False where one is no finite number."""
        now = time.monotonic()
        rate = (step - self._steps) / (now - self._since)
        self._steps, self._since = step, now
        speed = rate * self._batch_size * (1 if stage.sampling == "multi_attribute" else 3)
        self._store(stage, step, seconds, {**means, "images_per_sec": speed})
        if self._chief:
            left = self._left(stage, step, began, seconds, rate)
            say(
                f"{stage.name} {step}/{stage.steps}  loss {means['loss']:.4f}  "
                f"{speed:.0f} images/s  {left}{self._score}"
            )
        return all(math.isfinite(mean) for mean in means.values())

    def _left(self, stage, step, began, seconds, rate):
        """How long it will take, as far as that is known."""
        left = min((stage.steps - step) / rate, max(0.0, stage.deadline(began) - seconds))
        text = f"{duration(left)} left in this stage"
        to_come = self._stages[self._stages.index(stage) + 1 :]
        if not to_come:
            return text
        if math.isinf(stage.end):
            return f"{text}, then {', '.join(s.name for s in to_come)}"
        return f"{text}, at most {duration(max(0.0, stage.end - seconds))} in all"

    def validated(self, stage: Stage, step: int, seconds: float, metric: str, score: float) -> None:
        """The validation split was scored by this metric."""
        self._since = time.monotonic()
        if math.isnan(score):
            return
        self._score = f"  valid {LABELS[metric]} {score:.4f}"
        self._store(stage, step, seconds, {f"valid_{metric}": score})
        if self._chief:
            done = f" {step}/{stage.steps}" if stage.steps else ""
            say(f"{stage.name}{done}{self._score}")

    def chose(
        self,
        what: str,
        stage: Stage,
        step: int,
        seconds: float,
        score: float,
        chosen: dict[str, float],
    ) -> None:
        """The best model weighs parts of its embedding so, attribute -> weight, and has this MAP.

        Args:
          what: what the weights are called.
          stage, step, seconds: when.
          score, chosen: as above.
        """
        weights = {f"{what}/{name}": weight for name, weight in chosen.items()}
        self._store(stage, step, seconds, {"valid_map": score, **weights})
        if self._chief:
            listed = ", ".join(f"{name} {weight:g}" for name, weight in chosen.items())
            say(f"{stage.name} {what}: {listed}  valid {LABELS['map']} {score:.4f}")

    def pictures(self, stage: Stage, step: int, attention: dict[str, np.ndarray]) -> None:
        """Where the model looks: attribute -> a picture uint8 [H, W, 3], for TensorBoard."""
        with self._tensorboard(step):
            for name, picture in attention.items():
                tf.summary.image(f"{stage.name}/attention/{name}", picture[None])

    @contextlib.contextmanager
    def _tensorboard(self, step: int) -> Iterator[None]:
        with writing(self._workdir.tensorboard), self._writer.as_default(self._offset + step):
            yield

    def _store(self, stage, step, seconds, values):
        named = {f"{stage.name}/{name}": value for name, value in values.items()}
        with self._tensorboard(step):
            for name, value in named.items():
                tf.summary.scalar(name, value)
            self._writer.flush()
        if self._chief:
            self._callbacks.on_epoch_end(self._offset + step, named)
            entry = {"stage": stage.name, "step": step, "seconds": round(seconds, 3), **values}
            self._workdir.append_history(entry)
