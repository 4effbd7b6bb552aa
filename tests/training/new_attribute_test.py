"""A new attribute learned on features that are made up: one channel of many shows it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.models import CSN
from asen_tf.models.grown import grown, with_rows
from asen_tf.training.new_attribute import Examples, learn
from tests.networks import SMALLEST

pytestmark = pytest.mark.usefixtures("eagerly")

LOSS = {"distance": "cosine", "margin": 0.2}
SHOWS = 3  # this channel


@pytest.fixture(scope="module")
def model():
    """A CSN whose vectors are the channels' means: a mask chooses among them."""
    keras.utils.set_random_seed(0)
    made = CSN(2, **{**SMALLEST, "embedding_dim": 16})
    kernel, bias = made.projection.get_weights()
    kernel[:] = 0
    kernel[:16] = np.eye(16)
    made.projection.set_weights([kernel, bias])
    return made


def photographs(model, count, seed):
    """Maps of photographs, and which of two values each shows, bool [N, 2]."""
    height, width, channels = model.features.feature_shape[1:]
    draw = np.random.default_rng(seed)
    value = np.arange(count) % 2
    maps = np.zeros((count, height, width, channels), np.float32)
    maps[..., :16] = draw.normal(size=(count, 1, 1, 16))
    maps[..., SHOWS] = np.where(value, 1.0, -1.0)[:, None, None] + draw.normal(
        scale=0.2, size=(count, 1, 1)
    )
    return maps, value[:, None] == np.arange(2)


def learned(model, count, seed=0, folds=4, with_values=False, groups=None):
    maps, labels = photographs(model, count, seed=1)
    groups = np.arange(count) if groups is None else groups
    examples = Examples.divided(np.arange(count), labels, groups, folds, seed)
    held = tf.constant(maps)
    features = lambda rows, _: {"global_0": tf.gather(held, rows)}  # noqa: E731
    return learn(model, examples, features, None, ("global",), LOSS, with_values, seed), examples


def test_it_is_found_where_the_backbone_alone_does_not_show_it(model):
    before = model.get_weights()
    found, _ = learned(model, 24)
    for own, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, kept)
    assert found.quality["map"] > found.quality["frozen_map"] + 0.2
    assert found.quality["random_map"] < found.quality["frozen_map"] < 0.8
    assert found.quality["accuracy"] > 0.9 and found.quality["most_frequent"] == 0.5
    # Of photographs that were not seen.
    maps, labels = photographs(model, 60, seed=2)
    more = grown(model)
    more.mask.weight.assign(with_rows(model.mask.weight, found.rows[0][None]))
    inputs = {"global_0": maps, "attributes": np.full((60, 1), 2)}
    vectors = more.compute_outputs(inputs, ["global"])["global"].numpy()[:, 0]
    fresh = Examples(np.arange(60), labels, np.arange(60), np.zeros(60, int))

    def score(vectors):
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return fresh.score(unit @ unit.T)

    assert score(vectors) > score(maps.mean((1, 2))) + 0.2
    # What is said of its quality is about what comes true.
    assert score(vectors) == pytest.approx(found.quality["map"], abs=0.12)
    # The mask keeps the channel that shows it.
    mask = np.maximum(found.rows[0], 0)
    assert mask.argmax() == SHOWS
    named = np.argmax(_unit(vectors) @ found.kernel + found.bias, 1)
    assert (named == labels.argmax(1)).mean() > 0.9


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_same_seed_gives_the_same(model):
    (one, _), (other, _) = (learned(model, 12, seed=3, with_values=True) for _ in range(2))
    for a, b in zip(one.rows, other.rows, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(one.kernel, other.kernel)
    assert one.quality == other.quality and one.share == other.share and 0 <= one.share <= 1


def test_values_do_no_harm_where_they_may_be_part_of_the_embedding(model):
    without, _ = learned(model, 24)
    with_them, _ = learned(model, 24, with_values=True)
    assert without.share == 0
    assert with_them.quality["map"] >= without.quality["map"]


def test_folds_are_as_many_as_the_rarest_value_has_products(model):
    groups = np.arange(20) // 2 % 5  # each with both values
    _, examples = learned(model, 20, folds=8, groups=groups)
    assert examples.count == 5
    for group in range(5):
        assert len(set(examples.folds[groups == group])) == 1
    _, examples = learned(model, 20, folds=3)
    assert examples.count == 3


def test_scores_are_those_of_lists_ranked_by_hand():
    """Four photographs, the last two of one product, which are not compared."""
    labels = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], bool)
    examples = Examples(np.arange(4), labels, np.array([0, 1, 2, 2]), np.zeros(4, int))
    similarity = np.array(
        [[9, 0.2, 0.5, 0.1], [0.2, 9, 0.6, 0.3], [0.5, 0.6, 9, 0.9], [0.1, 0.3, 0.9, 9]]
    )
    # 0: 2 wrong, 1 right, 3 right; 1: 2 wrong, 3 right, 0 right; 2: nobody shares its value
    # but 3, its own product; 3: 1 right, 0 right.
    first = (1 / 2 + 2 / 3) / 2
    assert examples.score(similarity) == pytest.approx((first + first + 1) / 3)
    # All orders of three candidates with two right: 1, (1 + 2/3) / 2, (1/2 + 2/3) / 2.
    of_three = (1 + 5 / 6 + 7 / 12) / 3
    assert examples.random == pytest.approx((of_three + of_three + 1) / 3)
