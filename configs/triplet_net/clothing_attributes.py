"""The triplet network on the Clothing Attribute Dataset: one embedding, whatever the attribute.

    asen-train --config=configs/triplet_net/clothing_attributes.py \\
        --workdir=runs/triplet_net_clothing --config.data.root=/data/clothing_attributes

The data, the network and the number of epochs are those of configs/asen/clothing_attributes.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("clothing_attributes")
    experiments.one_branch(config, "triplet_net")
    return config
