"""The part-guided network on synthetic garments.

    asen-train --config=configs/part_guided/synthetic.py --workdir=runs/part_guided_garments \\
        --config.data.root=data/garments

The baselines of its ablation: --config=configs/part_guided/synthetic.py:BASELINE, with
BASELINE one of without_parts, without_parts_and_ranking, classic.
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


def get_config(baseline="part_guided"):
    config = experiments.garments()
    parts = tuple(_PARTS[name] for name in SPACE)
    experiments.part_guided(config, baseline, parts, roi_size=4)
    return config
