"""AMNet on synthetic garments.

    asen-train --config=configs/amnet/synthetic.py --workdir=runs/amnet_garments \\
        --config.data.root=data/garments
    asen-evaluate --workdir=runs/amnet_garments --protocol=manipulation --ks=1,5,20

Stage 1 learns to classify; in stage 2 the memory starts from the mean embeddings of each value's
images and learns changes.
The data, the network and the number of epochs are those of configs/asen/synthetic.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.garments()
    experiments.amnet(config, rate=5e-4)
    return config
