"""Checks the data set of a configuration: tables, labels, roles and every image.

    asen-check-data --config=configs/my_shop.py --config.data.root=/data/shop

Prints what the data set holds. If something is bad, lists it and exits with 1.
"""

from collections.abc import Mapping

from absl import flags
from ml_collections import config_flags

from asen_client.cli import program
from asen_tf.core import experiment_files


def table(summary: Mapping) -> str:
    """What `asen_tf.check_data` gives, as text: a line for the images, and one an attribute."""
    attributes = summary["attributes"]
    headings = list(next(iter(attributes.values())))
    wide = max(map(len, ("attribute", *attributes)))
    images = ", ".join(f"{split} {count}" for split, count in summary["images"].items())
    lines = [f"images: {images}", "  ".join(["attribute".ljust(wide), *headings])]
    for name, counts in attributes.items():
        cells = [str(counts[heading]).rjust(len(heading)) for heading in headings]
        lines.append("  ".join([name.ljust(wide), *cells]))
    return "\n".join(lines)


def main() -> int:
    from asen_tf.api.check_data import check_data
    from asen_tf.data.load import BadData, listed

    try:
        print(table(check_data(flags.FLAGS.config, flags.FLAGS.training)))
    except BadData as error:
        print(f"{listed(error.problems, len(error.problems))}\n{len(error.problems)} problems")
        return 1
    return 0


def run() -> None:
    config_flags.DEFINE_config_file("config", None, "The experiment whose data to check.")
    flags.DEFINE_bool("training", True, "Whether images for training have to be there.")
    flags.mark_flag_as_required("config")
    program.run(main, checks={"config": experiment_files.check})


if __name__ == "__main__":
    run()
