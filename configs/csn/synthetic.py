"""Conditional similarity networks on synthetic garments.

    asen-train --config=configs/csn/synthetic.py --workdir=/tmp/csn_synthetic \\
        --config.data.root=/tmp/asen_garments

That is the row of ASEN's tables: learned masks, cosines, no penalties. The paper's own network has
distances and two penalties: --config=configs/csn/synthetic.py:euclidean.
--config.model.csn.masks=disjoint gives each attribute dimensions of its own.
As many epochs as both stages of configs/asen/synthetic.py together, on the same data.
"""

from asen_tf.core import config as configs


def get_config(similarity="cosine"):
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    configs.small(config, "resnet6")
    config.model.name = "csn"
    config.model.csn.similarity = similarity
    config.train.mining = "semi_hard"
    config.train.steps_per_epoch = 22
    config.train.stages = ("stage1",)
    config.stage1.epochs = 34
    config.stage1.rates = {"global_branch": 5e-4}
    if similarity == "euclidean":
        config.stage1.losses = {"global_triplet": 1.0, "embedding_norm": 5e-3, "mask_norm": 5e-4}
    return config
