"""Time to a MAP: all triplets of a batch of labelled images, or triplets drawn as in the paper.

    python benchmarks/sampling.py --output=DIR --json=benchmarks/results/sampling.json

The same network, rates and 48 images a step, stage one on the demo's garments. What the paper's
sampling validates best within 90 epochs is the MAP to reach; validation counts as time. Runs that
are finished in DIR are not repeated.
"""

import subprocess
import sys
from pathlib import Path

from absl import app, flags

from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.workdir import Workdir

_OUTPUT = flags.DEFINE_string("output", None, "Folder for the data and the runs.", required=True)
_SEEDS = flags.DEFINE_list("seeds", ["1", "2", "3"], "One run of each kind for each.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")

_KINDS = {
    "paper": {
        "train.sampling": "triplet",
        "train.batch_size": 16,  # triplets, of three images
        "stage1.epochs": 90,
        "eval.every_epochs": 6,
    },
    "multi": {"eval.every_epochs": 2},
}


def validated(kind: str, seed: str) -> list[dict]:
    """Each validation of a run: its seconds, step and MAP."""
    output = Path(_OUTPUT.value)
    workdir = output / f"{kind}_{seed}"
    keys = {
        "data.root": output / "data",
        "data.check": "none",
        "eval.pictures": 0,
        "train.stages": "stage1",
        "train.seed": seed,
        **_KINDS[kind],
    }
    program = [sys.executable, "-m", "asen_tf.cli.train", "--config=configs/asen/synthetic.py"]
    words = [f"--config.{key}={value}" for key, value in keys.items()]
    subprocess.run([*program, *words, f"--workdir={workdir}"], check=True)
    return [
        {"seconds": e["seconds"], "step": e["step"], "map": e["valid_map"]}
        for e in Workdir(workdir).history()
        if "valid_map" in e
    ]


def compare(seed: str) -> dict:
    """What the paper's sampling reaches, and when the other one does."""
    paper = max(validated("paper", seed), key=lambda e: e["map"])
    multi = validated("multi", seed)
    reached = next((e for e in multi if e["map"] >= paper["map"]), None)
    return {
        "seed": int(seed),
        "paper": paper,
        "multi_attribute": reached,
        "multi_attribute_best": max(multi, key=lambda e: e["map"]),
        "share_of_time": reached and reached["seconds"] / paper["seconds"],
    }


def main(_) -> None:
    result = {"runs": [compare(seed) for seed in _SEEDS.value], **machine.description()}
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
