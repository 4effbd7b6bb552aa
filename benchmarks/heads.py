"""What heads that all attributes share cost: beside heads of one attribute alone, on one catalogue.

    python benchmarks/heads.py --data_root=DIR --attributes=sleeve_length,neckline --output=DIR \\
        --json=benchmarks/results/heads_clothing_attributes.json

Trains the first stage of configs/asen/csv.py, heads on frozen features: shared by all attributes of
the table, shared for three times as many steps, shared and twice as wide, and one for each of
--attributes alone. Prints their MAP on the test split. Runs that are finished are not repeated.
"""

from pathlib import Path

from absl import app, flags

import asen_tf
from asen_tf.benchmarks import machine
from asen_tf.benchmarks.report import report
from asen_tf.core import experiments

_ROOT = flags.DEFINE_string("data_root", None, "Folder of manifest.csv.", required=True)
_ATTRIBUTES = flags.DEFINE_list("attributes", None, "Those to compare.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Folder for runs.", required=True)
_EPOCHS = flags.DEFINE_float("epochs", 8.0, "Of each training, of 50 steps.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the trainings.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to, beside printing it.")


def measure(name: str, columns: tuple[str, ...] = (), longer: float = 1, dim: int = 256) -> dict:
    """MAP of the attributes that were learned and are compared, in percent."""
    config = experiments.photographs("csv")
    config.data.update(root=_ROOT.value, columns=columns)
    config.train.update(stages=("heads",), seed=_SEED.value, embed_values=False)
    config.heads.update(epochs=longer * _EPOCHS.value, patience=0)
    config.model.attribute_dim = dim
    config.model.global_branch.update(common_dim=dim, embedding_dim=dim)
    run = asen_tf.train(config, Path(_OUTPUT.value) / name)
    found = asen_tf.evaluate(run)["attributes"]
    return {name: 100 * found[name]["map"] for name in _ATTRIBUTES.value if name in found}


def main(_) -> None:
    rows = {
        "shared": measure("shared"),
        "shared, three times as long": measure("longer", longer=3),
        "shared, twice as wide": measure("wider", dim=512),
        "one attribute alone": {},
    }
    for attribute in _ATTRIBUTES.value:
        rows["one attribute alone"] |= measure(f"alone_{attribute}", columns=(attribute,))
    report(
        {"epochs": _EPOCHS.value, "seed": _SEED.value, "map": rows} | machine.description(),
        _JSON.value,
    )


if __name__ == "__main__":
    app.run(main)
