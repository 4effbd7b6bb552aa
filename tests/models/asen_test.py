import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.models import ASEN

ATTRIBUTES = 3
CONFIG = {
    "attributes": ATTRIBUTES,
    "global_branch": {"backbone": "resnet10", "size": 64, "common_dim": 8, "embedding_dim": 6},
    "local_branch": {"backbone": "resnet10", "size": 32, "common_dim": 8, "embedding_dim": 5},
    "attribute_dim": 16,
    "threshold": 0.5,
    "beta": 0.7,
}
IDS = np.array([[0, 2], [1, 1]])


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return ASEN(**CONFIG)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3)).astype(np.uint8)


def changed(model, **settings):
    """The same weights in a model with other settings."""
    other = ASEN.from_config({**model.get_config(), **settings})
    other.set_weights(model.get_weights())
    return other


def outputs_of(model, images, names, **options):
    return model.compute_outputs({"images": images, "attributes": IDS}, names, **options)


def units(vectors):
    vectors = np.asarray(vectors)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def test_one_attribute_several_and_all_agree(model, images):
    every = model.embed_all(images).numpy()
    assert every.shape == (2, ATTRIBUTES, 11)
    several = model.embed(images, IDS).numpy()
    np.testing.assert_allclose(several, np.take_along_axis(every, IDS[..., None], 1), atol=1e-5)
    for m in range(2):
        one = model.embed(images, IDS[:, m]).numpy()
        np.testing.assert_allclose(one, several[:, m], atol=1e-5)


def test_attributes_differ(model, images):
    """Else the comparisons above would compare equal things."""
    every = model.embed_all(images).numpy()
    assert np.abs(every[:, 0] - every[:, 1]).max() > 0.01
    attention, _ = model.explain(images, [[0, 1], [0, 1]])
    assert np.abs(attention[:, 0] - attention[:, 1]).max() > 0.001


def test_unit_length(model, images):
    for slices in (None, ("global",), ("local",)):
        lengths = np.linalg.norm(model.embed_all(images, slices), axis=-1)
        np.testing.assert_allclose(lengths, np.ones((2, ATTRIBUTES)), atol=1e-5)


def test_a_dot_product_is_the_weighted_cosine(model, images):
    outputs = outputs_of(model, images, ("global", "local"))
    cosine_g = units(outputs["global"][0]) @ units(outputs["global"][1]).T
    cosine_l = units(outputs["local"][0]) @ units(outputs["local"][1]).T
    first, second = model.embed(images, IDS).numpy()
    np.testing.assert_allclose(first @ second.T, 0.7 * cosine_g + 0.3 * cosine_l, atol=1e-5)


def test_slices(model, images):
    outputs = outputs_of(model, images, ("global", "local"))
    for name in ("global", "local"):
        alone = model.embed(images, IDS, (name,))
        np.testing.assert_allclose(alone, units(outputs[name]), atol=1e-5)
    assert set(outputs) == {
        "global",
        "global_pooled",
        "local",
        "local_pooled",
        "attention",
        "region",
    }
    assert not {"local", "local_pooled"} & {*outputs_of(model, images, ("global",))}
    both = model.embed(images, IDS, ("local", "global"))
    np.testing.assert_array_equal(both, model.embed(images, IDS))


def test_what_slices_are_projected_from(model, images):
    """Features where attention looks: by hand, and what the rest of a branch makes of them."""
    outputs = outputs_of(model, images, ("global", "local"))
    seen = images.reshape(2, 64, 2, 64, 2, 3).mean((2, 4)).astype(np.float32)
    features = np.asarray(model.global_branch.features(seen))
    expected = np.einsum("bmhw,bhwc->bmc", outputs["attention"], features)
    np.testing.assert_allclose(outputs["global_pooled"], expected, rtol=1e-3, atol=1e-4)
    for name, branch in (("global", model.global_branch), ("local", model.local_branch)):
        pooled = outputs[f"{name}_pooled"]
        assert pooled.dtype == np.float32 and pooled.shape == (2, 2, model.pooled_dims[name])
        vectors = model.attribute_embedding(IDS)
        own = branch.projection(branch.channel_attention(pooled, vectors))
        np.testing.assert_allclose(outputs[name], own, rtol=1e-3, atol=1e-4)


def test_slices_stand_in_the_embedding(model, images):
    embedding = model.embed(images, IDS).numpy()
    slices = model.embedding_slices()
    assert slices == {"both": slice(0, 11), "global": slice(0, 6), "local": slice(6, 11)}
    for name in ("global", "local"):
        alone = model.embed(images, IDS, (name,))
        np.testing.assert_allclose(units(embedding[..., slices[name]]), alone, atol=1e-5)
        assert model.embedding_slices((name,)) == {name: slice(0, model.slices[name])}


@pytest.mark.parametrize(
    ("beta", "name", "other"), [(1, "global", "local"), (0, "local", "global")]
)
def test_one_branch_with_all_the_weight(model, images, beta, name, other):
    single = changed(model, beta=beta)
    expected = model.embed(images, IDS, (name,))
    np.testing.assert_allclose(single.embed(images, IDS), expected, atol=1e-6)
    found = single.embed(images, IDS, ("global", "local"))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert list(single.embedding_slices()) == [name]
    # A stage may train the branch without weight alone, and validate it.
    alone = single.embed(images, IDS, (other,))
    np.testing.assert_allclose(alone, model.embed(images, IDS, (other,)), atol=1e-6)
    assert list(single.embedding_slices((other,))) == [other]


def test_a_weight_an_attribute(model, images, tmp_path):
    betas = (0.7, 1.0, 0.2)
    weighted = changed(model, beta=betas)
    cosines = []
    for name in ("global", "local"):
        first, second = model.embed_all(images, (name,)).numpy()
        cosines.append(np.sum(first * second, -1))
    expected = betas * cosines[0] + (1 - np.array(betas)) * cosines[1]
    weighted.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = changed(model)
    again.beta = np.array(betas)
    for one in (weighted, loaded, again):
        assert one.beta == betas
        first, second = one.embed_all(images).numpy()
        np.testing.assert_allclose(np.sum(first * second, -1), expected, atol=1e-5)
        np.testing.assert_allclose(np.linalg.norm(first, axis=-1), 1, atol=1e-5)
        for name, its in zip(("global", "local"), (slice(0, 6), slice(6, 11)), strict=True):
            assert one.embedding_slices()[name] == its
            # Also what has no weight, of the second attribute, keeps its direction.
            alone = model.embed_all(images, (name,))
            np.testing.assert_allclose(units(one.embed_all(images)[..., its]), alone, atol=1e-4)
    for beta, name in ((1.0, "global"), (0.0, "local")):
        weighted.beta = [beta] * ATTRIBUTES
        assert weighted.used_slices() == (name,)


def test_the_backbone_runs_once_an_image(model, images, monkeypatch):
    network = type(model.global_branch.backbone)
    call, seen = network.call, []

    def counted(self, inputs, *args, **kwargs):
        seen.append(tuple(inputs.shape[:2]))
        return call(self, inputs, *args, **kwargs)

    monkeypatch.setattr(network, "call", counted)
    model.embed_all(images)
    inputs = {"images": images, "attributes": model.all_attributes(images)}
    regions = model.compute_outputs(inputs, ())["region"].numpy()
    distinct = sum(len(np.unique(of_one, axis=0)) for of_one in regions)
    # Two photographs in the global branch, their distinct regions in the local one.
    assert seen[:2] == [(2, 64), (distinct, 32)]
    seen.clear()
    model.embed_all(images, ("global",))
    model.explain(images, IDS)
    assert seen == [(2, 64), (2, 64)]


def test_as_a_keras_model(model, images):
    inputs = {"images": images, "attributes": IDS.astype(np.int32)}
    expected = model.embed(images, IDS)
    np.testing.assert_allclose(model(inputs)["embedding"], expected, atol=1e-5)
    found = model.predict(inputs, verbose=0)
    assert list(found) == ["embedding"]
    np.testing.assert_allclose(found["embedding"], expected, atol=1e-5)


def test_config_round_trip(model):
    config = json.loads(json.dumps(model.get_config()))
    for branch in ("global_branch", "local_branch"):
        config[branch]["backbone"] = config[branch]["backbone"]["name"]
        assert config[branch] == {**CONFIG[branch], "dropout": 0.0, "frozen_statistics": False}
    rest = {key: value for key, value in CONFIG.items() if not key.endswith("_branch")}
    assert config | rest == config
    assert ASEN.from_config(config).get_config() == model.get_config()


def test_no_gradient_through_the_localization(model, images):
    branch = model.global_branch
    with tf.GradientTape() as tape:
        local = outputs_of(model, images, ("local",))["local"]
    found = tape.gradient(
        local,
        {
            "global_branch": [v.value for v in branch.trainable_variables],
            "table": [v.value for v in model.attribute_embedding.trainable_variables],
        },
    )
    assert all(gradient is None for gradient in found["global_branch"])
    assert np.abs(tf.convert_to_tensor(found["table"][0])).max() > 0


def test_training_moves_batch_statistics(images):
    model = ASEN(**CONFIG)
    before = [np.array(v) for v in model.non_trainable_variables]
    outputs_of(model, images, ("global", "local"), training=False)
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    outputs_of(model, images, ("global", "local"), training=True)
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        assert np.abs(np.asarray(variable) - value).max() > 0, variable.path


def test_mixed_precision(model, images):
    """Embeddings stay float32 and near to those of full precision."""
    mixed = ASEN(**CONFIG, dtype="mixed_bfloat16")
    mixed.set_weights(model.get_weights())
    outputs = outputs_of(mixed, images, ("global", "local"))
    assert {name: o.dtype.name for name, o in outputs.items()} == {
        "attention": "float32",
        "region": "float32",
        "global": "float32",
        "global_pooled": "float32",
        "local": "float32",
        "local_pooled": "float32",
    }
    found, expected = (m.embed(images, IDS, ("global",)) for m in (mixed, model))
    assert (np.sum(found * expected, -1) > 0.99).all()


def test_compiled_backbones(model, images):
    expected = model.embed(images, IDS, ("global",))
    model.configure_backbones(jit_compile=True)
    try:
        compiled = tf.function(lambda: model.embed(images, IDS, ("global",)))()
    finally:
        model.configure_backbones()
    np.testing.assert_allclose(compiled, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 1.5}, r"beta .* must lie in \[0, 1\], got 1.5"),
        ({"beta": -0.1}, "beta"),
        ({"beta": (0.5, 1.5, 0.5)}, r"beta .* must lie in \[0, 1\]"),
        ({"beta": (0.5, 0.5)}, "beta must be .* one for each of the 3 attributes, got 2"),
        ({"image_scale": 1.5}, "image_scale must be a whole number from 1, got 1.5"),
        ({"image_scale": 0}, "image_scale"),
        ({"localization": "atention"}, "Did you mean 'attention'"),
        ({"threshold": 1.0}, "threshold must lie in"),
        ({"localization": "peak", "peak_side": 0.0}, r"share must lie in \(0, 1\], got 0.0"),
        (
            {"global_branch": {**CONFIG["global_branch"], "backbone": "resnet51"}},
            "Did you mean 'resnet50'",
        ),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        ASEN(**{**CONFIG, **settings})


def test_unknown_slice(model, images):
    message = "unknown slice of ASEN 'gobal'. Did you mean 'global'.* Known: global, local"
    for use in (lambda: model.embed(images, IDS, ("gobal",)), lambda: model.used_slices(["gobal"])):
        with pytest.raises(ValueError, match=message):
            use()
