"""From a configuration to a trained model: stage after stage, step after step."""

import os
import time

import keras
import numpy as np
import tensorflow as tf
from ml_collections import config_dict

from asen_tf.data import load as data
from asen_tf.data import pipeline
from asen_tf.data.canvases import open_canvases
from asen_tf.evaluation.embed import canvas_fn, embed_fn
from asen_tf.evaluation.prototypes import value_means
from asen_tf.models import registry
from asen_tf.models.precision import dtype_policy
from asen_tf.training import determinism
from asen_tf.training.checkpoint import Checkpoints
from asen_tf.training.log import Log
from asen_tf.training.pictures import AttentionPictures
from asen_tf.training.stages import Stage, plan
from asen_tf.training.step import TrainStep
from asen_tf.training.strategy import is_chief
from asen_tf.training.validation import Validation
from asen_tf.workdir import Workdir


class TrainingDiverged(RuntimeError):
    """A loss or gradient is no number any more; the message names the last good checkpoint."""


def train(
    config: config_dict.ConfigDict,
    workdir: str | os.PathLike,
    strategy: tf.distribute.Strategy | None = None,
) -> Workdir:
    """Trains what the configuration describes, or goes on where a killed run stopped.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      workdir: folder of the run, see `Workdir`.
      strategy: where it runs, see `asen_tf.training.strategy.create`.

    Returns:
      The folder, with the model that validated best.

    Raises:
      ValueError: the configuration, the data or the folder's earlier run do not fit; said before
        training begins.
      TrainingDiverged: a loss became NaN.
    """
    return _Run(config, Workdir(workdir), strategy or tf.distribute.get_strategy()).run()


class _Run:
    """What the stages of one run share."""

    def __init__(self, config, workdir, strategy):
        self.config, self.workdir, self.strategy = config, workdir, strategy
        self.chief = is_chief(strategy)
        self.seconds = 0.0
        replicas = strategy.num_replicas_in_sync
        if config.train.batch_size % replicas:
            raise ValueError(
                f"train.batch_size={config.train.batch_size} must be a multiple of the "
                f"{replicas} replicas"
            )
        if config.train.jit_backbone and config.train.deterministic:
            raise ValueError(
                "XLA has no deterministic gradient of max pooling: train.jit_backbone=true needs "
                "train.deterministic=false"
            )
        if config.train.jit_backbone and config.train.recompute_backbone:
            raise ValueError(
                "train.jit_backbone=true and train.recompute_backbone=true exclude one another: "
                "XLA joins what is to be computed again with what was"
            )
        start = Workdir(config.train.init_from) if config.train.init_from else None
        self.stages = plan(config, start.best()["parts"] if start else ())
        self.manifest = data.load(config.data)
        if self.chief:
            workdir.begin(config, self.manifest.space)
        self._build(start)
        self.canvases = self._open_canvases()
        self.validation = Validation(config, self.manifest, self.canvases, self.model)
        pictures = config.eval.pictures if self.chief else 0
        self.pictures = AttentionPictures(self.model, self.manifest, self.canvases, pictures)

    def _build(self, start):
        train = self.config.train
        if train.deterministic:
            determinism.enable()
        keras.utils.set_random_seed(train.seed)
        with dtype_policy(train.precision), self.strategy.scope():
            space = self.manifest.space
            self.model = registry.build(self.config, len(space), space.offsets)
        if start:
            self.model.load_weights(start.best_model(start.best()["stage"]))
        else:
            registry.load_pretrained(self.model, self.config)
        self.model.configure_backbones(train.jit_backbone, train.recompute_backbone)
        self.objective = registry.objective(self.config, self.manifest.space.offsets)

    def _open_canvases(self):
        rows = [self.manifest.examples_of(split) for split in ("train", "valid")]
        settings = self.config.data
        return open_canvases(
            self.manifest,
            np.concatenate(rows),
            self.model.image_size,
            settings.cache,
            settings.cache_gb * 1e9,
            settings.cache_dir or self.workdir.path / "canvases",
        )

    def run(self):
        with Log(self.workdir, self.config, self.chief) as log:
            previous = None
            for stage in self.stages:
                self._run_stage(stage, previous, log)
                previous = stage
        return self.workdir

    def _run_stage(self, stage: Stage, previous: Stage | None, log: Log):
        train = self.config.train
        step = TrainStep(
            self.strategy,
            self.model,
            self.objective,
            stage,
            train.batch_size,
            train.steps_per_epoch,
        )
        state = Checkpoints(
            self.workdir.checkpoints(stage.name), self.model, step.optimizers, self.chief
        )
        if not state.restore():
            if previous:
                self.model.load_weights(self.workdir.best_model(previous.name))
            for part, source in stage.copies.items():
                self.model.copy_part(source, part)
            for part in stage.means:
                self.model.start_from_means(part, self._means())
            state.seconds = self.seconds
        log.resume(stage, state.step)

        every = round(self.config.eval.every_epochs * train.steps_per_epoch)
        batches = self._batches(stage, state.step)
        began, before = time.monotonic(), state.seconds
        while state.step < stage.steps and not self._out_of_time(stage, state):
            measured = step(next(batches))
            state.step += 1
            state.seconds = before + time.monotonic() - began
            log.add(measured)
            last = state.step == stage.steps or self._out_of_time(stage, state)
            validate = last or (every and state.step % every == 0)
            save = last or state.step % train.checkpoint_every_steps == 0
            if validate or save or state.step % train.log_every_steps == 0:
                self._log(log, stage, state)
            if validate:
                self._validate(stage, state, log)
            if save:
                state.save()
        self.seconds = state.seconds

    def _means(self):
        """The mean embedding of each value's training images, [V, D]."""
        return value_means(
            embed_fn(self.model),
            self.manifest,
            canvas_fn(self.canvases),
            batch_size=self.config.eval.batch_size,
        )

    def _log(self, log, stage, state):
        """Nothing is validated or saved after a loss that is no number."""
        if log.write(stage, state.step, state.seconds):
            return
        raise TrainingDiverged(
            f"{stage.name}: a loss or gradient is NaN or infinite by step {state.step}. The last "
            f"good checkpoint is {state.latest or 'none'}; try a lower rate, or "
            "train.precision=float32"
        )

    def _validate(self, stage, state, log):
        score = self._agree(self.validation(stage.trained))
        metric = self.validation.metric
        log.pictures(stage, state.step, self.pictures())
        log.validated(stage, state.step, state.seconds, metric, score)
        # Without a validation split the score is NaN, and the newest weights count as best.
        if np.isnan(score) or score > state.best:
            state.best = score
            self.workdir.save_best(self.model, stage.name, self.chief)
            if self.chief:
                self.workdir.write_best(
                    {
                        "stage": stage.name,
                        "step": state.step,
                        "parts": stage.trained,
                        "map": None,
                        **({} if np.isnan(score) else {metric: score}),
                    }
                )

    def _out_of_time(self, stage, state):
        """Whether the stage has had its share of `train.max_minutes`; it gets a step at least."""
        if not self.config.train.max_minutes or not state.step:
            return False
        upto = self.stages[: self.stages.index(stage) + 1]
        allowed = sum(s.share for s in upto) * 60 * self.config.train.max_minutes
        return self._agree(state.seconds) >= allowed

    def _agree(self, value: float) -> float:
        """The mean over the workers, so that all of them decide alike."""
        if self.strategy.num_replicas_in_sync == 1:
            return value
        values = self.strategy.run(lambda: tf.constant(value, tf.float64))
        return float(self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None))

    def _batches(self, stage, start):
        """Distributed batches of a stage from step `start` on."""
        examples = pipeline.training_examples(
            self.config,
            self.manifest,
            self.canvases,
            stage.attributes_per_step,
            labels=getattr(self.objective, "needs_labels", False),
        )

        def of_pipeline(context):
            return pipeline.dataset(
                examples,
                self.config.train.batch_size,
                start,
                context.num_replicas_in_sync,
                context.num_input_pipelines,
                context.input_pipeline_id,
            )

        return iter(self.strategy.distribute_datasets_from_function(of_pipeline))
