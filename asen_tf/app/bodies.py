"""Bodies of requests, no longer than allowed."""

import anyio
from starlette.requests import ClientDisconnect, Request

from asen_tf.app import problems
from asen_tf.app.limits import MEGABYTE


async def read_body(request: Request, most: int, seconds: float, what: str) -> bytes:
    """The whole body of a request.

    Args:
      request: not read yet.
      most: bytes.
      seconds: that it may take.
      what: it is, for the message.

    Raises:
      Problem: it is longer, takes longer, or breaks off.
    """
    limit = f"{most / MEGABYTE:g} MB"
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > most:
        raise problems.too_large(what, limit)
    body = bytearray()
    try:
        with anyio.fail_after(seconds):
            async for part in request.stream():
                body += part
                if len(body) > most:
                    raise problems.too_large(what, limit)
    except TimeoutError as error:
        title = f"{what} took longer than {seconds:g} seconds to arrive."
        raise problems.Problem(408, "too_slow", title, "Try again.") from error
    except ClientDisconnect as error:
        title = f"{what} broke off before its end."
        raise problems.Problem(400, "broke_off", title, "Try again.") from error
    return bytes(body)
