"""What stands for an attribute's value: the mean of its images' vectors."""

from collections.abc import Sequence

import numpy as np

from asen_tf.core.progress import Progress, Quiet
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader, embedded_pairs


def value_means(
    embed_fn: EmbedFn,
    manifest: Manifest,
    load_images: ImageLoader,
    names: Sequence[str] = (),
    split: str = "train",
    batch_size: int = 32,
    progress: type[Progress] = Quiet,
) -> np.ndarray:
    """The mean vector of each value's images; each image is embedded once.

    Args:
      embed_fn, load_images, batch_size, progress: see `Evaluator`.
      manifest: says which image carries which value.
      names: of the attributes whose values are wanted; (): of all.
      split: whose images.

    Returns:
      float32 [V, D], in the flat numbering; 0 for values that no image carries and for those of
      other attributes.

    Raises:
      ValueError: an unknown attribute, no labels, or embeddings of another shape or with numbers
        that are not finite.
    """
    attributes = [manifest.space.index(name) for name in names or manifest.space.names]
    labels = manifest.labels_of(split)
    labels = labels[np.isin(labels["attribute"], attributes)]
    labels = np.unique(labels[["image", "attribute", "value"]])
    if not len(labels):
        raise ValueError(f"no labels in split {split!r} of {manifest.source}")
    values = np.asarray(manifest.space.offsets)[labels["attribute"]] + labels["value"]
    pairs, first, pair_of_label = np.unique(
        labels[["image", "attribute"]], return_index=True, return_inverse=True
    )
    ends = np.append(first, len(labels))
    sums = None
    for places, vectors in embedded_pairs(
        embed_fn, pairs["image"], pairs["attribute"], load_images, batch_size, progress
    ):
        if sums is None:
            sums = np.zeros((manifest.space.offsets[-1], vectors.shape[1]))
        # Pairs come in their order, and so do their labels.
        own = slice(ends[places[0]], ends[places[-1] + 1])
        np.add.at(sums, values[own], vectors[pair_of_label[own] - places[0]])
    images = np.bincount(values, minlength=len(sums))
    return (sums / np.maximum(images, 1)[:, None]).astype(np.float32)
