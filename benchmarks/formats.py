"""What a trained model finds as an ONNX or LiteRT file: MAP, agreement, size and speed.

    python benchmarks/formats.py --workdir=demo/run --output=DIR \\
        --json=benchmarks/results/formats.json

Exports the run in every format that is one file, and measures each as the run itself, through
`asen_tf.load`, on the test split: MAP, accuracy of values, and cosines with the run's vectors of
the first --images photographs. Speed is that of --batch of these in one call, decoding included,
the best of three.
"""

import time
from pathlib import Path

from absl import app, flags

import asen_tf
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core.choices import FILE_ENDINGS
from asen_tf.workdir import Workdir

_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for the files.", required=True)
_IMAGES = flags.DEFINE_integer("images", 100, "Photographs to compare vectors of.")
_BATCH = flags.DEFINE_integer("batch", 32, "Photographs in one call.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")

# (format, what weights are kept in)
_KINDS = (("onnx", None), ("litert", None), ("litert", "float16"), ("litert", "int8"))


def main(_) -> None:
    run, output = Workdir(_WORKDIR.value), Path(_OUTPUT.value)
    output.mkdir(parents=True, exist_ok=True)
    sources = {"run": _WORKDIR.value}
    for kind, quantize in _KINDS:
        name = " ".join(filter(None, (kind, quantize)))
        file = output / f"{name.replace(' ', '_')}{FILE_ENDINGS[kind]}"
        sources[name] = asen_tf.export(run.path, file, format=kind, quantize=quantize)
    manifest = run.manifest()
    rows = manifest.examples_of("test")[: _IMAGES.value]
    photographs = [manifest.photograph(row) for row in rows]
    expected, results = None, {}
    for name, source in sources.items():
        embedder = asen_tf.load(source, batch_size=_BATCH.value)
        vectors = embedder.embed_all(photographs)
        expected = vectors if expected is None else expected
        cosines = (vectors * expected).sum(-1)
        found = asen_tf.evaluate(embedder, manifest)
        results[name] = {
            "megabytes": Path(source).stat().st_size / 1e6 if name != "run" else None,
            "map": 100 * found["map"],
            "attributes": {a: 100 * its["map"] for a, its in found["attributes"].items()},
            "accuracy": 100 * found["recognition"]["accuracy"] if "recognition" in found else None,
            "cosine": {"mean": float(cosines.mean()), "least": float(cosines.min())},
            "off": float(abs(vectors - expected).max()),
            "images_per_second": _speed(embedder, photographs[: _BATCH.value]),
        }
    about = {"images": len(rows), "batch": _BATCH.value, "formats": results}
    report(about | machine.description(), _JSON.value)


def _speed(embedder: asen_tf.Embedder, photographs: list) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        embedder.embed_all(photographs)
        times.append(time.perf_counter() - began)
    return len(photographs) / min(times)


if __name__ == "__main__":
    app.run(main)
