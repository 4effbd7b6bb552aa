"""Checks the data set of a configuration: tables, labels, roles and every image.

    asen-check-data --config=configs/my_shop.py --config.data.root=/data/shop

Prints what the data set holds. If something is bad, lists it and exits with 1.
"""

import numpy as np
from absl import flags
from ml_collections import ConfigDict, config_flags

from asen_tf.cli import program
from asen_tf.data.load import BadData, listed, load
from asen_tf.data.manifest import CANDIDATE, QUERY, SPLITS, Manifest


def check(options: ConfigDict, training: bool = True) -> int:
    """Checks one data set and prints what was found; returns the exit status, 0 if it is good."""
    try:
        manifest = load(options, training=training)
    except BadData as error:
        print(f"{listed(error.problems, len(error.problems))}\n{len(error.problems)} problems")
        return 1
    print(summary(manifest))
    return 0


def summary(manifest: Manifest) -> str:
    """Images a split and, of each attribute, how many images are labelled, query, candidate.

    Where the data set brings triplets: how many.
    """
    images = ", ".join(f"{split} {len(manifest.rows(split))}" for split in SPLITS)
    columns = {"values": manifest.space.value_counts, "train": _images(manifest, "train")}
    for split in ("valid", "test"):
        columns[f"{split} queries"] = _images(manifest, split, QUERY)
        columns[f"{split} candidates"] = _images(manifest, split, CANDIDATE)
    if manifest.triplets is not None:
        columns = {f"{split} triplets": _triplets(manifest, split) for split in SPLITS}
    wide = max(map(len, ("attribute", *manifest.space)))
    lines = [f"images: {images}", "  ".join(["attribute".ljust(wide), *columns])]
    for name, *numbers in zip(manifest.space, *columns.values(), strict=True):
        cells = [str(n).rjust(len(title)) for n, title in zip(numbers, columns, strict=True)]
        lines.append("  ".join([name.ljust(wide), *cells]))
    return "\n".join(lines)


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


def main() -> int:
    return check(flags.FLAGS.config.data, flags.FLAGS.training)


def run() -> None:
    config_flags.DEFINE_config_file("config", None, "The configuration whose data to check.")
    flags.DEFINE_bool("training", True, "Whether images for training have to be there.")
    flags.mark_flag_as_required("config")
    program.run(main)


if __name__ == "__main__":
    run()
