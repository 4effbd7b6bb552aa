"""The linear baseline on 4 000 photographs of DeepFashion, each cut to its garment.

    asen-train --config=configs/linear/deepfashion_subset.py --workdir=runs/linear_deepfashion \\
        --config.data.root=/data/deepfashion_subset

The folder has a table, manifest.csv, and the garments' boxes, boxes.csv. Garments are tall, so that
the cut is padded to a square. `--config.data.garment_boxes= --config.data.fit=crop` does without.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("csv")
    config.data.garment_boxes = "boxes.csv"
    config.data.fit = "pad"
    experiments.linear(config)
    return config
