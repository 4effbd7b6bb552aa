"""The cases of `asen-benchmark`, each from JPEG files on: a setting -> what was measured."""

import functools
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from ml_collections import config_dict

from asen_tf import losses, models
from asen_tf.benchmarks import backbones, network
from asen_tf.benchmarks.flops import convolution_flops
from asen_tf.benchmarks.machine import memory_mb
from asen_tf.benchmarks.setting import Setting
from asen_tf.benchmarks.timing import Work, measure
from asen_tf.core.progress import Quiet
from asen_tf.data import pipeline
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.embed import embed_fn, image_fn
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.pairs import pair_batches
from asen_tf.evaluation.tasks import retrieval_tasks
from asen_tf.keras_embedder import KerasEmbedder
from asen_tf.models.asen import ASEN
from asen_tf.serving.export import export_model
from asen_tf.training import optimizer
from asen_tf.training.stages import plan
from asen_tf.training.step import TrainStep

_SAMPLES = 10

# (setting, folder for its data, seconds to measure) -> what was measured.
Case = Callable[[Setting, str, float], dict[str, object]]


def training(
    setting: Setting, root: str, stage: str
) -> tuple[TrainStep, ASEN, Iterator[pipeline.Batch]]:
    """A training in this stage: a step of it, its model, and the batches that it takes."""
    config = setting.config(root)
    manifest = load(config.data)
    step, model = _step(config, manifest, stage)
    return step, model, _batches(config, manifest, model.image_size)


def _training(setting: Setting, root: str, seconds: float, stage: str) -> dict[str, object]:
    step, model, batches = training(setting, root, stage)
    batch = next(batches)
    images = 3 * setting.batch
    branches = [model.global_branch, *([model.local_branch] if stage == "stage2" else [])]
    flops = sum(convolution_flops(branch.backbone, training=True) for branch in branches)
    work = Work(
        call=lambda: step(next(batches))["loss"].numpy(),
        step=lambda: step(batch)["loss"].numpy(),
        images=images,
        backbones=backbones.alone(
            [(branch.backbone, images) for branch in branches], training=True
        ),
        flops=images * flops,
        dtype=setting.compute_dtype,
    )
    return measure(work, seconds)


def _memory(setting: Setting, root: str, seconds: float) -> dict[str, object]:
    """Stage 2, with the memory beside: once it runs, and ten times from then on."""
    step, _, batches = training(setting, root, "stage2")
    step(next(batches))["loss"].numpy()
    began, steps, resident = time.monotonic(), 0, []
    while len(resident) < _SAMPLES:
        step(next(batches))["loss"].numpy()
        steps += 1
        if time.monotonic() - began > len(resident) * seconds / _SAMPLES:
            resident.append(memory_mb(peak=False))
    rate = 3 * setting.batch * steps / (time.monotonic() - began)
    memory = {"peak_memory_mb": memory_mb(), "memory_mb": resident}
    return {"images_per_sec": rate, **memory, "steps": steps}


def _embedding(setting: Setting, root: str, seconds: float, attributes: int) -> dict[str, object]:
    config = setting.config(root)
    files = load(config.data).paths
    space = setting.space()
    model = network.build(config, space)
    embedder = KerasEmbedder(model, space, batch_size=setting.batch)
    chosen = itertools.cycle(np.resize(files, (len(files), setting.batch)).tolist())

    def call():
        if attributes == 1:
            return embedder.embed(next(chosen), space.names[0])
        return embedder.embed_all(next(chosen))

    size, ids = model.image_size, np.tile(np.arange(attributes, dtype=np.int32), (setting.batch, 1))
    images = np.random.default_rng(0).integers(0, 256, (setting.batch, size, size, 3), np.uint8)
    embed = embed_fn(model)
    return measure(
        Work(
            call=call,
            step=lambda: embed(images, ids),
            images=setting.batch,
            backbones=backbones.alone(
                [
                    (model.global_branch.backbone, setting.batch),
                    (model.local_branch.backbone, setting.batch * attributes),
                ],
                training=False,
            ),
            flops=_embedding_flops(model, setting.batch, setting.batch * attributes),
            dtype=setting.compute_dtype,
        ),
        seconds,
    )


def _pipeline(setting: Setting, root: str, seconds: float) -> dict[str, object]:
    config = setting.config(root)
    manifest = load(config.data)
    batches = _batches(config, manifest, config.model.image_scale * setting.size)
    return measure(Work(lambda: next(batches)[0]["attributes"].numpy(), 3 * setting.batch), seconds)


def _evaluation(setting: Setting, root: str, seconds: float) -> dict[str, object]:
    config = setting.config(root)
    manifest = load(config.data)
    model = network.build(config, manifest.space)
    load_images = image_fn(
        open_images(manifest, np.arange(len(manifest)), model.image_size, "none")
    )
    embed = embed_fn(model)
    evaluator = Evaluator(embed, setting.batch, progress=Quiet)
    tasks, _ = retrieval_tasks(manifest, "test")
    pairs = sum(len(task.images) for task in tasks)
    batches = pair_batches(
        np.concatenate([task.images for task in tasks]),
        np.concatenate([np.full(len(task.images), task.attribute) for task in tasks]),
        setting.batch,
    )
    images = sum(batch.count for batch in batches)
    loaded = load_images(batches[0].images)
    return measure(
        Work(
            call=lambda: evaluator.evaluate(manifest, "test", load_images),
            step=lambda: embed(loaded, batches[0].attributes),
            steps=len(batches),
            images=images,
            flops=_embedding_flops(model, images, pairs),
            dtype=setting.compute_dtype,
        ),
        seconds,
    )


def _export_start(setting: Setting, root: str, seconds: float) -> dict[str, object]:
    """From the start of a process to the first answer of an export, and answers from then on."""
    config = setting.config(root)
    photograph = load(config.data).paths[0]
    space = setting.space()
    with tempfile.TemporaryDirectory() as output:
        folder = export_model(network.build(config, space), space, output, verified=False)
        began = time.perf_counter()
        program = [sys.executable, "-m", "asen_tf.benchmarks.start"]
        with subprocess.Popen(
            [*program, str(folder), photograph, str(setting.batch), str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            phases = json.loads(process.stdout.readline())
            first_answer = time.perf_counter() - began
            measured = json.loads(process.stdout.readline())
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    measured["first_answer_seconds"] = first_answer
    return {**measured, **phases, "export_mb": size / 2**20}


CASES: dict[str, Case] = {
    "train_stage1": functools.partial(_training, stage="stage1"),
    "train_stage2": functools.partial(_training, stage="stage2"),
    "embed_one": lambda setting, *rest: _embedding(setting, *rest, attributes=1),
    "embed_all": lambda setting, *rest: _embedding(setting, *rest, setting.attributes),
    "pipeline": _pipeline,
    "evaluate": _evaluation,
    "export_start": _export_start,
    "memory": _memory,
}


def _step(config: config_dict.ConfigDict, manifest: Manifest, stage: str) -> tuple[TrainStep, ASEN]:
    strategy = tf.distribute.get_strategy()
    with strategy.scope():
        model = models.build(config.model, manifest.space, config.train.precision)
        model.configure_backbones(config.train.jit_backbone, config.train.recompute_backbone)
        planned = next(s for s in plan(config) if s.name == stage)
        made, weights = losses.build(planned.losses, manifest.space.offsets)
        model.compile(optimizer=None, loss=made, loss_weights=weights)
        chosen = optimizer(model, planned.rates, planned.optimizer)
    return TrainStep(strategy, model, chosen), model


def _batches(
    config: config_dict.ConfigDict, manifest: Manifest, image_size: int
) -> Iterator[pipeline.Batch]:
    load_images = open_images(manifest, manifest.rows("train"), image_size, "none")
    examples = pipeline.training_examples(
        manifest, load_images, config.train.sampling, config.train.seed, labels=False
    )

    def of_pipeline(context):
        replicas = context.num_replicas_in_sync
        return pipeline.dataset(examples, config.train.batch_size, start=0, replicas=replicas)

    return iter(tf.distribute.get_strategy().distribute_datasets_from_function(of_pipeline))


def _embedding_flops(model: ASEN, images: int, pairs: int) -> int:
    of_images, of_pairs = (
        convolution_flops(branch.backbone) for branch in (model.global_branch, model.local_branch)
    )
    return images * of_images + pairs * of_pairs
