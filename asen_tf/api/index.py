"""Embeds the items of a table into a store, or brings the store up to date."""

import collections
import functools
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from absl import logging

from asen_client.core.attributes import AttributeSpace
from asen_client.images.boxes import text
from asen_tf import images
from asen_tf.api.catalogues import opened
from asen_tf.catalogue import Catalogue, Record, indexing
from asen_tf.catalogue.indexing import BOX, Item, Summary
from asen_tf.catalogue.vector_folder import VectorFolder
from asen_tf.core.limits import MAX_PRUNED
from asen_tf.core.progress import say
from asen_tf.data.catalogue_table import CatalogueRow, columns_told, read_catalogue
from asen_tf.data.doubts import some
from asen_tf.data.root import FOLLOW_ADVICE, LEADS_OUT, is_url
from asen_tf.data.tables import Frame
from asen_tf.embedders import Embedder, VectorEmbedder
from asen_tf.photographs import Read, Remote, Source, boxed, mark_of


def index(
    model: str | os.PathLike | Embedder | None,
    table: str | os.PathLike | Frame | None,
    store: str | Catalogue,
    *,
    root: str | os.PathLike | None = None,
    boxes: str | os.PathLike | None = None,
    column_names: Mapping[str, str] | None = None,
    follow_links: bool = False,
    remote: Remote | None = None,
    batch_size: int = 32,
    embed_again: bool = False,
    prune: bool = False,
    max_pruned: float = MAX_PRUNED,
    vectors: str | os.PathLike | None = None,
) -> Summary:
    """Embeds what is new or whose photograph has changed; takes over changed labels and metadata.

    The same call goes on where a killed one stopped.

    Args:
      model: what `asen_tf.load` takes; None where `store` is a catalogue with a model, or with
        `vectors`.
      table: a file or frame (see `asen_tf.data.tables`) with the column image and, for names, id;
        columns named as the model's attributes hold labels, x1, y1, x2, y2 or box the garment's
        box, all others metadata, of which product says which photographs show one product.
      store: `faiss:PATH`, `milvus:PATH.db`, `milvus:http://HOST:PORT`, or an open catalogue.
      root: folder, or URL, that the photographs' paths follow; None: the table's folder, which a
        frame does not have. A table may also name photographs by https://, http://, s3://, gs:// or
        file://.
      boxes: a table with the garments' boxes, image,x1,y1,x2,y2, where the table has none.
      column_names: what columns are called in the table: `{"image": "photo_url"}`.
      follow_links: read photographs that are links to folders outside of the root.
      remote: how photographs behind URLs are read; None: as `Remote` does by default.
      batch_size: photographs that go through the model at once.
      embed_again: embed photographs that are unchanged, too.
      prune: delete items that are not in the table.
      max_pruned: share of the catalogue, from 0 to 1, that it may delete; a table that was cut off
        would delete more.
      vectors: folder that asen-embed wrote, whose vectors are kept; nothing is embedded then. Where
        `table` is None, it is the one that was embedded.

    Returns:
      How many items were embedded, updated, left alone and deleted, how many there are, and which
      photographs are bad.

    Raises:
      FileNotFoundError: no such table, folder or model.
      ValueError: a bad table, a store that another model filled, or too much to prune; nothing was
        changed.
      OSError: the server, or the disk, fails.
    """
    if vectors is not None:
        return _loaded(Path(vectors), table, store, boxes, column_names, prune, max_pruned)
    if table is None:
        raise ValueError("give a table of the photographs")
    if isinstance(table, str | os.PathLike):
        table = Path(table)
        root = root or table.parent
    elif root is None:
        raise ValueError("a frame lies in no folder: name the photographs' as root")
    place = os.fspath(root)
    if not is_url(place) and not os.path.isdir(place):
        raise FileNotFoundError(f"{place}: no such folder; expected the root of the photographs")
    remote = remote or Remote()
    with opened(store, model) as catalogue:
        rows = _rows(table, catalogue.attributes, boxes, column_names)
        found = indexing.index(
            catalogue,
            _items(rows, Source(place, follow_links, remote)),
            threads=remote.threads,
            batch_size=batch_size,
            embed_again=embed_again,
            prune=prune,
            max_pruned=max_pruned,
        )
    if LEADS_OUT in found.problems.values():
        logging.warning("%s", FOLLOW_ADVICE)
    return found


def _loaded(
    vectors: Path,
    table: str | os.PathLike | Frame | None,
    store: str | Catalogue,
    boxes: str | os.PathLike | None,
    column_names: Mapping[str, str] | None,
    prune: bool,
    max_pruned: float,
) -> Summary:
    folder = VectorFolder(vectors)
    if table is None:
        table = folder.manifest
        if not table.is_file():
            raise FileNotFoundError(f"{table}: no such table; name the manifest of {vectors}")
    if isinstance(table, str | os.PathLike):
        table = Path(table)
    with opened(store, VectorEmbedder(folder.fingerprint)) as catalogue:
        catalogue.engine.fingerprint.check(folder.fingerprint)
        rows = _rows(table, catalogue.attributes, boxes, column_names)
        records = {row.id: _record(row) for row in rows}
        parts = folder.parts()
        return indexing.load(catalogue, records, parts, prune=prune, max_pruned=max_pruned)


def _rows(
    table: Path | Frame,
    space: AttributeSpace,
    boxes: str | os.PathLike | None,
    column_names: Mapping[str, str] | None,
) -> list[CatalogueRow]:
    """The rows of the table, about which a line is printed, and what is odd is logged."""
    rows = read_catalogue(table, space, Path(boxes) if boxes else None, column_names)
    say(columns_told(rows, space))
    for line in _unknown_values(rows, space):
        logging.warning("%s", line)
    return rows


def _unknown_values(rows: Iterable[CatalogueRow], space: AttributeSpace) -> Iterator[str]:
    """Labels that the model never learned: searches by its values pass over them."""
    carried: dict[str, set[str]] = collections.defaultdict(set)
    for row in rows:
        for name, values in row.labels.items():
            carried[name].update(values)
    for name, found in carried.items():
        if unknown := sorted(found.difference(space[name].values)):
            yield f"values of {name} that the model does not know: {some(unknown)}"


def _items(rows: Iterable[CatalogueRow], source: Source) -> list[Item]:
    return [
        Item(row.id, _record(row), _mark(row, source), functools.partial(_read, row, source))
        for row in rows
    ]


def _record(row: CatalogueRow) -> Record:
    """Labels, and the metadata `image` and `box` beside the table's own."""
    box = {BOX: _box(row)} if row.box else {}
    return Record(row.labels, {**row.metadata, "image": row.image, **box})


def _box(row: CatalogueRow) -> str:
    return text(row.box) if row.box else ""


def _mark(row: CatalogueRow, source: Source) -> str | None:
    version = source.version(row.image)
    return version and mark_of(version, _box(row))


def _read(row: CatalogueRow, source: Source, known: str) -> Read | None:
    version, _, box = known.partition(" ")
    found = source.read(row.image, version if box == _box(row) else "")
    if found is None:
        return None
    images.check_whole(found.content)
    return boxed(found, row.box)
