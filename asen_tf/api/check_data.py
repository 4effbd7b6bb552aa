"""What a data set holds, once all of it was checked."""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from asen_tf.core import config_check
from asen_tf.data.load import load
from asen_tf.data.manifest import CANDIDATE, QUERY, SPLITS, Manifest
from asen_tf.data.tables import Frame


def check_data(data: ConfigDict, training: bool = True, table: Frame | None = None) -> dict:
    """Checks the data set of a configuration: tables, labels, roles and every image.

    Args:
      data: a configuration, or the `data` part of one.
      training: whether images for training have to be there.
      table: a frame of pandas, Polars or Arrow in place of the file `data.manifest`.

    Returns:
      What `summary` gives.

    Raises:
      BadData: rows are bad, or the data set as a whole is; `problems` has all of them.
      ValueError: the configuration or a whole file cannot be understood.
      FileNotFoundError: a file of the format is missing.
    """
    config_check.check(data)
    return summary(load(data.get("data", data), training=training, table=table))


def summary(manifest: Manifest) -> dict:
    """What a manifest holds, ready for JSON.

    Returns:
      `images`: split -> how many; `attributes`: name -> `values`, `train` (labelled images), and
      of the other splits `<split> queries` and `<split> candidates`; where the data set brings
      triplets, `<split> triplets` of each split instead.
    """
    columns: dict[str, Sequence[int]]
    if manifest.triplets is not None:
        columns = {f"{split} triplets": _triplets(manifest, split) for split in SPLITS}
    else:
        columns = {"values": manifest.space.value_counts, "train": _images(manifest, "train")}
        for split in ("valid", "test"):
            columns[f"{split} queries"] = _images(manifest, split, QUERY)
            columns[f"{split} candidates"] = _images(manifest, split, CANDIDATE)
    return {
        "images": {split: len(manifest.rows(split)) for split in SPLITS},
        "attributes": {
            name: {heading: counts[n] for heading, counts in columns.items()}
            for n, name in enumerate(manifest.space)
        },
    }


def _images(manifest: Manifest, split: str, role: int | None = None) -> list[int]:
    """Images of the split that are labelled for each attribute, in this role if one is given."""
    labels = manifest.labels_of(split)
    if role is not None:
        labels = labels[labels["role"] == role]
    pairs = np.unique(labels[["image", "attribute"]])
    return np.bincount(pairs["attribute"], minlength=len(manifest.space)).tolist()


def _triplets(manifest: Manifest, split: str) -> list[int]:
    attributes = manifest.triplets_of(split)["attribute"]
    return np.bincount(attributes, minlength=len(manifest.space)).tolist()
