"""Requests and answers in JSON, as TensorFlow Serving's REST API has them."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2

from asen_tf.serving.server.predict import check_inputs
from asen_tf.serving.server.refused import invalid

_BINARY = "b64"
# Outputs with such names are binary, as TensorFlow Serving has it.
_BINARY_ENDING = "_bytes"

_SHOWN = 80
# Dimensions of a tensor.
_DEEPEST = 8

_ROWS, _COLUMNS = "instances", "inputs"


def read(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; Refused: there is none (INVALID_ARGUMENT)."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error)[:200]
        raise invalid(f"JSON Parse error: {reason or 'the body is no JSON'}") from error
    if not isinstance(value, dict):
        raise invalid(f"expected a JSON object, received {_kind(value)}")
    if (_ROWS in value) == (_COLUMNS in value):
        raise invalid(f"expected either '{_ROWS}' or '{_COLUMNS}' in the JSON object")
    name = value.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(f"expected 'signature_name' as a string, received {_kind(name)}")
    if name != name.encode("utf-8", "ignore").decode():
        raise invalid(
            f"expected 'signature_name' as a string of characters, received {_shown(name)}"
        )
    return value


def fill(
    request: predict_pb2.PredictRequest,
    value: Mapping[str, Any],
    signature: meta_graph_pb2.SignatureDef,
) -> None:
    """Puts the inputs of a request in JSON, see `read`, into a message to this signature.

    Raises:
      Refused: they do not fit the signature, or are no tensors (INVALID_ARGUMENT).
    """
    columns = _by_row(value[_ROWS]) if is_by_row(value) else _by_column(value[_COLUMNS])
    if not isinstance(columns, dict):
        if len(signature.inputs) != 1:
            listed = ", ".join(sorted(signature.inputs)) or "none"
            raise invalid(f"expected an object with the inputs of the signature: {listed}")
        columns = {next(iter(signature.inputs)): columns}
    check_inputs(columns, signature)
    for name, given in columns.items():
        array = to_array(given, tf.as_dtype(signature.inputs[name].dtype), name)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array, shape=array.shape))


def _by_row(rows: Any) -> Any:
    if not isinstance(rows, list) or not rows:
        raise invalid(f"expected '{_ROWS}' as a list with something in it, received {_kind(rows)}")
    named = [isinstance(row, dict) and not _is_binary(row) for row in rows]
    if not any(named):
        return rows
    if not all(named) or any(row.keys() != rows[0].keys() for row in rows):
        raise invalid(f"expected the same inputs in each of the '{_ROWS}'")
    return {name: [row[name] for row in rows] for name in rows[0]}


def _by_column(given: Any) -> Any:
    return [given] if _is_binary(given) else given


def to_array(given: Any, dtype: tf.DType, name: str) -> np.ndarray:
    """The array in nested lists, for the input `name`.

    Raises:
      Refused: rows have different lengths, or values are not of this type (INVALID_ARGUMENT).
    """
    shape, level = [], [given]
    while level and isinstance(level[0], list):
        if len(shape) == _DEEPEST:
            raise invalid(f"input {name}: expected at most {_DEEPEST} lists within each other")
        sizes = {len(one) if isinstance(one, list) else None for one in level}
        if len(sizes) > 1:
            raise invalid(f"input {name}: its lists differ in length or depth")
        shape.extend(sizes)
        level = [value for one in level for value in one]
    take, expected = _taker(dtype)
    try:
        values = list(map(take, level))
        if dtype == tf.string:
            array = np.empty(len(values), object)
            array[:] = values
        else:
            array = np.array(values, dtype.as_numpy_dtype)
    except (ValueError, TypeError, OverflowError):
        odd = next((value for value in level if not _is_taken(take, value)), level[:1])
        raise invalid(f"input {name}: expected {expected}, received {_shown(odd)}") from None
    return array.reshape(shape)


def _taker(dtype: tf.DType) -> tuple[Callable[[Any], Any], str]:
    """What takes a value of JSON for this type, and what it expects."""
    if dtype == tf.string:
        return _text, 'strings, or {"b64": ...} in base64'
    if dtype == tf.bool:
        return _of(bool), "true or false"
    if dtype.is_integer:
        least, most = int(dtype.min), int(dtype.max)
        return _of(int, least=least, most=most), f"whole numbers from {least} to {most}"
    if dtype.is_floating:
        return _of(int, float), "numbers"
    raise invalid(f"tensors of type {dtype.name} cannot be sent as JSON")


def _of(*types: type, least: float = -math.inf, most: float = math.inf) -> Callable[[Any], Any]:
    def take(value: Any) -> Any:
        if type(value) not in types or value < least or value > most:
            raise TypeError
        return value

    return take


def _text(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not _is_binary(value) or not isinstance(value[_BINARY], str):
        raise TypeError
    return base64.b64decode(value[_BINARY], validate=True)


def _is_taken(take: Callable[[Any], Any], value: Any) -> bool:
    try:
        take(value)
    except (ValueError, TypeError, binascii.Error):
        return False
    return True


def _is_binary(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {_BINARY}


def is_by_row(value: Mapping[str, Any]) -> bool:
    """Whether a request, see `read`, lists its inputs row by row, as its answer does then."""
    return _ROWS in value


def answer(response: predict_pb2.PredictResponse, by_row: bool) -> bytes:
    """The answer in JSON.

    Raises:
      Refused: it was asked by rows, and the outputs have no such rows (INVALID_ARGUMENT).
    """
    arrays = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
    counts = {array.shape[:1] for array in arrays.values()}
    if by_row and (len(counts) != 1 or () in counts):
        raise invalid(
            f"the outputs of this signature have no rows in common; ask with '{_COLUMNS}'"
        )
    found = {name: _listed(name, array) for name, array in arrays.items()}
    if not by_row:
        return _text_of({"outputs": _only(found)})
    if len(found) == 1:
        return _text_of({"predictions": _only(found)})
    rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
    return _text_of({"predictions": rows})


def _only(found: dict[str, Any]) -> Any:
    """The output itself where there is one."""
    return next(iter(found.values())) if len(found) == 1 else found


def _listed(name: str, array: np.ndarray) -> Any:
    """Nested lists of what JSON can hold."""
    if array.dtype == object:
        binary = name.endswith(_BINARY_ENDING)
        flat = [
            {_BINARY: base64.b64encode(value).decode()}
            if binary
            else value.decode("utf-8", "replace")
            for value in array.ravel().tolist()
        ]
        # Objects, for nothing else keeps a dict.
        objects = np.empty(len(flat), object)
        objects[:] = flat
        return objects.reshape(array.shape).tolist()
    if array.dtype.kind not in "fbiu":
        array = array.astype(np.float32)  # bfloat16
    if array.dtype in (np.float16, np.float32):
        # The fewest digits that say which float it is; of float64 they would be twice as many.
        array = array.astype("U").astype(np.float64)
    return array.tolist()


def _text_of(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _kind(value: Any) -> str:
    if value == []:
        return "an empty list"
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "a number")
