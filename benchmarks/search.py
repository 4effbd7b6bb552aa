"""Speed, memory and size of a catalogue of random vectors, and how far it finds what NumPy finds.

The store is filled a thousand items a call by one process and searched by another, whose memory is
counted: `anonymous` is its own, `mapped` are pages of files, which the system takes back when it
needs them. One thread searches; the files are in the system's cache, as they are after the first
queries. Plain faiss (its exact search, of the numbers that count) and NumPy answer the same queries
in processes of their own.

    python benchmarks/search.py --items=200000 --attributes=8 --dimension=1024 --k=10 \
        --groups=2000 --json=benchmarks/results/search_faiss_200k.json
    python benchmarks/search.py --items=200000 --attributes=8 --dimension=1024 --k=10 \
        --groups=2000 --options='index=IVF512,SQ8&search=nprobe=6' --noplain \
        --json=benchmarks/results/search_ivf_200k.json
"""

import functools
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from absl import app, flags, logging

from asen_tf.benchmarks.report import report
from asen_tf.catalogue import Engine, Items, Record, open_store
from asen_tf.catalogue.filters import parse
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint

_ENGINE = flags.DEFINE_enum("engine", "faiss", ["faiss", "milvus"], "What is measured.")
_OPTIONS = flags.DEFINE_string("options", "", "Of the store, such as index=IVF512,SQ8.")
_SERVER = flags.DEFINE_string("server", "", "Of Milvus, http://HOST:PORT; default: milvus-lite.")
_ITEMS = flags.DEFINE_integer("items", 100_000, "In the catalogue.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 9, "Spaces.")
_DIMENSION = flags.DEFINE_integer("dimension", 256, "Numbers in a vector.")
_GROUPS = flags.DEFINE_integer(
    "groups", 0, "Around so many random centres vectors lie, in each space; 0: everywhere alike."
)
_HITS = flags.DEFINE_integer("k", 20, "Items wanted.")
_QUERIES = flags.DEFINE_integer("queries", 100, "Of each kind.")
_FOLDER = flags.DEFINE_string("folder", None, "For the store; default: a temporary one.")
_PLAIN = flags.DEFINE_bool("plain", True, "Time plain faiss and NumPy, too.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")
_STEP = flags.DEFINE_enum(
    "step", "", ["", "fill", "search", "faiss", "numpy"], "For the child: what to do."
)

_AT_ONCE, _CHECKED, _UPDATED = 1000, 20, 10_000

# Weights of each kind of query, and a filter that a tenth of the items meet.
_KINDS = {
    "one_attribute": ((1.0,), ""),
    "three_weighted": ((1.0, 0.5, -0.3), ""),
    "all_attributes": (None, ""),
    "one_attribute_filtered": ((1.0,), "shelf=3"),
}


def batches() -> Iterator[Items]:
    """The catalogue, the same each time."""
    for start in range(0, _ITEMS.value, _AT_ONCE):
        count = min(_AT_ONCE, _ITEMS.value - start)
        draw = np.random.default_rng([0, start])
        ids = [f"images/{n:08d}.jpg" for n in range(start, start + count)]
        records = [
            Record({"attribute_0": ["a" if n % 2 else "b"]}, {"shelf": n % 10, "image": name})
            for n, name in enumerate(ids, start)
        ]
        yield Items(ids, unit(draw, count), records)


def unit(draw: np.random.Generator, count: int) -> np.ndarray:
    """Random vectors; two of a group have a cosine of about 0.5, others of about 0."""
    found = _directions(draw, count)
    if _GROUPS.value:
        group = draw.integers(_GROUPS.value, size=(count, _ATTRIBUTES.value))
        found += centres()[group, np.arange(_ATTRIBUTES.value)]
        found /= np.linalg.norm(found, axis=-1, keepdims=True)
    return found


@functools.cache
def centres() -> np.ndarray:
    return _directions(np.random.default_rng(2), _GROUPS.value)


def _directions(draw: np.random.Generator, count: int) -> np.ndarray:
    shape = (count, _ATTRIBUTES.value, _DIMENSION.value)
    found = draw.standard_normal(shape, np.float32)
    return found / np.linalg.norm(found, axis=-1, keepdims=True)


def queries(weights: tuple[float, ...] | None, count: int) -> np.ndarray:
    """float32 [count, A, D], weighted; the attributes that count change from query to query."""
    found = unit(np.random.default_rng(1), count)
    weights = weights or (1.0,) * _ATTRIBUTES.value
    each = np.zeros((count, _ATTRIBUTES.value, 1), np.float32)
    for n in range(count):
        for place, weight in enumerate(weights):
            each[n, (n + place) % _ATTRIBUTES.value] = weight
    return found * each


def fill(uri: str) -> dict:
    space = AttributeSpace({f"attribute_{n}": ("a", "b") for n in range(_ATTRIBUTES.value)})
    times = []
    with open_store(uri, Fingerprint(space, _DIMENSION.value, "benchmark")) as engine:
        for items in batches():
            began = time.perf_counter()
            engine.insert(items)
            times.append(time.perf_counter() - began)
        began = time.perf_counter()
        engine.compact()
        compacting = time.perf_counter() - began
        ids = engine.ids()[:_UPDATED]
        records = [
            Record(labels, {**metadata, "price": n})
            for n, (labels, metadata) in enumerate(engine.records(ids))
        ]
        began = time.perf_counter()
        engine.describe(ids, records)
        updating = time.perf_counter() - began
    return {
        "insert_items_per_sec": _ITEMS.value / sum(times),
        "insert_slowest_call_s": max(times),
        "compact_s": compacting,
        "update_of_10000_s": updating,
    }


def search(uri: str) -> dict:
    began = time.perf_counter()
    with open_store(uri, read_only=True) as engine:
        opened = time.perf_counter() - began
        engine.search(queries((1.0,), 1)[0], _HITS.value)
        answered, memory_of_one = time.perf_counter() - began, memory()
        kinds = {kind: latency(engine, *of) for kind, of in _KINDS.items()}
        return {
            "exact": engine.exact,
            "open_s": opened,
            "first_answer_s": answered,
            "memory_mb_after_one_attribute": memory_of_one,
            "latency_ms": kinds,
            "memory_mb": memory(),
            "found_what_numpy_finds": shares(engine),
        }


def plain(vectors: Callable[[np.ndarray], Callable[[np.ndarray], object]]) -> dict:
    """Latencies of a function of a query, which `vectors` makes of a matrix [N, numbers]."""
    found = {}
    for kind, (weights, text) in _KINDS.items():
        asked = queries(weights, 1)[0]
        counting = np.flatnonzero(asked.any(-1))
        matrix = np.empty((_ITEMS.value, len(counting) * _DIMENSION.value), np.float32)
        rows = 0
        for items in batches():
            met = [not text or record.metadata["shelf"] == 3 for record in items.records]
            kept = items.vectors[met][:, counting]
            matrix[rows : rows + len(kept)] = kept.reshape(len(kept), -1)
            rows += len(kept)
        search = vectors(matrix[:rows])
        found[kind] = timed(search, [asked[counting].ravel()] * _QUERIES.value)
    return found


def plain_numpy(matrix: np.ndarray) -> Callable:
    def search(query: np.ndarray) -> np.ndarray:
        scores = matrix @ query
        best = np.argpartition(-scores, _HITS.value)[: _HITS.value]
        return best[np.argsort(-scores[best])]

    return search


def plain_faiss(matrix: np.ndarray) -> Callable:
    import faiss

    metric = faiss.METRIC_INNER_PRODUCT
    return lambda query: faiss.knn(query[None], matrix, _HITS.value, metric)


def latency(engine: Engine, weights: tuple[float, ...] | None, text: str) -> dict:
    condition = parse(text)
    return timed(
        lambda query: engine.search(query, _HITS.value, condition),
        queries(weights, _QUERIES.value),
    )


def timed(search: Callable, asked: Sequence[np.ndarray]) -> dict:
    times = []
    for query in asked:
        began = time.perf_counter()
        search(query)
        times.append(1000 * (time.perf_counter() - began))
    p50, p99 = np.percentile(times, (50, 99))
    return {"first": times[0], "p50": p50, "p99": p99}


def memory() -> dict:
    status = Path("/proc/self/status").read_text()

    def read(name: str) -> float:
        return int(re.search(rf"{name}:\s+(\d+)", status)[1]) / 1024

    return {"anonymous": read("RssAnon"), "mapped": read("RssFile")}


def shares(engine: Engine) -> dict:
    """Part of NumPy's best that are found, over some queries of each kind."""
    drawn = {kind: queries(weights, _CHECKED) for kind, (weights, _) in _KINDS.items()}
    ids, scores = [], {kind: [] for kind in _KINDS}
    for items in batches():
        ids += items.ids
        met = np.array([record.metadata["shelf"] == 3 for record in items.records])
        for kind, (_, text) in _KINDS.items():
            found = items.vectors.reshape(len(items), -1) @ drawn[kind].reshape(_CHECKED, -1).T
            scores[kind].append(np.where(met[:, None], found, -np.inf) if text else found)
    return {
        kind: share(engine, kind, ids, np.concatenate(scores[kind]), drawn[kind]) for kind in _KINDS
    }


def share(engine: Engine, kind: str, ids: list, scores: np.ndarray, drawn: np.ndarray) -> float:
    best = np.argsort(-scores, axis=0, kind="stable")[: _HITS.value]
    where = parse(_KINDS[kind][1])
    found = [engine.search(query, _HITS.value, where).ids for query in drawn]
    hits = sum(len({ids[row] for row in best[:, n]} & set(found[n])) for n in range(_CHECKED))
    return hits / (_HITS.value * _CHECKED)


def child(step: str, folder: str) -> dict:
    """What a process of its own gives, so that its memory is its own."""
    arguments = [a for a in sys.argv[1:] if not a.startswith(("--json", "--folder"))]
    command = [sys.executable, __file__, *arguments, f"--folder={folder}", f"--step={step}"]
    result = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(result.stdout)


def measured(folder: str) -> dict:
    found = {**child("fill", folder), **child("search", folder)}
    if _PLAIN.value:
        found["plain_latency_ms"] = {name: child(name, folder) for name in ("faiss", "numpy")}
    size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    vectors = 4 * _ITEMS.value * _ATTRIBUTES.value * _DIMENSION.value
    return {
        "engine": _ENGINE.value,
        "options": _OPTIONS.value,
        "server": bool(_SERVER.value),
        "items": _ITEMS.value,
        "attributes": _ATTRIBUTES.value,
        "dimension": _DIMENSION.value,
        "groups": _GROUPS.value,
        "k": _HITS.value,
        "cpu": cpu(),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        **found,
        "files_mb": size / 2**20,
        "vectors_mb": vectors / 2**20,
    }


def cpu() -> str:
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.processor()


def rounded(value):
    """Numbers to four digits, however deep they stand."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def uri(folder: str) -> str:
    if _SERVER.value:
        place, options = _SERVER.value, f"collection=benchmark_{Path(folder).name}"
    else:
        place, options = Path(folder) / ("store.db" if _ENGINE.value == "milvus" else "store"), ""
    options = "&".join(filter(None, (options, _OPTIONS.value)))
    return f"{_ENGINE.value}:{place}" + (f"?{options}" if options else "")


def main(_) -> None:
    logging.set_verbosity(logging.WARNING)
    steps: dict[str, Callable] = {
        "fill": lambda: fill(uri(_FOLDER.value)),
        "search": lambda: search(uri(_FOLDER.value)),
        "faiss": lambda: plain(plain_faiss),
        "numpy": lambda: plain(plain_numpy),
    }
    if _STEP.value:
        print(json.dumps(steps[_STEP.value]()))
        return
    with tempfile.TemporaryDirectory(dir=_FOLDER.value) as folder:
        report(rounded(measured(folder)), _JSON.value)


if __name__ == "__main__":
    app.run(main)
