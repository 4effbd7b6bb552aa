"""Brings a catalogue up to what a shop's table says."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from asen_tf.catalogue.catalogue import Catalogue
from asen_tf.catalogue.items import Record
from asen_tf.core.progress import Progress

# Metadata by which a photograph that was changed is known.
IMAGE_VERSION = "image_version"

_THREADS = 8


@dataclasses.dataclass(frozen=True)
class Photograph:
    """An item as the shop knows it.

    Attributes:
      id: its name.
      record: labels and metadata; `image_version` there tells whether the photograph is the one
        that was embedded.
      read: gives the encoded photograph; raises ValueError or OSError where there is none.
    """

    id: str
    record: Record
    read: Callable[[], bytes]


@dataclasses.dataclass
class Summary:
    """What was done.

    Attributes:
      embedded: items whose photograph went through the model.
      updated: items that got other labels or metadata, and kept their vectors.
      unchanged: items left alone.
      deleted: items that the table does not have.
      problems: id -> why its photograph has no vectors. What the store has of it stays.
    """

    embedded: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    problems: dict[str, str] = dataclasses.field(default_factory=dict)


def index(
    catalogue: Catalogue,
    photographs: Sequence[Photograph],
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
      photographs: all items, each id once.
      batch_size: photographs that go through the model at once.
      embed_again: embed photographs that are unchanged, too.
      delete_others: delete items that are not among these.

    Raises:
      OSError: the server, or the disk, fails.
    """
    summary = Summary()
    with Progress("indexing", len(photographs), "images") as meter:
        stale = (
            one
            for some in _batches(photographs, 1000)
            for one in _stale(catalogue, some, embed_again, summary, meter)
        )
        for batch, contents in _read_ahead(_batches(stale, batch_size)):
            _embed(catalogue, batch, contents, summary)
            meter.update(len(batch))
    if delete_others:
        others = set(catalogue.ids()).difference(one.id for one in photographs)
        summary.deleted = catalogue.delete(sorted(others))
    return summary


def _stale(
    catalogue: Catalogue,
    photographs: Sequence[Photograph],
    embed_again: bool,
    summary: Summary,
    meter: Progress,
) -> list[Photograph]:
    """Those to embed; of the others, labels and metadata are brought up to date."""
    known = catalogue.engine.known(one.id for one in photographs)
    there = [one for one in photographs if one.id in known and not embed_again]
    kept = catalogue.records([one.id for one in there])
    same, changed = set(), []
    for one, record in zip(there, kept, strict=True):
        if record.metadata.get(IMAGE_VERSION) != one.record.metadata.get(IMAGE_VERSION):
            continue
        same.add(one.id)
        if record != one.record:
            changed.append(one)
    if changed:
        ids = [one.id for one in changed]
        catalogue.upsert(ids, catalogue.vectors(ids), [one.record for one in changed])
    summary.updated += len(changed)
    summary.unchanged += len(same) - len(changed)
    meter.update(len(same))
    return [one for one in photographs if one.id not in same]


def _read_ahead(
    batches: Iterable[Sequence[Photograph]],
) -> Iterator[tuple[Sequence[Photograph], list[bytes | str]]]:
    """Batches with what was read of them; while the caller works on one, the next is read."""
    with ThreadPoolExecutor(_THREADS) as threads:
        started = ((batch, threads.map(_content, batch)) for batch in batches)
        held = next(started, None)
        while held:
            following = next(started, None)
            yield held[0], list(held[1])
            held = following


def _content(photograph: Photograph) -> bytes | str:
    """The encoded photograph, or why there is none."""
    try:
        return photograph.read()
    except (ValueError, OSError) as error:
        return getattr(error, "strerror", None) or str(error)


def _embed(
    catalogue: Catalogue,
    batch: Sequence[Photograph],
    contents: Sequence[bytes | str],
    summary: Summary,
) -> None:
    encoded = [content for content in contents if isinstance(content, bytes)]
    embedded = iter(_vectors(catalogue.embed, encoded))
    found = [next(embedded) if isinstance(one, bytes) else one for one in contents]
    good = [n for n, one in enumerate(found) if not isinstance(one, str)]
    summary.problems.update(
        (one.id, reason)
        for one, reason in zip(batch, found, strict=True)
        if isinstance(reason, str)
    )
    if good:
        catalogue.upsert(
            [batch[n].id for n in good],
            np.stack([found[n] for n in good]),
            [batch[n].record for n in good],
        )
    summary.embedded += len(good)


def _vectors(embed: Callable, encoded: Sequence[bytes]) -> list[np.ndarray | str]:
    """The vectors [A, D] of each photograph, or what is wrong with it."""
    if not encoded:
        return []
    try:
        return list(embed(encoded))
    except ValueError as error:
        if len(encoded) == 1:
            return [str(error)]
    # Not every error says which photograph it is about: halves find it in few calls.
    middle = len(encoded) // 2
    return _vectors(embed, encoded[:middle]) + _vectors(embed, encoded[middle:])


def _batches(items: Iterable, size: int) -> Iterator[list]:
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
