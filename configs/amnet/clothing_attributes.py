"""AMNet on the Clothing Attribute Dataset.

    asen-train --config=configs/amnet/clothing_attributes.py --workdir=runs/amnet_clothing \\
        --config.data.root=/data/clothing_attributes
    asen-evaluate --workdir=runs/amnet_clothing --protocol=manipulation --ks=1,5,20

Stage 1 learns to classify; in stage 2 the memory starts from the mean embeddings of each value's
images and learns changes.
The data, the network and the number of epochs are those of configs/asen/clothing_attributes.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.clothing_attributes()
    experiments.amnet(config, rate=3e-4)
    return config
