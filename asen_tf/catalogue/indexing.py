"""Brings a catalogue up to what a table says."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import numpy as np

from asen_tf.catalogue.catalogue import Catalogue
from asen_tf.catalogue.items import Record
from asen_tf.core.progress import Progress
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.embedders import each
from asen_tf.images import Boxed

# Metadata by which one knows that a photograph was changed, or the garment's box, "x1 y1 x2 y2".
IMAGE_VERSION, BOX = "image_version", "box"

_THREADS = 8


@dataclasses.dataclass(frozen=True)
class Item:
    """An item as the table knows it.

    Attributes:
      id: its name.
      record: labels and metadata; `image_version` and `box` there tell whether the photograph is
        the one that was embedded.
      read: gives the encoded photograph, with the box if it has one; raises ValueError or OSError
        where there is none.
    """

    id: str
    record: Record
    read: Callable[[], bytes | Boxed]


@dataclasses.dataclass
class Summary:
    """What was done.

    Attributes:
      embedded: items whose photograph went through the model.
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
    embed_again: bool = False,
    delete_others: bool = False,
) -> Summary:
    """Embeds and keeps what is new or changed, a batch at a time.

    What a batch has written is kept whatever happens then, so that the same call goes on where a
    killed one stopped. A bad photograph takes no other with it.

    Args:
      catalogue: opened with a model.
      items: all of them, each id once.
      batch_size: photographs that go through the model at once.
      embed_again: embed photographs that are unchanged, too.
      delete_others: delete items that are not among these.

    Raises:
      OSError: the server, or the disk, fails.
    """
    summary = Summary()
    with Progress("indexing", len(items), "images") as meter:
        stale = itertools.chain.from_iterable(
            _stale(catalogue, some, embed_again, summary, meter) for some in batched(items, 1000)
        )
        for batch, contents in read_ahead(batched(stale, batch_size), _content, _THREADS):
            _embed(catalogue, batch, contents, summary)
            meter.update(len(batch))
    if delete_others:
        others = set(catalogue.ids()).difference(one.id for one in items)
        summary.deleted = catalogue.delete(sorted(others))
    summary.items = len(catalogue)
    return summary


def _stale(
    catalogue: Catalogue,
    items: Sequence[Item],
    embed_again: bool,
    summary: Summary,
    meter: Progress,
) -> list[Item]:
    """Those to embed; of the others, labels and metadata are brought up to date."""
    known = catalogue.engine.known(one.id for one in items)
    there = [one for one in items if one.id in known and not embed_again]
    kept = catalogue.engine.records([one.id for one in there])
    same, changed = set(), []
    for one, record in zip(there, kept, strict=True):
        before, now = record.metadata, one.record.metadata
        if any(before.get(key) != now.get(key) for key in (IMAGE_VERSION, BOX)):
            continue
        same.add(one.id)
        if record != one.record:
            changed.append(one)
    if changed:
        catalogue.engine.describe([one.id for one in changed], [one.record for one in changed])
    summary.updated += len(changed)
    summary.unchanged += len(same) - len(changed)
    meter.update(len(same))
    return [one for one in items if one.id not in same]


def _content(item: Item) -> bytes | Boxed | str:
    """The encoded photograph, or why there is none."""
    try:
        return item.read()
    except (ValueError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)


def _embed(
    catalogue: Catalogue,
    batch: Sequence[Item],
    contents: Sequence[bytes | Boxed | str],
    summary: Summary,
) -> None:
    good, vectors = [], []
    for item, found in zip(batch, each(catalogue.embed, contents), strict=True):
        if isinstance(found, str):
            summary.problems[item.id] = found
        else:
            good.append(item)
            vectors.append(found)
    if good:
        ids, records = zip(*((item.id, item.record) for item in good), strict=True)
        catalogue.upsert(ids, np.stack(vectors), records)
    summary.embedded += len(good)
