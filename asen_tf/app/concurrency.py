"""So much work at once, so much waiting, and no more."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anyio

from asen_tf.app import problems

Result = TypeVar("Result")


class ConcurrencyLimit:
    """Runs functions in threads.

    Args:
      at_once: how many run at the same time.
      waiting: how many may wait for that.
    """

    def __init__(self, at_once: int, waiting: int):
        self._limiter = anyio.CapacityLimiter(at_once)
        self._most = at_once + waiting
        self._inside = 0

    @contextlib.contextmanager
    def admitted(self) -> Iterator[None]:
        """Takes a place while it lasts; raises Problem where none is left."""
        if self._inside >= self._most:
            raise problems.busy()
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    async def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """The function's result; raises Problem where too many wait."""
        with self.admitted():
            call = functools.partial(function, *arguments)
            return await anyio.to_thread.run_sync(call, limiter=self._limiter)
