"""What can go wrong, in words for the visitor: never a path or an address of the server."""

import contextlib
import logging
from collections.abc import Iterator

from asen_tf.images import KINDS

_LOG = logging.getLogger(__name__)


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
        """What JSON can hold."""
        return {"code": self.code, "title": self.title, "advice": self.advice}


def bad_query(error: object) -> Problem:
    """What is requested does not exist, or makes no sense; the message says which."""
    message = str(error)
    return Problem(422, "query", message[:1].upper() + message[1:], "Change it and try again.")


def no_json() -> Problem:
    """The body of a request is no JSON, or is nested too deeply to be read."""
    return Problem(400, "query", "Expected JSON.", "Load the page again, then try again.")


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


def too_many_pixels(how_many: str, limit: int) -> Problem:
    """The photograph would take too much memory."""
    title = f"The photograph has {how_many} pixels, which is too large."
    advice = f"The limit is {limit / 1e6:g} megapixels; scale it down first."
    return Problem(413, "too_large", title, advice)


def photograph_gone() -> Problem:
    """The server kept it for a while, and no longer."""
    title = "The photograph is no longer kept here."
    return Problem(410, "photograph_gone", title, "Choose it again.")


def busy() -> Problem:
    """Too many requests at once."""
    title = "Too many searches are under way."
    return Problem(503, "busy", title, "Try again in a few seconds.")


def model_away() -> Problem:
    """The server of the model does not answer, or has no such model."""
    return Problem(
        503,
        "model_away",
        "The model server does not answer.",
        "Start it (asen-serve or TensorFlow Serving), then try again. Items of the catalogue can "
        "be searched with meanwhile.",
    )


def store_away() -> Problem:
    """What keeps the vectors does not answer."""
    title = "The catalogue's store does not answer."
    return Problem(503, "store_away", title, "See that it runs, then try again.")


def model_differs(reason: object) -> Problem:
    """The vectors of this model mean nothing beside those of the store."""
    return Problem(
        409,
        "model_differs",
        f"The model does not fit the catalogue: {reason}.",
        "Start asen-app with the model that filled the store, or fill another store by "
        "asen-index. Items of the catalogue can be searched with meanwhile.",
    )


def no_regions() -> Problem:
    """The model has no attention."""
    title = "The model does not show where it looks."
    return Problem(422, "no_regions", title, "Search goes on without regions.")


@contextlib.contextmanager
def store_problems() -> Iterator[None]:
    """Turns what a catalogue raises into problems."""
    try:
        yield
    except ValueError as error:
        raise bad_query(error) from error
    except OSError as error:
        _LOG.warning("the store: %s", error)
        raise store_away() from error


@contextlib.contextmanager
def model_problems() -> Iterator[None]:
    """Turns what an embedder raises into problems, but for ValueError: a bad photograph."""
    try:
        yield
    except OSError as error:
        _LOG.warning("the model: %s", error)
        raise model_away() from error
