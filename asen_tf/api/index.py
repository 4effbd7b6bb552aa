"""Embeds the items of a table into a store, or brings the store up to date."""

import collections
import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from absl import logging

from asen_tf.api.catalogues import opened
from asen_tf.catalogue import Catalogue, Record, indexing
from asen_tf.catalogue.indexing import BOX, Item, Read, Summary, mark_of
from asen_tf.core.attributes import AttributeSpace
from asen_tf.core.files import version
from asen_tf.core.progress import say
from asen_tf.data.catalogue_table import CatalogueRow, columns_told, read_catalogue
from asen_tf.data.doubts import some
from asen_tf.data.root import FOLLOW_ADVICE, LEADS_OUT, Root
from asen_tf.data.tables import Frame
from asen_tf.embedders import Embedder
from asen_tf.images.boxes import Boxed, text


def index(
    model: str | os.PathLike | Embedder | None,
    table: str | os.PathLike | Frame,
    store: str | Catalogue,
    *,
    root: str | os.PathLike | None = None,
    boxes: str | os.PathLike | None = None,
    column_names: Mapping[str, str] | None = None,
    follow_links: bool = False,
    batch_size: int = 32,
    embed_again: bool = False,
    prune: bool = False,
) -> Summary:
    """Embeds what is new or whose photograph has changed; takes over changed labels and metadata.

    The same call goes on where a killed one stopped.

    Args:
      model: what `asen_tf.load` takes; None where `store` is a catalogue with a model.
      table: a file or frame (see `asen_tf.data.tables`) with the column image and, for names, id;
        columns named as the model's attributes hold labels, x1, y1, x2, y2 or box the garment's
        box, all others metadata.
      store: `faiss:PATH`, `milvus:PATH.db`, `milvus:http://HOST:PORT`, or an open catalogue.
      root: folder of the photographs; None: the table's, which a frame does not have.
      boxes: a table with the garments' boxes, image,x1,y1,x2,y2, where the table has none.
      column_names: what columns are called in the table: `{"image": "photo_url"}`.
      follow_links: read photographs that are links to folders outside of the root.
      batch_size: photographs that go through the model at once.
      embed_again: embed photographs that are unchanged, too.
      prune: delete items that are not in the table.

    Returns:
      How many items were embedded, updated, left alone and deleted, how many there are, and which
      photographs are bad.

    Raises:
      FileNotFoundError: no such table, folder or model.
      ValueError: a bad table, or a store that another model filled.
      OSError: the server, or the disk, fails.
    """
    if isinstance(table, str | os.PathLike):
        table = Path(table)
    elif root is None:
        raise ValueError("a frame lies in no folder: name the photographs' as root")
    folder = Path(root or table.parent)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected the root of the photographs")
    with opened(store, model) as catalogue:
        boxes_file = Path(boxes) if boxes else None
        rows = read_catalogue(table, catalogue.attributes, boxes_file, column_names)
        say(columns_told(rows, catalogue.attributes))
        for line in _unknown_values(rows, catalogue.attributes):
            logging.warning("%s", line)
        found = indexing.index(
            catalogue,
            _items(rows, Root(folder, follow_links)),
            batch_size=batch_size,
            embed_again=embed_again,
            prune=prune,
        )
    if LEADS_OUT in found.problems.values():
        logging.warning("%s", FOLLOW_ADVICE)
    return found


def _unknown_values(rows: Iterable[CatalogueRow], space: AttributeSpace) -> Iterator[str]:
    """Labels that the model never learned: searches by its values pass over them."""
    carried = collections.defaultdict(set)
    for row in rows:
        for name, values in row.labels.items():
            carried[name].update(values)
    for name, values in carried.items():
        if unknown := sorted(values.difference(space[name].values)):
            yield f"values of {name} that the model does not know: {some(unknown)}"


def _items(rows: Iterable[CatalogueRow], root: Root) -> list[Item]:
    return [
        Item(row.id, _record(row), _mark(row, root), functools.partial(_read, row, root))
        for row in rows
    ]


def _record(row: CatalogueRow) -> Record:
    """Labels, and the metadata `image` and `box` beside the table's own."""
    box = {BOX: text(row.box)} if row.box else {}
    return Record(row.labels, {**row.metadata, "image": row.image, **box})


def _mark(row: CatalogueRow, root: Root) -> str | None:
    """None where there is no photograph."""
    if root.file_problem(row.image):
        return None
    return mark_of(version(root.path(row.image)), row.box and text(row.box)) or None


def _read(row: CatalogueRow, root: Root, _: str) -> Read:
    if problem := root.file_problem(row.image):
        raise ValueError(problem)
    mark = _mark(row, root)  # before the content: what comes then is read again
    encoded = Path(root.path(row.image)).read_bytes()
    return Read(Boxed(encoded, row.box) if row.box else encoded, mark or "")
