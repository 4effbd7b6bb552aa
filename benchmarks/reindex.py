"""How long `asen_tf.index` takes for a table of which nothing, or little, has changed.

    python benchmarks/reindex.py --items=200000 --json=benchmarks/results/reindex_faiss.json

Photographs are small files, and the model is a generator of random vectors: what is measured is
reading the table, looking at files and comparing. Vectors are short, since those of unchanged items
are not touched.
"""

import csv
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags

import asen_tf
from asen_tf.benchmarks.report import report
from asen_tf.catalogue import Catalogue
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

_ENGINE = flags.DEFINE_enum("engine", "faiss", ["faiss", "milvus"], "What is measured.")
_ITEMS = flags.DEFINE_integer("items", 200_000, "Rows of the table.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 8, "Spaces.")
_DIMENSION = flags.DEFINE_integer("dimension", 16, "Numbers in a vector.")
_CHANGED = flags.DEFINE_integer("changed", 10_000, "Rows that get another price, and that go.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")


def embed(images: list) -> np.ndarray:
    draw = np.random.default_rng(len(images))
    found = draw.standard_normal((len(images), _ATTRIBUTES.value, _DIMENSION.value), np.float32)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def write_table(path: Path, names: list[str], dearer: int) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "image", "attribute_0", "brand", "price", "stock"])
        for n, name in enumerate(names):
            price = n % 500 + (1 if n < dearer else 0)
            writer.writerow([f"sku-{n}", name, "ab"[n % 2], f"brand {n % 100}", price, n % 7])


def main(_) -> None:
    space = AttributeSpace({f"attribute_{n}": ("a", "b") for n in range(_ATTRIBUTES.value)})
    embedder = VectorEmbedder(Fingerprint(space, _DIMENSION.value, "benchmark"), embed)
    names = [f"{n // 1000:04d}/{n:08d}.jpg" for n in range(_ITEMS.value)]
    times, processor, found = {}, {}, {}
    with tempfile.TemporaryDirectory() as place:
        folder, table = Path(place), Path(place, "catalogue.csv")
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(name.encode())
        store = f"{_ENGINE.value}:{folder / 'store.db'}"
        kept = len(names) - _CHANGED.value
        for step, rows, dearer in (
            ("first", names, 0),
            ("nothing_changed", names, 0),
            ("prices_changed_and_rows_gone", names[:kept], _CHANGED.value),
        ):
            write_table(table, rows, dearer)
            began, worked = time.perf_counter(), time.process_time()
            with Catalogue(store, embedder) as catalogue:
                done = asen_tf.index(None, table, catalogue, batch_size=1000, prune=True)
            times[step] = round(time.perf_counter() - began, 2)
            processor[step] = round(time.process_time() - worked, 2)
            found[step] = {k: v for k, v in vars(done).items() if k != "problems"}
            if done.problems:
                raise ValueError(f"{len(done.problems)} photographs failed: {done.problems}")
    result = {"engine": _ENGINE.value, "items": _ITEMS.value, "attributes": _ATTRIBUTES.value}
    machine = {"cores": os.cpu_count(), "load_average": os.getloadavg()[0]}
    seconds = {"seconds": times, "processor_seconds": processor}
    report({**result, **machine, **seconds, "done": found}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
