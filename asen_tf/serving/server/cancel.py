"""Ends what TensorFlow computes for a client that has left."""

import contextlib
import threading
from collections.abc import Callable, Iterator

# Nothing public cancels a function of eager TensorFlow.
from tensorflow.python.eager import cancellation


class _OfThisThread:
    """The cancellation manager of the thread that asks; TensorFlow's is one for all threads."""

    def __init__(self):
        self._local = threading.local()

    @property
    def _impl(self):  # what TensorFlow takes of a manager
        if not (found := getattr(self._local, "manager", None)):
            # Of one call: where that fails, its manager is cancelled.
            found = self._local.of_last_call = cancellation.CancellationManager()
        return found._impl

    @contextlib.contextmanager
    def use(self, manager: cancellation.CancellationManager) -> Iterator[None]:
        self._local.manager = manager
        try:
            yield
        finally:
            self._local.manager = None


_managers = _OfThisThread()
_context = cancellation.CancellationManagerContext(_managers)


@contextlib.contextmanager
def cancellable() -> Iterator[Callable[[], None]]:
    """Gives a function that ends what this thread computes within the context, from any thread.

    What it interrupts raises `tf.errors.CancelledError` after the operations that are under way.
    """
    _context.__enter__()
    manager = cancellation.CancellationManager()
    with _managers.use(manager):
        yield manager.start_cancel
