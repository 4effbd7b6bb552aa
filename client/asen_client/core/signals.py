"""SIGINT and SIGTERM end a program as an error would: what is half done is tidied up."""

import contextlib
import signal
from collections.abc import Callable, Iterator


class Stopped(KeyboardInterrupt):
    """A signal asked the program to end; its arguments say where it was.

    Attributes:
      number: of the signal.
    """

    number = signal.SIGINT


def raise_stopped() -> None:
    """Lets the first SIGINT or SIGTERM raise `Stopped` in the main thread, the second kill."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number, frame):
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)
    stopped = Stopped()
    stopped.number = number
    raise stopped


@contextlib.contextmanager
def told(where: Callable[[], str]) -> Iterator[None]:
    """A signal that ends what is inside says where; the innermost of these counts."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.args = stop.args or (where(),)
        raise
