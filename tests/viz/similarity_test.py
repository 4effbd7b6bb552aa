"""Pairs with their maps: what stands where."""

import numpy as np
import pytest

from asen_tf.viz import Pair, attention_overlay, similarity_grid

IMAGES = [np.full((40, 40, 3), level, np.uint8) for level in (90, 200)]
HEAT = np.eye(4, dtype=np.float32)


def pair(**changes):
    maps = {"first": [HEAT, HEAT[::-1]], "second": [HEAT[:, :2], HEAT]}
    return Pair("neck_line", IMAGES, maps, 0.937, ("v", None))._replace(**changes)


def test_each_photograph_is_followed_by_its_own_maps():
    axes = similarity_grid([pair()]).axes[0]
    expected = [
        picture
        for side in (0, 1)
        for picture in (
            IMAGES[side],
            attention_overlay(IMAGES[side], pair().maps["first"][side]),
            attention_overlay(IMAGES[side], pair().maps["second"][side]),
        )
    ]
    ordered = sorted(axes.images, key=lambda artist: artist.get_extent()[0])
    for artist, picture in zip(ordered, expected, strict=True):
        np.testing.assert_array_equal(artist.get_array(), picture)


def test_words_name_methods_attribute_values_and_cosine():
    words = [text.get_text() for text in similarity_grid([pair(), pair()]).axes[0].texts]
    assert words[:4] == ["first", "second"] * 2
    assert words[4:] == ["neck line", "v", "cosine 0.94"] * 2


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="received none"):
        similarity_grid([])
    with pytest.raises(ValueError, match="maps by first, second of every pair"):
        similarity_grid([pair(), pair(maps={"first": [HEAT, HEAT]})])
