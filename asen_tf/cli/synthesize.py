"""Renders a data set of synthetic garments with known attributes and part boxes.

    asen-synthesize --output=/tmp/garments --images=2000 --seed=0 --look=cluttered

Image i depends on the seed, i and the look alone: a larger set begins with the smaller one's
images. A folder that already holds the set asked for is left as it is.
"""

import os
import sys
from collections.abc import Sequence

from absl import app, flags

from asen_tf.data.synthetic import write_dataset
from asen_tf.data.synthetic.scene import LOOKS

_OUTPUT = flags.DEFINE_string("output", None, "Folder to write; new or empty.")
_IMAGES = flags.DEFINE_integer("images", 2000, "How many photographs.")
_SEED = flags.DEFINE_integer("seed", 0, "Number of the series.", lower_bound=0)
_LOOK = flags.DEFINE_enum("look", "cluttered", LOOKS, "Product photograph or a full room.")
_PROCESSES = flags.DEFINE_integer("processes", os.cpu_count() or 1, "Processes that render.")


def main(arguments: Sequence[str]) -> int | None:
    """Writes the data set; a bad flag gives one line on stderr and status 1."""
    if len(arguments) > 1:
        raise app.UsageError(f"unexpected arguments: {' '.join(arguments[1:])}")
    try:
        write_dataset(_OUTPUT.value, _IMAGES.value, _SEED.value, _LOOK.value, _PROCESSES.value)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return None


def run() -> None:
    """Console entry point."""
    flags.mark_flag_as_required("output")
    app.run(main)


if __name__ == "__main__":
    run()
