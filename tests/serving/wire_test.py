"""The client's messages are those of tensorflow_serving.apis, on the wire and as arrays."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    predict_pb2,
)

from asen_client.serving import tensors, wire
from asen_tf.serving.server.tensors import to_proto

THEIRS = {
    "TensorProto": tensor_pb2.TensorProto,
    "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
    "SignatureDef": meta_graph_pb2.SignatureDef,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "SignatureDefMap": get_model_metadata_pb2.SignatureDefMap,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
    "ModelVersionStatus": get_model_status_pb2.ModelVersionStatus,
}
ARRAYS = {
    "floats": np.array([[1.5, -0.0], [np.inf, 3e-45]], np.float32),
    "int32": np.array([[-5, 2**31 - 1, 0]], np.int32),
    "int64": np.array([-(2**63), 2**40], np.int64),
    "uint8": np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3),
    "scalar": np.array(7, np.int32),
    "none": np.zeros((0, 4), np.float32),
    "bytes": np.array([[b"\x89PNG\0\0", b""]], object),
    "no bytes": np.zeros((0,), object),
}


def filled(kind):
    """A message of theirs with something in every field that ours declares."""
    spec = model_pb2.ModelSpec(name="asen", signature_name="embed_collar")
    spec.version.value = 7
    tensor = tf.make_tensor_proto([[1.0, 2.0], [3.0, 4.0]])
    shape = tensor_shape_pb2.TensorShapeProto(dim=[{"size": -1, "name": "n"}, {"size": 3}])
    info = meta_graph_pb2.TensorInfo(name="x:0", dtype=1, tensor_shape=shape)
    signature = meta_graph_pb2.SignatureDef(
        inputs={"i": info}, outputs={"o": info}, method_name="m"
    )
    signatures = get_model_metadata_pb2.SignatureDefMap(signature_def={"embed": signature})
    version = get_model_status_pb2.ModelVersionStatus(version=3, state="LOADING")
    version.status.error_message = "a field that ours leaves out"
    metadata = get_model_metadata_pb2.GetModelMetadataResponse(model_spec=spec)
    metadata.metadata["signature_def"].Pack(signatures)
    return {
        "TensorProto": tensor_pb2.TensorProto(
            dtype="DT_STRING",
            tensor_shape=shape,
            version_number=2,
            tensor_content=b"abc",
            float_val=[1.5, 2],
            int_val=[-1, 300],
            string_val=[b"", b"x"],
            int64_val=[-(2**60)],
        ),
        "TensorShapeProto": tensor_shape_pb2.TensorShapeProto(unknown_rank=True),
        "SignatureDef": signature,
        "ModelSpec": model_pb2.ModelSpec(name="asen", version_label="stable"),
        "PredictRequest": predict_pb2.PredictRequest(
            model_spec=spec, inputs={"image_bytes": tensor}, output_filter=["a", "b"]
        ),
        "PredictResponse": predict_pb2.PredictResponse(
            model_spec=spec, outputs={"embedding": tensor}
        ),
        "SignatureDefMap": signatures,
        "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=spec, metadata_field=["signature_def"]
        ),
        "GetModelMetadataResponse": metadata,
        "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest(model_spec=spec),
        "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse(
            model_version_status=[version]
        ),
        "ModelVersionStatus": version,
    }[kind]


@pytest.mark.parametrize("kind", THEIRS)
def test_messages_survive_the_way_there_and_back(kind):
    theirs = filled(kind)
    ours = getattr(wire, kind).FromString(theirs.SerializeToString(deterministic=True))
    assert THEIRS[kind].FromString(ours.SerializeToString()) == theirs


def declared(descriptor, found=None):
    """Full name of a message and of those inside -> its fields as (name, number, type, label)."""
    found = {} if found is None else found
    if descriptor.full_name not in found:
        found[descriptor.full_name] = {
            (field.name, field.number, field.type, field.is_repeated) for field in descriptor.fields
        }
        for field in descriptor.fields:
            if field.message_type is not None:
                declared(field.message_type, found)
    return found


@pytest.mark.parametrize("kind", THEIRS)
def test_fields_have_their_names_numbers_and_types(kind):
    theirs = declared(THEIRS[kind].DESCRIPTOR)
    for name, fields in declared(getattr(wire, kind).DESCRIPTOR).items():
        assert fields <= theirs[name], name


def test_enumerations_have_their_numbers():
    types = {name: value.number for name, value in wire.DataType.items()}
    assert types.items() <= dict(types_pb2.DataType.items()).items()
    states = wire.ModelVersionStatus.State.items()
    assert states == get_model_status_pb2.ModelVersionStatus.State.items()


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_go_to_tensorflow_and_come_back(name):
    array = ARRAYS[name]
    theirs = tensor_pb2.TensorProto.FromString(tensors.to_proto(array).SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(theirs), array)
    ours = wire.TensorProto.FromString(tf.make_tensor_proto(array).SerializeToString())
    found = tensors.from_proto(ours)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype and found.shape == array.shape


@pytest.mark.parametrize(
    ("dtype", "field"),
    [
        ("DT_FLOAT", "float_val"),
        ("DT_INT32", "int_val"),
        ("DT_UINT8", "int_val"),
        ("DT_INT64", "int64_val"),
    ],
)
@pytest.mark.parametrize("given", [0, 1, 2, 4])
def test_values_in_the_fields_of_their_type(dtype, field, given):
    """What TensorFlow Serving answers with; TensorFlow says what few values for many mean."""
    theirs = tensor_pb2.TensorProto(dtype=dtype, tensor_shape={"dim": [{"size": 2}, {"size": 2}]})
    getattr(theirs, field).extend([3, 1, 4, 9][:given])
    ours = wire.TensorProto.FromString(theirs.SerializeToString())
    np.testing.assert_array_equal(tensors.from_proto(ours), tf.make_ndarray(theirs))


@pytest.mark.parametrize(("dtype", "field"), [("float32", "float_val"), ("float64", "double_val")])
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (2, 100)])
def test_the_server_answers_in_the_field_of_the_type(dtype, field, shape):
    array = np.asarray(np.random.default_rng(0).normal(size=shape), dtype)
    if array.size > 3:
        array.flat[:3] = np.nan, np.inf, -0.0
    answer = to_proto(tf.constant(array))
    assert not answer.tensor_content
    np.testing.assert_array_equal(getattr(answer, field), array.ravel())
    np.testing.assert_array_equal(tf.make_ndarray(answer), array)
    answered = tensor_pb2.TensorProto.FromString(answer.SerializeToString())
    assert str(answered) == str(answer)  # NaN is unlike itself


def test_bad_tensors_are_named():
    with pytest.raises(ValueError, match="expected float32, int32, int64, uint8 .* float64"):
        tensors.to_proto(np.zeros(2))
    with pytest.raises(ValueError, match="received type 2"):
        tensors.from_proto(wire.TensorProto(dtype=wire.DataType["DT_DOUBLE"].number))
    proto = tensors.to_proto(np.zeros(4, np.float32))
    proto.tensor_shape.dim[0].size = 5
    with pytest.raises(ValueError, match=r"received 4 values for a tensor of shape \[5\]"):
        tensors.from_proto(proto)
    proto.tensor_shape.dim[0].size = -1
    with pytest.raises(ValueError, match=r"known shape, received \[None\]"):
        tensors.from_proto(proto)
    proto.tensor_shape.unknown_rank = True
    with pytest.raises(ValueError, match="known number of dimensions"):
        tensors.from_proto(proto)
