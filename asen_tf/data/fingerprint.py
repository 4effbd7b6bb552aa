"""What tells whether a data set is the one that a run began with."""

import hashlib

import numpy as np

from asen_tf.data.manifest import ROLES, SPLITS, TRIPLET_ROLES, Manifest


def fingerprint(manifest: Manifest) -> np.ndarray:
    """A number for each row, uint64 [N], of its path, split, box, labels and roles, by name.

    Where the data brings triplets, one number of all of them stands behind the rows'.
    """
    space = [(name, manifest.space[name].values) for name in manifest.space]
    rows = [
        [name, SPLITS[split]]
        for name, split in zip(manifest.images.tolist(), manifest.splits.tolist(), strict=True)
    ]
    if manifest.garment_boxes is not None:
        for row, box in zip(rows, manifest.garment_boxes.boxes.tolist(), strict=True):
            row.append(str(box))
    for image, attribute, value, role in manifest.labels.tolist():
        name, values = space[attribute]
        rows[image].append(f"{name}={values[value]} {ROLES[role]}")
    if manifest.triplets is not None:
        columns = ("attribute", *TRIPLET_ROLES)
        rows.append([str(manifest.triplets[column].tolist()) for column in columns])
    texts = ("\0".join([*row[:2], *sorted(row[2:])]) for row in rows)
    digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
    return np.frombuffer(b"".join(digests), np.uint64)


def changes(before: np.ndarray, now: np.ndarray) -> str | None:
    """Says how the rows of two fingerprints differ; None: not at all."""
    if np.array_equal(before, now):
        return None
    (old, old_counts), (new, new_counts) = (np.unique(a, return_counts=True) for a in (before, now))
    _, at_old, at_new = np.intersect1d(old, new, return_indices=True)
    same = int(np.minimum(old_counts[at_old], new_counts[at_new]).sum())
    if differing := max(len(before), len(now)) - same:
        return f"{differing} of {len(now)} rows"
    return "its rows stand in another order"
