import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.losses import alignment_loss
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
    for parts in (None, ("global_branch",), ("local_branch",)):
        lengths = np.linalg.norm(model.embed_all(images, parts), axis=-1)
        np.testing.assert_allclose(lengths, np.ones((2, ATTRIBUTES)), atol=1e-5)


def test_a_dot_product_is_the_weighted_cosine(model, images):
    outputs = model.outputs_of(images, IDS, ("global_branch", "local_branch"))
    cosine_g = units(outputs["global_branch"][0]) @ units(outputs["global_branch"][1]).T
    cosine_l = units(outputs["local_branch"][0]) @ units(outputs["local_branch"][1]).T
    first, second = model.embed(images, IDS).numpy()
    np.testing.assert_allclose(first @ second.T, 0.7 * cosine_g + 0.3 * cosine_l, atol=1e-5)


def test_parts(model, images):
    outputs = model.outputs_of(images, IDS, ("global_branch", "local_branch"))
    for part in ("global_branch", "local_branch"):
        np.testing.assert_allclose(
            model.embed(images, IDS, (part,)), units(outputs[part]), atol=1e-5
        )
        assert set(model.outputs_of(images, IDS, (part,))) == {part, "attention", "region"}
    both = model.embed(images, IDS, ("local_branch", "global_branch"))
    np.testing.assert_array_equal(both, model.embed(images, IDS))


def test_variants_are_pieces_of_the_embedding(model, images):
    embedding = model.embed(images, IDS).numpy()
    variants = model.variants()
    assert list(variants) == ["both", "global", "local"]
    np.testing.assert_array_equal(embedding[..., variants["both"]], embedding)
    for part in ("global_branch", "local_branch"):
        alone = model.embed(images, IDS, (part,))
        name = part.removesuffix("_branch")
        np.testing.assert_allclose(units(embedding[..., variants[name]]), alone, atol=1e-5)
        assert model.variants((part,)) == {name: slice(0, alone.shape[-1])}


@pytest.mark.parametrize(
    ("beta", "part", "other"),
    [(1, "global_branch", "local_branch"), (0, "local_branch", "global_branch")],
)
def test_one_branch_with_all_the_weight(model, images, beta, part, other):
    single = changed(model, beta=beta)
    expected = model.embed(images, IDS, (part,))
    np.testing.assert_allclose(single.embed(images, IDS), expected, atol=1e-6)
    np.testing.assert_allclose(
        single.embed(images, IDS, ("global_branch", "local_branch")), expected, atol=1e-6
    )
    assert list(single.variants()) == [part.removesuffix("_branch")]
    # A stage may train the branch without weight alone, and validate it.
    alone = single.embed(images, IDS, (other,))
    np.testing.assert_allclose(alone, model.embed(images, IDS, (other,)), atol=1e-6)
    assert list(single.variants((other,))) == [other.removesuffix("_branch")]


def test_the_backbone_runs_once_an_image(model, images, monkeypatch):
    network = type(model.global_branch.backbone)
    call, seen = network.call, []

    def counted(self, inputs, *args, **kwargs):
        seen.append(tuple(inputs.shape[:2]))
        return call(self, inputs, *args, **kwargs)

    monkeypatch.setattr(network, "call", counted)
    model.embed_all(images)
    regions = model.outputs_of(images, model.all_attributes(images), ())["region"].numpy()
    distinct = sum(len(np.unique(of_one, axis=0)) for of_one in regions)
    # Two photographs in the global branch, their distinct regions in the local one.
    assert seen[:2] == [(2, 64), (distinct, 32)]
    seen.clear()
    model.embed_all(images, ("global_branch",))
    model.explain(images, IDS)
    assert seen == [(2, 64), (2, 64)]


def test_as_a_keras_model(model, images):
    inputs = {"images": images, "attributes": IDS[:, 0].astype(np.int32)}
    expected = model.embed(images, IDS[:, 0])
    np.testing.assert_allclose(model(inputs), expected, atol=1e-5)
    np.testing.assert_allclose(model.predict(inputs, verbose=0), expected, atol=1e-5)


def test_config_round_trip(model):
    config = json.loads(json.dumps(model.get_config()))
    assert {key: config[key] for key in CONFIG} == CONFIG
    assert ASEN.from_config(config).get_config() == model.get_config()


def test_parts_are_disjoint_and_cover_what_trains(model):
    parts = model.parts()
    named = [id(variable) for part in parts.values() for variable in part]
    assert len(named) == len(set(named))
    assert set(named) == {id(variable) for variable in model.trainable_variables}


def test_the_alignment_reaches_both_branches(images):
    model = ASEN(**{**CONFIG, "local_branch": {**CONFIG["local_branch"], "embedding_dim": 6}})
    with tf.GradientTape() as tape:
        outputs = model.outputs_of(images, IDS, ("global_branch", "local_branch"), training=True)
        loss = alignment_loss(outputs["global_branch"], outputs["local_branch"])
    parts = {name: [v.value for v in part] for name, part in model.parts().items()}
    found = tape.gradient(loss, parts)
    for name, gradients in found.items():
        largest = [np.abs(tf.convert_to_tensor(gradient)).max() for gradient in gradients]
        assert np.isfinite(largest).all()
        assert np.mean(np.array(largest) > 0) > 0.9, name


def test_no_gradient_through_the_localization(model, images):
    branch = model.global_branch
    with tf.GradientTape() as tape:
        local = model.outputs_of(images, IDS, ("local_branch",))["local_branch"]
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
    model.outputs_of(images, IDS, ("global_branch", "local_branch"), training=False)
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    model.outputs_of(images, IDS, ("global_branch", "local_branch"), training=True)
    for variable, value in zip(model.non_trainable_variables, before, strict=True):
        assert np.abs(np.asarray(variable) - value).max() > 0, variable.path


def test_mixed_precision(model, images):
    """Embeddings stay float32 and near to those of full precision."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = ASEN(**CONFIG)
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(model.get_weights())
    outputs = mixed.outputs_of(images, IDS, ("global_branch", "local_branch"))
    assert {name: o.dtype.name for name, o in outputs.items()} == {
        "attention": "float32",
        "region": "int32",
        "global_branch": "float32",
        "local_branch": "float32",
    }
    cosines = np.sum(
        mixed.embed(images, IDS, ("global_branch",)) * model.embed(images, IDS, ("global_branch",)),
        -1,
    )
    assert (cosines > 0.99).all()


def test_compiled_backbones(model, images):
    expected = model.embed(images, IDS, ("global_branch",))
    model.configure_backbones(jit_compile=True)
    try:
        compiled = tf.function(lambda: model.embed(images, IDS, ("global_branch",)))()
    finally:
        model.configure_backbones()
    np.testing.assert_allclose(compiled, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 1.5}, r"beta .* must lie in \[0, 1\], got 1.5"),
        ({"beta": -0.1}, "beta"),
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


def test_unknown_part(model, images):
    with pytest.raises(
        ValueError, match="unknown part of ASEN 'gobal'. Known: global_branch, local_branch"
    ):
        model.embed(images, IDS, ("gobal",))


def test_copying_a_branch_into_the_other(model):
    """All that has the same shape; the embeddings of 6 and of 5 numbers have not."""
    copied = changed(model)
    copied.copy_part("global_branch", "local_branch")
    given, taken = copied.global_branch, copied.local_branch
    for name in ("backbone", "spatial_attention", "channel_attention"):
        for one, other in zip(
            getattr(given, name).weights, getattr(taken, name).weights, strict=True
        ):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(taken.projection.kernel, model.local_branch.projection.kernel)
