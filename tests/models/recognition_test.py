"""Classifiers of values, kept with a model's weights; class logits of models that learn them."""

import keras
import numpy as np
import pytest

from asen_tf import models
from asen_tf.core import AttributeSpace
from asen_tf.models.recognition import ValueClassifiers

SPACE = AttributeSpace({"collar": ["v", "o"], "fit": ["s", "m", "l"]})
SMALL = {"backbone": "resnet6", "size": 32}
BRANCH = {**SMALL, "embedding_dim": 4, "common_dim": 8}
ASEN = {
    "name": "asen",
    "attribute_dim": 8,
    "image_scale": 1,
    "global_branch": BRANCH,
    "local_branch": BRANCH,
}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def model():
    """ASEN with random classifiers of the local slice, then the global one."""
    keras.utils.set_random_seed(0)
    model = models.build(ASEN, SPACE)
    draw = np.random.default_rng(1)
    model.value_classifiers = ValueClassifiers(
        np.array(SPACE.offsets), np.array([1, 0]), 3 * draw.normal(size=(8, 5)), draw.normal(size=5)
    )
    return model


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True)


def test_a_softmax_of_the_slices_unit_vectors(model, images):
    ids = np.tile(np.int32([0, 1]), (4, 1))
    outputs = model.compute_outputs({"images": images, "attributes": ids}, ["global", "local"])
    parts = [outputs[name].numpy() for name in ("local", "global")]
    vectors = np.concatenate([p / np.linalg.norm(p, axis=-1, keepdims=True) for p in parts], -1)
    known = model.value_classifiers
    logits = np.einsum("bac,cv->bav", vectors, known.kernel) + known.bias
    found = model.value_probabilities(images).numpy()
    assert found.shape == (4, 2, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0, :2], softmax(logits[:, 0, :2]), atol=1e-5)
    np.testing.assert_array_equal(found[:, 0, 2], 0)
    np.testing.assert_allclose(found[:, 1], softmax(logits[:, 1, 2:]), atol=1e-5)
    for chosen in ([1], [1, 0]):
        np.testing.assert_allclose(
            model.value_probabilities(images, chosen), found[:, chosen], atol=1e-6
        )


def test_of_what_slices_are_projected_from(model, images, tmp_path):
    names = model.value_inputs_of(["local", "global"])
    assert names == ["local_pooled", "global_pooled"]
    width, draw = sum(model.value_inputs[name] for name in names), np.random.default_rng(2)
    kernel, bias = 9 * draw.normal(size=(width, 5)), draw.normal(size=5)
    before = model.value_classifiers
    model.value_classifiers = ValueClassifiers(
        np.array(SPACE.offsets), np.array([3, 2]), kernel, bias
    )
    try:
        inputs = {"images": images, "attributes": np.tile(np.int32([0, 1]), (4, 1))}
        outputs = model.compute_outputs(inputs, ["global", "local"])
        vectors = np.concatenate([units(outputs[name].numpy()) for name in names], -1)
        logits = np.einsum("bac,cv->bav", vectors, kernel) + bias
        expected = [softmax(logits[:, 0, :2]), softmax(logits[:, 1, 2:])]
        model.save(tmp_path / "model.keras")
        for one in (model, keras.models.load_model(tmp_path / "model.keras")):
            found = one.value_probabilities(images).numpy()
            np.testing.assert_allclose(found[:, 0, :2], expected[0], atol=1e-4)
            np.testing.assert_allclose(found[:, 1], expected[1], atol=1e-4)
            one.set_value_shares(0.5)
            assert one.embeds_values() and not one.embeds_values(["global", "values"])
            ends = one.embed_all(images).numpy()[..., one.embedding_slices()["values"]]
            np.testing.assert_allclose(units(ends), units(found), atol=1e-4)
    finally:
        model.value_classifiers = before


def test_files_of_classifiers_that_see_slices_alone_are_read(model, images):
    kept = {}
    model.save_own_variables(kept)
    kept["recognition_slices"] = kept.pop("recognition_inputs")
    other = models.build(ASEN, SPACE)
    other.set_weights(model.get_weights())
    other.load_own_variables(kept)
    expected = model.value_probabilities(images)
    np.testing.assert_allclose(other.value_probabilities(images), expected, atol=1e-6)


def test_how_slices_are_weighed_does_not_matter(model, images):
    expected = model.value_probabilities(images)
    before, model.beta = model.beta, 1.0
    try:
        np.testing.assert_allclose(model.value_probabilities(images), expected, atol=1e-6)
    finally:
        model.beta = before


def test_an_embedding_ends_with_them(model, images, tmp_path):
    """Its dot products weigh the slices' similarity and the cosine of the probabilities."""
    slices, chances = model.embed_all(images).numpy(), model.value_probabilities(images).numpy()
    assert list(model.embedding_slices()) == ["both", "global", "local"]
    assert slices.shape == (4, 2, 8)
    shares = np.array([0.3, 0.0])
    cosines = np.einsum("iad,jad->aij", *2 * [units(chances)])
    expected = np.einsum("a,aij->aij", shares, cosines)
    expected += np.einsum("a,iad,jad->aij", 1 - shares, slices, slices)
    before = model.value_classifiers
    model.set_value_shares(shares)
    try:
        model.save(tmp_path / "model.keras")
        for one in (model, keras.models.load_model(tmp_path / "model.keras")):
            vectors = one.embed_all(images).numpy()
            assert vectors.shape == (4, 2, 11)
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=-1), 1, atol=1e-5)
            found = np.einsum("iad,jad->aij", vectors, vectors)
            np.testing.assert_allclose(found, expected, atol=1e-5)
            swapped = np.tile(np.int32([1, 0, 1]), (4, 1))
            own = one.embed(images, swapped)
            np.testing.assert_allclose(own, vectors[:, [1, 0, 1]], atol=1e-5)
            at = one.embedding_slices()
            assert at == {
                "all": slice(0, 11),
                "both": slice(0, 8),
                "global": slice(0, 4),
                "local": slice(4, 8),
                "values": slice(8, 11),
            }
            np.testing.assert_allclose(units(vectors[..., at["both"]]), slices, atol=1e-5)
            # Also where they have no share.
            np.testing.assert_allclose(units(vectors[..., at["values"]]), units(chances), atol=1e-4)
            named = one.embed_all(images, ("local", "global", "values"))
            np.testing.assert_array_equal(named, vectors)
            both = one.embed_all(images, ("global", "local"))
            np.testing.assert_allclose(both, slices, atol=1e-6)
            # Of a slice that they are not computed from they say nothing.
            for names in (["local"], ["local", "values"]):
                assert one.embed_all(images, names).shape == (4, 2, 4)
                assert list(one.embedding_slices(names)) == ["local"]
        with pytest.raises(ValueError, match="values stand behind other slices: name them, too"):
            model.embed_all(images, ("values",))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(model), "manipulates", True)  # what it changes is as long as before
            assert model.embed_all(images).shape == (4, 2, 8)
        for wrong in (1.5, [0.1, 0.2, 0.3], [np.nan, 0.0]):
            with pytest.raises(ValueError, match="the share of the values' probabilities"):
                model.set_value_shares(wrong)
    finally:
        model.value_classifiers = before


def units(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_they_go_where_the_weights_go(model, images, tmp_path):
    expected = model.value_probabilities(images)
    model.save(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset", SPACE)
    other = models.build(ASEN, SPACE)
    assert not other.predicts
    blank = tmp_path / "blank.weights.h5"
    other.save_weights(blank)
    other.load_weights(tmp_path / "preset" / "model.weights.h5")
    for loaded in (
        keras.models.load_model(tmp_path / "model.keras"),
        models.EmbeddingModel.from_preset(tmp_path / "preset"),
        other,
    ):
        assert loaded.predicts
        np.testing.assert_allclose(loaded.value_probabilities(images), expected, atol=1e-6)
    assert len(other.weights) == len(models.build(ASEN, SPACE).weights)
    other.load_weights(blank)
    assert not other.predicts
    with pytest.raises(NotImplementedError, match="asen_tf.fit_recognition computes them"):
        other.value_probabilities(images)


@pytest.mark.parametrize("name", ["amnet", "linear", "part_guided"])
def test_class_logits_of_those_that_learn_them(name, images):
    keras.utils.set_random_seed(0)
    model = models.build({"name": name, "image_scale": 1, **SMALL}, SPACE)
    inputs = {"images": images, "attributes": np.zeros((4, 1), np.int32)}
    logits = model.compute_outputs(inputs, ["logits"])["logits"].numpy()
    found = model.value_probabilities(images).numpy()
    assert model.predicts and found.shape == (4, 2, 3)
    np.testing.assert_allclose(found[:, 0, :2], softmax(logits[:, :2]), atol=1e-5)
    np.testing.assert_allclose(found[:, 1], softmax(logits[:, 2:]), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kernel": np.zeros((8, 4))}, r"need a kernel \[8, 5\]"),
        ({"kernel": np.zeros((4, 5))}, r"need a kernel \[8, 5\]"),
        ({"bias": np.zeros(4)}, r"a bias \[5\], got .* and \[4\]"),
        ({"inputs": np.array([0, 4])}, r"the model has 4 inputs, got \[0, 4\]"),
        ({"inputs": np.array([0.0, 1.0])}, "lists of whole numbers"),
        ({"offsets": np.array([0, 5])}, "where the values of 2 attributes begin"),
        ({"offsets": np.array([0, 5, 5])}, "where the values of 2 attributes begin"),
    ],
    ids=str,
)
def test_what_does_not_fit_the_model_is_not_loaded(model, changed, message):
    kept = {}
    model.save_own_variables(kept)
    other = models.build(ASEN, SPACE)
    with pytest.raises(ValueError, match=message):
        other.load_own_variables({**kept, **{f"recognition_{k}": v for k, v in changed.items()}})
    assert not other.predicts
    other.load_own_variables(kept)
    assert other.predicts
