"""Random changes to batches of images, in numbers that depend on seed and counter alone."""

import dataclasses
import functools
import re
from collections.abc import Mapping

import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_tf.core.signature import call_with_known
from asen_tf.data import counter

_DRAWS = (
    *("flip", "crop", "left", "top", "area", "aspect"),
    *("color", "brightness", "contrast", "saturation"),
)
_ASPECT = 1.1  # a crop is up to so much wider or higher than a square
_SIDE = re.compile("(?<![a-z])(left|right)(?![a-z])", re.IGNORECASE)
_GRAY = (0.2989, 0.587, 0.114)


@dataclasses.dataclass(frozen=True)
class Augment:
    """Flip, crop and colour jitter, each of half of the images; each can falsify attributes.

    Args:
      seed: chooses the changes.
      flip: mirror.
      shift: move the image by up to this share of its side.
      crop: cut out a part of this share of the area at least, anywhere in the image, up to a tenth
        wider or higher than a square, and enlarge it to the whole; 1.0: no crop.
      color: change brightness, contrast and saturation by up to this share.
      resolution: side of what it gives / side of the images.
      flip_falsifies, crop_falsifies, color_falsifies: bool [A], attributes that a changed image
        no longer shows. A crop is what `shift` and `crop` do together.

    Raises:
      ValueError: crop is no share of an area.
    """

    seed: int
    flip: bool = False
    shift: float = 0.0
    crop: float = 1.0
    color: float = 0.0
    resolution: float = 1.0
    flip_falsifies: tuple[bool, ...] = ()
    crop_falsifies: tuple[bool, ...] = ()
    color_falsifies: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.crop <= 1:
            raise ValueError(f"augment.crop is a share of the area in (0, 1], got {self.crop}")

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, object],
        space: AttributeSpace,
        seed: int,
        resolution: float = 1.0,
    ):
        """From `config.augment` or some of its keys, and a stage's resolution.

        Raises:
          ValueError: an unknown key, or an attribute that the space lacks; names the nearest.
        """
        keys = ("flip_falsifies", "crop_falsifies", "color_falsifies")
        falsified = {key: _mask(space, config.get(key, ())) for key in keys}
        known = {**config, **falsified}
        return call_with_known(cls, "augment", known, seed=seed, resolution=resolution)

    @property
    def active(self) -> bool:
        return bool(self.flip or self.shift or self.crop < 1 or self.color or self.resolution != 1)

    def __call__(self, images: tf.Tensor, numbers: tf.Tensor, attributes: tf.Tensor | None = None):
        """Changes a batch.

        Args:
          images: uint8 [B, S, S, 3].
          numbers: int64 [B], how many images the run drew before each.
          attributes: int32 [B] or None. Where given, an image is spared the changes that would
            falsify its attribute.

        Returns:
          images uint8 [B, R, R, 3] with R = resolution * S; bool [B, A], the attributes that each
          no longer shows.
        """
        drawn = self._drawn(numbers)
        allowed = lambda mask: self._allowed(mask, attributes, numbers)  # noqa: E731
        flip = self._flips(drawn, numbers, attributes)
        crops = self.shift > 0 or self.crop < 1
        crop = (drawn["crop"] < 0.5) & crops & allowed(self.crop_falsifies)
        color = (drawn["color"] < 0.5) & (self.color > 0) & allowed(self.color_falsifies)
        falsified = _falsified(
            (flip, self.flip_falsifies), (crop, self.crop_falsifies), (color, self.color_falsifies)
        )
        changed = self._move(tf.cast(images, tf.float32), drawn, flip, crop)
        if self.color:
            changed = self._tint(changed, drawn, color)
        return tf.cast(tf.round(tf.clip_by_value(changed, 0.0, 255.0)), tf.uint8), falsified

    def of_maps(
        self,
        maps: Mapping[str, tf.Tensor],
        numbers: tf.Tensor,
        attributes: tf.Tensor | None = None,
    ):
        """Flips the feature maps of the images that a call would flip; more it does not change.

        Args:
          maps: by name: [B, ..., h, w, C].
          numbers, attributes: as in a call.

        Returns:
          maps of the same shapes; bool [B, A], the attributes that each no longer shows.
        """
        flip = self._flips(self._drawn(numbers), numbers, attributes)
        flipped = {
            name: tf.where(tf.reshape(flip, (-1, *[1] * (len(at.shape) - 1))), at[..., ::-1, :], at)
            for name, at in maps.items()
        }
        return flipped, _falsified((flip, self.flip_falsifies))

    def _drawn(self, numbers):
        return {
            name: counter.uniform(counter.bits(self.seed, numbers * len(_DRAWS) + n))
            for n, name in enumerate(_DRAWS)
        }

    def _flips(self, drawn, numbers, attributes):
        allowed = self._allowed(self.flip_falsifies, attributes, numbers)
        return (drawn["flip"] < 0.5) & self.flip & allowed

    def _allowed(self, mask, attributes, numbers):
        if attributes is None:
            return tf.ones_like(numbers, tf.bool)
        return ~tf.gather(tf.constant(mask), attributes)

    def _move(self, images, drawn, flip, crop):
        """Flip, shift and crop are one resampling from one box an image."""
        side = round(self.resolution * images.shape[1])
        amount = tf.cast(crop, tf.float32)
        area = 1 - amount * (1 - self.crop) * drawn["area"]
        wider = _ASPECT ** (amount * float(self.crop < 1) * (drawn["aspect"] - 0.5))
        width = tf.minimum(tf.sqrt(area) * wider, 1.0)
        height = tf.minimum(tf.sqrt(area) / wider, 1.0)
        reach = amount * self.shift
        left = (1 - width) * drawn["left"] + reach * (2 * drawn["left"] - 1)
        top = (1 - height) * drawn["top"] + reach * (2 * drawn["top"] - 1)
        near, far = tf.where(flip, left + width, left), tf.where(flip, left, left + width)
        boxes = tf.stack([top, near, top + height, far], axis=1)
        padded, boxes = _with_mirrored_border(images, boxes, self.shift)
        return tf.image.crop_and_resize(padded, boxes, tf.range(tf.shape(images)[0]), (side, side))

    def _tint(self, images, drawn, color):
        """Saturation, contrast and brightness are one linear map of an image's colours."""
        amount = tf.cast(color, tf.float32) * self.color
        brightness, contrast, saturation = (
            (1 + amount * (2 * drawn[name] - 1))[:, None, None]
            for name in ("brightness", "contrast", "saturation")
        )
        pixels = tf.reshape(images, (tf.shape(images)[0], -1, 3))
        to_gray = tf.constant(_GRAY)[:, None] * tf.ones(3)
        mix = saturation * tf.eye(3) + (1 - saturation) * to_gray
        level = tf.reduce_mean(pixels, axis=1, keepdims=True) @ to_gray
        changed = pixels @ (brightness * contrast * mix) + brightness * (1 - contrast) * level
        return tf.reshape(changed, tf.shape(images))


def sides_falsified(augment: Mapping[str, object], space: AttributeSpace) -> list[str]:
    """Attributes with values that say left or right, which flips of `config.augment` falsify."""
    named = [n for n in space if any(map(_SIDE.search, space[n].values))]
    return [n for n in named if augment["flip"] and n not in augment["flip_falsifies"]]


def _with_mirrored_border(images, boxes, share):
    """Pads by reflection, so that a shifted image shows no black; boxes move along."""
    if not share:
        return images, boxes
    size = images.shape[1]
    border = int(share * size) + 1
    padded = tf.pad(images, [(0, 0), (border, border), (border, border), (0, 0)], "REFLECT")
    return padded, (boxes * (size - 1) + border) / (size + 2 * border - 1)


def _falsified(*changes):
    masks = [done[:, None] & tf.constant(mask)[None] for done, mask in changes]
    return functools.reduce(tf.logical_or, masks)


def _mask(space, names):
    chosen = {space.index(name) for name in names}
    return tuple(a in chosen for a in range(len(space)))
