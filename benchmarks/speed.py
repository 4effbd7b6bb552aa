"""Images a second of training and of embedding, JPEG decoding included.

    python benchmarks/speed.py --case=train_stage1 --global_backbone=resnet50 \\
        --local_backbone=resnet34 --size=224 --local_size=112 --batch=4

Training images count three a triplet; embedding images count one for all their attributes.
"""

import json
import platform
import resource
import statistics
import tempfile
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import app, flags

from asen_tf.core import config as configs
from asen_tf.data import pipeline
from asen_tf.data.canvases import open_canvases
from asen_tf.data.load import load
from asen_tf.evaluation.embed import embed_fn
from asen_tf.models import registry
from asen_tf.training.stages import plan
from asen_tf.training.step import TrainStep

CASES = ("train_stage1", "train_stage2", "embed_all")
_CASE = flags.DEFINE_enum("case", "train_stage1", CASES, "What to measure.")
_GLOBAL = flags.DEFINE_string("global_backbone", "resnet50", "Of the global branch.")
_LOCAL = flags.DEFINE_string("local_backbone", "resnet34", "Of the local branch.")
_SIZE = flags.DEFINE_integer("size", 224, "Side of the global branch's input in pixels.")
_LOCAL_SIZE = flags.DEFINE_integer("local_size", 112, "Likewise of the local branch.")
_BATCH = flags.DEFINE_integer("batch", 4, "Triplets a training step; images, embedding.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 9, "Attributes that embed_all embeds.")
_PRECISION = flags.DEFINE_string("precision", "float32", "Or mixed_bfloat16.")
_SECONDS = flags.DEFINE_float("seconds", 30.0, "How long to measure, after three calls.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


def experiment(root: str):
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.root = root
    config.data.images = 120
    config.data.check = "none"
    config.model.global_branch.update({"backbone": _GLOBAL.value, "size": _SIZE.value})
    config.model.local_branch.update({"backbone": _LOCAL.value, "size": _LOCAL_SIZE.value})
    config.train.batch_size = _BATCH.value
    return config


def training_step(config, stage_name):
    """A function that runs the next step, and the images it sees."""
    manifest = load(config.data)
    model = registry.build(config, len(manifest.space))
    stage = next(s for s in plan(config) if s.name == stage_name)
    step = TrainStep(
        tf.distribute.get_strategy(),
        model,
        registry.objective(config, manifest.space.offsets),
        stage,
        config.train.batch_size,
        config.train.steps_per_epoch,
    )
    canvases = open_canvases(manifest, manifest.rows("train"), model.canvas_size, "none")
    examples = pipeline.training_examples(config, manifest, canvases)
    batches = iter(pipeline.dataset(examples, config.train.batch_size, start=0))
    return lambda: step(next(batches))["total"].numpy(), 3 * config.train.batch_size


def embedding(config):
    """A function that embeds the next images for all attributes, and their number."""
    manifest = load(config.data)
    model = registry.build(config, _ATTRIBUTES.value)
    canvases = tf.function(
        open_canvases(manifest, np.arange(len(manifest)), model.canvas_size, "none")
    )
    embed = embed_fn(model)
    pairs = np.tile(np.arange(_ATTRIBUTES.value, dtype=np.int32), (_BATCH.value, 1))
    generator = np.random.default_rng(0)

    def call():
        rows = tf.constant(generator.integers(0, len(manifest), _BATCH.value))
        return embed(canvases(rows).numpy(), pairs)

    return call, _BATCH.value


def measure(call, images: int) -> dict:
    for _ in range(3):
        call()
    times = []
    while sum(times) < _SECONDS.value:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return {
        "images_per_sec": images / statistics.median(times),
        "images_per_sec_mean": images * len(times) / sum(times),
        "calls": len(times),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main(_) -> None:
    keras.config.set_dtype_policy(_PRECISION.value)
    with tempfile.TemporaryDirectory() as root:
        config = experiment(root)
        if _CASE.value == "embed_all":
            measured = measure(*embedding(config))
        else:
            measured = measure(*training_step(config, _CASE.value.removeprefix("train_")))
    settings = {
        name: flags.FLAGS[name].value
        for name in (
            "case",
            "global_backbone",
            "local_backbone",
            "size",
            "local_size",
            "batch",
            "attributes",
            "precision",
        )
    }
    versions = {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
    }
    where = {"cpu": _cpu(), "date": time.strftime("%Y-%m-%d")}
    result = {**settings, **measured, **versions, **where}
    text = json.dumps(result, indent=1)
    print(text)
    if _JSON.value:
        Path(_JSON.value).write_text(text + "\n")


def _cpu() -> str:
    names = [
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    ]
    return f"{len(names)} x {names[0].partition(': ')[2]}" if names else platform.processor()


if __name__ == "__main__":
    app.run(main)
