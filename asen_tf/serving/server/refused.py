"""How a request that cannot be answered ends: a gRPC code and a message."""

import re

import grpc
import tensorflow as tf

# Bytes: gRPC sends the message in a header, whose size is bounded.
_LONGEST = 2000

_BEFORE = re.compile(r"^Graph execution error:.*<stack traces unavailable>\n", re.DOTALL)
_AFTER = re.compile(r"(\n\s*\[\[\{\{node | \[Op:).*", re.DOTALL)
_ASSERTION = re.compile(r"^assertion failed: \[(.*)\]$", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class Refused(Exception):
    """A request that gets no answer.

    Attributes:
      code: of gRPC.
      message: for the client.
    """

    def __init__(self, code: grpc.StatusCode, message: str):
        super().__init__(message)
        self.code = code
        # Half of a surrogate pair, which JSON can have, is no character.
        encoded = message.encode("utf-8", "backslashreplace")
        self.message = encoded[:_LONGEST].decode("utf-8", "ignore")


def invalid(message: str) -> Refused:
    return Refused(grpc.StatusCode.INVALID_ARGUMENT, message)


def from_tensorflow(error: tf.errors.OpError) -> Refused:
    """TensorFlow's codes are gRPC's; its message without what it says of the graph's nodes."""
    message = _AFTER.sub("", _BEFORE.sub("", error.message))
    asserted = _ASSERTION.match(message)
    if asserted:
        message = _unescaped(asserted[1].replace("] [", " "))
    return Refused(_CODES.get(error.error_code, grpc.StatusCode.UNKNOWN), message)


def _unescaped(text: str) -> str:
    """Undoes what the op Assert does to quotes and to letters outside ASCII."""

    def character(found):
        code = found[1]
        return bytes([int(code, 8) & 255]) if len(code) == 3 else code

    return _ESCAPED.sub(character, text.encode()).decode("utf-8", "replace")
