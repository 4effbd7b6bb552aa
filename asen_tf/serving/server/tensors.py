"""Tensors of messages to arrays, and tensors of TensorFlow to messages."""

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from asen_tf.serving.server.refused import invalid

# dtype -> the field of a TensorProto with its values. TensorFlow Serving answers in these fields
# and not in tensor_content, and there are clients that read nothing else.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.uint8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}


def to_array(proto: tensor_pb2.TensorProto, name: str, max_bytes: int) -> np.ndarray:
    """The array in a message, for the input `name`.

    Raises:
      Refused: the message is inconsistent, or stands for more than `max_bytes`, since values that
        it leaves out repeat the last one (INVALID_ARGUMENT).
    """
    try:
        stands_for = _bytes(proto)
        if stands_for > max_bytes:
            raise invalid(
                f"input {name} stands for {stands_for} bytes, more than the limit {max_bytes}"
            )
        return tf.make_ndarray(proto)
    except (OverflowError, TypeError, ValueError) as error:
        raise invalid(f"tensor parsing error: {name}: {error}") from error


def to_proto(tensor: tf.Tensor) -> tensor_pb2.TensorProto:
    """The message for a tensor."""
    field = _FIELDS.get(tensor.dtype)
    if field is None:
        return tf.make_tensor_proto(tensor)
    proto = tensor_pb2.TensorProto(dtype=tensor.dtype.as_datatype_enum)
    proto.tensor_shape.CopyFrom(tensor.shape.as_proto())
    # A string tensor without dimensions is bytes in NumPy, which would lose zeros at its end.
    array = np.asarray(tensor.numpy(), object if tensor.dtype == tf.string else None)
    if array.dtype.kind == "f" and array.size:
        _extend(proto, field, array)
    else:
        getattr(proto, field).extend(array.ravel().tolist())
    return proto


def _extend(proto: tensor_pb2.TensorProto, field: str, array: np.ndarray) -> None:
    """Numbers as bytes, which one by one take a millisecond for a vector of each attribute.

    A field of packed numbers is written as one of bytes is, behind a number of its own.
    """
    content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    written = tensor_pb2.TensorProto(tensor_content=content).SerializeToString()
    number = proto.DESCRIPTOR.fields_by_name[field].number
    proto.MergeFromString(bytes([number << 3 | 2]) + written[1:])


def _bytes(proto: tensor_pb2.TensorProto) -> int:
    elements = 1
    for dimension in proto.tensor_shape.dim:
        elements *= max(0, dimension.size)
    if proto.dtype != types_pb2.DT_STRING:
        return elements * tf.as_dtype(proto.dtype).size
    values = proto.string_val
    repeated = (elements - len(values)) * len(values[-1]) if values else 0
    pointers = elements * np.dtype(object).itemsize
    return pointers + sum(map(len, values)) + max(0, repeated)
