"""ASEN on synthetic garments: what `make demo` trains.

    asen-train --config=configs/asen/synthetic.py --workdir=/tmp/asen_synthetic \\
        --config.data.root=/tmp/asen_garments

Cost: 3 minutes on two cores. Score: test MAP 80.86 where a random order scores 22.07.
"""

from asen_tf.core import config as configs


def get_config():
    config = configs.defaults()
    config.data.format = "synthetic"
    config.data.look = "plain"
    config.data.images = 1500
    configs.small(config, "resnet6")
    config.train.mining = "semi_hard"
    config.train.steps_per_epoch = 22
    config.stage1.epochs = 30
    # At the full rate from the start, attention to small parts often settles in a wrong place.
    config.stage1.schedule = {"name": "cosine", "warmup": 0.15}
    config.stage1.rates = {"global_branch": 5e-4}
    config.stage2.epochs = 7
    config.stage2.rates = {"global_branch": 5e-5, "local_branch": 5e-4}
    return config
