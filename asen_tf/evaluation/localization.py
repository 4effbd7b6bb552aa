"""How well a model's attention finds the parts that show an attribute."""

from collections.abc import Callable

import numpy as np

from asen_client.core.limits import BOX_MARGIN
from asen_client.images.boxes import inside
from asen_tf import images as photographs
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import Manifest
from asen_tf.evaluation.pairs import ImageLoader, checked, pair_batches, with_images
from asen_tf.metrics.localization import box_iou, pointing_hit

# Of the shorter side: the 15 pixels that the pointing game tolerates in photographs of 500.
TOLERANCE = 0.03

ExplainFn = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def evaluate_localization(
    explain_fn: ExplainFn,
    manifest: Manifest,
    split: str,
    load_images: ImageLoader,
    batch_size: int = 32,
    progress: type[Progress] = Progress,
    fit: str = "crop",
    box_margin: float = BOX_MARGIN,
) -> dict:
    """Compares attention peaks and regions with the part boxes of a split.

    Every box of the manifest counts, also where the crop has cut it off.

    Args:
      explain_fn: (images uint8 [B, S, S, 3], attributes int32 [B, M]) -> peaks [B, M, 2] (x, y) and
        regions [B, M, 4] (left, top, right, bottom), both as parts of the image's side, 0..1.
      manifest: with `boxes`.
      split, load_images, batch_size, progress: see `Evaluator`.
      fit: how photographs became square images, see `asen_tf.images.graph.to_square`.
      box_margin: share of the sides of a garment's box that was added around it.

    Returns:
      A dict ready for JSON. `split`; `attributes`: name -> `count` of boxes, `pointing_accuracy`
      (share of peaks in the box, or as near as `TOLERANCE`) and `mean_iou` (of region and box); on
      top the same over all boxes, and `pointing_accuracy_macro` and `mean_iou_macro`, the plain
      means over the attributes. Attributes without a box are left out.

    Raises:
      ValueError: unknown split, no box in it, or a result of explain_fn of another shape or with
        numbers that are not finite.
    """
    from asen_tf.images.geometry import to_photograph  # brings TensorFlow: seconds

    images, attributes = _boxed_pairs(manifest, split)
    boxes = manifest.boxes[images, attributes]
    hits, ious = np.empty(len(images)), np.empty(len(images))
    batches = pair_batches(images, attributes, batch_size)
    for batch, loaded in with_images(batches, load_images, progress):
        peaks, regions = explain_fn(loaded, batch.attributes)
        shape = batch.attributes.shape
        peaks = checked(peaks, (*shape, 2), "the peaks of explain_fn")
        regions = checked(regions, (*shape, 4), "the regions of explain_fn")
        # Height and width, read from the files' headers.
        sizes = np.array([photographs.size_of(manifest.path(row)) for row in batch.images])
        parts = inside(manifest.regions(box_margin)[batch.images], sizes)
        seen = parts[:, [3, 2]] - parts[:, [1, 0]], fit, parts[:, :2]
        at = batch.image_of_pair, batch.slot_of_pair
        points = np.asarray(to_photograph(peaks, *seen))[at]
        near = TOLERANCE * sizes.min(1)[batch.image_of_pair]
        hits[batch.pairs] = pointing_hit(points, boxes[batch.pairs], near)
        found = np.asarray(to_photograph(regions, *seen))[at]
        ious[batch.pairs] = box_iou(found, boxes[batch.pairs])
    return _result(manifest, split, attributes, hits, ious)


def _boxed_pairs(manifest: Manifest, split: str) -> tuple[np.ndarray, np.ndarray]:
    rows = manifest.rows(split)
    known = np.zeros((0, 0), bool)
    if manifest.boxes is not None:
        known = ~np.isnan(manifest.boxes[rows]).any(-1)
    if not known.any():
        raise ValueError(
            f"localisation is measured against part boxes, and split {split!r} of "
            f"{manifest.source} has none"
        )
    nth, attributes = np.nonzero(known)
    return rows[nth], attributes


def _result(
    manifest: Manifest, split: str, attributes: np.ndarray, hits: np.ndarray, ious: np.ndarray
) -> dict:
    def means(rows: np.ndarray) -> dict:
        return {
            "count": int(rows.sum()),
            "pointing_accuracy": float(hits[rows].mean()),
            "mean_iou": float(ious[rows].mean()),
        }

    per_attribute = {
        manifest.space.names[attribute]: means(attributes == attribute)
        for attribute in np.unique(attributes)
    }
    result = {"split": split, **means(np.full(len(hits), True))}
    for name in ("pointing_accuracy", "mean_iou"):
        result[f"{name}_macro"] = float(np.mean([row[name] for row in per_attribute.values()]))
    return {**result, "attributes": per_attribute}
