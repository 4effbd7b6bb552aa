"""The flag that names a model of images and texts beside --model."""

from typing import TYPE_CHECKING

from absl import flags

from asen_client.cli import embedders

if TYPE_CHECKING:
    from asen_tf.embedders import Embedder


def define_flag() -> None:
    """Defines --text_model, which `opened` joins to --model."""
    flags.DEFINE_string(
        "text_model",
        None,
        "KerasHub preset of images and texts, such as CLIP, by folder or name: beside the "
        "attributes of --model the store has one more, image_text, in which free text is searched.",
    )


def opened(given: flags.FlagValues) -> "Embedder":
    """The model that these flags name, see `embedders.opened`."""
    model = embedders.opened(given)
    if not given.text_model:
        return model
    from asen_tf.embedders import EmbedderWithText
    from asen_tf.loading import load

    return EmbedderWithText(model, load(given.text_model))
