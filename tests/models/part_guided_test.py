import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace, experiments
from asen_tf.core import config as configs
from asen_tf.data.synthetic import render
from asen_tf.models.part_guided import PARTS
from tests.batches import labelled, losses_of, triplets
from tests.networks import shrink

SPACE = AttributeSpace(
    {"collar": ("v", "o"), "sleeve": ("long", "short", "none"), "pattern": ("plain", "dots")}
)
NAMES = ("collar", "sleeves", "whole")
LABELS = np.array([[0, 2], [0, 3], [1, 2], [1, -1], [0, -1], [-1, -1]])  # flat; -1: unknown
LABELS = (LABELS[..., None] == np.arange(SPACE.offsets[-1])).any(1)


def experiment(baseline="part_guided", mining="none"):
    config = configs.defaults()
    experiments.mine(config, mining)
    experiments.part_guided(config, baseline, NAMES, roi_size=2)
    shrink(config.model, backbone="resnet10", size=64, embedding_dim=6)
    return config


def build(baseline="part_guided", **settings):
    config = experiment(baseline).model
    config.update(settings)
    keras.utils.set_random_seed(0)
    return models.build(config, SPACE)


def of_stage_2(**settings):
    """The losses, by a margin that triplets violate."""
    terms = experiment(**settings).stage2.losses.to_dict()
    terms["ranking"]["margin"] = 0.9
    return losses.build(terms, SPACE.offsets)[0]


def outputs_of(model, images, names=("branch", "logits")):
    """For every attribute."""
    inputs = {"images": images, "attributes": model.all_attributes(images)}
    return model.compute_outputs(inputs, names)


@pytest.fixture(scope="module")
def model():
    return build()


@pytest.fixture(scope="module")
def images():
    """Plain garments, upright, 128 x 128."""
    photographs = [render(4, index, "plain").image for index in range(6)]
    squares = [tf.image.resize_with_crop_or_pad(p, *2 * [min(p.shape[:2])]) for p in photographs]
    return np.stack(
        [tf.cast(tf.image.resize(s, (128, 128), "area"), tf.uint8).numpy() for s in squares]
    )


def test_each_branch_sees_its_parts(model, images):
    regions = dict(zip(PARTS, np.moveaxis(model.extract(images)[0].numpy(), 1, 0), strict=True))
    assert (regions["collar"] != regions["whole"]).any(-1).all()
    features = model.features(tf.nn.avg_pool2d(tf.cast(images, tf.float32), 2, 2, "VALID"))
    looked_at = (("collar",), ("left_sleeve", "right_sleeve"), ("whole",))
    found = outputs_of(model, images)["branch"]
    for place, parts in enumerate(looked_at):
        pooled = model.pool(features, np.stack([regions[part] for part in parts], 1)).numpy()
        hidden, embedding = (
            layer.get_weights()
            for layer in (model.branches[place].hidden, model.branches[place].embedding)
        )
        expected = np.maximum(pooled.reshape(6, -1) @ hidden[0] + hidden[1], 0)
        expected = expected @ embedding[0] + embedding[1]
        np.testing.assert_allclose(found[:, place], expected, rtol=1e-3, atol=1e-4)


def test_attributes_in_any_order(model, images):
    every = model.embed_all(images).numpy()
    np.testing.assert_allclose(
        model.embed(images, [2, 0, 1, 1, 0, 2]), every[range(6), [2, 0, 1, 1, 0, 2]], atol=1e-6
    )


def test_logits_are_those_of_the_branches(model, images):
    outputs = outputs_of(model, images)
    spans = itertools.pairwise(SPACE.offsets)
    for place, (start, stop) in enumerate(spans):
        kernel, bias = model.classifiers[place].get_weights()
        expected = outputs["branch"][:, place].numpy() @ kernel + bias
        np.testing.assert_allclose(outputs["logits"][:, start:stop], expected, atol=1e-5)


@pytest.mark.parametrize("baseline", ["without_parts", "without_parts_and_ranking", "classic"])
def test_baselines_see_the_whole_image(images, baseline):
    model = build(baseline)
    _, boxes = model.explain(images, model.all_attributes(images))
    assert np.unique(boxes.numpy().reshape(-1, 4), axis=0).tolist() == [[0, 0, 1, 1]]
    every = model.embed_all(images).numpy()
    shared = np.abs(every[:, 1:] - every[:, :1]).max() < 1e-6
    assert shared == (baseline == "classic")


def test_explains_by_its_parts(model, images):
    attention, boxes = model.explain(images, model.all_attributes(images))
    assert attention.shape == (6, 3, 4, 4)
    np.testing.assert_allclose(tf.reduce_sum(attention, axis=(2, 3)), np.ones((6, 3)), atol=1e-5)
    regions = model.extract(images)[0].numpy()
    collar, left, right = (
        regions[:, PARTS.index(p)] for p in ("collar", "left_sleeve", "right_sleeve")
    )
    np.testing.assert_allclose(boxes[:, 0], collar, atol=1e-6)
    around = np.concatenate([left[:, :2], right[:, 2:]], -1)
    around[:, 1] = np.minimum(left[:, 1], right[:, 1])
    around[:, 3] = np.maximum(left[:, 3], right[:, 3])
    np.testing.assert_allclose(boxes[:, 1], around, atol=1e-6)
    np.testing.assert_allclose(attention[:, 2], np.full((6, 4, 4), 1 / 16), atol=1e-6)
    alone, box = model.explain(images, [0] * 6)
    np.testing.assert_allclose(alone, attention[:, 0], atol=1e-6)
    np.testing.assert_array_equal(box, boxes[:, 0])


def test_attention_by_hand(images):
    """A part of a quarter of the first cell's width and all its height, and one of a whole cell."""
    model = build(parts=("sleeves", "whole", "whole"))
    boxes = np.tile(np.float32([0, 0, 1, 1]), (1, len(PARTS), 1))
    boxes[0, PARTS.index("left_sleeve")] = [0, 0, 1 / 16, 1 / 4]
    boxes[0, PARTS.index("right_sleeve")] = [3 / 4, 3 / 4, 1, 1]
    model.extract = lambda images: (tf.constant(boxes), None, None)
    attention, _ = model.explain(images[:1], [0])
    expected = np.zeros((4, 4))
    expected[0, 0], expected[3, 3] = 0.2, 0.8
    np.testing.assert_allclose(attention[0], expected, atol=1e-6)


def cross_entropy(logits, labels):
    """Mean over the labelled attributes, in plain NumPy."""
    losses = []
    for start, stop in itertools.pairwise(SPACE.offsets):
        carried = np.flatnonzero(labels[start:stop])
        if len(carried):
            exponents = np.exp(logits[start:stop] - logits[start:stop].max())
            losses.append(-np.log(exponents / exponents.sum())[carried].mean())
    return np.mean(losses) if losses else 0.0


def expected_classification(model, images):
    logits = outputs_of(model, images)["logits"].numpy()
    return np.array([cross_entropy(*each) for each in zip(logits, LABELS, strict=True)])


def test_losses_of_triplets(model, images):
    found = losses_of(model, of_stage_2(), triplets(images, [1, 0], LABELS))
    units = model.embed(images, [1, 1, 1, 0, 0, 0]).numpy().reshape(2, 3, -1)
    cosines = (units[:, :1] * units[:, 1:]).sum(-1)
    expected = np.maximum(0.9 - cosines[:, 0] + cosines[:, 1], 0)
    np.testing.assert_allclose(found["ranking"], expected, atol=1e-5)
    expected = expected_classification(model, images)
    assert expected[5] == 0
    expected = expected.reshape(2, 3).mean(1)
    np.testing.assert_allclose(found["classification"], expected, rtol=1e-4)


def test_losses_of_labelled_images(model, images):
    batch = labelled(images, [0, 1, 2], LABELS)
    found = losses_of(model, of_stage_2(mining="all"), batch)
    expected = expected_classification(model, images)
    np.testing.assert_allclose(found["classification"], expected, rtol=1e-4)
    assert found["ranking"].shape == (6,) and found["ranking"].max() > 0


@pytest.mark.parametrize("baseline", ["without_parts_and_ranking", "classic"])
def test_baselines_without_ranking_only_classify(baseline):
    terms = experiment(baseline).stage2.losses.to_dict()
    assert list(losses.build(terms, SPACE.offsets)[0]) == ["classification"]


def test_classification_moves_backbone_branches_and_classifiers(model, images):
    terms = experiment().stage1.losses.to_dict()
    model.compile(optimizer=None, loss=losses.build(terms, SPACE.offsets)[0])
    x, y = labelled(images, [0, 1, 2], LABELS)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    # The third attribute has no label, so its branch and its classifier are not moved.
    still = model.branches[2].variables + model.classifiers[2].variables
    for variable, gradient in zip(variables, gradients, strict=True):
        moves = gradient is not None and np.abs(gradient).max() > 0
        assert moves != any(variable is other for other in still), variable.path


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": ("collar",)}, r"each of the 3 attributes.*got 1"),
        ({"parts": ("colar", "whole", "whole")}, "Did you mean 'collar'"),
        ({"baseline": "clasic"}, "Did you mean 'classic'"),
        ({"threshold": 1.5}, "threshold must lie in"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_unknown_slice(model, images):
    with pytest.raises(ValueError, match="Did you mean 'branch'"):
        model.embed(images, [0] * 6, slices=("branches",))


def test_one_branch_with_a_classifier_an_attribute():
    model = build("classic")
    assert len(model.branches) == 1 and [c.units for c in model.classifiers] == [2, 3, 2]
