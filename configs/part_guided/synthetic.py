"""The part-guided network on synthetic garments.

    asen-train --config=configs/part_guided/synthetic.py --workdir=runs/part_guided_garments \\
        --config.data.root=data/garments

The baselines of its ablation: --config=configs/part_guided/synthetic.py:VARIANT, with
VARIANT one of without_parts, without_parts_and_ranking, classic.
The data, the network and the number of epochs are those of configs/asen/synthetic.py.
"""

from asen_tf.core import experiments
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
    config = experiments.garments()
    experiments.equal_stages(config, "part_guided")
    config.model.global_branch.embedding_dim = 128
    config.model.part_guided.variant = variant
    config.model.part_guided.parts = tuple(_PARTS[name] for name in SPACE)
    config.model.part_guided.roi_size = 4
    config.model.part_guided.hidden_dim = 256
    for stage, rate in ((config.stage1, 0.03), (config.stage2, 0.01)):
        stage.optimizer = "sgd"
        stage.rates = {"trunk": rate, "branches": rate}
    config.stage1.losses = {"classification": 1.0}
    config.stage2.losses = {"classification": 1.0, "ranking": 1.0}
    return config
