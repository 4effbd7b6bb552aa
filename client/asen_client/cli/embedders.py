"""The flags that name the model of a program."""

from typing import TYPE_CHECKING

from absl import app, flags

from asen_client.cli import library
from asen_client.core import addresses

if TYPE_CHECKING:
    from asen_client.embedders import Embedder

# Flags that are settings of a served model, beside --served_model.
_SERVED = ("version", "label", "timeout", "tls")
_SERVED += ("root_certificates", "client_key", "client_certificate")


def define_flags(default: str | None = None) -> None:
    """Defines --model with this default, and flags for a model at a server."""
    flags.DEFINE_string(
        "model",
        default,
        "Folder of a run or of a preset, folder or file that asen-export wrote, or HOST:PORT of a "
        "model that asen-serve or TensorFlow Serving serves.",
    )
    flags.DEFINE_string("served_model", None, "Name that the model is served under; default: asen.")
    flags.DEFINE_integer("version", None, "Version of the served model; default: the newest.", 1)
    flags.DEFINE_string("label", None, "Label of a version, such as stable; instead of --version.")
    flags.DEFINE_float(
        "timeout", None, "Seconds that a server may take, above 0; default: 60.", 0.0
    )
    flags.DEFINE_bool("tls", None, "Whether to encrypt; the three flags about PEM files imply it.")
    flags.DEFINE_string("root_certificates", None, "PEM file of the authorities to trust.")
    flags.DEFINE_string("client_key", None, "PEM file of this client's key, where a server asks.")
    flags.DEFINE_string("client_certificate", None, "PEM file that goes with --client_key.")


def opened(given: flags.FlagValues) -> "Embedder":
    """The model that these flags name, to be used in a `with` statement.

    Raises:
      app.UsageError: they name none.
      Failed: it is no served one, and the library is not installed.
    """
    if not given.model:
        raise app.UsageError("give --model, the place of the model that embeds the photographs")
    served = {"model": given.served_model, **{name: given[name].value for name in _SERVED}}
    served = {name: value for name, value in served.items() if value is not None}
    if addresses.names_server(given.model):
        from asen_client import Client  # which takes a quarter of a second

        return Client(given.model, **served)
    loading = library.module("loading", f"--model={given.model}, which is no HOST:PORT,")
    return loading.load(given.model, **served)
