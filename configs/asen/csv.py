"""ASEN on your own catalogue: a folder of photographs and a table.

    asen-train --config=configs/asen/csv.py --workdir=runs/asen_shop \\
        --config.data.root=/data/shop --config.data.manifest=manifest.csv

The table has the columns image, split (train, valid or test), optionally role (query or
candidate), and one for each attribute; a blank cell is unlabelled, `red|white` gives two values.
Attributes and values are read off the table.

Small enough for a processor: ResNet-18 in both branches, 112 and 56 pixels, every attribute of
an image at once. With a GPU and ImageNet weights, go to the paper's network:
`--config.model.global_branch.backbone=resnet50 --config.model.global_branch.size=224`
`--config.model.global_branch.weights=resnet_50_imagenet`, and likewise for the local branch.
"""

from asen_tf.core import config as configs
from asen_tf.core import experiments


def get_config():
    config = configs.defaults()
    config.data.format = "csv"
    experiments.small(config, "resnet18")
    return config
