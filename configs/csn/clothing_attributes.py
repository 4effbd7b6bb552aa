"""Conditional similarity networks on the Clothing Attribute Dataset.

    asen-train --config=configs/csn/clothing_attributes.py --workdir=/tmp/csn_clothing \\
        --config.data.root=/data/clothing_attributes

That is the row of ASEN's tables: learned masks, cosines, no penalties. The paper's own network has
distances and two penalties: --config=configs/csn/clothing_attributes.py:euclidean.
--config.model.csn.masks=disjoint gives each attribute dimensions of its own.
As many epochs as both stages of configs/asen/clothing_attributes.py together, on the same data.
"""

from asen_tf.core import config as configs


def get_config(similarity="cosine"):
    config = configs.defaults()
    config.data.format = "clothing_attributes"
    configs.small(config, "resnet18")
    config.model.name = "csn"
    config.model.csn.similarity = similarity
    config.train.steps_per_epoch = 27
    config.train.stages = ("stage1",)
    config.stage1.epochs = 50
    config.augment.flip = True
    config.augment.shift = 0.06
    if similarity == "euclidean":
        config.stage1.losses = {"global_triplet": 1.0, "embedding_norm": 5e-3, "mask_norm": 5e-4}
    return config
