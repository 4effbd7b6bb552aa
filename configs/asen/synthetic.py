"""ASEN on synthetic garments, from scratch.

    asen-train --config=configs/asen/synthetic.py --workdir=runs/asen_synthetic \\
        --config.data.root=data/garments

Cost: 4 minutes on two cores. What is learned in so short a run varies, see benchmarks/README.md.
"""

from asen_tf.core import experiments


def get_config():
    return experiments.garments()
