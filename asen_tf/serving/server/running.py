"""How the signature that a request names is run: at once, by the thread that asks."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Protocol

import grpc

from asen_tf.serving.loaded import LoadedModel
from asen_tf.serving.server.cancel import cancellable
from asen_tf.serving.server.limits import Admission
from asen_tf.serving.server.predict import Run
from asen_tf.serving.server.refused import Refused


class Call(Protocol):
    """What a client waits for: a `grpc.ServicerContext`, or what does the same."""

    def time_remaining(self) -> float:
        """Seconds that the client still waits."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Has it called when the client leaves; whether it is still there."""


class Runner(Protocol):
    """Runs signatures for requests."""

    def admitted(self, call: Call) -> contextlib.AbstractContextManager[None]:
        """Within the context the request may be read and run; Refused: see `Admission.turn`."""

    def of(self, servable: LoadedModel, call: Call) -> Run:
        """What runs a signature of a model for a client."""


class Alone:
    """A `Runner` that runs each request by itself."""

    def __init__(self, admission: Admission):
        self._admission = admission

    @contextlib.contextmanager
    def admitted(self, call: Call) -> Iterator[None]:
        with self._admission.turn(call.time_remaining()):
            yield

    def of(self, servable: LoadedModel, call: Call) -> Run:
        def run(signature, inputs):
            with cancellable() as cancel:
                watch(call, cancel)
                return servable.run(signature, inputs)

        return run


def watch(call: Call, leave: Callable[[], None]) -> None:
    """Has `leave` called when the client leaves; Refused: it has left (CANCELLED)."""
    if not call.add_callback(leave):
        raise gone()


def gone() -> Refused:
    """Nobody waits for the answer any more."""
    return Refused(grpc.StatusCode.CANCELLED, "the client went away")
