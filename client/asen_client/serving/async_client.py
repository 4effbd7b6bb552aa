"""The client for asyncio."""

import asyncio
import collections
import functools
from collections.abc import Iterable

import grpc
import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.fingerprint import Fingerprint, probe
from asen_client.embedders.images import (
    Boxes,
    Place,
    cosines,
    in_whole,
    lacks_margin,
    placed,
    placed_pairs,
    with_margin,
)
from asen_client.images import Photograph
from asen_client.serving import signatures
from asen_client.serving.base import BaseClient, remaining
from asen_client.serving.calls import Answer, Call, Request, Result, Served
from asen_client.serving.errors import ServingError
from asen_client.serving.signatures import Metadata


class AsyncClient(BaseClient):
    """`Client` for asyncio: the same methods as coroutines, and `attributes`, `metadata` too.

    It belongs to the event loop in which it is first used. Files are read and pixels encoded in
    a thread, so that the loop goes on. Close it, or use it in an `async with` statement.
    """

    async def metadata(self) -> Metadata:
        """See `Client.metadata`."""
        return (await self._described(self._deadline())).metadata

    async def attributes(self) -> AttributeSpace:
        """See `Client.attributes`."""
        return (await self._described(self._deadline())).space

    async def status(self) -> dict[int, str]:
        """See `Client.status`."""
        return await self._run(self._calls.status(), self._deadline())

    async def embed(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Client.embed`: float32 [N, D]."""
        deadline = self._deadline()
        await self._check(attribute, deadline)
        places = await self._with_margin(placed(images, boxes), deadline)
        return await self._run(self._calls.embed(places, attribute), deadline)

    async def embed_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> np.ndarray:
        """See `Client.embed_all`: float32 [N, A, D]."""
        deadline = self._deadline()
        places = await self._with_margin(placed(images, boxes), deadline)
        return await self._run(self._calls.embed_all(places), deadline)

    async def similarity(
        self,
        images: Photograph | Iterable[Photograph],
        others: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
        other_boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Client.similarity`: float32 [N]."""
        deadline = self._deadline()
        both, first = placed_pairs(images, others, boxes, other_boxes)
        await self._check(attribute, deadline)
        both = await self._with_margin(both, deadline)
        return cosines(await self._run(self._calls.embed(both, attribute), deadline), first)

    async def explain(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Client.explain`: attention float32 [N, h, w], boxes int32 [N, 4]."""
        deadline = self._deadline()
        await self._check(attribute, deadline)
        places = await self._with_margin(placed(images, boxes), deadline)
        attention, regions = await self._run(self._calls.explain(places, attribute), deadline)
        return attention, in_whole(regions, places)

    async def predict(
        self,
        images: Photograph | Iterable[Photograph],
        attribute: str,
        boxes: Boxes = None,
    ) -> np.ndarray:
        """See `Client.predict`: float32 [N, V]."""
        deadline = self._deadline()
        await self._check(attribute, deadline)
        return (await self._predict(images, [attribute], boxes, deadline))[attribute]

    async def predict_all(
        self, images: Photograph | Iterable[Photograph], boxes: Boxes = None
    ) -> dict[str, np.ndarray]:
        """See `Client.predict_all`: attribute -> float32 [N, V]."""
        deadline = self._deadline()
        names = list((await self._described(deadline)).space)
        return await self._predict(images, names, boxes, deadline)

    async def call(
        self,
        signature: str,
        images: Photograph | Iterable[Photograph] | None = None,
        /,
        **inputs: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """See `Client.call`: output -> array."""
        deadline = self._deadline()
        places = images
        if places is not None:
            places = await self._with_margin(placed(images), deadline)
        return await self._run(self._calls.call(signature, places, inputs), deadline)

    async def fingerprint(self) -> Fingerprint:
        """See `Embedder.fingerprint`."""
        [vectors] = await self.embed_all(probe())
        return Fingerprint.of(await self.attributes(), vectors, self.version)

    async def close(self) -> None:
        """Ends the connection and what is under way."""
        self._closed = True
        await self._channel.close()

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()

    @functools.cached_property
    def _channel(self) -> grpc.aio.Channel:
        self._loop = asyncio.get_running_loop()
        return self._open(grpc.aio)

    async def _with_margin(self, places: list[Place], deadline: float) -> list[Place]:
        if not lacks_margin(places):
            return places
        return with_margin(places, (await self._described(deadline)).metadata.box_margin)

    async def _predict(self, images, attributes, boxes, deadline) -> dict[str, np.ndarray]:
        space = (await self._described(deadline)).space
        counts = {name: len(space[name].values) for name in attributes}
        places = await self._with_margin(placed(images, boxes), deadline)
        try:
            found = await self._run(self._calls.predict(places, counts), deadline)
        except ServingError as error:
            if error.code is grpc.StatusCode.FAILED_PRECONDITION:
                raise NotImplementedError(signatures.SAYS_NO_VALUES) from error
            raise
        return dict(zip(attributes, found, strict=True))

    async def _described(self, deadline: float) -> Served:
        served = self._served  # which another task may change meanwhile
        if served is None:
            served = self._served = await self._run(self._calls.metadata(), deadline)
        return served

    async def _check(self, attribute: str, deadline: float) -> None:
        if attribute not in (await self._described(deadline)).space:
            self._served = None  # A newer version may know it.
        (await self._described(deadline)).space.index(attribute)

    async def _run(self, call: Call[Result], deadline: float) -> Result:
        pending, answers = collections.deque(), []
        try:
            while request := await asyncio.to_thread(next, call.requests, None):
                if len(pending) == self._in_flight:
                    answers.append(await self._answer(*pending.popleft()))
                pending.append((request, self._start(request, deadline)))
            while pending:
                answers.append(await self._answer(*pending.popleft()))
        finally:
            for _, reply in pending:
                reply.cancel()
        return self._finish(call, answers)

    def _start(self, request: Request, deadline: float) -> grpc.aio.UnaryUnaryCall:
        method = self._method(self._channel, request)
        if self._closed:
            raise self._ended()
        if self._loop is not asyncio.get_running_loop():
            raise RuntimeError("an AsyncClient belongs to one event loop: make another one here")
        return method(request.message, timeout=remaining(deadline))

    async def _answer(self, request: Request, reply: grpc.aio.UnaryUnaryCall) -> Answer:
        try:
            return request.read(await reply)
        except grpc.RpcError as error:
            raise await asyncio.to_thread(self._error, error, request) from error
        except (asyncio.CancelledError, grpc.aio.UsageError):
            # Closing the channel cancels what waits for it, whom nobody has cancelled.
            if self._closed and not asyncio.current_task().cancelling():
                raise self._ended() from None
            raise
