"""This library and PyTorch in one run: the same case, network and batch, on the same photographs.

    python benchmarks/compare_torch.py --case=train_stage1 --global_backbone=resnet50 \\
        --local_backbone=resnet34 --size=224 --local_size=112 --batch=4 \\
        --json=benchmarks/results/torch_train_stage1_resnet50.json

Takes turns, so that both see the machine alike: `asen-benchmark` and `benchmarks/torch_asen.py`
(which says whose code that is), in processes of their own, each `--rounds` times. The best of each
counts. Needs PyTorch, which is no dependency of this library.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from absl import app, flags

from asen_tf.benchmarks.report import report

_CASES = ("train_stage1", "train_stage2", "embed_one", "embed_all")
_CASE = flags.DEFINE_enum("case", "train_stage1", _CASES, "What to measure.")
_GLOBAL = flags.DEFINE_string("global_backbone", "resnet50", "Of the global branch.")
_LOCAL = flags.DEFINE_string("local_backbone", "resnet34", "Of the local branch.")
_SIZE = flags.DEFINE_integer("size", 224, "Side of the global branch's input in pixels.")
_LOCAL_SIZE = flags.DEFINE_integer("local_size", 112, "Likewise of the local branch.")
_BATCH = flags.DEFINE_integer("batch", 4, "Triplets a training step; images, embedding.")
_ATTRIBUTES = flags.DEFINE_integer("attributes", 9, "Attributes that are embedded.")
_SECONDS = flags.DEFINE_float("seconds", 15.0, "How long to measure each.")
_ROUNDS = flags.DEFINE_integer("rounds", 1, "Turns of each.")
_DATA = flags.DEFINE_string("data_dir", "", "Folder for the photographs; default: temporary.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")

_SHARED = (_CASE, _GLOBAL, _LOCAL, _SIZE, _LOCAL_SIZE, _BATCH, _ATTRIBUTES, _SECONDS)
_HERE = Path(__file__).parent


def measured(program: list[str], root: str) -> dict:
    """What a program prints as JSON."""
    words = [f"--{flag.name}={flag.value}" for flag in _SHARED]
    result = subprocess.run(
        [sys.executable, *program, *words, f"--data_dir={root}"], stdout=subprocess.PIPE, check=True
    )
    return json.loads(result.stdout)


def main(_) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        root = _DATA.value or temporary
        rounds = [
            (
                measured(["-m", "asen_tf.cli.benchmark"], root),
                measured([str(_HERE / "torch_asen.py")], root),
            )
            for _ in range(_ROUNDS.value)
        ]
    ours, torch = (
        max(turns, key=lambda turn: turn["images_per_sec"]) for turns in zip(*rounds, strict=True)
    )
    result = {
        **ours,
        "torch": torch,
        "times_torch": ours["images_per_sec"] / torch["images_per_sec"],
        "memory_over_torch": ours["peak_memory_mb"] / torch["peak_memory_mb"],
    }
    report(result, _JSON.value)


if __name__ == "__main__":
    app.run(main)
