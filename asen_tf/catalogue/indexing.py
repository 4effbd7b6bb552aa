"""Brings a catalogue up to what a table says."""

import dataclasses
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asen_tf.catalogue.catalogue import Catalogue
from asen_tf.catalogue.items import Items, Record
from asen_tf.core.limits import MAX_PRUNED
from asen_tf.core.progress import Progress
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.embedders import each
from asen_tf.photographs import Read

# Metadata with the garment's box, "x1 y1 x2 y2".
BOX = "box"
_EMBEDDED = ("image", BOX)  # metadata of what the vectors were made of

_AT_ONCE = 1000

# Share of a store that may be of items that are gone, or in no index.
_STALE = 0.25


@dataclasses.dataclass(frozen=True)
class Item:
    """An item as the table knows it.

    Attributes:
      id: its name.
      record: labels and metadata.
      mark: tells whether photograph and box are those that were embedded; None: only reading does.
      read: the photograph, given the mark of the one that was embedded, blank for none; None where
        it is the same. Raises ValueError or OSError where there is none.
    """

    id: str
    record: Record
    mark: str | None
    read: Callable[[str], Read | None]


class Embedded(NamedTuple):
    """Photographs that were embedded elsewhere.

    Attributes:
      ids: [N].
      vectors: float32 [N, A, D], unit vectors.
      marks: [N], see `Item`.
    """

    ids: Sequence[str]
    vectors: np.ndarray
    marks: Sequence[str]


@dataclasses.dataclass
class Summary:
    """What was done.

    Attributes:
      embedded: items that got vectors.
      updated: items that got other labels or metadata, and kept their vectors.
      unchanged: items left alone.
      deleted: items that the table does not have.
      problems: id -> why there is nothing to make vectors of. Those that the store has of it stay;
        its labels and other metadata follow the table.
      items: how many the catalogue has now.
    """

    embedded: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    items: int = 0


def index(
    catalogue: Catalogue,
    items: Sequence[Item],
    *,
    batch_size: int = 32,
    threads: int = 8,
    embed_again: bool = False,
    prune: bool = False,
    max_pruned: float = MAX_PRUNED,
) -> Summary:
    """Embeds and keeps what is new or changed, a batch at a time.

    What a batch has written is kept whatever happens then, so that the same call goes on where a
    killed one stopped. A bad photograph takes no other with it.

    Args:
      catalogue: opened with a model.
      items: all of them, each id once.
      batch_size: photographs that go through the model at once.
      threads: photographs that are read at once.
      embed_again: embed photographs that are unchanged, too.
      prune: delete items that are not among these.
      max_pruned: share of the catalogue that it may delete.

    Raises:
      ValueError: it would delete more, or that is no share.
      OSError: the server, or the disk, fails.
    """
    with Progress("indexing", len(items), "images") as meter:
        gone = _gone(catalogue, {one.id for one in items}, max_pruned) if prune else []
        update = _Update(catalogue, meter)
        unread = batched(update.unread(items, embed_again), batch_size)
        fresh = update.fresh(read_ahead(unread, _read, threads))
        for batch in batched(fresh, batch_size):
            update.embed(batch)
    return update.finished(gone)


def load(
    catalogue: Catalogue,
    records: Mapping[str, Record],
    parts: Iterable[Embedded],
    *,
    prune: bool = False,
    max_pruned: float = MAX_PRUNED,
) -> Summary:
    """Keeps vectors that were made elsewhere, as `index` keeps those that it makes.

    Args:
      catalogue: opened with the fingerprint of the model that made the vectors.
      records: id -> labels and metadata, of all items. Vectors of others are passed over.
      parts: the vectors.
      prune: delete items that are not among the records.
      max_pruned: share of the catalogue that it may delete.

    Raises:
      ValueError: it would delete more, or that is no share.
      OSError: the server, or the disk, fails.
    """
    with Progress("loading", len(records), "images") as meter:
        gone = _gone(catalogue, records, max_pruned) if prune else []
        update = _Update(catalogue, meter)
        left = set(records)
        for part in parts:
            update.load(part, records)
            left.difference_update(part.ids)
        why = "it has no vectors there"
        update.fail((name, one, why) for name, one in records.items() if name in left)
    return update.finished(gone)


def _gone(catalogue: Catalogue, ids: Container[str], most: float) -> list[str]:
    """The catalogue's items that are not among these; a table that was cut off lacks many."""
    if not 0 <= most <= 1:
        raise ValueError(f"max_pruned={most}: expected a share from 0 to 1")
    there = catalogue.ids()
    gone = [name for name in there if name not in ids]
    if len(gone) > most * len(there):
        raise ValueError(
            f"prune would delete {len(gone)} of the catalogue's {len(there)} items, and may delete "
            f"{most:g} of them (max_pruned): is the table whole? If so, set max_pruned=1"
        )
    return gone


class _Update:
    """What `index` and `load` share."""

    def __init__(self, catalogue: Catalogue, meter: Progress):
        self._catalogue = catalogue
        self._meter = meter
        self._summary = Summary()

    def unread(self, items: Sequence[Item], embed_again: bool) -> Iterator[tuple[Item, str]]:
        """Those whose photograph is to be read, with the mark of what was embedded."""
        for some in batched(items, _AT_ONCE):
            known = {} if embed_again else self._catalogue.engine.marks(one.id for one in some)
            unread, same = [], []
            for one in some:
                mark = known.get(one.id, "")
                (same if mark and one.mark == mark else unread).append((one, mark))
            self._keep([(one.id, one.record) for one, _ in same])
            yield from unread

    def fresh(self, batches: Iterable) -> Iterator[tuple[Item, Read]]:
        """Of what was read, what is to be embedded."""
        for batch, contents in batches:
            same, failed = [], []
            for (one, _), content in zip(batch, contents, strict=True):
                if isinstance(content, Read):
                    yield one, content
                elif content is None:
                    same.append((one.id, one.record))
                else:
                    failed.append((one.id, one.record, content))
            self._keep(same)
            self.fail(failed)

    def embed(self, batch: Sequence[tuple[Item, Read]]) -> None:
        """Embeds photographs and keeps the vectors."""
        found = each(self._catalogue.embed, [content.photograph for _, content in batch])
        failed, good = [], []
        for (one, content), vectors in zip(batch, found, strict=True):
            if isinstance(vectors, str):
                failed.append((one.id, one.record, vectors))
            else:
                good.append((one.id, vectors, one.record, content.mark))
        if good:
            ids, vectors, records, marks = zip(*good, strict=True)
            self._put(Items(ids, np.stack(vectors), records, marks))
        self.fail(failed)

    def load(self, part: Embedded, records: Mapping[str, Record]) -> None:
        """Keeps those of these vectors that the store does not have."""
        known = self._catalogue.engine.marks(name for name in part.ids if name in records)
        same, new = [], []
        for row, (name, mark) in enumerate(zip(part.ids, part.marks, strict=True)):
            if name in records:
                (same if mark and known.get(name) == mark else new).append(row)
        self._keep([(part.ids[row], records[part.ids[row]]) for row in same])
        if new:
            ids, marks = ([given[row] for row in new] for given in (part.ids, part.marks))
            self._put(Items(ids, part.vectors[new], [records[name] for name in ids], marks))

    def fail(self, failed: Iterable[tuple[str, Record, str]]) -> None:
        """Notes why items get no vectors; of those with earlier ones, describes the rest anew."""
        engine = self._catalogue.engine
        for some in batched(failed, _AT_ONCE):
            self._summary.problems.update((name, problem) for name, _, problem in some)
            known = engine.known(name for name, *_ in some)
            there = {name: record for name, record, _ in some if name in known}
            kept = engine.records([*there]) if there else []
            now = map(_of_embedded, there.values(), kept)
            self._describe([*zip(there, now, strict=True)])
            self._meter.update(len(some))

    def finished(self, gone: Sequence[str]) -> Summary:
        """What was done, after these items were deleted."""
        if gone:
            self._summary.deleted = self._catalogue.delete(gone)
        self._catalogue.engine.compact(_STALE)
        self._summary.items = len(self._catalogue)
        return self._summary

    def _keep(self, given: Sequence[tuple[str, Record]]) -> None:
        changed = self._describe(given)
        self._summary.updated += changed
        self._summary.unchanged += len(given) - changed
        self._meter.update(len(given))

    def _describe(self, given: Sequence[tuple[str, Record]]) -> int:
        """Brings labels and metadata up to date; gives of how many items."""
        kept = self._catalogue.engine.records([name for name, _ in given]) if given else []
        changed = [one for one, record in zip(given, kept, strict=True) if one[1] != record]
        if changed:
            self._catalogue.engine.describe(*zip(*changed, strict=True))
        return len(changed)

    def _put(self, items: Items) -> None:
        self._catalogue.engine.upsert(items)
        self._summary.embedded += len(items)
        self._meter.update(len(items))


def _of_embedded(new: Record, old: Record) -> Record:
    """What the table says now, of the photograph and the box that were embedded."""
    metadata = {name: cell for name, cell in new.metadata.items() if name not in _EMBEDDED}
    metadata |= {name: cell for name, cell in old.metadata.items() if name in _EMBEDDED}
    return Record(new.labels, metadata)


def _read(item_and_mark: tuple[Item, str]) -> Read | str | None:
    """What `Item.read` gives, or why there is nothing."""
    item, mark = item_and_mark
    try:
        return item.read(mark)
    except (ValueError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)
