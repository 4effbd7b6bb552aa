"""Trains the model that a configuration describes.

asen-train --config=configs/asen/synthetic.py --workdir=DIR
"""

from absl import app, flags
from ml_collections import config_flags

from asen_tf.training import loop, strategy

_CONFIG = config_flags.DEFINE_config_file(
    "config", None, "Experiment file; --config.KEY=VALUE changes one of its keys.", lock_config=True
)
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the run; a killed run goes on there.")
_STRATEGY = flags.DEFINE_enum("strategy", "default", strategy.NAMES, "Where to train.")
_LOGICAL_CPUS = flags.DEFINE_integer(
    "logical_cpus", 0, "Splits the processor into so many devices, to try --strategy=mirrored.", 0
)
flags.mark_flags_as_required(["config", "workdir"])


def main(argv) -> None:
    if len(argv) > 1:
        raise app.UsageError(f"unexpected arguments: {argv[1:]}")
    loop.train(
        _CONFIG.value, _WORKDIR.value, strategy.create(_STRATEGY.value, _LOGICAL_CPUS.value)
    )


def run() -> None:
    app.run(main)


if __name__ == "__main__":
    run()
