"""The data formats by name. Each module's `read` loads one format into a `Manifest`."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from asen_client.core.attributes import AttributeSpace
from asen_client.core.errors import check_names
from asen_tf.core.registries import FORMATS
from asen_tf.data.formats.boxes_file import with_boxes
from asen_tf.data.formats.garment_boxes import with_garment_boxes
from asen_tf.data.manifest import Manifest, Problem
from asen_tf.data.matching import matched
from asen_tf.data.root import Root, clean_name
from asen_tf.data.tables import Frame


def read(options: ConfigDict, table: Frame | None = None) -> tuple[Manifest, list[Problem]]:
    """Reads the data set that `options` (the `data` part of a configuration) describes.

    With `csv`, a `table` in memory takes the place of the file.

    A format of one's own is a function with this decorator, in one's own package:

        @FORMATS.register("mine")
        def read(root: Path, options: ConfigDict) -> tuple[Manifest, list[Problem]]: ...

    Returns:
      The manifest of the rows that could be read, with the boxes of `options.garment_boxes` and
      `options.boxes`, and what is wrong with the others. Where `options.columns` names attributes,
      it has these alone. Images are not looked at, and splits that bring no roles have none yet:
      `asen_tf.data.load` does both.

    Raises:
      ValueError: an unknown format, no root, or a file that cannot be understood at all.
      FileNotFoundError: a file of the format is missing.
    """
    read_format = FORMATS[options.format]
    if not options.root:
        raise ValueError("data.root is empty: name the folder under which every image lies")
    root = Path(options.root)
    if table is not None:
        if options.format != "csv":
            raise ValueError(f"data.format={options.format}: a table in memory goes with csv")
        read_format = functools.partial(read_format, frame=table)
    manifest, problems = read_format(root, options)
    manifest = _renamed(manifest, clean_name)  # one photograph, one name: boxes and checks join it
    found = with_garment_boxes(manifest, problems, options.garment_boxes)
    manifest, problems = with_boxes(*found, options.boxes, options.check == "full")
    manifest = _with_attributes(manifest, options.columns)
    return _renamed(manifest, Root(root).spelled), problems


def _renamed(manifest: Manifest, name: Callable[[str], str]) -> Manifest:
    images = np.array([*map(name, manifest.images.tolist())], np.str_)
    return dataclasses.replace(manifest, images=images)


def _with_attributes(manifest: Manifest, names: Sequence[str]) -> Manifest:
    """The manifest with these attributes alone, in this order; (): with all."""
    if not names:
        return manifest
    values = manifest.space.to_dict()
    check_names("attribute in data.columns", names, values, once=True)
    space = AttributeSpace({name: values[name] for name in names})
    return matched(manifest, space, "data.columns")
