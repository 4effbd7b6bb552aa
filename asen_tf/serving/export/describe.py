"""What an export says of its model."""

from collections.abc import Sequence

import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_client.serving.signatures import Metadata
from asen_client.version import __version__
from asen_tf.models.base import EmbeddingModel


def describe(
    model: EmbeddingModel,
    space: AttributeSpace,
    attributes: Sequence[str],
    slices: Sequence[str] | None,
    **given: object,
) -> Metadata:
    """The metadata of an export.

    Args:
      model: what embeds.
      space: the attributes it knows.
      attributes: those that are exported.
      slices: see `EmbeddingModel.embed`.
      **given: other fields of `Metadata`.
    """
    blank = tf.zeros((1, model.image_size, model.image_size, 3), tf.uint8)
    return Metadata(
        attributes={name: list(space[name].values) for name in attributes},
        dimension=model.embed_all(blank, slices).shape[-1],
        model={"class": type(model).__name__, "slices": slices, **model.get_config()},
        library_version=__version__,
        size=model.image_size,
        **given,
    )
