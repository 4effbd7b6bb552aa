"""Which vectors of a network stand for an image."""

import keras
import numpy as np
import pytest

from asen_client.core.attributes import AttributeSpace
from asen_tf import models
from asen_tf.evaluation.changes import compared_attributes
from asen_tf.evaluation.embed import embed_fn
from tests.networks import SMALLEST

SPACE = AttributeSpace({"collar": "ab", "fit": "cde", "sleeve": "fg", "length": "hi"})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        # Special ones as they are named, then the first of those that share the general vector.
        ({"collar": "collar", "sleeve": "sleeves"}, ([2, 0, 1], False)),
        ({}, ([2], True)),
    ],
)
def test_the_part_guided_network_is_compared_by_its_signature_vectors(parts, expected):
    keras.utils.set_random_seed(0)
    settings = {"name": "part_guided", **SMALLEST, "hidden_dim": 8, "parts": parts}
    model = models.build(settings, SPACE)
    side = model.image_size
    images = np.random.default_rng(0).integers(0, 256, (9, side, side, 3), np.uint8)
    given = np.arange(9), np.array([2, 0]), len(SPACE), lambda rows: images[rows]
    compared, one = compared_attributes(embed_fn(model), *given)
    assert (compared.tolist(), one) == expected
