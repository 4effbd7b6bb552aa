"""The linear baseline on synthetic garments, on the features of a network at random.

    asen-train --config=configs/linear/synthetic.py --workdir=runs/linear_garments \\
        --config.data.root=data/garments

The data and the backbone are those of configs/asen/synthetic.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.garments()
    experiments.linear(config)
    return config
