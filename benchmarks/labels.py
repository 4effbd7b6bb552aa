"""How many labelled photographs it takes: ASEN and the linear baseline on fewer of them.

    python benchmarks/labels.py --data=deepfashion_subset --data_root=DIR --output=DIR \\
        --json=benchmarks/results/labels_deepfashion_subset.json

For each number, as many photographs of the training split, drawn at random, are trained on in the
first stage, heads on frozen features; validation and test split stay whole. Runs that are finished
in --output are not repeated.
"""

import csv
import random
from pathlib import Path

from absl import app, flags

import asen_tf
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core import experiment_files

_DATA = flags.DEFINE_string("data", "deepfashion_subset", "Experiment of configs/asen, of a table.")
_ROOT = flags.DEFINE_string("data_root", None, "Folder of the data.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for tables and runs.", required=True)
_LABELLED = flags.DEFINE_list("labelled", ["50", "200", "800", "all"], "Numbers of photographs.")
_EPOCHS = flags.DEFINE_float("epochs", 16.0, "Of each training; as many steps for every number.")
_SEED = flags.DEFINE_integer("seed", 0, "Of which photographs are drawn, and of the training.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")


def write_part(table: Path, part: Path, number: str) -> int:
    """Writes a table with the labels of some of the training photographs; returns how many."""
    with table.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    training = [row for row in rows if row["split"] == "train"]
    labelled = len(training) if number == "all" else int(number)
    random.Random(_SEED.value).shuffle(training)
    for row in training[labelled:]:
        row.update(dict.fromkeys(row.keys() - {"image", "split", "role"}, ""))
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return labelled


def measure(number: str) -> dict[str, float]:
    """Overall MAP on the test split, of both models, in percent."""
    output = Path(_OUTPUT.value).resolve()
    output.mkdir(parents=True, exist_ok=True)
    config = experiment_files.read(experiment_files.find("asen", _DATA.value))
    part = output / f"{number}.csv"
    photographs = write_part(Path(_ROOT.value) / config.data.manifest, part, number)
    config.data.update(format="csv", root=_ROOT.value, manifest=str(part))
    config.train.update(stages=("heads",), seed=_SEED.value, embed_values=False)
    config.heads.epochs = _EPOCHS.value
    run = asen_tf.train(config, output / number)
    result = asen_tf.evaluate(run, baseline=True)
    return {"photographs": photographs} | {
        name: 100 * variant["map"] for name, variant in result["variants"].items()
    }


def main(_) -> None:
    report({"runs": [measure(n) for n in _LABELLED.value], **machine.description()}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
