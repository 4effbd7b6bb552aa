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
_STRING, _BYTES, _BOOL = _Field.TYPE_STRING, _Field.TYPE_BYTES, _Field.TYPE_BOOL
_INT32, _INT64, _FLOAT = _Field.TYPE_INT32, _Field.TYPE_INT64, _Field.TYPE_FLOAT


def _message(
    name: str, /, *nested: descriptor_pb2.DescriptorProto, **fields: tuple
) -> descriptor_pb2.DescriptorProto:
    """A message.

    Args:
      nested: messages that only this one uses.
      fields: name -> number and type: a scalar, the name of a message or enumeration, [type] where
        it is repeated, or {str: type} where it is a map from strings.
    """
    declared = descriptor_pb2.DescriptorProto(name=name, nested_type=nested)
    for field, (number, kind) in fields.items():
        repeated = isinstance(kind, list | dict)
        if isinstance(kind, dict):  # repeated entries
            entry = f"{field.title().replace('_', '')}Entry"
            pairs = _message(entry, key=(1, _STRING), value=(2, kind[str]))
            pairs.options.map_entry = True
            declared.nested_type.append(pairs)
            kind = [entry]
        kind = kind[0] if repeated else kind
        label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
        typed = {"type_name": kind} if isinstance(kind, str) else {"type": kind}
        declared.field.add(name=field, number=number, label=label, **typed)
    return declared


def _enum(name: str, **values: int) -> descriptor_pb2.EnumDescriptorProto:
    enum = descriptor_pb2.EnumDescriptorProto(name=name)
    for value, number in values.items():
        enum.value.add(name=value, number=number)
    return enum


_DATA_TYPES = {"DT_INVALID": 0, "DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4}
_DATA_TYPES |= {"DT_INT16": 5, "DT_INT8": 6, "DT_STRING": 7, "DT_INT64": 9, "DT_BOOL": 10}
_TENSORFLOW = descriptor_pb2.FileDescriptorProto(
    name="tensorflow.proto",
    package="tensorflow",
    syntax="proto3",
    enum_type=[_enum("DataType", **_DATA_TYPES)],
    message_type=[
        _message(
            "TensorShapeProto",
            _message("Dim", size=(1, _INT64), name=(2, _STRING)),
            dim=(2, ["Dim"]),
            unknown_rank=(3, _BOOL),
        ),
        _message(
            "TensorProto",
            dtype=(1, "DataType"),
            tensor_shape=(2, "TensorShapeProto"),
            version_number=(3, _INT32),
            tensor_content=(4, _BYTES),
            float_val=(5, [_FLOAT]),
            int_val=(7, [_INT32]),
            string_val=(8, [_BYTES]),
            int64_val=(10, [_INT64]),
        ),
        _message(
            "TensorInfo",
            name=(1, _STRING),
            dtype=(2, "DataType"),
            tensor_shape=(3, "TensorShapeProto"),
        ),
        _message(
            "SignatureDef",
            inputs=(1, {str: "TensorInfo"}),
            outputs=(2, {str: "TensorInfo"}),
            method_name=(3, _STRING),
        ),
    ],
)

_VERSION_STATUS = _message("ModelVersionStatus", version=(1, _INT64), state=(2, "State"))
_VERSION_STATUS.enum_type.append(
    _enum("State", UNKNOWN=0, START=10, LOADING=20, AVAILABLE=30, UNLOADING=40, END=50)
)
_SERVING = descriptor_pb2.FileDescriptorProto(
    name="tensorflow_serving.proto",
    package="tensorflow.serving",
    syntax="proto3",
    dependency=[_TENSORFLOW.name, any_pb2.DESCRIPTOR.name, wrappers_pb2.DESCRIPTOR.name],
    message_type=[
        _message(
            "ModelSpec",
            name=(1, _STRING),
            version=(2, ".google.protobuf.Int64Value"),
            signature_name=(3, _STRING),
            version_label=(4, _STRING),
        ),
        _message(
            "PredictRequest",
            model_spec=(1, "ModelSpec"),
            inputs=(2, {str: ".tensorflow.TensorProto"}),
            output_filter=(3, [_STRING]),
        ),
        _message(
            "PredictResponse",
            outputs=(1, {str: ".tensorflow.TensorProto"}),
            model_spec=(2, "ModelSpec"),
        ),
        _message("SignatureDefMap", signature_def=(1, {str: ".tensorflow.SignatureDef"})),
        _message(
            "GetModelMetadataRequest", model_spec=(1, "ModelSpec"), metadata_field=(2, [_STRING])
        ),
        _message(
            "GetModelMetadataResponse",
            model_spec=(1, "ModelSpec"),
            metadata=(2, {str: ".google.protobuf.Any"}),
        ),
        _message("GetModelStatusRequest", model_spec=(1, "ModelSpec")),
        _VERSION_STATUS,
        _message("GetModelStatusResponse", model_version_status=(1, ["ModelVersionStatus"])),
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
