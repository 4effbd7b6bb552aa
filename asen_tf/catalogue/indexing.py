"""Brings a catalogue up to what a table says."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from asen_tf.catalogue.catalogue import Catalogue
from asen_tf.catalogue.items import Items, Record
from asen_tf.core.progress import Progress
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.embedders import each
from asen_tf.photographs import Read

# Metadata with the garment's box, "x1 y1 x2 y2".
BOX = "box"

_AT_ONCE = 1000


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
      problems: id -> why its photograph has no vectors. What the store has of it stays.
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

    Raises:
      OSError: the server, or the disk, fails.
    """
    with Progress("indexing", len(items), "images") as meter:
        update = _Update(catalogue, meter)
        unread = batched(update.unread(items, embed_again), batch_size)
        fresh = update.fresh(read_ahead(unread, _read, threads))
        for batch in batched(fresh, batch_size):
            update.embed(batch)
    return update.finished([one.id for one in items], prune)


def load(
    catalogue: Catalogue,
    records: Mapping[str, Record],
    parts: Iterable[Embedded],
    *,
    prune: bool = False,
) -> Summary:
    """Keeps vectors that were made elsewhere, as `index` keeps those that it makes.

    Args:
      catalogue: opened with the fingerprint of the model that made the vectors.
      records: id -> labels and metadata, of all items. Vectors of others are passed over.
      parts: the vectors.
      prune: delete items that are not among the records.

    Raises:
      OSError: the server, or the disk, fails.
    """
    with Progress("loading", len(records), "images") as meter:
        update = _Update(catalogue, meter)
        left = set(records)
        for part in parts:
            update.load(part, records)
            left.difference_update(part.ids)
        update.fail({name: "it has no vectors there" for name in records if name in left})
    return update.finished(records, prune)


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
            same, problems = [], {}
            for (one, _), content in zip(batch, contents, strict=True):
                if isinstance(content, Read):
                    yield one, content
                elif content is None:
                    same.append((one.id, one.record))
                else:
                    problems[one.id] = content
            self._keep(same)
            self.fail(problems)

    def embed(self, batch: Sequence[tuple[Item, Read]]) -> None:
        """Embeds photographs and keeps the vectors."""
        found = each(self._catalogue.embed, [content.photograph for _, content in batch])
        problems, good = {}, []
        for (one, content), vectors in zip(batch, found, strict=True):
            if isinstance(vectors, str):
                problems[one.id] = vectors
            else:
                good.append((one.id, vectors, one.record, content.mark))
        if good:
            ids, vectors, records, marks = zip(*good, strict=True)
            self._put(Items(ids, np.stack(vectors), records, marks))
        self.fail(problems)

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

    def fail(self, problems: Mapping[str, str]) -> None:
        """Notes why items have no vectors."""
        self._summary.problems.update(problems)
        self._meter.update(len(problems))

    def finished(self, ids: Iterable[str], prune: bool) -> Summary:
        """What was done, after others than these items were deleted where that is wanted."""
        if prune:
            others = set(self._catalogue.ids()).difference(ids)
            self._summary.deleted = self._catalogue.delete(sorted(others))
        self._summary.items = len(self._catalogue)
        return self._summary

    def _keep(self, given: Sequence[tuple[str, Record]]) -> None:
        """Brings labels and metadata up to date."""
        kept = self._catalogue.engine.records([name for name, _ in given]) if given else []
        changed = [one for one, record in zip(given, kept, strict=True) if one[1] != record]
        if changed:
            self._catalogue.engine.describe(*zip(*changed, strict=True))
        self._summary.updated += len(changed)
        self._summary.unchanged += len(given) - len(changed)
        self._meter.update(len(given))

    def _put(self, items: Items) -> None:
        self._catalogue.engine.upsert(items)
        self._summary.embedded += len(items)
        self._meter.update(len(items))


def _read(item_and_mark: tuple[Item, str]) -> Read | str | None:
    """What `Item.read` gives, or why there is nothing."""
    item, mark = item_and_mark
    try:
        return item.read(mark)
    except (ValueError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)
