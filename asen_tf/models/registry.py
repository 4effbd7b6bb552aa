"""Models by the name a configuration gives them."""

from collections.abc import Mapping

from asen_client.core.attributes import AttributeSpace
from asen_tf.core.registries import MODELS
from asen_tf.core.signature import call_with_known, parameters_of
from asen_tf.models.base import EmbeddingModel


def build(
    settings: Mapping[str, object], space: AttributeSpace, dtype: str | None = None
) -> EmbeddingModel:
    """The model that a configuration describes.

    Args:
      settings: `config.model`: `name` of `MODELS`, and keyword arguments of its class; how many
        attributes there are, their names, and where their values begin, comes from the space.
      space: the attributes.
      dtype: what the model computes in; None: Keras's global policy.

    Raises:
      ValueError: an unknown model or argument; names the nearest.
    """
    kind, arguments = MODELS.named(settings, "model")
    # A model that knows the values counts the attributes itself.
    by_values = "offsets" in parameters_of(kind)
    counted = {"offsets": space.offsets} if by_values else {"attributes": len(space)}
    offered = {**counted, "attribute_names": space.names}
    return call_with_known(kind, "model", arguments, **offered, dtype=dtype)
