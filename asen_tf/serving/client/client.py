"""The client that waits for its answers."""

import collections
import functools
from collections.abc import Iterable

import grpc
import numpy as np

from asen_tf.core.attributes import AttributeSpace
from asen_tf.data.photograph_forms import Photograph, listed, listed_pairs
from asen_tf.serving.client.base import BaseClient, remaining
from asen_tf.serving.client.calls import Answer, Call, Request, Result, Served
from asen_tf.serving.client.errors import from_status
from asen_tf.serving.signatures import Metadata


class Client(BaseClient):
    """`asen_tf.Embedder` at the other end of a wire: the same methods, forms and results.

    `Client("localhost:8500")`; all settings are in `BaseClient`. It connects with the first
    question. Threads may share it. Close it, or use it in a `with` statement.

    `images` may be paths, encoded images (bytes), arrays (uint8 [H, W, 3], or gray [H, W]) or PIL
    images: one of them, or any iterable of them. Files travel as they are, pixels as PNG. No
    photographs give empty arrays.

    Every method raises `InvalidInputError`, a ValueError, for a photograph that is refused, with
    its position in the caller's list, and `ServingError`, an OSError, where the server is away,
    too busy, too late, has no such model, or changed its version between two batches.
    """

    @property
    def metadata(self) -> Metadata:
        """What the server says of its model; asked once."""
        return self._described(self._deadline()).metadata

    @property
    def attributes(self) -> AttributeSpace:
        """The attributes it knows; iterating them gives their names in order. Asked once."""
        return self._described(self._deadline()).space

    def status(self) -> dict[int, str]:
        """The versions of the model: number -> START, LOADING, AVAILABLE, UNLOADING or END."""
        return self._run(self._calls.status(), self._deadline())

    def embed(self, images: Photograph | Iterable[Photograph], attribute: str) -> np.ndarray:
        """Unit vectors of the photographs in one attribute's space, float32 [N, D].

        Raises:
          ValueError: an unknown attribute; nothing was sent then.
        """
        deadline = self._deadline()
        self._check(attribute, deadline)
        return self._run(self._calls.embed(listed(images), attribute), deadline)

    def embed_all(self, images: Photograph | Iterable[Photograph]) -> np.ndarray:
        """Unit vectors in every attribute's space, float32 [N, A, D]."""
        return self._run(self._calls.embed_all(listed(images)), self._deadline())

    def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
    ) -> np.ndarray:
        """How alike pairs of photographs are in one attribute: cosines, float32 [N].

        One photograph on either side is compared with all on the other.

        Raises:
          ValueError: an unknown attribute, or the sides hold different numbers of photographs and
            neither holds one.
        """
        deadline = self._deadline()
        images, others = listed_pairs(images, others)
        self._check(attribute, deadline)
        return self._run(self._calls.similarity(images, others, attribute), deadline)

    def explain(
        self, images: Photograph | Iterable[Photograph], attribute: str
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where the model looked for an attribute.

        Returns:
          attention float32 [N, h, w], summing to 1, over the centred square of each photograph;
          boxes int32 [N, 4]: left, top, right, bottom of the region that the local branch sees,
          in pixels of the photograph.

        Raises:
          ValueError: an unknown attribute.
        """
        deadline = self._deadline()
        self._check(attribute, deadline)
        return self._run(self._calls.explain(listed(images), attribute), deadline)

    def close(self) -> None:
        """Ends the connection and what is under way."""
        self._channel.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    @functools.cached_property
    def _channel(self) -> grpc.Channel:
        return self._open(grpc)

    def _described(self, deadline: float) -> Served:
        if self._served is None:
            self._served = self._run(self._calls.metadata(), deadline)
        return self._served

    def _check(self, attribute: str, deadline: float) -> None:
        if attribute not in self._described(deadline).space:
            self._served = None  # A newer version may know it.
        self._described(deadline).space.index(attribute)

    def _run(self, call: Call[Result], deadline: float) -> Result:
        pending, answers = collections.deque(), []
        try:
            for request in call.requests:
                if len(pending) == self._in_flight:
                    answers.append(_answer(*pending.popleft()))
                pending.append((request, self._start(request, deadline)))
            while pending:
                answers.append(_answer(*pending.popleft()))
        finally:
            for _, reply in pending:
                reply.cancel()
        return self._finish(call, answers)

    def _start(self, request: Request, deadline: float) -> grpc.Future:
        return self._method(self._channel, request).future(
            request.message, timeout=remaining(deadline)
        )


def _answer(request: Request, reply: grpc.Future) -> Answer:
    try:
        return request.read(reply.result())
    except grpc.RpcError as error:
        raise from_status(error.code(), error.details(), request.places) from error
