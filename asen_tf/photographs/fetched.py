"""What every way to photographs behind URLs gives and raises."""

from typing import NamedTuple


class Fetched(NamedTuple):
    """A photograph, and what the server knows its state by, blank where it says nothing."""

    content: bytes
    validator: str


class Unreachable(OSError):
    """No answer now, perhaps later.

    Attributes:
      after: seconds that the server wants to be left alone.
    """

    def __init__(self, message: str, after: float = 0.0):
        super().__init__(message)
        self.after = after


def too_large(size: int | None, most: int) -> ValueError:
    """The error of a photograph of more bytes than may be."""
    declared = "" if size is None else f": it declares {size}"
    return ValueError(f"the file has more than {most} bytes{declared}")
