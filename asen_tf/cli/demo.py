"""The main job, end to end: train, evaluate, draw; on synthetic garments or on photographs.

    asen-demo --output=demo
    asen-demo --data=/data/shop/manifest.csv --output=shop

Without --data, garments are rendered first. The experiment is configs/asen/csv.py, which starts
from ImageNet weights, in three minutes of training, or --config.train.max_minutes; unless --config
names another, such as configs/asen/synthetic.py, from scratch.
"""

import json
import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from absl import flags
from ml_collections import config_flags

from asen_client.cli import program
from asen_tf.core import experiment_files

_MINUTES = 3.0
_LEAST_TESTED = 2


def main() -> None:
    from asen_tf.api.evaluate import evaluate
    from asen_tf.core.choices import EVERY
    from asen_tf.core.progress import duration
    from asen_tf.data import formats
    from asen_tf.data.synthetic import write_dataset
    from asen_tf.evaluation import save
    from asen_tf.evaluation.report import tables
    from asen_tf.figures import visualize
    from asen_tf.training.train import train
    from asen_tf.workdir import Workdir

    given = flags.FLAGS
    began = time.monotonic()
    output = Path(given.output)
    config = given.config
    overridden = config_flags.get_override_values(given["config"])
    if given["config"].using_default_value and "train.max_minutes" not in overridden:
        config.train.max_minutes = _MINUTES
    workdir = output / "run"
    data = config.data
    if given.data:
        place = Path(given.data).expanduser()
        table = place / data.manifest if place.is_dir() else place
        data.update(root=str(table.parent), manifest=table.name)
        tested = len(formats.read(data)[0].rows("test"))
        if tested < _LEAST_TESTED:
            raise ValueError(
                f"{table}: {tested} photographs have the split test, expected {_LEAST_TESTED} or "
                "more to score and draw; mark about a fifth of the rows so, and a tenth valid"
            )
    else:
        data.format = "synthetic"
        data.root = data.root or str(output / "data")
        write_dataset(data.root, data.images, data.seed, data.look, processes=os.cpu_count() or 1)
    train(config, workdir)
    finished = Workdir(workdir)
    result = evaluate(workdir, slices=(EVERY,))
    for file in (output / "test.json", finished.result("test")):
        save(result, file)
    manifest = finished.manifest()
    one, other = (manifest.path(row) for row in manifest.rows("test")[:2])
    pictures = visualize(workdir, output=output / "pictures")
    listed = "\n".join(f"  {picture}" for picture in pictures)
    served, store = output / "served", f"--store=faiss:{output}/store"
    named = ",".join(f"{name}={its}" for name, its in data.column_names.items() if its != name)
    pair = ", ".join(json.dumps(str(word)) for word in (one, other, next(iter(manifest.space))))
    load = f"import asen_tf; e = asen_tf.load({json.dumps(str(workdir))})"
    code = f"{load}; print(e.similarity({pair}))"
    print(
        f"\nMAP on the test split, in percent\n\n{tables(result)}\n\n"
        f"pictures:\n{listed}\n\n"
        f"done in {duration(time.monotonic() - began)}. Try next:\n"
        + _commands(
            ["asen-evaluate", f"--workdir={workdir}", "--baseline"],
            ["asen-visualize", f"--workdir={workdir}", f"--report={output}/report.html"],
            ["asen-visualize", f"--workdir={workdir}", "--figures=projector"],
            ["tensorboard", f"--logdir={workdir}/tensorboard"],
        )
        + "or look for yourself, at http://127.0.0.1:8080 in a browser:\n"
        + _commands(
            ["asen-export", f"--workdir={workdir}", f"--output={served}"],
            ["asen-index", f"--model={served}", f"--manifest={data.root}/{data.manifest}", store]
            + [f"--column_names={named}"] * bool(named)
            + [f"--boxes={data.root}/{data.garment_boxes}"] * bool(data.garment_boxes),
            ["asen-app", f"--model={served}", f"--images={data.root}", store],
        )
        + "or in Python:\n"
        + _commands(["python", "-c", code]),
        end="",
    )


def _commands(*lines: Sequence[str]) -> str:
    """As a shell takes them, a line each."""
    return "".join(f"  {shlex.join(words)}\n" for words in lines)


def run() -> None:
    experiment = str(experiment_files.find("asen", "csv"))
    config_flags.DEFINE_config_file(
        "config", experiment, "Experiment file; --config.KEY=VALUE changes a key."
    )
    flags.DEFINE_string(
        "data", "", "Photographs to run on: their table, or the folder with its manifest.csv."
    )
    flags.DEFINE_string("output", "demo", "Folder for the data, the run, its table and pictures.")
    program.run(main, goes_on=True, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
