"""How well a model says which values photographs show."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from asen_client.core.attributes import AttributeSpace
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.embedders import Embedder, probabilities
from asen_tf.evaluation.pairs import ImageLoader, checked, pair_batches, with_images
from asen_tf.metrics.calibration import expected_calibration_error

# (images uint8 [B, S, S, 3], attributes int32 [M]) -> probabilities float32 [B, M, W], 0 beyond the
# values of an attribute.
PredictFn = Callable[[np.ndarray, np.ndarray], np.ndarray]

MEANS = ("accuracy", "macro_f1", "calibration_error")


def predict_fn_of(embedder: Embedder, space: AttributeSpace) -> PredictFn | None:
    """What an embedder says of photographs, in the numbers of a space; None: it does not predict.

    The function takes photographs, as the embedder does, in the place of images.
    """
    try:
        if not embedder.predict_all([]):
            return None
    except (AttributeError, NotImplementedError):
        return None

    def predict(photographs, attributes):
        names = [space.names[attribute] for attribute in attributes]
        found = probabilities(embedder, photographs, names).values()
        most = max(space.value_counts)
        return np.stack([np.pad(p, [(0, 0), (0, most - p.shape[1])]) for p in found], axis=1)

    return predict


def evaluate_recognition(
    predict_fn: PredictFn,
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    batch_size: int = 32,
    progress: type[Progress] = Progress,
) -> dict:
    """Compares the most probable values with the labels of a split.

    Every image that is labelled for an attribute counts once for it. One with several values counts
    as the value that is predicted where this is among them, and else as the first of them.

    Args:
      predict_fn: says how probable the values of attributes are.
      manifest, split, load_images, batch_size, progress: see `Evaluator`.

    Returns:
      A dict ready for JSON. `split`; `attributes`: name -> `count` of images, `accuracy`,
      `macro_f1` (the plain mean of F1 over the values that images show), `calibration_error` (see
      `expected_calibration_error`), `most_frequent`, the accuracy of who always says the value
      that most images show, and `confusion`, V times V counts, a row for each true value, a column
      for each predicted one; on top the plain means over the attributes, and `count` of all labels.
      Attributes without a label are left out.

    Raises:
      ValueError: unknown split, no label in it, or a result of predict_fn of another shape or with
        numbers that are not finite.
    """
    labels, space = manifest.labels_of(split), manifest.space
    if not len(labels):
        raise ValueError(f"no labels in split {split!r} of {manifest.source}")
    shown = manifest.values_of(split)
    pairs = np.unique(labels[["image", "attribute"]])
    images, attributes = pairs["image"].astype(np.int64), pairs["attribute"].astype(np.int64)
    found = np.zeros((len(pairs), max(space.value_counts)), np.float32)
    for rows, wanted in _alike(images, attributes, len(space)):
        batches = pair_batches(images[rows], attributes[rows], batch_size)
        for batch, loaded in with_images(batches, load_images, progress):
            shape = len(batch.images), len(wanted), found.shape[1]
            given = checked(predict_fn(loaded, wanted), shape, "predict_fn's result")
            its = rows[batch.pairs]
            column = np.searchsorted(wanted, attributes[its])
            found[its] = given[batch.image_of_pair, column]
    per_attribute = {}
    for attribute in np.unique(attributes):
        its, values = attributes == attribute, slice(*space.offsets[attribute : attribute + 2])
        probable = found[its, : values.stop - values.start]
        per_attribute[space.names[attribute]] = measures(probable, shown[images[its], values])
    means = {name: float(np.mean([m[name] for m in per_attribute.values()])) for name in MEANS}
    return {"split": split, "count": len(pairs), **means, "attributes": per_attribute}


def measures(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """What `evaluate_recognition` gives of one attribute.

    Args:
      probabilities: float [N, V], N >= 1.
      labels: bool [N, V], one or more values of each.
    """
    from sklearn.metrics import confusion_matrix, f1_score  # takes a second

    predicted, values = probabilities.argmax(1), np.arange(labels.shape[1])
    right = labels[np.arange(len(labels)), predicted]
    true = np.where(right, predicted, labels.argmax(1))
    present = np.unique(true)
    f1 = f1_score(true, predicted, labels=present, average="macro", zero_division=0)
    return {
        "count": len(labels),
        "accuracy": float(right.mean()),
        "macro_f1": float(f1),
        "calibration_error": expected_calibration_error(probabilities.max(1), right),
        "most_frequent": float(labels.mean(0).max()),
        "confusion": confusion_matrix(true, predicted, labels=values).tolist(),
    }


def _alike(
    images: np.ndarray, attributes: np.ndarray, count: int
) -> Iterator[tuple[np.ndarray, Sequence[int]]]:
    """Which pairs go together, and the attributes to predict for their images.

    Where an image has one label alone, as in FashionAI, no other attribute is predicted for it.
    """
    if len(np.unique(images)) < len(images):
        yield np.arange(len(images)), np.arange(count)
        return
    for attribute in np.unique(attributes):
        yield np.flatnonzero(attributes == attribute), np.array([attribute])
