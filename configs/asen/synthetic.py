"""ASEN on synthetic garments: what `make demo` trains.

    asen-train --config=configs/asen/synthetic.py --workdir=/tmp/synthetic \\
        --config.data.root=/tmp/garments
"""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.images = 2000
    configs.small(config, "resnet10")
    config.augment.shift = 0.06
    config.stage1.epochs = 24
    config.stage2.epochs = 6
    return config
