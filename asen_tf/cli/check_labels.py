"""Finds labels of a table that are probably wrong.

    asen-check-labels --config=configs/asen/csv.py --config.data.root=/data/shop --workdir=checked

Each label is compared with what classifiers of other photographs say, on the frozen features of the
backbone that the experiment starts from. Writes into the folder labels.csv, the doubtful ones
ranked, and labels.html, the same with photographs.

    asen-check-labels ... --drop=dropped.csv --fix=fixed.csv

write the table again, with doubtful cells blank, or with the likely value in them. Look first.
"""

from typing import TYPE_CHECKING

from absl import flags
from ml_collections import config_flags

from asen_client.cli import program
from asen_client.core.terminal import printable
from asen_tf.core import experiment_files

if TYPE_CHECKING:
    from asen_tf.api.check_labels import CheckedLabels


def main() -> None:
    from asen_tf.api.check_labels import check_labels

    given = flags.FLAGS
    found = check_labels(
        given.config,
        given.workdir,
        folds=given.folds,
        drop=given.drop,
        fix=given.fix,
        photographs=given.photographs,
    )
    print(report(found, given.lines))
    written = [f"{given.workdir}/labels.csv", f"{given.workdir}/labels.html", given.drop, given.fix]
    print(f"\n{', '.join(map(printable, filter(None, written)))}")


def report(found: "CheckedLabels", lines: int) -> str:
    """Counts by attribute, what was left out, and the first of the doubtful labels.

    Args:
      found: of `asen_tf.check_labels`.
      lines: most labels that are listed.
    """
    counts = {printable(name): numbers for name, numbers in found.counts.items()}
    wide = max(map(len, ("attribute", *counts)))
    told = [f"{'attribute':{wide}}  labels  doubtful"]
    for name, (count, wrong) in counts.items():
        told.append(f"{name:{wide}}  {count:6}  {wrong:8}  {wrong / count:6.1%}")
    if found.left_out:
        told += ["", "not checked:", *(f"  {printable(line)}" for line in found.left_out)]
    if shown := found.wrong[:lines]:
        told += ["", "most doubtful:"]
    for label in shown:
        said = f"{label.image}: {label.attribute} {label.given}, likely {label.likely}"
        told.append(f"  {printable(said)} ({label.probability:.2f})")
    return "\n".join(told)


def run() -> None:
    config_flags.DEFINE_config_file("config", None, "The experiment whose labels to check.")
    flags.DEFINE_string("workdir", None, "Folder for what is found, and for computed features.")
    flags.DEFINE_integer("folds", 5, "How many parts the photographs are divided into.", 2)
    flags.DEFINE_string("drop", None, "A table to write, with doubtful cells blank.")
    flags.DEFINE_string("fix", None, "A table to write, with the likely value in doubtful cells.")
    flags.DEFINE_integer("photographs", 200, "Most doubtful labels that the page shows.", 0)
    flags.DEFINE_integer("lines", 20, "Most doubtful labels that are printed.", 0)
    flags.mark_flags_as_required(["config", "workdir"])
    program.run(main, goes_on=True, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
