"""What TensorFlow says of files that it cannot write, as an OSError with what to do."""

import contextlib
import os
import re
from collections.abc import Iterator

import tensorflow as tf

# Where in the graph, and in which file that is written aside.
_PLACES = re.compile(r"\{\{.*?\}\}|\[Op:.*?\]|\S*_temp/\S*;")


def reason(error: Exception) -> str:
    """What went wrong, in a line."""
    return _PLACES.sub("", str(error).partition("\n")[0]).strip()


@contextlib.contextmanager
def writing(path: str | os.PathLike, kept: str = "") -> Iterator[None]:
    """For what TensorFlow writes to `path`; `kept` says what is left where it fails.

    Raises:
      OSError: TensorFlow failed.
    """
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(
            f"{path}: cannot be written ({reason(error)}){kept}. Make room on the disk and give "
            "the same command again"
        ) from error
