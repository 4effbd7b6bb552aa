"""Embeds a catalogue's items into a store, or brings the store up to date.

    asen-index --model=export/models/asen --manifest=/data/photographs/catalogue.csv \\
      --store=faiss:/data/vectors

The table has the column image and, for names, id; columns named as the model's attributes hold
labels, all others metadata. The same command goes on where a killed run stopped, embeds what is new
or whose photograph has changed, and takes over changed labels and metadata.
"""

import functools
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from absl import flags

from asen_tf.catalogue import Catalogue, Record
from asen_tf.catalogue.indexing import IMAGE_VERSION, Item, index
from asen_tf.cli import program
from asen_tf.cli.embedders import define_flags, opened
from asen_tf.data.catalogue_table import CatalogueRow, read_catalogue
from asen_tf.data.root import Root

_SHOWN = 20


def items(rows: Iterable[CatalogueRow], root: Root) -> list[Item]:
    """The items of the table, with the metadata `image` and `image_version` beside its own."""
    return [
        Item(
            row.id,
            Record(
                row.labels,
                {**row.metadata, "image": row.image, IMAGE_VERSION: _version(row.image, root)},
            ),
            functools.partial(_content, row.image, root),
        )
        for row in rows
    ]


def _version(image: str, root: Root) -> str:
    """Tells whether a file was changed; blank where there is none."""
    if root.file_problem(image):
        return ""
    status = os.stat(root.path(image))
    return f"{status.st_size}-{status.st_mtime_ns}"


def _content(image: str, root: Root) -> bytes:
    if problem := root.file_problem(image):
        raise ValueError(problem)
    return Path(root.path(image)).read_bytes()


def main() -> None:
    given = flags.FLAGS
    manifest = Path(given.manifest)
    root = Path(given.root or manifest.parent)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder; expected the root of the photographs")
    with opened(given) as model:
        rows = read_catalogue(manifest, model.attributes)
        with Catalogue(given.store, model) as catalogue:
            found = index(
                catalogue,
                items(rows, Root(root)),
                batch_size=given.batch_size,
                embed_again=given.embed_again,
                delete_others=given.delete_others,
            )
            count = len(catalogue)
    for name, problem in list(found.problems.items())[:_SHOWN]:
        print(f"{name}: {problem}", file=sys.stderr)
    if len(found.problems) > _SHOWN:
        print(f"... and {len(found.problems) - _SHOWN} more", file=sys.stderr)
    print(
        f"{found.embedded} embedded, {found.updated} updated, {found.unchanged} unchanged, "
        f"{found.deleted} deleted, {len(found.problems)} errors; {count} items: {given.store}"
    )


def run() -> None:
    define_flags()
    flags.DEFINE_string("manifest", None, "CSV with the column image and, for names, id.")
    flags.DEFINE_string("root", None, "Folder of the photographs; none: that of the manifest.")
    flags.DEFINE_string("store", None, "faiss:PATH, milvus:PATH.db or milvus:http://HOST:PORT.")
    flags.DEFINE_integer("batch_size", 32, "Photographs at once in the model.", lower_bound=1)
    flags.DEFINE_bool("embed_again", False, "Embed what the store has, too.")
    flags.DEFINE_bool("delete_others", False, "Delete items that the manifest does not have.")
    flags.mark_flags_as_required(["manifest", "store"])
    program.run(main)


if __name__ == "__main__":
    run()
