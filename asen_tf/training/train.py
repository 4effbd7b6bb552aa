"""From a configuration to a trained model: stage after stage, step after step."""

import contextlib
import functools
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from ml_collections import config_dict

from asen_client.core.errors import Failed
from asen_client.core.signals import told
from asen_tf import losses, models
from asen_tf.backbones.imagenet import check_imagenet
from asen_tf.core import config_check
from asen_tf.core.progress import say
from asen_tf.data import load as data
from asen_tf.data import pipeline
from asen_tf.data.augment import sides_falsified
from asen_tf.data.feature_cache import FeatureLoader
from asen_tf.data.image_cache import ImageLoader, open_images
from asen_tf.evaluation.published import is_published
from asen_tf.training import determinism
from asen_tf.training.checkpoint import Checkpoints
from asen_tf.training.frozen import FrozenFeatures
from asen_tf.training.log import Log
from asen_tf.training.optimizers import optimizer
from asen_tf.training.pictures import AttentionPictures
from asen_tf.training.recognition import fit_recognition
from asen_tf.training.stages import RECOGNITION_TIME, Stage, plan
from asen_tf.training.start import (
    check_closed_form,
    copy_weights,
    fit_closed_form,
    matched_to_start,
    start_from,
)
from asen_tf.training.step import TrainStep
from asen_tf.training.strategy import is_chief
from asen_tf.training.validation import Validation, sampled
from asen_tf.workdir import Workdir

# What computing features may take, of a stage's time or of the run's: a step on them takes a tenth.
_OF_STAGE, _OF_RUN = 0.8, 0.4


class TrainingDiverged(Failed):
    """A loss or gradient is no number any more; the message names the last good checkpoint."""


def train(
    config: config_dict.ConfigDict,
    workdir: str | os.PathLike,
    strategy: tf.distribute.Strategy | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Workdir:
    """Trains what the configuration describes, or goes on where a killed run stopped.

    Args:
      config: `asen_tf.core.config.defaults()` with its changes.
      workdir: folder of the run, see `Workdir`.
      strategy: where it runs, see `asen_tf.training.strategy.create`.
      callbacks: get what the run logs, see `asen_tf.training.log.Log` and docs/tracking.md.

    Returns:
      The folder, with the model that validated best.

    Raises:
      ValueError: the configuration, the data or the folder's earlier run do not fit; said before
        training begins.
      TrainingDiverged: a loss became NaN.
    """
    strategy = strategy or tf.distribute.get_strategy()
    with determinism.enabled(config.train.deterministic), contextlib.ExitStack() as held:
        return _Run(config, Workdir(workdir), strategy, held).run(callbacks)


class _Run:
    """What the stages of one run share."""

    def __init__(self, config, workdir, strategy, held):
        self.began, self.earlier = time.monotonic(), 0.0
        self.config = config = config.copy_and_resolve_references()
        self.workdir, self.strategy = workdir, strategy
        self.chief, self.holds = is_chief(strategy), False
        config_check.check(config)
        _check(config.train, strategy.num_replicas_in_sync)
        is_published(config.eval.preprocessing, config.data.fit)
        start = Workdir(config.train.init_from) if config.train.init_from else None
        self.stages = plan(config)
        left_out = set(config.train.stages) - {stage.name for stage in self.stages}
        if left_out:
            say(f"train.max_minutes leaves no time for: {', '.join(sorted(left_out))}")
        trained = set(start.best()["slices"] or ()) if start else set()
        check_imagenet(config.model.to_dict())  # reading the data may take hours
        self.manifest = data.load(config.data)
        if start:
            self.manifest = matched_to_start(self.manifest, start, config.model)
        space = self.manifest.space
        if sided := sides_falsified(config.augment, space):
            say(
                f"values of {', '.join(sided)} say left or right: a mirrored photograph does not "
                "count for them"
            )
            config.augment.flip_falsifies = (*config.augment.flip_falsifies, *sided)
        self.losses = {s.name: losses.build(s.losses, space.offsets) for s in self.stages}
        if self.chief and workdir.path.exists():
            self._hold(held)
            workdir.check_same(config, self.manifest)
        keras.utils.set_random_seed(config.train.seed)
        with strategy.scope():
            self.model = models.build(config.model, space, config.train.precision)
            self.factor = tf.Variable(1.0)  # of all rates, as the schedule has it
        if start:
            start_from(self.model, start, config.model)
        self.model.configure_backbones(config.train.jit_backbone, config.train.recompute_backbone)
        self.trained, self.frozen, self.opened, self.learned = {}, {}, {}, set()
        for stage in self.stages:
            self._compile(stage)
            needed = self.model.compiled_losses.outputs
            self.learned |= set(needed)
            trained |= set(self.model.trained_slices(needed) or ())
            self.trained[stage.name] = self.model.trained_slices(trained)
            self._try(stage)
            if stage.choose_beta:
                self._check_beta(stage)
            if stage.frozen_features:
                shown = self.model.used_slices(self.trained[stage.name])
                if stage.choose_beta:
                    shown = self.model.slices
                self.frozen[stage.name] = FrozenFeatures(self.model, {*needed, *shown}, stage.name)
        # Not before: a refused configuration would leave a run that the mended one does not fit.
        if self.chief:
            self._hold(held)
            workdir.begin(config, space, self.manifest)
        # Only now: the run's table has all.
        self.manifest = sampled(self.manifest, config.eval.max_images)
        self.validation = Validation(config, self.manifest, self.model)
        pictures = config.eval.pictures if self.chief else 0
        load_images = self._open_images("none")
        self.pictures = AttentionPictures(self.model, self.manifest, load_images, pictures)

    def _hold(self, held):
        """No other process may train in the folder."""
        if not self.holds:
            held.callback(self.workdir.hold().release)
            self.holds = True

    def _compile(self, stage: Stage) -> keras.optimizers.Optimizer:
        """The optimizer is not the model's: a saved model is to embed, not to go on."""
        made, weights = self.losses[stage.name]
        with self.strategy.scope():
            self.model.compile(optimizer=None, loss=made, loss_weights=weights)
            return optimizer(
                self.model, stage.rates, stage.optimizer, lambda rate: lambda: rate * self.factor
            )

    def _try(self, stage: Stage):
        """Raises what would not fit in a compiled stage, by two examples with black images."""
        if stage.closed_form:
            check_closed_form(self.model, self.manifest)
        side = self.model.image_size
        examples = self._examples(
            stage, lambda rows: tf.zeros((*rows.shape, side, side, 3), tf.uint8)
        )
        x, y = examples(tf.range(2, dtype=tf.int64))
        outputs = self.model(x)
        for loss in self.losses[stage.name][0].values():
            loss(y, outputs)

    def _check_beta(self, stage):
        if self.model.beta is None:
            raise ValueError(
                f"{stage.name}.choose_beta weighs two slices of an embedding, which "
                f"{type(self.model).__name__} does not have: leave it out"
            )
        trained = self.trained[stage.name] or ()
        if set(trained) != set(self.model.slices):
            raise ValueError(
                f"{stage.name}.choose_beta weighs {' and '.join(self.model.slices)}, and until its "
                f"end {', '.join(trained) or 'none'} is trained: let a later stage choose"
            )
        if self.manifest.triplets is not None:
            raise ValueError(
                f"{stage.name}.choose_beta needs queries and candidates; {self.manifest.source} "
                "brings triplets: set model.beta by hand"
            )

    @functools.cached_property
    def rows(self) -> np.ndarray:
        """Those of the manifest that training needs."""
        return np.concatenate([self.manifest.examples_of(split) for split in ("train", "valid")])

    @functools.cached_property
    def load_images(self) -> ImageLoader:
        """Opened when a stage needs images."""
        return self._open_images(self.config.data.cache)

    def _open_images(self, mode):
        settings = self.config.data
        return open_images(
            self.manifest,
            self.rows,
            self.model.image_size,
            mode,
            settings.cache_gb * 1e9,
            settings.cache_dir or self.workdir.path / "images",
            settings.fit,
            settings.box_margin,
        )

    def _open_features(self, stage) -> FeatureLoader | None:
        """What batches of the stage hold in place of images; None: images."""
        if stage.frozen_features and stage.name not in self.opened:
            self.opened[stage.name] = self._compute_features(stage)
        return self.opened.get(stage.name)

    def _compute_features(self, stage):
        settings = self.config.data
        return self.frozen[stage.name].open(
            self.manifest,
            self.rows,
            {"fit": settings.fit, "box_margin": settings.box_margin},
            lambda: self.load_images,
            Path(settings.cache_dir or self.workdir.path) / "features",
            settings.cache_gb * 1e9,
            self.config.eval.batch_size,
            lambda: max(stage.end - self._now(), 0) * max(_OF_STAGE * stage.part, _OF_RUN),
        )

    def run(self, callbacks):
        told_of_logs = keras.callbacks.CallbackList(callbacks, model=self.model)
        with (
            data.naming_bad_images(self.manifest, self.config.data.max_pixels),
            Log(self.workdir, self.config, self.stages, self.chief, told_of_logs) as log,
        ):
            previous = None
            for stage in self.stages:
                self._run_stage(stage, previous, log)
                previous = stage
            with told(lambda: "at recognition; the same command begins it again"):
                self._fit_recognition(log)
        return self.workdir

    def _run_stage(self, stage: Stage, previous: Stage | None, log: Log):
        made = self._compile(stage)
        state = Checkpoints(self.workdir.checkpoints(stage.name), self.model, made, self.chief)
        with told(lambda: self._where(stage, state)):
            self._run_from(state, stage, previous, made, log)

    def _where(self, stage, state):
        saved = state.latest.name.removeprefix("ckpt-") if state.latest else "its beginning"
        again = f"the same command goes on from {'step ' if state.latest else ''}{saved}"
        return f"at {stage.name} step {state.step}; {again}"

    def _run_from(self, state, stage, previous, made, log):
        goes_on = state.restore()
        self.before = self._best_before(stage) if previous else {}
        if goes_on:
            self.earlier = max(self.earlier, state.seconds)
        else:
            self._start(stage, previous)
        log.resume(stage, state.step)
        if goes_on and self._progress(stage, state) == 1:
            return
        features = self._open_features(stage)
        if not goes_on:
            if stage.closed_form:
                size = self.config.eval.batch_size
                fit_closed_form(self.model, self.manifest, self._inputs(features), size)
            state.began = state.seconds = self._now()
            if stage.must_improve and self.before.get(self.validation.metric) is not None:
                state.best = self.before[self.validation.metric]
        if stage.steps:
            self._take_steps(stage, state, made, features, log)
        else:
            self._validate(stage, state, log, features)
            state.save()

    def _take_steps(self, stage, state, made, features, log):
        train = self.config.train
        step = TrainStep(self.strategy, self.model, made)
        every = round(self.config.eval.every_epochs * train.steps_per_epoch)
        batches = self._batches(stage, state.step, features)
        measured = _Means(self.model.metrics)
        progress = self._progress(stage, state)
        while progress < 1:
            self.factor.assign(stage.factor(progress))
            measured.add(step(next(batches)))
            state.step += 1
            state.seconds = self._now()
            progress = self._progress(stage, state)
            validate = progress == 1 or (every and state.step % every == 0)
            save = state.step % train.checkpoint_every_steps == 0
            if validate or save or state.step % train.log_every_steps == 0:
                self._log(log, stage, state, measured.take())
            if validate:
                self._validate(stage, state, log, features)
                progress = self._progress(stage, state)
            if progress == 1 and stage.choose_beta:
                self._choose_beta(stage, state, log, features)
            if save or progress == 1:
                state.save()

    def _start(self, stage: Stage, previous: Stage | None):
        if previous:
            self.workdir.restore_best(self.model, self.before["stage"])
        for target, source in stage.copies:
            copy_weights(self.model, target, source)

    def _best_before(self, stage: Stage) -> dict:
        """The best of the stages before; that of a process killed in this one does not count."""
        best = self.workdir.best()
        return best.get("before", best) if best["stage"] == stage.name else best

    def _inputs(self, features):
        """A function from rows to what the model takes of their photographs."""
        if features:
            return lambda rows: features(rows, self.model.all_attributes(rows))
        load_images = self.load_images
        return lambda rows: {"images": load_images(rows)}

    def _log(self, log, stage, state, means):
        """Nothing is validated or saved after a loss that is no number."""
        if log.write(stage, state.step, state.began, state.seconds, means):
            return
        raise TrainingDiverged(
            f"{stage.name}: a loss or gradient is NaN or infinite by step {state.step}. The last "
            f"good checkpoint is {state.latest or 'none'}; try a lower rate, or "
            "train.precision=float32"
        )

    def _validate(self, stage, state, log, features):
        trained = self.trained[stage.name]
        load_images = None if features else self.load_images
        score = self._agree(self.validation(trained, load_images, features))
        metric = self.validation.metric
        log.pictures(stage, state.step, self.pictures())
        log.validated(stage, state.step, state.seconds, metric, score)
        # Without a validation split the score is NaN, and the newest weights count as best.
        state.stale += 1
        if np.isnan(score) or score > state.best:
            state.best, state.stale = score, 0
            self.workdir.save_best(self.model, stage.name, self.chief)
            if not stage.choose_beta:  # until it has, it may be worse than the stages before
                self._name_best(stage, state.step, score)

    def _choose_beta(self, stage, state, log, features):
        """Weighs the slices of the stage's best model; stages to come begin as configured."""
        configured = self.model.beta
        self.workdir.restore_best(self.model, stage.name)
        load_images = None if features else self.load_images
        score, chosen = self.validation.choose_beta(load_images, features), {}
        if not np.isnan(score):
            self.workdir.save_best(self.model, stage.name, self.chief)
            chosen["beta"] = dict(zip(self.manifest.space, self.model.beta, strict=True))
            log.chose("beta", stage, state.step, state.seconds, score, chosen["beta"])
        self._name_best(stage, state.step, score, **chosen)
        self.model.beta = configured

    def _fit_recognition(self, log):
        """Lets the best model say which values images show, unless its class logits learned to."""
        best, labels = self.workdir.best(), self.manifest.labels_of("train")
        if "recognition" in best or not len(labels) or self.learned & {*self.model.class_outputs}:
            return
        [stage] = [stage for stage in self.stages if stage.name == best["stage"]]
        self.workdir.restore_best(self.model, stage.name)
        if "beta" in best:
            self.model.beta = tuple(best["beta"].values())
        features, limit = self._open_features(stage), 60 * self.config.train.max_minutes
        fit_recognition(
            self.model,
            self.manifest,
            None if features else self.load_images,
            best["slices"],
            self.config.eval.batch_size,
            max(limit * RECOGNITION_TIME, limit - self._now()) if limit else math.inf,
            features,
        )
        best["recognition"] = True
        if self.config.train.embed_values:
            best |= self._embed_values(stage, best["slices"], features, log)
        self.workdir.save_best(self.model, stage.name, self.chief)
        if self.chief:
            self.workdir.write_best(best)

    def _embed_values(self, stage, slices, features, log) -> dict:
        """Weighs the values' probabilities in the best model's embedding; what is chosen."""
        load_images = None if features else self.load_images
        chosen = self.validation.choose_value_shares(slices, load_images, features)
        if chosen:
            step = self.workdir.best()["step"]
            log.chose("values", stage, step, self._now(), chosen["map"], chosen["values"])
        return chosen

    def _name_best(self, stage, step, score, **more):
        """Names the model as the run's best."""
        if self.chief:
            named = {"stage": stage.name, "step": step, "slices": self.trained[stage.name]}
            named["measure"] = next(filter(self.validation.measures, ("test", "valid")), "")
            measured = {} if np.isnan(score) else {self.validation.metric: score}
            if self.before:
                named["before"] = {k: self.before.get(k) for k in ("stage", self.validation.metric)}
            self.workdir.write_best({**named, "map": None, **measured, **more})

    def _now(self) -> float:
        """Seconds that the run has taken, those of earlier processes included."""
        return self.earlier + time.monotonic() - self.began

    def _progress(self, stage, state) -> float:
        """How much of a stage is done, from 0 to 1, the same on all workers."""
        if stage.patience and state.stale >= stage.patience:
            return 1.0
        progress = stage.progress(state.step, state.began, state.seconds)
        return progress if math.isinf(stage.end) else self._agree(progress)

    def _agree(self, value: float) -> float:
        """The mean over the workers, so that all of them decide alike."""
        if self.strategy.num_replicas_in_sync == 1:
            return value
        values = self.strategy.run(lambda: tf.constant(value, tf.float64))
        return float(self.strategy.reduce(tf.distribute.ReduceOp.MEAN, values, axis=None))

    def _examples(self, stage, load_images, features=None) -> pipeline.Examples:
        made, _ = self.losses[stage.name]
        return pipeline.training_examples(
            self.manifest,
            load_images,
            stage.sampling,
            self.config.train.seed,
            self.config.augment,
            self.config.data.special,
            stage.attributes_per_step,
            labels=any(loss.needs_labels for loss in made.values()),
            features=features,
            resolution=stage.resolution,
        )

    def _batches(self, stage, start, features):
        """Distributed batches of a stage from step `start` on."""
        load_images = None if features else self.load_images
        examples = self._examples(stage, load_images, features)

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


class _Means:
    """Means of what steps measured, and of the losses that the model keeps."""

    def __init__(self, metrics):
        self._metrics = metrics
        self._steps = []

    def add(self, measured):
        self._steps.append(measured)

    def take(self) -> dict[str, float]:
        means = {metric.name: float(metric.result()) for metric in self._metrics}
        for name in self._steps[0]:
            means[name] = float(np.mean([step[name].numpy() for step in self._steps]))
        for metric in self._metrics:
            metric.reset_state()
        self._steps = []
        return means


def _check(train: config_dict.ConfigDict, replicas: int) -> None:
    if train.batch_size % replicas:
        raise ValueError(
            f"train.batch_size={train.batch_size} must be a multiple of the {replicas} replicas"
        )
    if train.sampling == "multi_attribute" and train.batch_size < 2 * replicas:
        raise ValueError(
            f"train.batch_size={train.batch_size} leaves one image, which has no triplet, to each "
            f"of the {replicas} replicas: expected {2 * replicas} or more"
        )
    if train.jit_backbone and train.deterministic:
        raise ValueError(
            "XLA has no deterministic gradient of max pooling: train.jit_backbone=true needs "
            "train.deterministic=false"
        )
    if train.jit_backbone and train.recompute_backbone:
        raise ValueError(
            "train.jit_backbone=true and train.recompute_backbone=true exclude one another: "
            "XLA joins what is to be computed again with what was"
        )
