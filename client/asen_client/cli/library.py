"""Where the library is installed beside the client, programs can do more."""

import importlib
from types import ModuleType

from asen_client.core.errors import Failed


def module(name: str, what: str) -> ModuleType:
    """A module of asen_tf; raises `Failed` where that is missing, `what` needs it."""
    try:
        return importlib.import_module(f"asen_tf.{name}")
    except ModuleNotFoundError as error:
        if error.name != "asen_tf":
            raise
        raise Failed(f"{what} needs the library asen_tf, which is not installed") from None
