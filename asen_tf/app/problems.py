"""What can go wrong, in words for the visitor: never a path or an address of the server."""

import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from asen_tf.images import KINDS

_LOG = logging.getLogger(__name__)

_MEDIA_TYPE = "application/problem+json"


class ProblemDetails(BaseModel):
    """What went wrong, as RFC 9457 has it; `code` and `advice` are extensions."""

    status: int = Field(description="That of the answer.", examples=[503])
    code: str = Field(description="For programs.", examples=["model_away"])
    title: str = Field(
        description="What went wrong.", examples=["The model server does not answer."]
    )
    advice: str = Field(description="What to do.", examples=["Start it, then try again."])


class Problem(Exception):
    """Something that the visitor is told.

    Attributes:
      status: of HTTP.
      code: for programs, such as `model_away`.
      title: what went wrong.
      advice: what to do.
    """

    def __init__(self, status: int, code: str, title: str, advice: str):
        super().__init__(f"{title} {advice}")
        self.status, self.code, self.title, self.advice = status, code, title, advice

    def to_dict(self) -> dict:
        """What JSON can hold, see `ProblemDetails`."""
        names = ("status", "code", "title", "advice")
        return {name: getattr(self, name) for name in names}

    def response(self, headers: Mapping[str, str] | None = None) -> JSONResponse:
        """How it is told."""
        return JSONResponse(self.to_dict(), self.status, headers, _MEDIA_TYPE)


def documented(*statuses: str) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says of the problems of a route; statuses such as `4XX`."""
    content = {_MEDIA_TYPE: {"schema": ProblemDetails.model_json_schema()}}
    return {status: {"description": "A problem.", "content": content} for status in statuses}


def bad_query(error: object) -> Problem:
    """What is requested does not exist, or makes no sense; the message says which."""
    message = str(error)
    return Problem(422, "query", message[:1].upper() + message[1:], "Change it and try again.")


def bad_values(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """What pydantic found wrong with a request; the first of it is told."""
    _, *place = errors[0]["loc"]
    said = errors[0]["msg"].removeprefix("Value error, ")
    return bad_query(": ".join(filter(None, [".".join(map(str, place)), said])) + ".")


def no_photograph(reason: str) -> Problem:
    """The file is none that can be looked at."""
    return Problem(
        415,
        "no_photograph",
        f"This file is no photograph that can be read: {reason}.",
        f"Choose a file of one of these kinds: {', '.join(KINDS)}.",
    )


def too_large(what: str, limit: str) -> Problem:
    """More than is taken."""
    return Problem(
        413, "too_large", f"{what} is too large.", f"The limit is {limit}; send a smaller one."
    )


def busy() -> Problem:
    """There is no place for a request."""
    title = "Too many searches are under way."
    return Problem(503, "busy", title, "Try again in a few seconds.")


def too_slow(what: str) -> Problem:
    """A body takes too long to arrive."""
    return Problem(408, "too_slow", f"{what} arrived too slowly.", "Try again.")


def broke_off(what: str) -> Problem:
    """A body ended too early, or nobody waits for an answer."""
    return Problem(400, "broke_off", f"{what} broke off before its end.", "Try again.")


@contextlib.contextmanager
def store_problems() -> Iterator[None]:
    """Turns what a catalogue raises into problems."""
    try:
        yield
    except ValueError as error:
        raise bad_query(error) from error
    except OSError as error:
        _LOG.warning("the store: %s", error)
        title = "The catalogue's store does not answer."
        advice = "See that it runs, then try again."
        raise Problem(503, "store_away", title, advice) from error


@contextlib.contextmanager
def model_problems() -> Iterator[None]:
    """Turns what an embedder raises into problems, but for ValueError: a bad photograph."""
    try:
        yield
    except OSError as error:
        _LOG.warning("the model: %s", error)
        advice = (
            "Start it (asen-serve or TensorFlow Serving), then try again. Items of the catalogue "
            "can be searched with meanwhile."
        )
        title = "The model server does not answer."
        raise Problem(503, "model_away", title, advice) from error
