"""The part-guided network on the Clothing Attribute Dataset.

    asen-train --config=configs/part_guided/clothing_attributes.py \\
        --workdir=runs/part_guided_clothing --config.data.root=/data/clothing_attributes

These are street photographs: on few of them the parts are found with confidence, on the
others every branch sees the whole image.
The baselines of its ablation: --config=configs/part_guided/clothing_attributes.py:VARIANT, with
VARIANT one of without_parts, without_parts_and_ranking, classic.
The data, the network and the number of epochs are those of configs/asen/clothing_attributes.py.
"""

from asen_tf.core import experiments
from asen_tf.data.formats.clothing_attributes import SPACE

_PARTS = {
    "category": "whole",
    "sleeve_length": "sleeves",
    "neckline": "collar",
    "collar": "collar",
    "placket": "fastening",
    "pattern": "chest",
    "color": "chest",
    "scarf": "collar",
    "necktie": "fastening",
}


def get_config(variant="part_guided"):
    config = experiments.clothing_attributes()
    experiments.equal_stages(config, "part_guided")
    config.model.global_branch.embedding_dim = 128
    config.model.part_guided.variant = variant
    config.model.part_guided.parts = tuple(_PARTS[name] for name in SPACE)
    config.model.part_guided.roi_size = 3
    config.model.part_guided.hidden_dim = 256
    for stage, rate in ((config.stage1, 0.03), (config.stage2, 0.01)):
        stage.optimizer = "sgd"
        stage.rates = {"trunk": rate, "branches": rate}
    config.stage1.losses = {"classification": 1.0}
    config.stage2.losses = {"classification": 1.0, "ranking": 1.0}
    return config
