"""What a client raises, and how the refusal of an exported model becomes that."""

import re
from collections.abc import Sequence

import grpc

from asen_client.embedders.images import InvalidInputError, Place

# How the graph of an exported model names a row of its batch.
_ROW = re.compile(r"photograph (\d+)(?=: )")

# How servers say that they have no such model, version or label.
_NOT_SERVED = ("Servable not found for request", "Unrecognized servable version label")


class ServingError(OSError):
    """The server did not answer, refused, or answered with something else than was requested.

    Attributes:
      code: gRPC's status code.
    """

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN):
        super().__init__(message)
        self.code = code


def from_status(
    code: grpc.StatusCode, details: str | None, places: Sequence[Place] = (), asked: str = ""
) -> ServingError | InvalidInputError:
    """The exception for a call that failed with a code and details.

    Args:
      code: gRPC's.
      details: what the server says.
      places: of the call's images.
      asked: model, version and server, in words.
    """
    message = details or "no details"
    if message.startswith(_NOT_SERVED):
        said = f"there is no {asked}, or it is not loaded yet ({message}); `status` lists versions"
        return ServingError(said, grpc.StatusCode.NOT_FOUND)
    if code is not grpc.StatusCode.INVALID_ARGUMENT:
        return ServingError(f"{code.name}: {message}", code)
    return invalid_input(message, places)


def invalid_input(message: str, places: Sequence[Place]) -> InvalidInputError:
    """What an exported model's graph says of a batch's images, as an error about the caller's.

    The message is TensorFlow's: "assertion failed: [MESSAGE]" and names of nodes beneath.
    """
    rows = list(_ROW.finditer(message))
    if not rows or max(int(row[1]) for row in rows) >= len(places):
        reason = message.split("\n\t [[")[0].splitlines()[-1]
        return InvalidInputError(f"INVALID_ARGUMENT: {reason}", reason=reason)
    before, message = message[: rows[0].start()], message[rows[0].start() :].splitlines()[0]
    message = message.removesuffix("]" if before.endswith("[") else "")
    named = _ROW.sub(lambda row: places[int(row[1])].label, message)
    place = places[int(rows[0][1])]
    return InvalidInputError(named, place.position, named.removeprefix(f"{place.label}: "))
