"""Renders a data set of synthetic garments with known attributes and part boxes.

    asen-synthesize --output=data/garments --images=1500 --seed=0 --look=plain

Image i depends on the seed, i and the look alone: a larger set begins with the smaller one's
images. A folder that already holds that set is left as it is.
"""

import os

from absl import flags

from asen_client.cli import program
from asen_tf.core.choices import LOOKS
from asen_tf.core.config import defaults


def main() -> None:
    from asen_tf.data.synthetic import write_dataset

    given = flags.FLAGS
    write_dataset(given.output, given.images, given.seed, given.look, given.processes)
    print(f"{given.images} garments in {given.output}")


def run() -> None:
    flags.DEFINE_string("output", None, "Folder to write, which is new or empty.")
    usual = defaults().data  # so that asen-train takes what this makes
    flags.DEFINE_integer("images", usual.images, "How many photographs to render.")
    flags.DEFINE_integer(
        "seed", usual.seed, "Seed; image i depends on it, on i and on the look.", 0
    )
    flags.DEFINE_enum("look", usual.look, LOOKS, "A plain wall, or a cluttered room.")
    flags.DEFINE_integer("processes", os.cpu_count() or 1, "How many processes render.")
    flags.mark_flag_as_required("output")
    program.run(main)


if __name__ == "__main__":
    run()
