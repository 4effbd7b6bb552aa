"""How often a model orders the triplets of a data set rightly."""

from collections.abc import Mapping

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.manifest import TRIPLET_ROLES, Manifest
from asen_tf.evaluation.evaluator import WHOLE
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader, embed_pairs
from asen_tf.evaluation.storage import float_arrays

CHUNK = 4096


def evaluate_triplets(
    embed_fn: EmbedFn,
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    batch_size: int = 32,
    slices: Mapping[str, slice] | None = None,
    progress: type[Progress] = Progress,
) -> dict:
    """The share of a split's triplets whose anchor is more similar to the positive.

    Similarity is the dot product of the embeddings for the triplet's attribute; equal ones count as
    wrong (Veit et al., CVPR 2017). Each image is embedded once.

    Args:
      embed_fn, split, load_images, batch_size, slices, progress: see `Evaluator`.
      manifest: with `triplets`.

    Returns:
      A dict ready for JSON. `split`, `variants`: name -> `triplet_accuracy` over all triplets,
      `triplet_accuracy_macro`, the plain mean over the attributes, and `attributes`: name ->
      `triplets` and `triplet_accuracy`. The first variant's numbers stand on top as well, and
      `triplets`, how many there are. Without slices there is one, the whole embedding.

    Raises:
      ValueError: unknown split, no triplets in it, or embeddings of another shape or with numbers
        that are not finite.
    """
    triplets = manifest.triplets_of(split)
    if not len(triplets):
        raise ValueError(f"no triplets in split {split!r} of {manifest.source}")
    # Distinct pairs of image and attribute, and [T, 3] where each triplet's stand among them.
    images = np.stack([triplets[role] for role in TRIPLET_ROLES], 1).astype(np.int64)
    attributes = np.repeat(triplets["attribute"], len(TRIPLET_ROLES))
    pairs, places = np.unique(
        np.stack([images.ravel(), attributes], 1), axis=0, return_inverse=True
    )
    places = places.reshape(images.shape)
    with float_arrays() as arrays:
        embeddings = embed_pairs(embed_fn, *pairs.T, load_images, batch_size, progress, arrays)
        measured = {
            name: _summary(manifest, triplets, _right(embeddings[:, its], places))
            for name, its in (slices or {WHOLE: slice(None)}).items()
        }
    top = next(iter(measured.values()))
    return {"split": split, "triplets": len(triplets), **top, "variants": measured}


def _right(embeddings: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[T] bool, which triplets are ordered rightly."""
    right = []
    for start in range(0, len(places), CHUNK):
        anchor, positive, negative = embeddings[places[start : start + CHUNK].T]
        right.append((anchor * positive).sum(-1) > (anchor * negative).sum(-1))
    return np.concatenate(right)


def _summary(manifest: Manifest, triplets: np.ndarray, right: np.ndarray) -> dict:
    attributes = {}
    for number, name in enumerate(manifest.space):
        own = right[triplets["attribute"] == number]
        if len(own):
            attributes[name] = {"triplets": len(own), "triplet_accuracy": float(own.mean())}
    shares = [row["triplet_accuracy"] for row in attributes.values()]
    return {
        "triplet_accuracy": float(right.mean()),
        "triplet_accuracy_macro": float(np.mean(shares)),
        "attributes": attributes,
    }
