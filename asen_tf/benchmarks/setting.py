"""What is measured on: rendered garments as JPEG files, and a network of given sizes."""

import dataclasses

from ml_collections import config_dict

from asen_client.core.attributes import AttributeSpace
from asen_tf.core import config as configs

IMAGES = 120


@dataclasses.dataclass(frozen=True)
class Setting:
    """Sizes of a network and of what goes through it.

    Attributes:
      global_backbone, local_backbone: of the two branches.
      size, local_size: sides of their inputs in pixels.
      batch: triplets a training step; images a call, where images are embedded.
      attributes: those that the embedding cases embed.
      precision: of `core.choices.PRECISIONS`.
      recompute: of `config.train.recompute_backbone`.
      jit: of `config.train.jit_backbone`.
      replicas: that share a training step, see `machine.replicated`.
    """

    global_backbone: str = "resnet50"
    local_backbone: str = "resnet34"
    size: int = 224
    local_size: int = 112
    batch: int = 4
    attributes: int = 9
    precision: str = "float32"
    recompute: bool = False
    jit: bool = False
    replicas: int = 1

    @property
    def compute_dtype(self) -> str:
        return self.precision.removeprefix("mixed_")

    def space(self) -> AttributeSpace:
        """So many attributes of two values."""
        return AttributeSpace({f"attribute_{n}": ("a", "b") for n in range(self.attributes)})

    def config(self, root: str) -> config_dict.ConfigDict:
        """The paper's experiment with this network, on garments that are rendered under `root`."""
        config = configs.defaults()
        config.data.update({"format": "synthetic", "root": root, "images": IMAGES, "check": "none"})
        config.model.global_branch.update({"backbone": self.global_backbone, "size": self.size})
        config.model.local_branch.update({"backbone": self.local_backbone, "size": self.local_size})
        config.train.batch_size = config.eval.batch_size = self.batch
        config.train.precision = self.precision
        config.train.recompute_backbone = self.recompute
        config.train.jit_backbone = self.jit
        return config
