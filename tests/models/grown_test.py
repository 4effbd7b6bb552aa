"""Models that learn to know more attributes: what they know already stays as it is, bit by bit."""

import keras
import numpy as np
import pytest

from asen_tf.models import ASEN, ASENAAAI2020, CSN, Linear, TripletNet
from asen_tf.models.grown import grown, with_rows
from asen_tf.models.recognition import ValueClassifiers
from tests.networks import SMALLEST

BRANCH = {**SMALLEST, "common_dim": 8}
KINDS = {
    "asen": lambda: ASEN(3, BRANCH, BRANCH, attribute_dim=8),
    "asen, beta of each": lambda: ASEN(3, BRANCH, BRANCH, attribute_dim=8, beta=(0.2, 0.4, 0.9)),
    "asen_aaai2020": lambda: ASENAAAI2020(3, **SMALLEST, common_dim=8),
    "csn, euclidean": lambda: CSN(3, **SMALLEST, distance="euclidean"),
}
OTHERS = {
    "csn, disjoint masks": lambda: CSN(3, **SMALLEST, masks="disjoint"),
    "asen_aaai2020 without attention": lambda: ASENAAAI2020(
        3, **SMALLEST, spatial_attention=False, channel_attention=False
    ),
    "triplet_net": lambda: TripletNet(3, **SMALLEST),
    "linear": lambda: Linear((0, 2, 4), "resnet6", 32),
}
IDS = np.array([[0, 2], [1, 1]])


def classifiers(width, counts, seed=0, seen=0):
    draw = np.random.default_rng(seed)
    values = sum(counts)
    return ValueClassifiers(
        np.cumsum([0, *counts]),
        np.array([seen]),
        draw.normal(size=(width, values)).astype(np.float32),
        draw.normal(size=values).astype(np.float32),
        np.float32([0.5] * len(counts)),
    )


@pytest.fixture(scope="module", params=KINDS)
def model(request):
    keras.utils.set_random_seed(0)
    return KINDS[request.param]()


@pytest.fixture(scope="module")
def images(model):
    side = model.image_size
    return np.random.default_rng(0).integers(0, 256, (2, side, side, 3)).astype(np.uint8)


def test_vectors_of_the_others_are_the_same(model, images, tmp_path):
    more = grown(model, 2)
    assert more.attributes == 5 and more.embed_all(images).shape[1] == 5
    before = model.embed(images, IDS)
    np.testing.assert_array_equal(more.embed(images, IDS), before)
    more.save(tmp_path / "more.keras")
    loaded = keras.saving.load_model(tmp_path / "more.keras")
    np.testing.assert_array_equal(loaded.embed(images, IDS), before)


def test_new_rows_are_the_mean_of_the_others(model):
    more = grown(model, 2)
    for own, before in zip(more.attribute_tables, model.attribute_tables, strict=True):
        own, before = np.asarray(own), np.asarray(before)
        np.testing.assert_array_equal(own[:3], before)
        np.testing.assert_allclose(own[3:], np.stack([before.mean(0)] * 2), rtol=1e-6)
        assert with_rows(before, own[4:]).shape == (4, *before.shape[1:])
    if np.ndim(model.beta):
        np.testing.assert_allclose(more.beta, (0.2, 0.4, 0.9, 0.5, 0.5))
    else:
        assert more.beta == model.beta


def test_a_new_row_decides_about_its_attribute_alone(model, images):
    more = grown(model)
    before = more.embed_all(images).numpy()
    for table in more.attribute_tables:
        values = np.array(table)
        values[3] = np.random.default_rng(1).normal(size=values[3].shape)
        table.assign(values)
    after = more.embed_all(images).numpy()
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert np.abs(after[:, 3] - before[:, 3]).max() > 1e-3


@pytest.mark.parametrize("best", [True, False])
def test_values_of_a_new_attribute_stand_behind_those_of_the_others(model, images, best):
    first, inputs = next(iter(model.slices)), model.value_inputs
    [name] = model.value_inputs_of([first]) if best else [first]
    seen = dict(seen=list(inputs).index(name))
    model.value_classifiers = classifiers(inputs[name], (2, 4, 3), **seen)
    more = grown(model)
    new = classifiers(inputs[name], (3,), seed=1, **seen)
    more.value_classifiers = model.value_classifiers.with_attribute(new.kernel, new.bias, 0.3)
    more.value_classifiers.check(4, list(inputs.values()))
    slices = (first, "values")
    np.testing.assert_array_equal(more.embed(images, IDS, slices), model.embed(images, IDS, slices))
    np.testing.assert_allclose(more.value_classifiers.shares, [0.5, 0.5, 0.5, 0.3])
    # Asked for as many; in one pass with the new one the last bit may be another.
    known = np.arange(3)
    np.testing.assert_array_equal(
        more.value_probabilities(images, known), model.value_probabilities(images, known)
    )
    # The new one by hand.
    inputs = {"images": images, "attributes": np.full((2, 1), 3)}
    vectors = more.compute_outputs(inputs, [first])[name].numpy()[:, 0]
    logits = vectors / np.linalg.norm(vectors, axis=1, keepdims=True) @ new.kernel + new.bias
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = more.value_probabilities(images).numpy()
    np.testing.assert_allclose(found[:, 3, :3], expected, rtol=1e-4)
    model.value_classifiers = None


@pytest.mark.parametrize("kind", OTHERS)
def test_kinds_without_a_table_are_refused(kind):
    with pytest.raises(NotImplementedError, match="no table with a row for each attribute"):
        grown(OTHERS[kind]())
