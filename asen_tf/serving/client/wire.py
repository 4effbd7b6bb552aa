"""The messages of TensorFlow Serving's gRPC services that a client needs, without TensorFlow.

The package tensorflow_serving.apis imports TensorFlow, which takes seconds. Here the same messages
(tensorflow/core/framework, tensorflow_serving/apis; packages, names, field numbers and types are
theirs) are declared in a pool of their own, so that both can live in one process. Fields left out
here survive a round trip as unknown fields.
"""

from typing import NamedTuple

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    message,
    message_factory,
    wrappers_pb2,
)

_Field = descriptor_pb2.FieldDescriptorProto


def _field(
    name: str, number: int, kind: int | str, label: int = _Field.LABEL_OPTIONAL
) -> descriptor_pb2.FieldDescriptorProto:
    """A field of a scalar type, or of the message or enumeration of that name."""
    if isinstance(kind, str):
        return _Field(name=name, number=number, type_name=kind, label=label)
    return _Field(name=name, number=number, type=kind, label=label)


def _repeated(name: str, number: int, kind: int | str) -> descriptor_pb2.FieldDescriptorProto:
    return _field(name, number, kind, _Field.LABEL_REPEATED)


def _map(name: str, number: int, kind: str) -> tuple:
    """A map from strings to messages: a repeated field, and the message of its entries."""
    entry = _message(
        f"{name.title().replace('_', '')}Entry",
        _field("key", 1, _Field.TYPE_STRING),
        _field("value", 2, kind),
    )
    entry.options.map_entry = True
    return _repeated(name, number, entry.name), entry


def _enum(name: str, **values: int) -> descriptor_pb2.EnumDescriptorProto:
    enum = descriptor_pb2.EnumDescriptorProto(name=name)
    for value, number in values.items():
        enum.value.add(name=value, number=number)
    return enum


def _message(name: str, *members) -> descriptor_pb2.DescriptorProto:
    """A message of fields, enumerations and nested messages."""
    declared = descriptor_pb2.DescriptorProto(name=name)
    for member in members:
        if isinstance(member, _Field):
            declared.field.append(member)
        elif isinstance(member, descriptor_pb2.EnumDescriptorProto):
            declared.enum_type.append(member)
        else:
            declared.nested_type.append(member)
    return declared


_TENSORFLOW = descriptor_pb2.FileDescriptorProto(
    name="tensorflow.proto",
    package="tensorflow",
    syntax="proto3",
    enum_type=[
        _enum(
            "DataType",
            DT_INVALID=0,
            DT_FLOAT=1,
            DT_DOUBLE=2,
            DT_INT32=3,
            DT_UINT8=4,
            DT_INT16=5,
            DT_INT8=6,
            DT_STRING=7,
            DT_INT64=9,
            DT_BOOL=10,
        )
    ],
    message_type=[
        _message(
            "TensorShapeProto",
            _repeated("dim", 2, "Dim"),
            _field("unknown_rank", 3, _Field.TYPE_BOOL),
            _message(
                "Dim", _field("size", 1, _Field.TYPE_INT64), _field("name", 2, _Field.TYPE_STRING)
            ),
        ),
        _message(
            "TensorProto",
            _field("dtype", 1, "DataType"),
            _field("tensor_shape", 2, "TensorShapeProto"),
            _field("version_number", 3, _Field.TYPE_INT32),
            _field("tensor_content", 4, _Field.TYPE_BYTES),
            _repeated("float_val", 5, _Field.TYPE_FLOAT),
            _repeated("int_val", 7, _Field.TYPE_INT32),
            _repeated("string_val", 8, _Field.TYPE_BYTES),
            _repeated("int64_val", 10, _Field.TYPE_INT64),
        ),
        _message(
            "TensorInfo",
            _field("name", 1, _Field.TYPE_STRING),
            _field("dtype", 2, "DataType"),
            _field("tensor_shape", 3, "TensorShapeProto"),
        ),
        _message(
            "SignatureDef",
            *_map("inputs", 1, "TensorInfo"),
            *_map("outputs", 2, "TensorInfo"),
            _field("method_name", 3, _Field.TYPE_STRING),
        ),
    ],
)

_SERVING = descriptor_pb2.FileDescriptorProto(
    name="tensorflow_serving.proto",
    package="tensorflow.serving",
    syntax="proto3",
    dependency=[_TENSORFLOW.name, any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name],
    message_type=[
        _message(
            "ModelSpec",
            _field("name", 1, _Field.TYPE_STRING),
            _field("version", 2, ".google.protobuf.Int64Value"),
            _field("signature_name", 3, _Field.TYPE_STRING),
            _field("version_label", 4, _Field.TYPE_STRING),
        ),
        _message(
            "PredictRequest",
            _field("model_spec", 1, "ModelSpec"),
            *_map("inputs", 2, ".tensorflow.TensorProto"),
            _repeated("output_filter", 3, _Field.TYPE_STRING),
        ),
        _message(
            "PredictResponse",
            *_map("outputs", 1, ".tensorflow.TensorProto"),
            _field("model_spec", 2, "ModelSpec"),
        ),
        _message("SignatureDefMap", *_map("signature_def", 1, ".tensorflow.SignatureDef")),
        _message(
            "GetModelMetadataRequest",
            _field("model_spec", 1, "ModelSpec"),
            _repeated("metadata_field", 2, _Field.TYPE_STRING),
        ),
        _message(
            "GetModelMetadataResponse",
            _field("model_spec", 1, "ModelSpec"),
            *_map("metadata", 2, ".google.protobuf.Any"),
        ),
        _message("GetModelStatusRequest", _field("model_spec", 1, "ModelSpec")),
        _message(
            "ModelVersionStatus",
            _field("version", 1, _Field.TYPE_INT64),
            _field("state", 2, "State"),
            _enum("State", UNKNOWN=0, START=10, LOADING=20, AVAILABLE=30, UNLOADING=40, END=50),
        ),
        _message(
            "GetModelStatusResponse", _repeated("model_version_status", 1, "ModelVersionStatus")
        ),
    ],
)

_POOL = descriptor_pool.DescriptorPool()
for _file in (any_pb2.DESCRIPTOR, wrappers_pb2.DESCRIPTOR):
    _POOL.AddSerializedFile(_file.serialized_pb)
for _file in (_TENSORFLOW, _SERVING):
    _POOL.AddSerializedFile(_file.SerializeToString())


def _class(name: str) -> type[message.Message]:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"tensorflow.{name}"))


DataType = _POOL.FindEnumTypeByName("tensorflow.DataType").values_by_name
TensorShapeProto = _class("TensorShapeProto")
TensorProto = _class("TensorProto")
SignatureDef = _class("SignatureDef")
ModelSpec = _class("serving.ModelSpec")
PredictRequest = _class("serving.PredictRequest")
PredictResponse = _class("serving.PredictResponse")
SignatureDefMap = _class("serving.SignatureDefMap")
GetModelMetadataRequest = _class("serving.GetModelMetadataRequest")
GetModelMetadataResponse = _class("serving.GetModelMetadataResponse")
GetModelStatusRequest = _class("serving.GetModelStatusRequest")
GetModelStatusResponse = _class("serving.GetModelStatusResponse")
ModelVersionStatus = _class("serving.ModelVersionStatus")


class Method(NamedTuple):
    """A unary method of a gRPC service, as `Channel.unary_unary` takes it."""

    path: str
    request: type[message.Message]
    response: type[message.Message]


PREDICT = Method("/tensorflow.serving.PredictionService/Predict", PredictRequest, PredictResponse)
GET_MODEL_METADATA = Method(
    "/tensorflow.serving.PredictionService/GetModelMetadata",
    GetModelMetadataRequest,
    GetModelMetadataResponse,
)
GET_MODEL_STATUS = Method(
    "/tensorflow.serving.ModelService/GetModelStatus", GetModelStatusRequest, GetModelStatusResponse
)
