"""Trains the model that a configuration describes; a killed run goes on with the same command.

asen-train --config=configs/asen/synthetic.py --workdir=runs/asen
"""

import shlex

from absl import flags
from ml_collections import config_flags

from asen_client.cli import program
from asen_tf.core import config_check, experiment_files
from asen_tf.core.choices import STRATEGIES


def main() -> None:
    given = flags.FLAGS
    config = given.config  # what is wrong with it is said before TensorFlow loads
    config_check.check(config)
    from asen_tf.evaluation.report import LABELS
    from asen_tf.training import strategy
    from asen_tf.training.train import train

    where = strategy.create(given.strategy, given.logical_cpus)
    run = train(config, given.workdir, where)
    best = run.best()
    scores = [
        f"validation {label} {best[metric]:.4f}"
        for metric, label in LABELS.items()
        if best.get(metric) is not None
    ]
    print(
        f"best model: {run.best_model(best['stage'])} ({best['stage']}, step {best['step']}, "
        f"{', '.join(scores) or 'not validated'})"
    )
    if split := best.get("measure", "test"):
        evaluation = ["asen-evaluate", f"--workdir={run.path}", f"--split={split}"]
        print(f"next: {shlex.join(evaluation)}")


def run() -> None:
    config_flags.DEFINE_config_file("config", None, "Experiment; --config.KEY=VALUE changes a key.")
    flags.DEFINE_string("workdir", None, "Folder of the run, in which a killed run goes on.")
    flags.DEFINE_enum(
        "strategy",
        "default",
        STRATEGIES,
        "What to train on: one device, all of this machine, or several machines (TF_CONFIG).",
    )
    flags.DEFINE_integer(
        "logical_cpus",
        0,
        "How many devices to split the processor into, to try --strategy=mirrored without GPUs.",
        0,
    )
    flags.mark_flags_as_required(["config", "workdir"])
    program.run(main, goes_on=True, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
