"""What a client raises, and how a server's refusal becomes that."""

import re
from collections.abc import Sequence

import grpc

from asen_tf.serving.client.places import Place

# How the graph of a served model names a row of its batch.
_ROW = re.compile(r"photograph (\d+)(?=: )")


class ServingError(OSError):
    """The server did not answer, refused, or answered with something else than was asked for.

    Attributes:
      code: gRPC's status code.
    """

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN):
        super().__init__(message)
        self.code = code


class InvalidInputError(ServingError, ValueError):
    """The caller's input is refused, by the server or before it is sent (INVALID_ARGUMENT).

    Attributes:
      position: of the bad photograph in the list that the caller gave, None where it is not one
        photograph's fault or the server does not say. A server that batches the requests of many
        callers together counts within such a batch, and may name another photograph.
    """

    def __init__(self, message: str, position: int | None = None):
        super().__init__(message, grpc.StatusCode.INVALID_ARGUMENT)
        self.position = position


def from_status(
    code: grpc.StatusCode, details: str | None, places: Sequence[Place] = ()
) -> ServingError:
    """The exception for a call that failed.

    Args:
      code: gRPC's status code.
      details: what came with it.
      places: where the photographs of the request come from.
    """
    message = details or "no details"
    if code is not grpc.StatusCode.INVALID_ARGUMENT:
        return ServingError(f"{code.name}: {message}", code)
    rows = list(_ROW.finditer(message))
    if not rows or max(int(row[1]) for row in rows) >= len(places):
        return InvalidInputError(f"{code.name}: {message}")
    # TensorFlow writes "assertion failed: [MESSAGE]" and names of nodes beneath.
    before, message = message[: rows[0].start()], message[rows[0].start() :].splitlines()[0]
    message = message.removesuffix("]" if before.endswith("[") else "")
    named = _ROW.sub(lambda row: places[int(row[1])].label, message)
    return InvalidInputError(named, places[int(rows[0][1])].position)
