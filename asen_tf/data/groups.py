"""Photographs that belong together: of one product, or the same under several names."""

import itertools

import numpy as np
import scipy.sparse

from asen_tf.data.identical import identical_files
from asen_tf.data.manifest import Manifest


def photograph_groups(manifest: Manifest) -> np.ndarray:
    """A number for each photograph, int32 [N], that those of one product, or of one content, share.

    What belongs together with a third belongs together. Files of one size are read.
    """
    shared = [np.unique(manifest.images, return_inverse=True)[1]]
    if manifest.products is not None:
        own = manifest.products.max(initial=-1) + 1 + np.arange(len(manifest))
        shared.append(np.where(manifest.products < 0, own, manifest.products))
    pairs = [_neighbours(key) for key in shared]
    same = [pair for rows in identical_files(manifest) for pair in itertools.pairwise(rows)]
    ends = np.concatenate([*pairs, np.array(same, np.int64).reshape(-1, 2)]).T
    links = scipy.sparse.coo_matrix((np.ones(ends.shape[1]), ends), 2 * (len(manifest),))
    return scipy.sparse.csgraph.connected_components(links, directed=False)[1]


def _neighbours(key: np.ndarray) -> np.ndarray:
    """Pairs of rows [P, 2] that chain those with the same key."""
    rows = np.argsort(key, kind="stable")
    alike = key[rows[1:]] == key[rows[:-1]]
    return np.stack([rows[:-1][alike], rows[1:][alike]], -1)
