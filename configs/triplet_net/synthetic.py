"""The triplet network on synthetic garments: one embedding, whatever the attribute.

    asen-train --config=configs/triplet_net/synthetic.py --workdir=/tmp/triplet_net_synthetic \\
        --config.data.root=/tmp/asen_garments

As many epochs as both stages of configs/asen/synthetic.py together, on the same data.
"""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    configs.small(config, "resnet6")
    config.model.name = "triplet_net"
    config.train.mining = "semi_hard"
    config.train.steps_per_epoch = 22
    config.train.stages = ("stage1",)
    config.stage1.epochs = 34
    config.stage1.rates = {"global_branch": 5e-4}
    return config
