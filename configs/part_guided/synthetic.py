"""The part-guided network on synthetic garments.

    asen-train --config=configs/part_guided/synthetic.py --workdir=/tmp/parts_synthetic \\
        --config.data.root=/tmp/asen_garments

The baselines of its ablation: --config=configs/part_guided/synthetic.py:VARIANT, with VARIANT one
of without_parts, without_parts_and_ranking, classic.
As many epochs as both stages of configs/asen/synthetic.py together, on the same data.
"""

from asen_tf.core import config as configs
from asen_tf.data.synthetic import SPACE

_PARTS = {
    "neckline": "collar",
    "collar": "collar",
    "sleeve_length": "sleeves",
    "hem_length": "whole",
    "pattern": "chest",
    "color": "chest",
    "pocket": "torso",
    "fastening": "fastening",
}


def get_config(variant="part_guided"):
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    configs.small(config, "resnet6")
    config.model.name = "part_guided"
    config.model.global_branch.embedding_dim = 128
    config.model.part_guided.variant = variant
    config.model.part_guided.parts = tuple(_PARTS[name] for name in SPACE)
    config.model.part_guided.roi_size = 4
    config.model.part_guided.hidden_dim = 256
    config.train.mining = "semi_hard"
    config.train.steps_per_epoch = 22
    for stage, epochs, rate in ((config.stage1, 17, 0.03), (config.stage2, 17, 0.01)):
        stage.optimizer = "sgd"
        stage.epochs = epochs
        stage.rates = {"trunk": rate, "branches": rate}
        stage.copies = {}
        stage.attributes_per_step = 0
    config.stage1.losses = {"classification": 1.0}
    config.stage2.losses = {"classification": 1.0, "ranking": 1.0}
    return config
