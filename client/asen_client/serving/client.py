"""The client that waits for its answers."""

import collections
import functools
from collections.abc import Iterable, Sequence

import grpc
import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.images import Place
from asen_client.images import Photograph
from asen_client.serving import signatures
from asen_client.serving.base import BaseClient, remaining
from asen_client.serving.calls import Answer, Call, Request, Result, Served
from asen_client.serving.described import DescribedEmbedder
from asen_client.serving.errors import ServingError
from asen_client.serving.signatures import Metadata


class Client(BaseClient, DescribedEmbedder):
    """The `Embedder` of a served model: the same methods, forms and results as of any other.

    `Client("localhost:8500")`; all settings are in `BaseClient`. It connects with the first
    request. Threads may share it. Close it, or use it in a `with` statement. Files travel as they
    are, pixels as PNG.

    Every method raises `InvalidInputError`, a ValueError, for a photograph that is refused, with
    its position in the caller's list, and `ServingError`, an OSError, where the server is away,
    too busy, too late, has no such model, or changed its version between two batches.
    """

    @property
    def metadata(self) -> Metadata:
        """What the server says of its model; requested once."""
        return self._described(self._deadline()).metadata

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order. Requested once."""
        return self._described(self._deadline()).space

    def status(self) -> dict[int, str]:
        """The versions of the model: number -> START, LOADING, AVAILABLE, UNLOADING or END."""
        return self._run(self._calls.status(), self._deadline())

    def _embed(self, images: Sequence[Place], attribute: str) -> np.ndarray:
        deadline = self._deadline()
        self._check(attribute, deadline)
        return self._run(self._calls.embed(images, attribute), deadline)

    def _embed_all(self, images: Sequence[Place]) -> np.ndarray:
        return self._run(self._calls.embed_all(images), self._deadline())

    def _explain(self, images: Sequence[Place], attribute: str) -> tuple[np.ndarray, np.ndarray]:
        deadline = self._deadline()
        self._check(attribute, deadline)
        try:
            return self._run(self._calls.explain(images, attribute), deadline)
        except ServingError as error:
            # What a server says where the model has no such signature.
            if error.code is grpc.StatusCode.FAILED_PRECONDITION:
                return super()._explain(images, attribute)
            raise

    _says_no_values = signatures.SAYS_NO_VALUES

    def _predict(self, images: Sequence[Place], attributes: Sequence[str]) -> list[np.ndarray]:
        deadline = self._deadline()
        for name in attributes:
            self._check(name, deadline)
        values = self._described(deadline).space
        try:
            counts = {name: len(values[name].values) for name in attributes}
            return self._run(self._calls.predict(images, counts), deadline)
        except ServingError as error:
            if error.code is grpc.StatusCode.FAILED_PRECONDITION:
                return super()._predict(images, attributes)
            raise

    def call(
        self,
        signature: str,
        images: Photograph | Iterable[Photograph] | None = None,
        /,
        **inputs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """The outputs of any signature, such as one of another package.

        Args:
          signature: its name, with the attribute if it has one.
          images: photographs, its input `image_bytes`, in batches; None: it takes none. By
            position: a signature may have an input of that name.
          **inputs: its other inputs, a row for each photograph; without photographs, arrays of any
            shape. Text becomes bytes.

        Raises:
          ValueError: an input without a row for each photograph, or of an unknown dtype.
        """
        places = None if images is None else self._placed(images)
        return self._run(self._calls.call(signature, places, inputs), self._deadline())

    def close(self) -> None:
        """Ends the connection and what is under way."""
        self._closed = True
        self._channel.close()

    @functools.cached_property
    def _channel(self) -> grpc.Channel:
        return self._open(grpc)

    def _described(self, deadline: float) -> Served:
        served = self._served  # which another thread may change meanwhile
        if served is None:
            served = self._served = self._run(self._calls.metadata(), deadline)
        return served

    def _check(self, attribute: str, deadline: float) -> None:
        if attribute not in self._described(deadline).space:
            self._served = None  # A newer version may know it.
        self._described(deadline).space.index(attribute)

    def _run(self, call: Call[Result], deadline: float) -> Result:
        pending, answers = collections.deque(), []
        try:
            for request in call.requests:
                if len(pending) == self._in_flight:
                    answers.append(self._answer(*pending.popleft()))
                pending.append((request, self._start(request, deadline)))
            while pending:
                answers.append(self._answer(*pending.popleft()))
        finally:
            for _, reply in pending:
                reply.cancel()
        return self._finish(call, answers)

    def _start(self, request: Request, deadline: float) -> grpc.Future:
        try:
            return self._method(self._channel, request).future(
                request.message, timeout=remaining(deadline)
            )
        except ValueError:
            if self._closed:
                raise self._ended() from None
            raise

    def _answer(self, request: Request, reply: grpc.Future) -> Answer:
        try:
            return request.read(reply.result())
        except grpc.RpcError as error:
            raise self._error(error, request) from error
