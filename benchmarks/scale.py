"""A million images by their index alone: loading, triplets; and ranking 100 000 candidates.

    python benchmarks/scale.py --json=benchmarks/results/scale.json

No photograph is opened. The manifest is written as the ASEN++ release's index files, with long
names; embeddings are random unit vectors around one of their value. Each part runs in a process of
its own, whose peak memory is noted.
"""

import concurrent.futures
import multiprocessing
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

from asen_tf.benchmarks.report import report

_IMAGES = flags.DEFINE_integer("images", 1_000_000, "In the manifest.")
_CANDIDATES = flags.DEFINE_integer("candidates", 100_000, "Of each attribute.")
_QUERIES = flags.DEFINE_integer("queries", 1000, "Of each attribute.")
_DIMENSION = flags.DEFINE_integer("dimension", 2048, "Numbers in an embedding.")
_SECONDS = flags.DEFINE_float("seconds", 10.0, "How long to draw triplets.")
_PARTS = flags.DEFINE_list("parts", "manifest,triplets,evaluation", "What to measure.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

_VALUES = (5, 8, 10, 6, 12, 20, 7, 9)
_BATCH = 16


def options(root: str):
    from asen_tf.core import config as configs

    data = configs.defaults().data
    attributes = tuple((f"attribute_{n}", count) for n, count in enumerate(_VALUES))
    data.update({"format": "index_files", "root": root, "attributes": attributes, "check": "none"})
    return data


def write_index(root: str, images: int) -> None:
    """Index files: nine tenths for training, the rest for validation and test, 1 : 4 queries."""
    generator = np.random.default_rng(0)
    splits = {"train": images * 9 // 10, "valid": images // 20, "test": images // 20}
    for split, count in splits.items():
        names = (f"women/dresses/{n // 1000:04d}/item_{split}_{n:08d}.jpg\n" for n in range(count))
        (Path(root) / f"filenames_{split}.txt").write_text("".join(names))
        attributes = generator.integers(0, len(_VALUES), (count, 2))
        values = generator.integers(0, 2**31, (count, 2)) % np.array(_VALUES)[attributes]
        if split == "train":
            rows = enumerate(np.stack([attributes, values], 2).reshape(count, 4).tolist())
            lines = (f"{n} {a} {v} {b} {w}\n" for n, (a, v, b, w) in rows)
            (Path(root) / "label_train.txt").write_text("".join(lines))
            continue
        one = list(zip(range(count), attributes[:, 0].tolist(), values[:, 0].tolist(), strict=True))
        for kind, chosen in (("query", one[::5]), ("candidate", [r for r in one if r[0] % 5])):
            lines = (f"{n} {a} {v}\n" for n, a, v in chosen)
            (Path(root) / f"{kind}_{split}.txt").write_text("".join(lines))


def load_manifest(root: str) -> dict:
    from asen_tf.benchmarks.machine import memory_mb
    from asen_tf.core.progress import Quiet
    from asen_tf.data.load import load

    before = memory_mb()
    began = time.perf_counter()
    manifest = load(options(root), progress=Quiet)
    return {
        "images": len(manifest),
        "labels": len(manifest.labels),
        "seconds": time.perf_counter() - began,
        "libraries_mb": before,
        "peak_memory_mb": memory_mb(),
    }


def draw_triplets(root: str, seconds: float) -> dict:
    import tensorflow as tf

    from asen_tf.benchmarks.machine import memory_mb
    from asen_tf.core.progress import Quiet
    from asen_tf.data.load import load
    from asen_tf.data.triplets import TripletSampler

    manifest = load(options(root), progress=Quiet)
    began = time.perf_counter()
    sampler = TripletSampler.from_manifest(manifest, seed=0)
    prepared = time.perf_counter() - began

    # As training draws them: a batch for each number, in the graph of the input pipeline.
    numbers = tf.range(_BATCH, dtype=tf.int64)
    batches = tf.data.Dataset.range(2**40).map(
        lambda step: sampler.draw(step * _BATCH + numbers), num_parallel_calls=2
    )
    drawing = iter(batches.prefetch(64))
    next(drawing)
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        next(drawing)
        steps += 1
    return {
        "prepare_seconds": prepared,
        "batch": _BATCH,
        "triplets_per_sec": steps * _BATCH / (time.perf_counter() - began),
        "peak_memory_mb": memory_mb(),
    }


def evaluate(candidates: int, queries: int, dimension: int) -> dict:
    from asen_client.core.attributes import AttributeSpace
    from asen_tf.benchmarks.machine import memory_mb
    from asen_tf.core.progress import Quiet
    from asen_tf.data.manifest import CANDIDATE, LABEL, QUERY, Manifest
    from asen_tf.evaluation.evaluator import Evaluator

    images, attributes = candidates + queries, len(_VALUES)
    space = AttributeSpace({f"attribute_{n}": range(count) for n, count in enumerate(_VALUES)})
    generator = np.random.default_rng(0)
    labels = np.zeros((images, attributes), LABEL)
    labels["image"] = np.arange(images)[:, None]
    labels["attribute"] = np.arange(attributes)
    labels["value"] = generator.integers(0, 2**31, labels.shape) % np.array(_VALUES)
    labels["role"] = np.where(np.arange(images) < queries, QUERY, CANDIDATE)[:, None]
    manifest = Manifest(
        root=Path("."),
        space=space,
        images=np.array([f"{n}.jpg" for n in range(images)]),
        splits=np.full(images, 2, np.int8),
        labels=labels.ravel(),
        lines=np.arange(images),
        source="none",
    )
    means = generator.normal(size=(sum(_VALUES), dimension)).astype(np.float32)
    values = labels["value"] + np.asarray(space.offsets)[:-1]

    def embed(rows, attributes):
        rows = rows[:, 0, 0, 0]
        found = means[values[rows[:, None], attributes]]
        found = found + 8 * generator.standard_normal(found.shape, np.float32)
        return found / np.linalg.norm(found, axis=-1, keepdims=True)

    evaluator = Evaluator(embed, batch_size=256, progress=Quiet)
    began = time.perf_counter()
    result = evaluator.evaluate(manifest, "test", lambda rows: rows[:, None, None, None])
    return {
        "attributes": attributes,
        "candidates_each": candidates,
        "queries_each": queries,
        "dimension": dimension,
        "seconds": time.perf_counter() - began,
        "map": result["map"],
        "random_map": result["random_map"],
        "peak_memory_mb": memory_mb(),
    }


def alone(function, *arguments) -> dict:
    """Runs in a process of its own."""
    fresh = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=fresh) as process:
        measured = process.submit(_watched, function, *arguments).result()
    return {**measured, "load_average": os.getloadavg()[0]}


def _watched(function, *arguments) -> dict:
    began = time.process_time()
    return {**function(*arguments), "processor_seconds": time.process_time() - began}


def main(_) -> None:
    from asen_tf.benchmarks import machine

    result = {}
    with tempfile.TemporaryDirectory() as root:
        write_index(root, _IMAGES.value)
        calls = {
            "manifest": (load_manifest, root),
            "triplets": (draw_triplets, root, _SECONDS.value),
            "evaluation": (evaluate, _CANDIDATES.value, _QUERIES.value, _DIMENSION.value),
        }
        for part in _PARTS.value:
            result[part] = alone(*calls[part])
    result |= machine.description()
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
