"""Conditional similarity networks on the Clothing Attribute Dataset.

    asen-train --config=configs/csn/clothing_attributes.py --workdir=runs/csn_clothing \\
        --config.data.root=/data/clothing_attributes

That is the row of ASEN's tables: learned masks, cosines, no penalties. The paper's own network has
distances and two penalties: --config=configs/csn/clothing_attributes.py:euclidean.
--config.model.masks=disjoint gives each attribute dimensions of its own.
The data, the network and the number of epochs are those of configs/asen/clothing_attributes.py.
"""

from asen_tf.core import experiments


def get_config(distance="cosine"):
    config = experiments.photographs("clothing_attributes")
    experiments.csn(config, distance)
    return config
