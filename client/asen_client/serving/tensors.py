"""NumPy arrays to TensorProto and back."""

from collections.abc import Mapping

import numpy as np

from asen_client.serving import wire

# Input -> array.
Inputs = Mapping[str, np.ndarray]

# Name of the type -> little-endian NumPy dtype, and the field that holds the values where
# tensor_content does not.
_TYPES = {
    "DT_FLOAT": (np.dtype("<f4"), "float_val"),
    "DT_INT32": (np.dtype("<i4"), "int_val"),
    "DT_INT64": (np.dtype("<i8"), "int64_val"),
    "DT_UINT8": (np.dtype("u1"), "int_val"),
    "DT_STRING": (np.dtype(object), "string_val"),
}
_BY_NUMBER = {wire.DataType[name].number: types for name, types in _TYPES.items()}
_NUMBERS = {dtype: wire.DataType[name].number for name, (dtype, _) in _TYPES.items()}


def to_proto(array: np.ndarray) -> wire.TensorProto:
    """A message of an array of float32, int32, int64, uint8, or bytes as objects; or ValueError."""
    array = np.asarray(array)
    little_endian = array.dtype.newbyteorder("<")
    if little_endian not in _NUMBERS:
        raise ValueError(f"expected {_known()} or bytes as object, received {array.dtype}")
    proto = wire.TensorProto(dtype=_NUMBERS[little_endian])
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if array.dtype.hasobject:
        proto.string_val.extend(array.ravel().tolist())
    else:
        proto.tensor_content = array.astype(little_endian, copy=False).tobytes()
    return proto


def from_proto(proto: wire.TensorProto) -> np.ndarray:
    """A message as an array; strings as bytes in an array of objects.

    Values come from tensor_content or from the field of their type. As in TensorFlow, a field with
    fewer values than the shape repeats its last one, and an empty one stands for zeros.

    Raises:
      ValueError: a type beside float32, int32, int64, uint8 and string, an unknown shape, or
        another number of values than the shape has.
    """
    dtype, field = _type(proto.dtype)
    shape = shape_of(proto.tensor_shape)
    if None in shape:
        raise ValueError(f"expected a tensor with a known shape, received {list(shape)}")
    if proto.tensor_content and not dtype.hasobject:
        values = np.frombuffer(proto.tensor_content, dtype).astype(dtype.newbyteorder("="))
    else:
        values = _filled(_of_field(proto, field, dtype), int(np.prod(shape)))
    if values.size != np.prod(shape):
        raise ValueError(f"received {values.size} values for a tensor of shape {list(shape)}")
    return values.reshape(shape)


def to_arrays(values: Mapping[str, object], rows: int | None = None) -> Inputs:
    """A caller's inputs of a signature as arrays, text as bytes in arrays of objects.

    ValueError: an input that has not `rows` rows, unless that is None.
    """
    arrays = {name: _array(value) for name, value in values.items()}
    for name, array in arrays.items():
        if rows is not None and array.shape[:1] != (rows,):
            raise ValueError(
                f"input {name!r}: expected a row for each of {rows} photographs, "
                f"received shape {list(array.shape)}"
            )
    return arrays


def _array(value):
    array = np.asarray(value)
    if array.dtype.kind not in "USO":
        return array
    texts = np.array(value, object).ravel()  # NumPy's own bytes lose zeros at their end
    encoded = [text.encode() if isinstance(text, str) else text for text in texts]
    return np.array(encoded, object).reshape(array.shape)


def shape_of(proto: wire.TensorShapeProto) -> tuple[int | None, ...]:
    """The sizes, None where one is unknown; ValueError where not even their number is known."""
    if proto.unknown_rank:
        raise ValueError("expected a tensor with a known number of dimensions")
    return tuple(dim.size if dim.size >= 0 else None for dim in proto.dim)


def empty(info) -> np.ndarray:
    """An output without photographs: a TensorInfo's dtype, 0 for unknown sizes; or ValueError."""
    dtype, _ = _type(info.dtype)
    return np.empty([size or 0 for size in shape_of(info.tensor_shape)], dtype)


def _of_field(proto: wire.TensorProto, field: str, dtype: np.dtype) -> np.ndarray:
    if dtype.kind != "f":
        return np.array(getattr(proto, field), dtype)
    # As bytes: one by one, the numbers of a vector for each attribute take milliseconds. Of a
    # message that has nothing else they are the end.
    alone = wire.TensorProto()
    getattr(alone, field).MergeFrom(getattr(proto, field))
    content, count = alone.SerializeToString(), len(getattr(proto, field))
    start = len(content) - count * dtype.itemsize
    return np.frombuffer(content, dtype, count, start).astype(dtype.newbyteorder("="))


def _filled(values: np.ndarray, size: int) -> np.ndarray:
    if 0 < values.size < size:
        return np.pad(values, (0, size - values.size), mode="edge")
    if not values.size:
        return np.full(size, b"" if values.dtype.hasobject else 0, values.dtype)
    return values


def _type(number: int) -> tuple[np.dtype, str]:
    if number not in _BY_NUMBER:
        raise ValueError(f"expected a tensor of {_known()} or string, received type {number}")
    return _BY_NUMBER[number]


def _known() -> str:
    return ", ".join(str(dtype) for dtype in _NUMBERS if not dtype.hasobject)
