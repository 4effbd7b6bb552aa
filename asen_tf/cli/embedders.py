"""The flags that name the model of a program."""

from typing import TYPE_CHECKING

from absl import app, flags

if TYPE_CHECKING:
    from asen_tf.embedders import Embedder

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
    flags.DEFINE_float("timeout", None, "Seconds that a server may take; default: 60.", 0.0)
    flags.DEFINE_bool("tls", None, "Whether to encrypt; the three flags about PEM files imply it.")
    flags.DEFINE_string("root_certificates", None, "PEM file of the authorities to trust.")
    flags.DEFINE_string("client_key", None, "PEM file of this client's key, where a server asks.")
    flags.DEFINE_string("client_certificate", None, "PEM file that goes with --client_key.")


def define_text_model() -> None:
    """Defines --text_model, which `opened` joins to --model."""
    flags.DEFINE_string(
        "text_model",
        None,
        "KerasHub preset of images and texts, such as CLIP, by folder or name: beside the "
        "attributes of --model the store has one more, image_text, in which free text is searched.",
    )


def opened(given: flags.FlagValues) -> "Embedder":
    """The model that these flags name, to be used in a `with` statement.

    Raises:
      app.UsageError: they name none.
    """
    from asen_tf.loading import load

    if not given.model:
        raise app.UsageError("give --model, the place of the model that embeds the photographs")
    served = {"model": given.served_model, **{name: given[name].value for name in _SERVED}}
    model = load(given.model, **{k: v for k, v in served.items() if v is not None})
    if "text_model" not in given or not given.text_model:
        return model
    from asen_tf.embedders import EmbedderWithText

    return EmbedderWithText(model, load(given.text_model))
