"""Rendered garments: `options.images` of them, made from `options.seed` in the style `look`.

The data set is made under the root if it is not there yet, and read as `csv` from then on.
"""

from pathlib import Path

from ml_collections import ConfigDict

from asen_tf.data.formats import csv
from asen_tf.data.formats.boxes_file import with_boxes
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.synthetic import OtherDataset, write_dataset


def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Makes the data set where it is missing, then reads it with its attributes and boxes.

    Raises:
      ValueError: what is under the root was made with other parameters (see `write_dataset`).
    """
    try:
        write_dataset(root, options.images, options.seed, options.look)
    except OtherDataset as error:
        keys = [f"--config.data.{key}={error.found.get(key)}" for key in ("images", "seed", "look")]
        raise ValueError(
            f"{root} holds other garments: {' '.join(keys)} reads them, another data.root gets new "
            "ones"
        ) from error
    files = {"manifest": "manifest.csv", "attributes_file": "attributes.csv"}
    return with_boxes(*csv.read(root, ConfigDict({**options, **files})), "boxes.csv")
