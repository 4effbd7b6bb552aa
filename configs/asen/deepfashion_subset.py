"""ASEN on 4 000 photographs of DeepFashion with 6 attributes, each cut to its garment.

    asen-train --config=configs/asen/deepfashion_subset.py --workdir=runs/asen_deepfashion \\
        --config.data.root=/data/deepfashion_subset --config.train.max_minutes=15

The folder has a table, manifest.csv, and the garments' boxes, boxes.csv. Garments are tall, so that
the cut is padded to a square. `--config.data.garment_boxes= --config.data.fit=crop` does without.
"""

from asen_tf.core import experiments


def get_config():
    config = experiments.photographs("csv")
    config.data.garment_boxes = "boxes.csv"
    config.data.fit = "pad"
    return config
