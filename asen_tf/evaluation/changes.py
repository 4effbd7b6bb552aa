"""Which vectors stand for an image, and what becomes of them when attributes change.

As in Ak et al. (WACV 2018): each special attribute has a vector, all general ones share one; a
change puts the mean vector of the wanted value's training images in the attribute's place. A model
with one vector for all attributes is changed as the paper's "Classic": the value that the query
shows is recognised, and the vector moves from that value's mean to the wanted one's.
"""

from collections.abc import Callable, Sequence

import numpy as np

from asen_tf.core.progress import Progress
from asen_tf.data.label_sets import LabelSets
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import EmbedFn, ImageLoader, checked, embed_pairs
from asen_tf.evaluation.prototypes import value_means
from asen_tf.evaluation.recognition import PredictFn
from asen_tf.evaluation.storage import FloatArrays

# Vectors [R, D], attributes [R, C] and wanted values [R, C], within their attributes -> [R, D].
ChangeFn = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
# Places of the queries among the items [R], vectors [R, v, D], attributes and values [R, C] ->
# [R, v, D].
Change = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_PROBED = 8  # images
_ALIKE = 1e-5


def represented(
    embed_fn: EmbedFn,
    manifest: Manifest,
    items: LabelSets,
    load_images: ImageLoader,
    change_fn: ChangeFn | None,
    predict_fn: PredictFn | None,
    batch_size: int,
    progress: type[Progress],
    arrays: FloatArrays,
) -> tuple[np.ndarray, Change]:
    """The vectors that items are compared by, and how they change.

    Args: see `evaluate_manipulation`; prototypes are of the manifest's train split.

    Returns:
      float32 [N, v, D], of `arrays`; and the change.
    """

    def embedded(function, attributes):
        pairs = np.repeat(items.rows, len(attributes)), np.tile(attributes, len(items.rows))
        found = embed_pairs(function, *pairs, load_images, batch_size, progress, arrays)
        return found.reshape(len(items.rows), len(attributes), -1)

    space = manifest.space
    if change_fn is not None:
        return embedded(embed_fn, items.attributes[:1]), of_model(change_fn)
    given = embed_fn, items.rows, items.attributes, len(space), load_images
    compared, one = compared_attributes(*given)
    names = [space.names[a] for a in items.attributes]
    means = value_means(embed_fn, manifest, load_images, names, "train", batch_size, progress)
    vectors = embedded(embed_fn, compared)
    if not one:
        return vectors, replacing(means, compared, space.offsets)
    if predict_fn is None:
        fits = np.where(means.any(1), vectors[:, 0] @ unit(means).T, -np.inf)
        return vectors, moving(means, best_values(fits, space.offsets), space.offsets)

    def predicted(images, _):
        found = np.asarray(predict_fn(images, items.attributes.astype(np.int32)))
        return found.reshape(len(found), 1, -1)

    fits = embedded(predicted, compared).reshape(len(vectors), len(names), -1)
    shown = np.zeros((len(vectors), len(space)), np.int64)
    shown[:, items.attributes] = fits.argmax(-1)
    return vectors, moving(means, shown, space.offsets)


def compared_attributes(
    embed_fn: EmbedFn,
    rows: np.ndarray,
    special: np.ndarray,
    attributes: int,
    load_images: ImageLoader,
) -> tuple[np.ndarray, bool]:
    """The attributes whose vectors, side by side, are what images are compared by.

    They are the special ones, and one of the others where these all have the same vector, which is
    the general one of the paper. That is seen on a few images.

    Args:
      embed_fn, load_images: see `Evaluator`.
      rows: of photographs.
      special: int64 [S], the special attributes.
      attributes: how many there are.

    Returns:
      int64 [v]; and whether all attributes have the same vector, so that v = 1.
    """
    rows, every = rows[:_PROBED], np.arange(attributes)
    asked = np.tile(every.astype(np.int32), (len(rows), 1))
    found = checked(embed_fn(load_images(rows), asked), (*asked.shape, None), "embed_fn's result")

    def alike(chosen):
        return np.allclose(found[:, chosen], found[:, chosen[:1]], atol=_ALIKE)

    if attributes > 1 and alike(every):
        return special[:1], True
    others = np.setdiff1d(every, special)
    general = others[:1] if len(others) and alike(others) else others[:0]
    return np.concatenate([special, general]), False


def replacing(means: np.ndarray, compared: np.ndarray, offsets: Sequence[int]) -> Change:
    """Puts wanted values' means, at unit length, in the place of the attributes' vectors."""
    prototypes = unit(means)
    place = np.full(len(offsets) - 1, -1)
    place[compared] = np.arange(len(compared))

    def change(queries, vectors, attributes, values):
        changed = vectors.copy()
        wanted = np.asarray(offsets)[attributes] + values
        changed[np.arange(len(queries))[:, None], place[attributes]] = prototypes[wanted]
        return changed

    return change


def moving(means: np.ndarray, shown: np.ndarray, offsets: Sequence[int]) -> Change:
    """Moves one vector from the mean of the value that is shown to that of the wanted one.

    Args:
      means: [V, D], of each value's training images.
      shown: [N, A] of each item, the value that it is thought to show of each attribute.
      offsets: where each attribute's values begin among the means.
    """
    begins = np.asarray(offsets)

    def change(queries, vectors, attributes, values):
        old = begins[attributes] + shown[queries[:, None], attributes]
        step = means[begins[attributes] + values] - means[old]
        return unit(vectors + step.sum(1)[:, None])

    return change


def of_model(change_fn: ChangeFn) -> Change:
    """The change of a model that changes its one vector itself."""

    def change(queries, vectors, attributes, values):
        changed = change_fn(vectors[:, 0], attributes, values)
        return checked(changed, vectors[:, 0].shape, "change_fn's result")[:, None]

    return change


def best_values(scores: np.ndarray, offsets: Sequence[int]) -> np.ndarray:
    """The value of each attribute that scores [N, V] highest: [N, A], within its attribute."""
    return np.stack([own.argmax(1) for own in np.split(scores, offsets[1:-1], axis=1)], axis=1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors [..., D] at length 1; 0 stays 0."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)
