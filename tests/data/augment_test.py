"""Augmentation: what it changes, what it spares, and that it depends on numbers alone."""

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import AttributeSpace
from asen_tf.data.augment import Augment, sides_falsified

SPACE = AttributeSpace({"collar": ["no", "yes"], "color": ["red", "blue"]})
NUMBERS = tf.range(64, dtype=tf.int64)
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 12, 12, 3), np.uint8)


def augment(seed=0, **changes):
    return Augment.from_config(changes, SPACE, seed)


def test_nothing_asked_nothing_done():
    unchanged, falsified = augment()(IMAGES, NUMBERS)
    assert not augment().active
    np.testing.assert_array_equal(unchanged, IMAGES)
    assert not falsified.numpy().any()


def test_flip_mirrors_about_half_and_leaves_the_others_alone():
    changed, _ = augment(flip=True)(IMAGES, NUMBERS)
    mirrored = (changed.numpy() == IMAGES[:, :, ::-1]).all(axis=(1, 2, 3))
    same = (changed.numpy() == IMAGES).all(axis=(1, 2, 3))
    assert (mirrored | same).all()
    assert 16 < mirrored.sum() < 48


def test_shift_moves_and_mirrors_at_the_border():
    ramp = np.broadcast_to(np.arange(0, 240, 12)[None, None, :, None], (64, 20, 20, 3))
    changed = augment(shift=0.2)(ramp.astype(np.uint8), NUMBERS)[0].numpy().astype(int)
    moved = (changed != ramp).any(axis=(1, 2, 3))
    assert 16 < moved.sum() < 48
    # Moved sideways by a constant, at most a fifth of the side, everywhere but near the border.
    middle = changed[:, :, 8:12] - ramp[:, :, 8:12]
    assert np.ptp(middle, axis=(1, 2, 3)).max() <= 1
    assert np.abs(middle).max() <= 0.2 * 12 * 19 + 1
    # No black comes in.
    assert changed[:, :, 19].min() >= 120


def test_crop_enlarges_a_part():
    """Of images whose colours say where a pixel was, the part can be read off."""
    rows, columns = np.mgrid[:21, :21] * 12
    places = np.broadcast_to(np.stack([rows, columns, 0 * rows], -1), (64, 21, 21, 3))
    changed = augment(flip=True, crop=0.4)(places.astype(np.uint8), NUMBERS)[0].numpy() / 240
    top, bottom = changed[:, 0, 10, 0], changed[:, -1, 10, 0]
    near, far = changed[:, 10, 0, 1], changed[:, 10, -1, 1]
    height, width = bottom - top, np.abs(far - near)
    whole = (height > 0.99) & (width > 0.99)
    assert 16 < whole.sum() < 48
    assert 16 < (far < near).sum() < 48  # flipped
    assert (height * width > 0.4 - 0.01).all() and (height * width)[~whole].min() < 0.5
    assert (np.abs(np.log(width / height)) < np.log(1.1) + 0.03).all()
    assert (np.abs(np.log(width / height)) > 0.05).any()
    # Anywhere: to every side.
    assert min(top.min(), np.minimum(near, far).min()) < 0.05
    assert max(bottom.max(), np.maximum(near, far).max()) > 0.95
    steps = np.diff(changed[..., 0], axis=1)  # one part, evenly enlarged
    assert (steps.max((1, 2)) - steps.min((1, 2)) < 0.01).all()


def test_color_changes_half_within_bounds():
    gray = np.full((64, 4, 4, 3), 100, np.uint8)
    changed = augment(color=0.3)(gray, NUMBERS)[0].numpy()
    # Of a flat gray only the brightness can change.
    levels = changed[:, 0, 0, 0]
    assert 16 < (levels != 100).sum() < 48
    assert levels.min() >= 70 and levels.max() <= 130


def test_color_mixes_with_gray_and_mean_gray():
    """Fitted to the pixels: y = b (mean + k (gray + s (x - gray) - mean)), factors in bounds."""
    middle = np.random.default_rng(1).integers(90, 150, (64, 30, 30, 3), np.uint8)
    changed = augment(color=0.3)(middle, NUMBERS)[0].numpy()
    found = []
    for x, y in zip(middle.reshape(64, -1, 3) / 1.0, changed.reshape(64, -1, 3), strict=True):
        fitted, *_ = np.linalg.lstsq(np.insert(x, 3, 1, axis=1), y, rcond=None)
        gray = np.array([0.2989, 0.587, 0.114])
        mixed = (fitted[:3].sum() - np.trace(fitted[:3])) / 2  # b k (1 - s)
        kept = (np.trace(fitted[:3]) - mixed) / 3  # b k s
        np.testing.assert_allclose(fitted[:3], kept * np.eye(3) + mixed * gray[:, None], atol=0.01)
        mean = (x @ gray).mean()
        brightness = (fitted[3].mean() + (kept + mixed) * mean) / mean
        found.append([brightness, (kept + mixed) / brightness, kept / (kept + mixed)])
    found = np.array(found)
    assert ((found > 0.69) & (found < 1.31)).all()
    tinted = (np.abs(found - 1) > 0.01).any(axis=1)
    assert 16 < tinted.sum() < 48
    assert (found[tinted].std(axis=0) > 0.1).all()


def test_what_a_change_falsifies_is_reported():
    changed, falsified = augment(color=0.3, color_falsifies=("color",))(IMAGES, NUMBERS)
    tinted = (changed.numpy() != IMAGES).any(axis=(1, 2, 3))
    np.testing.assert_array_equal(falsified.numpy(), np.stack([0 * tinted, tinted], 1).astype(bool))


def test_an_image_for_a_falsified_attribute_is_spared():
    attributes = tf.repeat(tf.constant([0, 1]), 32)
    changed, _ = augment(flip=True, flip_falsifies=("color",))(IMAGES, NUMBERS, attributes)
    touched = (changed.numpy() != IMAGES).any(axis=(1, 2, 3))
    assert touched[:32].any() and not touched[32:].any()


def test_changes_depend_on_seed_and_number_alone():
    everything = {"flip": True, "shift": 0.1, "crop": 0.6, "color": 0.2}
    whole = augment(**everything)(IMAGES, NUMBERS)[0].numpy()
    part = augment(**everything)(IMAGES[40:48], NUMBERS[40:48])[0].numpy()
    np.testing.assert_array_equal(part, whole[40:48])
    data = tf.data.Dataset.from_tensor_slices((IMAGES, NUMBERS)).batch(64)
    inside = next(iter(data.map(augment(**everything))))[0]
    np.testing.assert_array_equal(inside, whole)
    assert (augment(seed=1, **everything)(IMAGES, NUMBERS)[0].numpy() != whole).any()


def test_unknown_names_are_told_the_nearest():
    with pytest.raises(ValueError, match="augment: unknown key 'colour'. Did you mean 'color'"):
        augment(colour=0.1)
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        augment(color=0.1, color_falsifies=("colour",))


@pytest.mark.parametrize("crop", [0.0, 1.5])
def test_a_crop_is_a_share(crop):
    with pytest.raises(ValueError, match=r"augment.crop is a share .* \(0, 1\], got"):
        augment(crop=crop)


@pytest.mark.parametrize("attributes", [None, tf.constant([0, 1] * 32)])
def test_maps_are_flipped_where_images_are(attributes):
    chosen = augment(flip=True, flip_falsifies=("collar",))
    images, falsified = chosen(IMAGES, NUMBERS, attributes)
    flipped = (images.numpy() == IMAGES[:, :, ::-1]).all(axis=(1, 2, 3))
    maps = {
        "global_0": np.random.default_rng(1).normal(size=(64, 3, 4, 5)).astype(np.float16),
        "local_0": np.random.default_rng(2).normal(size=(64, 2, 3, 4, 5)),
    }
    found, no_longer = augment(
        flip=True, shift=0.5, color=0.5, flip_falsifies=("collar",), color_falsifies=("color",)
    ).of_maps(maps, NUMBERS, attributes)
    for name, before in maps.items():
        expected = before.copy()
        expected[flipped] = before[flipped][..., ::-1, :]
        np.testing.assert_array_equal(found[name], expected)
    np.testing.assert_array_equal(no_longer, falsified)
    assert flipped.any() and falsified.numpy().any()


def test_resolution_is_the_side_of_what_comes_out():
    smaller, _ = Augment.from_config({}, SPACE, 0, resolution=0.5)(IMAGES, NUMBERS)
    side = IMAGES.shape[1]
    at = np.linspace(0, side - 1, side // 2)
    rows = np.apply_along_axis(lambda v: np.interp(at, np.arange(side), v), 1, IMAGES)
    expected = np.apply_along_axis(lambda v: np.interp(at, np.arange(side), v), 2, rows)
    assert smaller.shape == expected.shape
    np.testing.assert_allclose(smaller, expected, atol=0.51)


def test_values_of_sides_are_noticed_where_photographs_are_flipped():
    sleeve, buttons = ["long_left", "Right"], ["left-over", "none"]
    space = AttributeSpace({"sleeve": sleeve, "look": ["bright", "cleft"], "buttons": buttons})
    given = {"flip": True, "flip_falsifies": ("buttons",)}
    assert sides_falsified(given, space) == ["sleeve"]
    assert not sides_falsified(given | {"flip": False}, space)
