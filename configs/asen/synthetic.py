"""ASEN on synthetic garments: what `make demo` trains.

    asen-train --config=configs/asen/synthetic.py --workdir=runs/asen_synthetic \\
        --config.data.root=data/garments

Cost: 4 minutes on two cores. Score: test MAP 87.80 where a random order scores 22.07.
"""

from asen_tf.core import experiments


def get_config():
    return experiments.garments()
