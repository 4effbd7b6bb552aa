"""What an exported model says of itself, as a property of its embedder."""

from asen_client.embedders.base import BaseEmbedder
from asen_client.serving.signatures import Metadata


class DescribedEmbedder(BaseEmbedder):
    """A `BaseEmbedder` of a model that has metadata.

    Attributes:
      metadata: what the model says of itself.
    """

    metadata: Metadata

    @property
    def fit(self) -> str:
        """How photographs become the square that the model sees: "crop" or "pad"."""
        return self.metadata.fit

    @property
    def box_margin(self) -> float:
        """Share of the sides of an image's box that the model was trained to see around it."""
        return self.metadata.box_margin
