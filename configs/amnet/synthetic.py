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
    experiments.equal_stages(config, "amnet")
    config.model.amnet.fusion_dim = 512
    config.train.sampling = "manipulation"
    config.train.batch_size = 16
    config.stage1.rates = {"global_branch": 5e-4, "classifiers": 5e-4}
    config.stage1.losses = {"classification": 1.0}
    config.stage2.rates = {"global_branch": 3e-4, "classifiers": 3e-4, "memory": 5e-4}
    config.stage2.means = ("memory",)
    config.stage2.losses = {
        "classification": 1.0,
        "changed_classification": 1.0,
        "changed_triplet": 1.0,
    }
    return config
