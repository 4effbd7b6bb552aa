"""Embeds a catalogue with an exported model, on Apache Beam.

    asen-embed --saved_model=export/models/asen/1 --manifest=/data/shop/manifest.csv \\
      --output=vectors

What follows `--` are options of Beam: `-- --runner=FlinkRunner --parallelism=16`. Without them the
work is done in this process. The same command goes on where a killed run stopped.
"""

import logging
import sys
from collections.abc import Sequence

from absl import app, flags

from asen_tf.cli import program
from asen_tf.core.progress import duration


def main(beam_options: Sequence[str]) -> int | None:
    given = flags.FLAGS
    if beam_options and not beam_options[0].startswith("--"):
        raise app.UsageError(f"unexpected argument {beam_options[0]}; options of Beam follow --")
    try:
        # Beam warns of packages that only Google's services need.
        logging.disable(logging.WARNING)
        from asen_tf.serving.bulk import embed_catalogue
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        logging.disable(logging.NOTSET)
    found = embed_catalogue(
        given.saved_model,
        given.manifest,
        given.output,
        root=given.root,
        attributes=given.attributes,
        batch_size=given.batch_size,
        shards=given.shards,
        beam_options=beam_options,
    )
    if not found.embedded:
        print(f"all {found.shards} shards were done before")
    print(
        f"{found.images} images, {found.vectors} vectors, {found.errors} errors, "
        f"{duration(found.seconds)}: {given.output}"
    )
    return None


def run() -> None:
    flags.DEFINE_string("saved_model", None, "A version that asen-export wrote, such as DIR/1.")
    flags.DEFINE_string("manifest", None, "CSV with the column image and, for names, id.")
    flags.DEFINE_string("root", None, "Folder of the photographs; none: that of the manifest.")
    flags.DEFINE_string("output", None, "Folder for vectors/*.parquet and errors/*.jsonl.")
    flags.DEFINE_list("attributes", "", "Those to embed in, in this order; none: all.")
    flags.DEFINE_integer("batch_size", 32, "Photographs at once in the model.", lower_bound=1)
    flags.DEFINE_integer("shards", None, "Files; none: one for 1024 images.", lower_bound=1)
    flags.mark_flags_as_required(["saved_model", "manifest", "output"])
    program.run(main, positional=True)


if __name__ == "__main__":
    run()
