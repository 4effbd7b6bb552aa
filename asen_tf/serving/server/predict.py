"""Answers a PredictRequest; TensorFlow itself would not check the shapes of inputs."""

from collections.abc import Callable, Collection, Iterable, Mapping

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import predict_pb2

from asen_client.serving import signatures
from asen_tf.serving.loaded import LoadedModel
from asen_tf.serving.server import tensors
from asen_tf.serving.server.limits import Limits
from asen_tf.serving.server.refused import Refused, from_tensorflow, invalid

# (signature, its inputs) -> its outputs; may raise Refused and tf.errors.OpError.
Run = Callable[[str, dict[str, np.ndarray]], Mapping[str, tf.Tensor]]


def predict(
    servable: LoadedModel,
    request: predict_pb2.PredictRequest,
    limits: Limits,
    run: Run | None = None,
) -> predict_pb2.PredictResponse:
    """Runs the signature that a request names, for the outputs it names, or all.

    Args:
      servable: what answers.
      request: for it.
      limits: on the request.
      run: how the signature is run; None: `servable.run`.

    Raises:
      Refused: with the code that TensorFlow Serving gives: no such signature
        (FAILED_PRECONDITION), inputs or outputs that do not fit it (INVALID_ARGUMENT), or whatever
        the graph fails with.
    """
    name = request.model_spec.signature_name or signatures.SERVING_DEFAULT
    signature = signature_of(servable, name)
    inputs = _inputs(request.inputs, signature, limits)
    wanted = _outputs(request.output_filter, signature)
    try:
        found = (run or servable.run)(name, inputs)
        response = predict_pb2.PredictResponse()
        for output in wanted:
            response.outputs[output].CopyFrom(tensors.to_proto(found[output]))
    except tf.errors.OpError as error:
        raise from_tensorflow(error) from error
    response.model_spec.signature_name = name
    return response


def signature_of(servable: LoadedModel, name: str) -> meta_graph_pb2.SignatureDef:
    """What a signature takes and gives; Refused: there is none (FAILED_PRECONDITION)."""
    signature = servable.signature_defs.get(name)
    # A SavedModel's initialiser is listed among its signatures, without a method.
    if signature is None or not signature.method_name:
        raise Refused(
            grpc.StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
        )
    return signature


def check_inputs(given: Collection[str], signature: meta_graph_pb2.SignatureDef) -> None:
    """Refused: these are not the names of the inputs (INVALID_ARGUMENT)."""
    if set(given) != set(signature.inputs):
        extra, missing = set(given) - set(signature.inputs), set(signature.inputs) - set(given)
        raise invalid(
            f"inputs do not match the signature, which takes {_listed(signature.inputs)}. "
            f"Sent extra: {_listed(extra)}. Missing but required: {_listed(missing)}."
        )


def _inputs(
    given: Mapping[str, tensor_pb2.TensorProto],
    signature: meta_graph_pb2.SignatureDef,
    limits: Limits,
) -> dict[str, np.ndarray]:
    check_inputs(given, signature)
    for name, proto in given.items():
        _check(name, proto, signature.inputs[name], limits.batch)
    return {
        name: tensors.to_array(proto, name, limits.message_bytes) for name, proto in given.items()
    }


def _check(
    name: str, proto: tensor_pb2.TensorProto, info: meta_graph_pb2.TensorInfo, batch: int
) -> None:
    if proto.dtype != info.dtype:
        raise invalid(
            f"expected input {name} as {_kind(info.dtype)}, received {_kind(proto.dtype)}"
        )
    sizes = [dimension.size for dimension in proto.tensor_shape.dim]
    expected = [dimension.size for dimension in info.tensor_shape.dim]
    fits = len(sizes) == len(expected) and all(
        wanted in (-1, size) for wanted, size in zip(expected, sizes, strict=True)
    )
    if not (fits or info.tensor_shape.unknown_rank) or min(sizes, default=0) < 0:
        shape = ", ".join("any" if size < 0 else str(size) for size in expected)
        raise invalid(f"expected input {name} with shape [{shape}], received {sizes}")
    if sizes and sizes[0] > batch and expected[:1] in ([], [-1]):
        raise invalid(f"input {name} has {sizes[0]} rows, more than the limit {batch}")


def _outputs(wanted: Iterable[str], signature: meta_graph_pb2.SignatureDef) -> list[str]:
    wanted = list(wanted)
    for name in wanted:
        if name not in signature.outputs:
            raise invalid(
                f"output tensor alias not found in signature: {name} Outputs expected to be in "
                f"the set {_listed(signature.outputs)}."
            )
        if wanted.count(name) > 1:
            raise invalid(f"duplicate output tensor alias: {name}")
    return wanted or list(signature.outputs)


def _kind(dtype: int) -> str:
    # A client may send a number that stands for nothing.
    known = types_pb2.DataType.DESCRIPTOR.values_by_number.get(dtype)
    return known.name if known else f"dtype {dtype}"


def _listed(names: Iterable[str]) -> str:
    return f"{{{','.join(sorted(names))}}}"
