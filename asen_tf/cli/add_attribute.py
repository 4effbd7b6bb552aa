"""Adds an attribute to a trained run, from a few labelled photographs, without training it again.

    asen-add-attribute --workdir=runs/asen_shop --manifest=/data/shop/fabric.csv \\
        --attribute=fabric --output=runs/asen_shop_fabric

The table has image, split and a column of the attribute, perhaps also those that the run knows. It
learns from the photographs of split train that are labelled for it, 5 to 50 of each value, say. The
new run is evaluated, exported and searched like any other, on this table; vectors of the other
attributes are those of the run before, which stays as it is.
"""

import shlex
from typing import TYPE_CHECKING

from absl import flags

from asen_client.cli import program
from asen_client.core.terminal import printable
from asen_tf.cli import lists

if TYPE_CHECKING:
    from asen_tf.api.add_attribute import AddedAttribute


def main() -> None:
    from asen_tf.api.add_attribute import add_attribute

    given = flags.FLAGS
    found = add_attribute(
        given.workdir,
        given.manifest,
        given.attribute,
        given.output,
        root=given.root,
        boxes=given.boxes,
        column_names=lists.pairs(given.column_names),
        skip_bad=given.skip_bad,
        folds=given.folds,
        seed=given.seed,
    )
    print(report(found, given.attribute))


def report(found: "AddedAttribute", attribute: str) -> str:
    """What it was learned from, how good it is by cross-validation, what to do next."""
    counts = ", ".join(f"{value} {count}" for value, count in found.counts.items())
    percent = {name: f"{100 * number:.1f}" for name, number in found.quality.items()}
    told = [
        printable(f"{attribute} is learned from: {counts}"),
        f"by cross-validation in {found.folds} parts:",
        f"  MAP {percent['map']}; of a random order {percent['random_map']}, by the backbone's "
        f"features alone {percent['frozen_map']}",
    ]
    if found.quality["map"] < found.quality["frozen_map"]:
        told.append("  which is better: label more photographs of each value, and add it again")
    if "accuracy" in percent:
        told.append(
            f"  values named right {percent['accuracy']}; always the most frequent one "
            f"{percent['most_frequent']}"
        )
    run = f"--workdir={found.run.path}"
    told.append(printable(f"new run: {found.run.path}"))
    commands = [["asen-export", run, "--output=FOLDER"]]
    if found.measured:
        commands.insert(0, ["asen-evaluate", run, f"--split={found.measured}"])
    told += [f"next: {printable(shlex.join(command))}" for command in commands]
    return "\n".join(told)


def run() -> None:
    flags.DEFINE_string("workdir", None, "Folder of the run, which stays as it is.")
    flags.DEFINE_string(
        "manifest", None, "A table with the columns image, split and the attribute."
    )
    lists.define_text("attribute", None, "The new attribute, a column of the table.")
    flags.DEFINE_string("output", None, "Folder to write: a run, --workdir of other programs.")
    flags.DEFINE_string("root", None, "Folder of the photographs; default: the manifest's.")
    flags.DEFINE_string("boxes", None, "A table image,x1,y1,x2,y2, if the manifest has no boxes.")
    lists.define_column_names()
    flags.DEFINE_bool("skip_bad", False, "Whether to drop bad rows of the table.")
    flags.DEFINE_integer("folds", 5, "How many parts the photographs are divided into.", 2)
    flags.DEFINE_integer("seed", 0, "Seed of the parts and of learning.", 0)
    flags.mark_flags_as_required(["workdir", "manifest", "attribute", "output"])
    program.run(main, goes_on=True)


if __name__ == "__main__":
    run()
