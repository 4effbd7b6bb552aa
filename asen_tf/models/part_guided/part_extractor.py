"""From a product photograph to the parts of the garment it shows."""

import keras
import tensorflow as tf

from asen_tf.models.part_guided.foreground import foreground
from asen_tf.models.part_guided.silhouette import Silhouette, measure

WHOLE = "whole"
SLEEVES = ("left_sleeve", "right_sleeve")
PARTS = (WHOLE, "torso", *SLEEVES, "collar", "fastening", "chest")
CASES = ("off", "sleeves", "sleeveless")

_EVEN = 10.0  # unevenness of a background, in levels, at which confidence has fallen to 1 / e


@keras.saving.register_keras_serializable(package="asen_tf")
class PartExtractor(keras.layers.Layer):
    """Boxes of a garment's parts, without labels (Ak et al., WACV 2018, section 4.3).

    The foreground is told from the background by colour; the first jump of its outline from sleeve
    to torso gives the torso's width and the sleeves' ends; the other parts are shares of the torso.
    It expects an even background and an upright garment in the middle, alone or worn. No gradient.

    The case is told by a rule: "sleeves" where a side shows one; without sleeves, "off" (lower
    body) where the garment begins more than half as wide as its torso, as trousers and skirts do;
    "sleeveless" elsewhere.

    Args:
      threshold: where the outline is found with less confidence, the case is "off" as well; at 0,
        as in the paper, confidence does not count.

    Call arguments:
      images: uint8 or float [B, S, S, 3], values 0 to 255.

    Returns:
      regions: float32 [B, P, 4], left, top, right, bottom of `PARTS` as parts of the side, 0..1,
        whatever the case; left and right are those of the picture;
      confidence: float32 [B], 0..1;
      case: int32 [B], place in `CASES`, which says what of the regions can be used, see `usable`.
    """

    resolution = 112  # side of the grid on which it works

    def __init__(self, threshold: float = 0.0, **kwargs):
        # Mixed precision would round pixels to eight bits.
        super().__init__(autocast=False, **kwargs)
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
        self.threshold = threshold

    def call(self, images):
        mask, unevenness = foreground(tf.stop_gradient(images), self.resolution)
        found = measure(mask)
        case = _case(found)
        confidence = tf.exp(-((unevenness / _EVEN) ** 2)) * _plausible(mask, found)
        case = tf.where(confidence < self.threshold, CASES.index("off"), case)
        regions = _regions(found, self.resolution) / self.resolution
        return tf.clip_by_value(regions, 0.0, 1.0), confidence, case

    def compute_output_spec(self, images):
        batch = images.shape[0]
        return (
            keras.KerasTensor((batch, len(PARTS), 4), "float32"),
            keras.KerasTensor((batch,), "float32"),
            keras.KerasTensor((batch,), "int32"),
        )

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


def usable(regions: tf.Tensor, case: tf.Tensor) -> tf.Tensor:
    """Regions [B, P, 4] of `PARTS`, the whole image in the place of those that a case rules out.

    Args:
      regions: of `PartExtractor`.
      case: int [B]; "off" rules out all parts, "sleeveless" the sleeves.
    """
    of_sleeves = tf.constant([part in SLEEVES for part in PARTS])
    bare = case == CASES.index("sleeveless")
    out = (case == CASES.index("off"))[:, None] | (bare[:, None] & of_sleeves)
    return tf.where(out[..., None], tf.constant([0.0, 0.0, 1.0, 1.0]), regions)


def _case(found: Silhouette) -> tf.Tensor:
    width = tf.reduce_mean(found.half_width, axis=-1)
    flat_top = found.neck >= width  # also of an empty outline
    bare = tf.where(flat_top, CASES.index("off"), CASES.index("sleeveless"))
    return tf.where(tf.reduce_any(found.sleeved, axis=-1), CASES.index("sleeves"), bare)


def _plausible(mask: tf.Tensor, found: Silhouette) -> tf.Tensor:
    """1.0 where the outline can be that of a garment, else 0.0; [B]."""
    side = float(mask.shape[-1])
    covered = tf.reduce_mean(tf.cast(mask, tf.float32), axis=(1, 2))
    touches = tf.reduce_mean(tf.cast(mask[:, :, 0] | mask[:, :, -1], tf.float32), axis=1)
    narrow = tf.reduce_min(found.half_width, axis=-1)
    broad = tf.reduce_max(found.half_width, axis=-1)
    fits = (
        (covered > 0.05)
        & (covered < 0.75)
        & (touches < 0.05)
        & (narrow > 0.03 * side)
        & (broad < 2 * narrow)
        & (found.sleeved[:, 0] == found.sleeved[:, 1])
    )
    return tf.cast(fits, tf.float32)


def _regions(found: Silhouette, side: int) -> tf.Tensor:
    """Boxes [B, P, 4] in pixels of the mask, whose side is given."""
    full = tf.fill(tf.shape(found.axis), float(side))
    unit = tf.reduce_mean(found.half_width, axis=-1)
    axis, line = found.axis, found.shoulder
    hip = tf.minimum(line + 3 * unit, found.bottom)
    # A sleeve's box is never empty.
    cuff = tf.maximum(found.cuff + 1, (line + 0.6 * unit)[:, None])
    reach = tf.maximum(found.reach, unit[:, None])
    start = line + 0.3 * unit
    boxes = {
        "whole": (tf.zeros_like(axis), tf.zeros_like(axis), full, full),
        "torso": (axis - unit, line, axis + unit, hip),
        "left_sleeve": (axis - reach[:, 0], start, axis - 0.5 * unit, cuff[:, 0]),
        "right_sleeve": (axis + 0.5 * unit, start, axis + reach[:, 1], cuff[:, 1]),
        "collar": (
            axis - unit,
            tf.maximum(line - 0.5 * unit, found.top),
            axis + unit,
            line + 1.3 * unit,
        ),
        "fastening": (axis - 0.8 * unit, line + 0.6 * unit, axis + 0.8 * unit, hip),
        "chest": (axis - unit, line, axis + unit, line + 2 * unit),
    }
    return tf.stack([tf.stack(boxes[part], axis=-1) for part in PARTS], axis=1)
