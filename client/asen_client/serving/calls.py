"""What a client requests and how it reads the answers; nothing here touches the network.

A `Call` is one method of a client: the requests to send, and what makes the result of the answers.
`Client` and `AsyncClient` differ only in how they send.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

import grpc
import numpy as np
from google.protobuf.message import Message

from asen_client.core.attributes import AttributeSpace
from asen_client.embedders.images import Place
from asen_client.serving import signatures, tensors, wire
from asen_client.serving.batches import Batch, split
from asen_client.serving.errors import ServingError

Result = TypeVar("Result")

# Output -> dtype and shape; None: any size. The first dimension is the photographs.
Shapes = Mapping[str, tuple[type, tuple[int | None, ...]]]
_OUTPUTS = {
    signatures.EMBEDDING: (np.float32, (None, None)),
    signatures.EMBEDDINGS: (np.float32, (None, None, None)),
    signatures.ATTENTION: (np.float32, (None, None, None)),
    signatures.BOX: (np.int32, (None, 4)),
}


class Answer(NamedTuple):
    """Outputs, and the version of the model that gave them (0: the server does not say)."""

    outputs: dict[str, np.ndarray]
    version: int


class Request(NamedTuple):
    """One message to send, the photographs in it, and how to read the reply."""

    method: wire.Method
    message: Message
    read: Callable[[Message], Answer]
    places: Sequence[Place] = ()


@dataclasses.dataclass(frozen=True)
class Call(Generic[Result]):
    """The requests of a method, and what makes its result of their answers in the same order."""

    requests: Iterator[Request]
    finish: Callable[[list[Answer]], Result]


class Served(NamedTuple):
    """What the server says of its model, its attributes, and the version that says it."""

    metadata: signatures.Metadata
    space: AttributeSpace
    version: int


class Calls:
    """Builds the calls to one model, the newest version without `version` and `label`.

    A message has at most `batch_size` photographs and `max_message_bytes`.
    """

    def __init__(
        self,
        model: str,
        version: int | None,
        label: str | None,
        batch_size: int,
        max_message_bytes: int,
    ):
        self._spec = wire.ModelSpec(name=model)
        if version is not None:
            self._spec.version.value = version
        if label is not None:
            self._spec.version_label = label
        self._batch_size = batch_size
        self._max_message_bytes = max_message_bytes

    def metadata(self) -> Call[Served]:
        # A filter takes the request past TensorFlow Serving's batching, which refuses it without
        # an input.
        message = wire.PredictRequest(
            model_spec=self._model(signatures.METADATA), output_filter=[signatures.JSON]
        )
        return Call(iter([Request(wire.PREDICT, message, _read)]), _served)

    def status(self) -> Call[dict[int, str]]:
        # Of all versions: TensorFlow Serving does not look up labels here.
        message = wire.GetModelStatusRequest(model_spec=wire.ModelSpec(name=self._spec.name))
        request = Request(wire.GET_MODEL_STATUS, message, _read_status)
        return Call(iter([request]), lambda answers: answers[0].outputs)

    def embed(self, images: Sequence[Place], attribute: str) -> Call[np.ndarray]:
        return self._outputs(signatures.embed(attribute), images, signatures.EMBEDDING)

    def embed_all(self, images: Sequence[Place]) -> Call[np.ndarray]:
        return self._outputs(signatures.SERVING_DEFAULT, images, signatures.EMBEDDINGS)

    def explain(
        self, images: Sequence[Place], attribute: str
    ) -> Call[tuple[np.ndarray, np.ndarray]]:
        outputs = [signatures.ATTENTION, signatures.BOX]
        expected = {name: _OUTPUTS[name] for name in outputs}
        requests = self._predict(signatures.explain(attribute), images, expected)
        return Call(requests, lambda answers: tuple(_joined(answers, name) for name in outputs))

    def predict(self, images: Sequence[Place], values: Mapping[str, int]) -> Call[list[np.ndarray]]:
        """Of each attribute how probable its values are; `values`: how many each has."""
        signature, outputs = signatures.prediction(list(values))
        shapes = [(np.float32, (None, count)) for count in values.values()]
        requests = self._predict(signature, images, dict(zip(outputs, shapes, strict=True)))
        return Call(requests, lambda answers: [_joined(answers, name) for name in outputs])

    def call(
        self,
        signature: str,
        places: Sequence[Place] | None,
        inputs: Mapping[str, object],
    ) -> Call[dict[str, np.ndarray]]:
        """Any signature, see `Client.call`."""
        if places is None:
            request = self._request(signature, Batch([], []), {}, tensors.to_arrays(inputs))
            return Call(iter([request]), lambda answers: answers[0].outputs)

        def join(answers):
            return {name: _joined(answers, name) for name in answers[0].outputs}

        arrays = tensors.to_arrays(inputs, len(places))
        return Call(self._predict(signature, places, {}, arrays), join)

    def _outputs(self, signature: str, images: Sequence[Place], output: str) -> Call[np.ndarray]:
        requests = self._predict(signature, images, {output: _OUTPUTS[output]})
        return Call(requests, lambda answers: _joined(answers, output))

    def _predict(
        self,
        signature: str,
        places: Sequence[Place],
        outputs: Shapes,
        inputs: tensors.Inputs = MappingProxyType({}),
    ) -> Iterator[Request]:
        """Requests for these outputs, none: for all; `inputs` have a row for each place."""
        if not places:
            yield self._empty(signature, outputs)
        for batch in split(places, self._batch_size, self._max_message_bytes):
            rows = [place.position for place in batch.places]
            others = {name: array[rows] for name, array in inputs.items()}
            encoded = {signatures.IMAGE_BYTES: np.array(batch.images, object)}
            yield self._request(signature, batch, outputs, encoded | others)

    def _request(
        self, signature: str, batch: Batch, outputs: Shapes, inputs: tensors.Inputs
    ) -> Request:
        message = wire.PredictRequest(
            model_spec=self._model(signature), output_filter=list(outputs)
        )
        for name, array in inputs.items():
            message.inputs[name].CopyFrom(tensors.to_proto(array))

        def read(reply):
            answer = _read(reply)
            for name, expected in outputs.items():
                _check(answer, name, len(batch.images), *expected)
            for name, array in answer.outputs.items():
                if batch.images and array.shape[:1] != (len(batch.images),):
                    raise _unexpected(
                        f"expected {name!r} with a row for each of {len(batch.images)} "
                        f"photographs, received shape {list(array.shape)}"
                    )
            return answer

        return Request(wire.PREDICT, message, read, batch.places)

    def _empty(self, signature: str, outputs: Iterable[str]) -> Request:
        """Asks for the shapes alone: a server that pads batches cannot pad one without rows."""
        message = wire.GetModelMetadataRequest(
            model_spec=self._model(), metadata_field=["signature_def"]
        )

        def read(reply):
            return _read_shapes(reply, signature, outputs)

        return Request(wire.GET_MODEL_METADATA, message, read)

    def _model(self, signature: str = "") -> wire.ModelSpec:
        spec = wire.ModelSpec(signature_name=signature)
        spec.MergeFrom(self._spec)
        return spec


def _read(reply: wire.PredictResponse) -> Answer:
    try:
        outputs = {name: tensors.from_proto(proto) for name, proto in reply.outputs.items()}
    except ValueError as error:
        raise _unexpected(str(error)) from error
    return Answer(outputs, reply.model_spec.version.value)


def _read_status(reply: wire.GetModelStatusResponse) -> Answer:
    states = wire.ModelVersionStatus.State
    found = {status.version: states.Name(status.state) for status in reply.model_version_status}
    return Answer(found, 0)


def _read_shapes(
    reply: wire.GetModelMetadataResponse, signature: str, outputs: Iterable[str]
) -> Answer:
    found = wire.SignatureDefMap.FromString(reply.metadata["signature_def"].value).signature_def
    if signature not in found:
        raise ServingError(
            f"the server's model has no signature {signature!r}",
            grpc.StatusCode.FAILED_PRECONDITION,
        )
    described = found[signature].outputs
    shapes = {name: tensors.empty(described[name]) for name in outputs or described}
    return Answer(shapes, reply.model_spec.version.value)


def _check(
    answer: Answer, name: str, photographs: int, dtype: type, shape: tuple[int | None, ...]
) -> None:
    shape = (photographs, *shape[1:])
    array = answer.outputs.get(name)
    if array is None:
        raise _unexpected(f"no output {name!r} among {sorted(answer.outputs)}")
    fits = len(array.shape) == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise _unexpected(
            f"expected {name!r} as {np.dtype(dtype)} [{wanted}], "
            f"received {array.dtype} {list(array.shape)}"
        )


def _joined(answers: list[Answer], name: str) -> np.ndarray:
    versions = sorted({answer.version for answer in answers})
    if len(versions) > 1:
        raise ServingError(
            f"the server went from one version of the model to another ({versions}) between two "
            "batches, whose vectors cannot be compared; call again, or name one version",
            grpc.StatusCode.ABORTED,
        )
    arrays = [answer.outputs[name] for answer in answers]
    try:
        return np.concatenate(arrays)
    except ValueError as error:
        shapes = [list(array.shape) for array in arrays]
        raise _unexpected(f"{name!r} differs between batches: {shapes}") from error


def _served(answers: list[Answer]) -> Served:
    (answer,) = answers
    try:
        text = answer.outputs[signatures.JSON].item()
        metadata = signatures.Metadata.from_json(text)
        return Served(metadata, AttributeSpace(metadata.attributes), answer.version)
    except (KeyError, ValueError) as error:
        raise _unexpected(f"the signature {signatures.METADATA!r} gave {error}") from error


def _unexpected(message: str) -> ServingError:
    return ServingError(f"unexpected answer of the server: {message}", grpc.StatusCode.INTERNAL)
