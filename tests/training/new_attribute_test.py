"""A new attribute learned on features that are made up: one channel of many shows it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.models import CSN
from asen_tf.training import new_attribute
from asen_tf.training.new_attribute import Examples, learn, sure_gain, with_attribute
from tests.networks import SMALLEST

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


def learned(model, with_values):
    maps, labels = photographs(model, 24, seed=1)
    examples = Examples.divided(np.arange(24), labels, np.arange(24), 4)
    held = tf.constant(maps)
    features = lambda rows, _: {"global_0": tf.gather(held, rows)}  # noqa: E731
    slices = ("global",)
    return learn(model, examples, features, None, slices, LOSS, with_values)


@pytest.fixture(scope="module")
def without_values(model):
    return learned(model, with_values=False)


@pytest.fixture(scope="module")
def with_values(model):
    return learned(model, with_values=True)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_it_is_found_where_the_backbone_alone_does_not_show_it(model, without_values):
    found = without_values
    assert found.quality["map"] > found.quality["frozen_map"] + 0.2
    assert found.quality["frozen_map"] < 0.8 and found.quality["random_map"] < 0.6
    assert found.quality["accuracy"] > 0.9 and found.quality["most_frequent"] == 0.5
    # Of photographs that were not seen.
    maps, labels = photographs(model, 60, seed=2)
    more = with_attribute(model, found)
    inputs = {"global_0": maps, "attributes": np.full((60, 1), 2)}
    vectors = unit(more.compute_outputs(inputs, ["global"])["global"].numpy()[:, 0])
    fresh = Examples(np.arange(60), labels, np.arange(60), np.zeros(60, int))
    features = unit(maps.mean((1, 2)))
    score = fresh.score(vectors @ vectors.T)
    assert score > fresh.score(features @ features.T) + 0.2
    # What is said of its quality is about what comes true.
    assert score == pytest.approx(found.quality["map"], abs=0.12)
    # The mask keeps the channel that shows it.
    assert np.maximum(found.rows[0], 0).argmax() == SHOWS
    named = np.argmax(vectors @ found.kernel + found.bias, 1)
    assert (named == labels.argmax(1)).mean() > 0.9


def test_the_same_seed_gives_the_same_and_the_model_stays_as_it_is(model, with_values):
    before = model.get_weights()
    again = learned(model, with_values=True)
    for own, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(own, kept)
    for one, other in zip(with_values.rows, again.rows, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(with_values.kernel, again.kernel)
    assert (with_values.quality, with_values.share) == (again.quality, again.share)


def test_without_a_sure_gain_it_is_the_existing_row_that_ranks_best(model, monkeypatch):
    monkeypatch.setattr(new_attribute, "STEPS", 10)
    monkeypatch.setattr(new_attribute, "sure_gain", lambda gains: 0.0)
    maps, labels = photographs(model, 24, seed=1)
    examples = Examples(np.arange(24), labels, np.arange(24), np.zeros(24, int))
    masks = np.maximum(np.asarray(model.mask.weight), 0)
    scores = [examples.score(v @ v.T) for v in (unit(m * maps[:, 0, 0, :16]) for m in masks)]
    found = learned(model, with_values=True)
    np.testing.assert_array_equal(found.rows[0], model.mask.weight[int(np.argmax(scores))])
    assert found.share == 0.5


@pytest.mark.parametrize(
    ("gains", "expected"),
    [
        ([0.3, 0.1, 0.2, 0.2], 0.2),  # deviation 0.082, standard error 0.041
        ([0.9, -0.7, 0.9, -0.7], 0.0),  # mean 0.1, standard error 0.46
        ([-0.3, -0.1], 0.0),
        ([0.0, 0.0], 0.0),
        ([0.5], 0.0),  # one tells nothing
        ([], 0.0),
    ],
)
def test_a_gain_counts_where_it_is_more_than_its_standard_error(gains, expected):
    assert sure_gain(np.array(gains)) == pytest.approx(expected)


def test_values_count_where_they_may_and_do_no_harm(without_values, with_values):
    assert without_values.share == 0 and 0 <= with_values.share <= 1
    assert with_values.quality["map"] >= without_values.quality["map"] - 0.02


def test_folds_are_no_more_than_the_rarest_value_has_products():
    labels = np.arange(20)[:, None] % 2 == np.arange(2)
    groups = np.arange(20) // 2 % 5  # each with both values
    examples = Examples.divided(np.arange(20), labels, groups, 8)
    assert examples.count == 5
    for group in range(5):
        assert len(set(examples.folds[groups == group])) == 1
    assert Examples.divided(np.arange(20), labels, np.arange(20), 3).count == 3


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
