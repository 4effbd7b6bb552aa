"""Splits for data sets that bring none, from hashes of the images' names."""

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np

from asen_tf.data.manifest import SPLITS

_SHARES = {"train": 80, "valid": 10, "test": 10}  # 8 : 1 : 1 as the papers split FashionAI


def hashed_splits(names: Iterable[str]) -> np.ndarray:
    """80 % of the names for training, 10 % for validation, 10 % for the test.

    A name's split does not depend on the other names, so that it stays where it is when images are
    added or bad ones dropped: the first 64 bits of its BLAKE2b hash, modulo 100, are below 80,
    below 90, or not.

    Returns:
      [N] int8, position in `SPLITS`.
    """
    bounds = np.cumsum([_SHARES[split] for split in SPLITS])
    hashes = (hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    hundredths = np.array([int.from_bytes(h, "big") % 100 for h in hashes], np.int64)
    return np.searchsorted(bounds, hundredths, side="right").astype(np.int8)


def drawn_share(names: Sequence[str], share: float, seed: int = 0) -> np.ndarray:
    """Some of the names, as many as the share of them, rounded: those with the smallest hashes.

    Of two names or more, one at least is drawn and one is not. Names that come or go change at
    most as many of the others' places.

    Args:
      names: all different.
      share: 0 to 1.
      seed: of the draw, the key of the hash.

    Returns:
      bool [N].
    """
    key = str(seed).encode()
    hashes = [hashlib.blake2b(name.encode(), digest_size=8, key=key).digest() for name in names]
    count = max(0, min(len(names) - 1, max(1, round(share * len(names)))))
    drawn = np.zeros(len(names), bool)
    drawn[sorted(range(len(names)), key=hashes.__getitem__)[:count]] = True
    return drawn
