"""Reading the next batch while the caller works on this one."""

import concurrent.futures
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Content = TypeVar("Content")


def read_ahead(
    batches: Iterable[Sequence[Item]], read: Callable[[Item], Content], threads: int | None = None
) -> Iterator[tuple[Sequence[Item], list[Content]]]:
    """Batches with what was read of each item; while the caller works on one, the next is read.

    Args:
      batches: of items; the next one is taken while the caller has the one before.
      read: an item to its content, in another thread; what it raises is raised here.
      threads: items that are read at the same time; none: a few more than there are cores.
    """
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        started = ((batch, pool.map(read, batch)) for batch in batches)
        current = next(started, None)
        while current:
            following = next(started, None)
            yield current[0], list(current[1])
            current = following


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last one of what is left."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch
