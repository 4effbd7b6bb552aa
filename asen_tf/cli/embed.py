"""Embeds the photographs of a catalogue, on Apache Beam.

    asen-embed --model=export/models/asen --manifest=/data/photographs/manifest.csv \\
      --output=vectors

--predict writes tags besides, OUTPUT/tags.csv: of each photograph the value of each attribute that
the model finds most probable, and how probable it is; below --min_probability the cell is empty.

What follows `--` are options of Beam: `-- --runner=FlinkRunner --parallelism=16`. Without them the
work is done in this process. The same command goes on where a killed run stopped.
"""

import sys
from collections.abc import Sequence

from absl import app, flags

from asen_client.cli import program
from asen_client.core import startup
from asen_tf.cli import failures, lists, remote


def main(beam_options: Sequence[str]) -> int:
    given = flags.FLAGS
    if beam_options and not beam_options[0].startswith("--"):
        raise app.UsageError(f"unexpected argument {beam_options[0]}; options of Beam follow --")
    try:
        # Beam warns of packages that only Google's services need.
        with startup.without_warnings():
            from asen_tf.bulk import embed_catalogue
    except ImportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    from asen_tf.core.progress import duration

    found = embed_catalogue(
        given.model,
        given.manifest,
        given.output,
        root=given.root,
        boxes=given.boxes,
        column_names=lists.pairs(given.column_names),
        follow_links=given.follow_links,
        remote=remote.given_by(given),
        attributes=given.attributes,
        batch_size=given.batch_size,
        shards=given.shards,
        beam_options=beam_options,
        predict=given.predict,
        min_probability=given.min_probability,
    )
    if not found.embedded:
        print(f"all {found.shards} shards were done before")
    print(
        f"{found.images} images, {found.vectors} vectors, {found.errors} errors, "
        f"{duration(found.seconds)}: {given.output}"
    )
    done = found.images - found.errors
    return failures.status(found.problems, found.errors, done, given.max_failed)


def run() -> None:
    flags.DEFINE_string("model", None, "Folder of a run, an export or a preset, or HOST:PORT.")
    flags.DEFINE_string("manifest", None, "A table with the column image and, for names, id.")
    flags.DEFINE_string("root", None, "Folder or URL of the photographs; default: the manifest's.")
    flags.DEFINE_string("boxes", None, "A table image,x1,y1,x2,y2, if the manifest has no boxes.")
    lists.define_column_names()
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of the root.")
    remote.define_flags()
    flags.DEFINE_string("output", None, "Folder to write vectors/*.parquet and errors/*.jsonl to.")
    flags.DEFINE_list("attributes", "", "Attributes to embed in, in this order; default: all.")
    flags.DEFINE_integer("batch_size", 32, "Photographs that go through the model at once.", 1)
    flags.DEFINE_integer("shards", None, "Files to write; default: one for 1024 images.", 1)
    flags.DEFINE_bool("predict", False, "Whether to write the values of photographs; see above.")
    flags.DEFINE_float("min_probability", 0.5, "What a tag has to have, from 0 to 1.", 0.0, 1.0)
    failures.define_flag()
    flags.mark_flags_as_required(["model", "manifest", "output"])
    program.run(main, positional=True, goes_on=True)


if __name__ == "__main__":
    run()
