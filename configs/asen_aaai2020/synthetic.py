"""ASEN as first published (AAAI 2020), one branch, on synthetic garments.

    asen-train --config=configs/asen_aaai2020/synthetic.py --workdir=runs/asen_aaai2020_garments \\
        --config.data.root=data/garments

The data, the network and the number of epochs are those of configs/asen/synthetic.py.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.garments()
    experiments.one_branch(config, "asen_aaai2020")
    return config
