"""A SavedModel answers as it should, in both loaders."""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from asen_client.core.errors import Failed
from asen_tf.core import files
from asen_tf.core.progress import Progress
from asen_tf.images import graph
from asen_tf.serving.export.functions import Functions, Prepare
from asen_tf.serving.export.signature import Request, Signature

# How far floats may be off, by what the networks compute in. Numbers with a mantissa of eight or
# eleven bits differ wherever a loader fuses operations.
TOLERANCES = {"float32": 1e-5, "bfloat16": 0.02, "float16": 0.003}

# Output -> array.
Answer = dict[str, np.ndarray]
# (signature, its inputs) -> its outputs.
Ask = Callable[[str, Request], Answer]


class VerificationFailed(Failed):
    """An export that does not answer as its Keras model does; says where they differ."""

    def __init__(self, where: str):
        super().__init__(f"the export is wrong and was not kept: {where}")


def expected_answers(
    signatures: Mapping[str, Signature], functions: Functions, requests: Mapping[str, Request]
) -> dict[str, Answer]:
    """What a SavedModel should answer: what the signatures give for the Keras model itself.

    With `read_outside` in its `functions` not even photographs are read as in the SavedModel.
    """
    answers = {}
    for name, inputs in requests.items():
        tensors = {key: tf.constant(array) for key, array in inputs.items()}
        outputs = signatures[name].answer(functions, **tensors)
        answers[name] = {key: tensor.numpy() for key, tensor in outputs.items()}
    return answers


def read_outside(size: int, fit: str) -> Prepare:
    """`Functions.prepare` for images of this side, as embedders in this process read them."""

    def prepare(encoded, labels):
        pixels = [graph.read(one) for one in encoded.numpy()]
        sizes = tf.constant([one.shape[:2] for one in pixels])
        return tf.stack([graph.square_fn(size, fit)(one) for one in pixels]), sizes

    return prepare


def verify(
    folder: str | os.PathLike,
    requests: Mapping[str, Request],
    expected: Mapping[str, Answer],
    tolerance: float = TOLERANCES["float32"],
) -> None:
    """Sends requests to a SavedModel in the session loader, as in TensorFlow Serving, and in
    `tf.saved_model.load`, and compares the answers with those expected.

    Raises:
      VerificationFailed: a signature is missing, cannot be run, or answers something else: floats
        further off than the tolerance, or anything else that is not equal.
    """
    loaders = {"session loader": _in_session, "tf.saved_model.load": _in_python}
    with Progress("verifying", len(loaders) * len(requests), "answers") as progress:
        for loader, opened in loaders.items():
            try:
                with files.literal(folder) as place, opened(place) as ask:
                    for signature, inputs in requests.items():
                        where = f"{loader}, {signature}"
                        _compare(where, ask(signature, inputs), expected[signature], tolerance)
                        progress.update(1)
            except (tf.errors.OpError, KeyError, ValueError) as error:
                raise VerificationFailed(f"{loader}: {error}") from error


@contextlib.contextmanager
def _in_session(folder: str) -> Iterator[Ask]:
    with tf.Graph().as_default():
        session = tf.compat.v1.Session()
        found = tf.compat.v1.saved_model.loader.load(session, ["serve"], folder)
    # A protobuf map makes entries for keys that it lacks.
    signatures = dict(found.signature_def)

    def ask(signature, inputs):
        tensors = signatures[signature]
        fetches = {name: info.name for name, info in tensors.outputs.items()}
        return session.run(fetches, {tensors.inputs[name].name: inputs[name] for name in inputs})

    with contextlib.closing(session):
        yield ask


@contextlib.contextmanager
def _in_python(folder: str) -> Iterator[Ask]:
    found = tf.saved_model.load(folder)

    def ask(signature, inputs):
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        outputs = found.signatures[signature](**tensors)
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    yield ask


def _compare(where: str, answer: Answer, expected: Answer, tolerance: float) -> None:
    if answer.keys() != expected.keys():
        raise VerificationFailed(f"{where}: gives {sorted(answer)}, expected {sorted(expected)}")
    for name, right in expected.items():
        given, right = np.asarray(answer[name]), np.asarray(right)
        if given.shape != right.shape:
            raise VerificationFailed(
                f"{where}: {name} has shape {given.shape}, expected {right.shape}"
            )
        if right.dtype.kind != "f":
            good, how = np.array_equal(given, right), "is not equal"
        else:
            off = np.abs(given - right).max(initial=0)
            good, how = off <= tolerance, f"is off by {off:.2g}, more than {tolerance:g}"
        if not good:
            raise VerificationFailed(f"{where}: {name} {how}")
