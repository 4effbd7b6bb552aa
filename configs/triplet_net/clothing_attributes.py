"""The triplet network on the Clothing Attribute Dataset: one embedding, whatever the attribute.

    asen-train --config=configs/triplet_net/clothing_attributes.py \\
        --workdir=/tmp/triplet_net_clothing --config.data.root=/data/clothing_attributes

As many epochs as both stages of configs/asen/clothing_attributes.py together, on the same data.
"""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "clothing_attributes"
    configs.small(config, "resnet18")
    config.model.name = "triplet_net"
    config.train.steps_per_epoch = 27
    config.train.stages = ("stage1",)
    config.stage1.epochs = 50
    config.augment.flip = True
    config.augment.shift = 0.06
    return config
