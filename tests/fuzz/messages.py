"""What servers are sent, and what they answer."""

import json
from pathlib import Path

import numpy as np

from asen_client.serving import calls, tensors, wire
from asen_client.serving.errors import ServingError
from asen_client.serving.signatures import Metadata
from asen_tf.core import AttributeSpace
from tests.fuzz.target import Target, of_files

_METADATA = Metadata({"color": ["red", "green"]}, 4, {"name": "asen"}, "0.2.0", 1000).to_json()


def _answers() -> list[bytes]:
    found = []
    for array in (np.ones((2, 3), np.float32), np.array([b"a", b"b"], object)):
        answer = wire.PredictResponse()
        answer.outputs["vectors"].CopyFrom(tensors.to_proto(array))
        answer.model_spec.version.value = 3
        found.append(answer.SerializeToString())
    answer.outputs["vectors"].CopyFrom(
        wire.TensorProto(
            dtype=1, tensor_shape={"dim": [{"size": 2}, {"size": 3}]}, float_val=[1, 2]
        )
    )
    return [*found, answer.SerializeToString()]


def _read_answer(_: Path, raw: bytes) -> None:
    from google.protobuf.message import DecodeError

    try:
        answer = wire.PredictResponse.FromString(raw)
    except DecodeError as error:  # by gRPC, with a code
        raise ServingError(str(error), None) from error
    calls._read(answer)


def _read_request(_: Path, raw: bytes) -> None:
    from tensorflow.core.framework import tensor_pb2

    from asen_tf.serving.server.refused import Refused
    from asen_tf.serving.server.tensors import to_array

    try:
        proto = tensor_pb2.TensorProto.FromString(raw)
    except Exception as error:  # answered by gRPC before anything of ours runs
        raise ValueError(str(error)) from error
    try:
        array = to_array(proto, "images", 1 << 20)
    except Refused as error:
        raise ValueError(error.message) from error
    assert array.nbytes <= 1 << 20


def _read_rest(_: Path, raw: bytes) -> None:
    import grpc
    import tensorflow as tf
    from tensorflow.core.protobuf import meta_graph_pb2
    from tensorflow_serving.apis import predict_pb2

    from asen_tf.serving.server.refused import Refused
    from asen_tf.serving.server.rest import json_tensors

    signature = meta_graph_pb2.SignatureDef()
    for name, dtype in _REST_INPUTS.items():
        signature.inputs[name].dtype = tf.as_dtype(dtype).as_datatype_enum
    try:
        value, request = json_tensors.read(raw), predict_pb2.PredictRequest()
        request.model_spec.signature_name = value.get("signature_name", "")
        json_tensors.fill(request, value, signature)
    except Refused as error:
        assert error.code == grpc.StatusCode.INVALID_ARGUMENT
        raise ValueError(error.message) from error
    except ValueError as error:  # would be answered with INTERNAL
        raise AssertionError(str(error)) from error


_REST_INPUTS = {"image_bytes": "string", "attribute": "string", "box": "float32", "n": "int32"}
_REST = [
    {"instances": [{"image_bytes": {"b64": "YWI="}, "attribute": "é", "box": [0, 1], "n": 1}]},
    {"inputs": {"image_bytes": ["a"], "attribute": ["b"], "box": [[0.5]], "n": [[1, 2]]}},
    {"signature_name": "x", "inputs": {"image_bytes": [], "attribute": "", "box": [True], "n": 1}},
    {"signature_name": "\ud800", "inputs": {"image_bytes": "\ud800", "\ud800": ["\ud800"]}},
    {"inputs": {"image_bytes": json.loads("[" * 70 + "]" * 70), "attribute": "", "box": 0, "n": 1}},
]


def _tensors() -> list[bytes]:
    return [
        tensors.to_proto(np.array([b"abc", b"d"], object)).SerializeToString(),
        tensors.to_proto(np.arange(6, dtype=np.int32).reshape(2, 3)).SerializeToString(),
        wire.TensorProto(
            dtype=1, tensor_shape={"dim": [{"size": 4}]}, float_val=[1.0]
        ).SerializeToString(),
    ]


def _read_results(folder: Path):
    from asen_tf.cli.search import read_results

    return read_results(str(folder / "results.json"))


def _query(_: Path, raw: bytes) -> None:
    from pydantic import ValidationError

    from asen_tf.app import bodies, problems, queries

    kinds = [
        k
        for k in vars(queries).values()
        if isinstance(k, type) and k.__module__ == queries.__name__
    ]
    try:
        given = bodies.read_json(raw)
        for kind in kinds:
            try:
                kind.model_validate(given)
                break
            except ValidationError as error:
                refused = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        else:
            raise problems.bad_values(refused)
    except problems.Problem as error:
        assert error.response().status_code in (400, 422)
        raise ValueError(str(error)) from error


_QUERIES = [
    {"photograph": "a", "box": [0, 0, 1, 0.5]},
    {"item": "a.jpg", "size": "small"},
    {"reference": {"item": "a"}, "weights": {"color": 1.5}, "text": "price<5", "page": 2},
]

TARGETS = [
    Target(
        "answer of a server",
        ["asen_client.serving.tensors", "asen_client.serving.calls"],
        _read_answer,
        seeds=_answers(),
        refusals=(ServingError, ValueError),
    ),
    Target(
        "tensor of a request",
        ["asen_tf.serving.server.tensors"],
        _read_request,
        seeds=_tensors(),
        tensorflow=True,
    ),
    Target(
        "REST request",
        ["asen_tf.serving.server.rest.json_tensors"],
        _read_rest,
        seeds=[json.dumps(request).encode() for request in _REST],
        tensorflow=True,
    ),
    Target(
        "metadata of a model",
        ["asen_client.serving.signatures"],
        lambda _, raw: AttributeSpace(Metadata.from_json(raw).attributes),
        seeds=[_METADATA.encode()],
        mentions=["metadata of a served model", "attribute"],
    ),
    Target(
        "query of the page",
        ["asen_tf.app.bodies"],
        _query,
        seeds=[json.dumps(query).encode() for query in _QUERIES],
    ),
    *of_files(
        "results of another engine",
        ["asen_tf.cli.search"],
        _read_results,
        {"results.json": '[{"id": "a", "score": 0.5}, {"id": "b", "score": 1}]'},
    ),
]
