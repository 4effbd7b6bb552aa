"""ASEN as first published (AAAI 2020), one branch, on the Clothing Attribute Dataset.

    asen-train --config=configs/asen_aaai2020/clothing_attributes.py \\
        --workdir=runs/asen_aaai2020_clothing --config.data.root=/data/clothing_attributes

The data, the network and the number of epochs are those of configs/asen/clothing_attributes.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("clothing_attributes")
    experiments.one_branch(config, "asen_aaai2020")
    return config
