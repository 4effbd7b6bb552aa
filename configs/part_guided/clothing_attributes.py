"""The part-guided network on the Clothing Attribute Dataset.

    asen-train --config=configs/part_guided/clothing_attributes.py \\
        --workdir=runs/part_guided_clothing --config.data.root=/data/clothing_attributes

These are street photographs: on few of them the parts are found with confidence, on the
others every branch sees the whole image.
The baselines of its ablation: --config=configs/part_guided/clothing_attributes.py:BASELINE, with
BASELINE one of without_parts, without_parts_and_ranking, classic.
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


def get_config(baseline="part_guided"):
    config = experiments.clothing_attributes()
    parts = tuple(_PARTS[name] for name in SPACE)
    experiments.part_guided(config, baseline, parts, roi_size=3)
    return config
