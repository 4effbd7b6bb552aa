"""Embeds a catalogue's items into a store, or brings the store up to date.

    asen-index --model=export/models/asen --manifest=/data/photographs/catalogue.csv \\
      --store=faiss:/data/vectors

The table has the column image and, for names, id; columns named as the model's attributes hold
labels, x1,y1,x2,y2 or box the garment's box, all others metadata, of which product says which
photographs show one product. The same command goes on where a killed run stopped, embeds what is
new or whose photograph or box has changed, and takes over changed labels and metadata; --prune
deletes what the table has no more.

Photographs may be paths under --root, file://, https://, http://, s3:// or gs://. Those behind URLs
are asked for each time, and embedded again where the server gives others.

    asen-index --vectors=vectors --store=faiss:/data/vectors

keeps what asen-embed wrote, without a model; the manifest is then that of asen-embed by default.

A store that a version before 0.2 made is copied into one of this version by

    asen-index --convert=faiss:/data/old --store=faiss:/data/vectors
"""

import contextlib
import os

from absl import app, flags

from asen_client.cli import program
from asen_client.cli.embedders import define_flags
from asen_tf.cli import failures, lists, remote, text_model
from asen_tf.core.limits import MAX_PRUNED


def main() -> int:
    from asen_tf.api.index import index
    from asen_tf.data.root import is_url

    given = flags.FLAGS
    if given.convert:
        return _convert(given.convert, given.store)
    if given.vectors and given.model:
        raise app.UsageError("give --model or --vectors, of which nothing is embedded, not both")
    if not given.manifest and not given.vectors:
        raise app.UsageError("give --manifest, the table of the photographs")
    if given.root and not is_url(given.root) and not os.path.isdir(given.root):
        # Said before the model is loaded.
        raise FileNotFoundError(f"{given.root}: no such folder; expected that of the photographs")
    with contextlib.nullcontext() if given.vectors else text_model.opened(given) as model:
        found = index(
            model,
            given.manifest,
            given.store,
            root=given.root,
            boxes=given.boxes,
            column_names=lists.pairs(given.column_names),
            follow_links=given.follow_links,
            remote=remote.given_by(given),
            batch_size=given.batch_size,
            embed_again=given.embed_again,
            prune=given.prune,
            max_pruned=given.max_pruned,
            vectors=given.vectors,
        )
    print(
        f"{found.embedded} embedded, {found.updated} updated, {found.unchanged} unchanged, "
        f"{found.deleted} deleted, {len(found.problems)} errors; {found.items} items: {given.store}"
    )
    done = found.embedded + found.updated + found.unchanged
    return failures.status(found.problems, len(found.problems), done, given.max_failed)


def _convert(old: str, new: str) -> int:
    from asen_tf.catalogue.former import convert

    print(f"{convert(old, new)} items: {new}")
    return 0


def run() -> None:
    define_flags()
    text_model.define_flag()
    flags.DEFINE_string("manifest", None, "A table with the column image and, for names, id.")
    flags.DEFINE_string("root", None, "Folder or URL of the photographs; default: the manifest's.")
    flags.DEFINE_string("boxes", None, "A table image,x1,y1,x2,y2, if the manifest has no boxes.")
    lists.define_column_names()
    flags.DEFINE_bool("follow_links", False, "Whether links may lead out of the root.")
    remote.define_flags()
    flags.DEFINE_string("vectors", None, "Folder that asen-embed wrote, to load instead.")
    flags.DEFINE_string("store", None, "faiss:PATH, milvus:PATH.db or milvus:http://HOST:PORT.")
    flags.DEFINE_integer("batch_size", 32, "Photographs that go through the model at once.", 1)
    flags.DEFINE_bool("embed_again", False, "Whether to embed unchanged photographs again.")
    flags.DEFINE_bool("prune", False, "Whether to delete items that the manifest has no more.")
    flags.DEFINE_float(
        "max_pruned", MAX_PRUNED, "Share of the items that --prune may delete, or else none.", 0, 1
    )
    flags.DEFINE_string("convert", None, "faiss:PATH of a version before 0.2, to copy from.")
    failures.define_flag()
    flags.mark_flag_as_required("store")
    program.run(main, goes_on=True)


if __name__ == "__main__":
    run()
