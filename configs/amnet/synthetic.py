"""AMNet on synthetic garments.

    asen-train --config=configs/amnet/synthetic.py --workdir=/tmp/amnet_synthetic \\
        --config.data.root=/tmp/asen_garments
    asen-evaluate --workdir=/tmp/amnet_synthetic --protocol=manipulation --ks=1,5,20

Stage 1 learns to classify; in stage 2 the memory starts from the mean embeddings of each value's
images and learns changes. As many epochs as both stages of configs/asen/synthetic.py together, on
the same data.
"""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    # Few of the garments have the same values in more attributes than these.
    config.data.special = ("sleeve_length", "pattern", "color")
    configs.small(config, "resnet6")
    config.model.name = "amnet"
    config.model.amnet.fusion_dim = 512
    config.train.sampling = "manipulation"
    config.train.batch_size = 16
    config.train.steps_per_epoch = 22
    config.stage1.epochs = 17
    config.stage1.rates = {"global_branch": 5e-4, "classifiers": 5e-4}
    config.stage1.losses = {"classification": 1.0}
    config.stage2.epochs = 17
    config.stage2.rates = {"global_branch": 3e-4, "classifiers": 3e-4, "memory": 5e-4}
    config.stage2.copies = {}
    config.stage2.means = ("memory",)
    config.stage2.losses = {
        "classification": 1.0,
        "changed_classification": 1.0,
        "changed_triplet": 1.0,
    }
    return config
