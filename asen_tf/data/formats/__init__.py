"""The data formats by name. Each module's `read` loads one format into a `Manifest`."""

from pathlib import Path

from ml_collections import ConfigDict

from asen_tf.core.errors import unknown_name
from asen_tf.data.formats import (
    clothing_attributes,
    csv,
    deepfashion,
    fashionai,
    index_files,
    shopping100k,
    synthetic,
    zappos50k,
)
from asen_tf.data.manifest import Manifest, Problem

FORMATS = {
    "csv": csv,
    "index_files": index_files,
    "fashionai": fashionai,
    "deepfashion": deepfashion,
    "zappos50k": zappos50k,
    "shopping100k": shopping100k,
    "clothing_attributes": clothing_attributes,
    "synthetic": synthetic,
}


def read(options: ConfigDict) -> tuple[Manifest, list[Problem]]:
    """Reads the data set that `options` (the `data` part of a configuration) describes.

    Returns:
      The manifest of the rows that could be read, and what is wrong with the others. Images are
      not looked at, and splits that bring no roles have none yet: `asen_tf.data.load` does both.

    Raises:
      ValueError: an unknown format, no root, or a file that cannot be understood at all.
      FileNotFoundError: a file of the format is missing.
    """
    if options.format not in FORMATS:
        raise ValueError(unknown_name("data format", options.format, FORMATS))
    if not options.root:
        raise ValueError("data.root is empty: name the folder under which every image lies")
    return FORMATS[options.format].read(Path(options.root), options)
