"""ASEN on the Clothing Attribute Dataset: 1 856 street photographs, from ImageNet weights.

    asen-train --config=configs/asen/clothing_attributes.py --workdir=runs/asen_clothing \\
        --config.data.root=/data/clothing_attributes --config.train.max_minutes=12
"""

from asen_tf.core import experiments


def get_config():
    return experiments.photographs("clothing_attributes")
