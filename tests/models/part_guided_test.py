"""The part-guided network against its equations, on drawn garments."""

import itertools
import runpy
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace, experiments
from asen_tf.core import config as configs
from asen_tf.data.synthetic import render
from asen_tf.models.part_guided import CASES, PARTS, usable
from tests.batches import labelled, losses_of, triplets
from tests.networks import shrink

SPACE = AttributeSpace(
    {
        "pattern": ("plain", "dots"),
        "collar": ("v", "o"),
        "sleeve": ("long", "short", "none"),
        "fit": ("loose", "tight"),
    }
)
PARTS_OF = {"sleeve": "sleeves", "collar": "collar"}  # branches stand in the attributes' order
LABELS = [[0, 2, 4], [0, 2, 5], [1, 3, 4], [1, 3], [0, 2, 7], []]  # flat
LABELS = np.array([np.isin(np.arange(SPACE.offsets[-1]), row) for row in LABELS])


def experiment(baseline="part_guided"):
    config = configs.defaults()
    experiments.part_guided(config, baseline, PARTS_OF)
    shrink(config.model, backbone="resnet10", size=64, embedding_dim=6)
    return config


def build(baseline="part_guided", **settings):
    config = experiment(baseline).model
    with config.unlocked():
        config.update(settings)
    keras.utils.set_random_seed(0)
    return models.build(config, SPACE)


def of_stage_2(margin):
    """The losses, by a margin that triplets violate."""
    terms = experiment().stage2.losses.to_dict()
    terms["ranking"]["margin"] = margin
    return losses.build(terms, SPACE.offsets)


def outputs_of(model, images, training=False):
    """For every attribute."""
    inputs = {"images": images, "attributes": model.all_attributes(images)}
    return model.compute_outputs(inputs, ("branch", "logits"), training)


def answer(model, case):
    """Has "Extract parts?" give one answer to all images."""
    kernel, bias = model.extract_parts.get_weights()
    bias[:] = 100 * (np.arange(3) == CASES.index(case))
    model.extract_parts.set_weights([0 * kernel, bias])


@pytest.fixture
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


def expected_vectors(model, images, looked_at):
    """Two layers on what `tf.image.crop_and_resize` takes of the map, pooled, in NumPy."""
    features = model.features(tf.nn.avg_pool2d(tf.cast(images, tf.float32), 2, 2, "VALID"))
    regions = dict(zip(PARTS, np.moveaxis(model.extract(images)[0].numpy(), 1, 0), strict=True))
    found = []
    for branch, parts in zip(model.branches, looked_at, strict=True):
        seen = []
        for part in parts:
            cut = features
            if part != "whole":
                cut = tf.image.crop_and_resize(
                    features, regions[part][:, [1, 0, 3, 2]], range(6), (4, 4)
                )
            seen.append(tf.nn.max_pool2d(cut, 3, 2, "VALID").numpy().reshape(6, -1))
        (w1, b1), (w2, b2) = branch.hidden.get_weights(), branch.embedding.get_weights()
        found.append(np.maximum(np.concatenate(seen, 1) @ w1 + b1, 0) @ w2 + b2)
    return found


@pytest.mark.parametrize(
    ("case", "looked_at"),
    [
        ("sleeves", (("collar",), ("left_sleeve", "right_sleeve"), ("whole",))),
        ("sleeveless", (("collar",), ("whole", "whole"), ("whole",))),
        ("off", (("whole",), ("whole", "whole"), ("whole",))),
    ],
)
def test_vectors_of_each_case(model, images, case, looked_at):
    """S + 1 of them: one a special attribute, one that all general attributes share."""
    answer(model, case)
    vectors = expected_vectors(model, images, looked_at)
    outputs = outputs_of(model, images)
    of_attribute = [vectors[place] for place in (2, 0, 1, 2)]
    for place, (vector, span) in enumerate(
        zip(of_attribute, itertools.pairwise(SPACE.offsets), strict=True)
    ):
        unit = vector / np.linalg.norm(vector, axis=1, keepdims=True)
        np.testing.assert_allclose(outputs["branch"][:, place], unit, atol=2e-3)
        kernel, bias = model.classifiers[place].get_weights()
        logits = outputs["logits"][:, slice(*span)]
        np.testing.assert_allclose(logits, vector @ kernel + bias, rtol=1e-2, atol=2e-3)


def test_in_training_the_outline_takes_the_place_of_the_answer(model, images):
    answer(model, "off")
    model.features.backbone.trainable = False
    outputs = outputs_of(model, images, training=True)
    assert [CASES[case] for case in outputs["case"]] == ["sleeves"] * 6
    answer(model, "sleeves")
    expected = outputs_of(model, images)["branch"]
    np.testing.assert_allclose(outputs["branch"], expected, atol=1e-5)


def test_parts_of_each_case():
    regions = tf.random.uniform((3, len(PARTS), 4))
    found = usable(regions, tf.range(3)).numpy()
    whole = np.float32([0, 0, 1, 1])
    for place, case in enumerate(CASES):
        for number, part in enumerate(PARTS):
            out = case == "off" or (case == "sleeveless" and part.endswith("sleeve"))
            expected = whole if out else regions[place, number]
            np.testing.assert_array_equal(found[place, number], expected)


def test_attributes_in_any_order(model, images):
    every = model.embed_all(images).numpy()
    np.testing.assert_allclose(
        model.embed(images, [2, 0, 1, 1, 3, 2]), every[range(6), [2, 0, 1, 1, 3, 2]], atol=1e-6
    )
    np.testing.assert_array_equal(every[:, 0], every[:, 3])


@pytest.mark.parametrize(
    ("baseline", "vectors"),
    [("without_parts", 3), ("without_parts_and_ranking", 3), ("classic", 1)],
)
def test_baselines_see_the_whole_image(images, baseline, vectors):
    model = build(baseline)
    assert len(model.branches) == vectors and not hasattr(model, "extract_parts")
    _, boxes = model.explain(images, model.all_attributes(images))
    assert np.unique(boxes.numpy().reshape(-1, 4), axis=0).tolist() == [[0, 0, 1, 1]]
    every = model.embed_all(images).numpy()[0]
    assert len(np.unique(every.round(5), axis=0)) == vectors
    assert outputs_of(model, images)["logits"].shape == (6, SPACE.offsets[-1])


def test_explains_by_its_parts(model, images):
    answer(model, "sleeves")
    attention, boxes = model.explain(images, model.all_attributes(images))
    assert attention.shape == (6, 4, 4, 4)
    np.testing.assert_allclose(tf.reduce_sum(attention, axis=(2, 3)), np.ones((6, 4)), atol=1e-5)
    regions = model.extract(images)[0].numpy()
    collar, left, right = (
        regions[:, PARTS.index(p)] for p in ("collar", "left_sleeve", "right_sleeve")
    )
    np.testing.assert_allclose(boxes[:, 1], collar, atol=1e-6)
    around = np.concatenate([left[:, :2], right[:, 2:]], -1)
    around[:, 1] = np.minimum(left[:, 1], right[:, 1])
    around[:, 3] = np.maximum(left[:, 3], right[:, 3])
    np.testing.assert_allclose(boxes[:, 2], around, atol=1e-6)
    np.testing.assert_allclose(attention[:, 0], np.full((6, 4, 4), 1 / 16), atol=1e-6)
    alone, box = model.explain(images, [1] * 6)
    np.testing.assert_allclose(alone, attention[:, 1], atol=1e-6)
    np.testing.assert_array_equal(box, boxes[:, 1])


def test_attention_by_hand(model, images):
    """A part of a quarter of the first cell's width and all its height, and one of a whole cell."""
    answer(model, "sleeves")
    boxes = np.tile(np.float32([0, 0, 1, 1]), (1, len(PARTS), 1))
    boxes[0, PARTS.index("left_sleeve")] = [0, 0, 1 / 16, 1 / 4]
    boxes[0, PARTS.index("right_sleeve")] = [3 / 4, 3 / 4, 1, 1]
    model.extract = lambda images: (tf.constant(boxes), None, tf.constant([1]))
    attention, _ = model.explain(images[:1], [2])
    expected = np.zeros((4, 4))
    expected[0, 0], expected[3, 3] = 0.2, 0.8
    np.testing.assert_allclose(attention[0], expected, atol=1e-6)


def cross_entropy(logits, wanted):
    exponents = np.exp(logits - logits.max())
    return -np.log(exponents[wanted] / exponents.sum())


def test_losses_of_equations_1_and_3(model, images):
    """Sums over attributes and vectors, of Euclidean distances between unit vectors."""
    made, weights = of_stage_2(margin=1.5)
    found = losses_of(model, made, triplets(images, [1, 0], LABELS))
    units = model.embed(images, [1, 1, 1, 0, 0, 0]).numpy().reshape(2, 3, -1)
    distances = np.linalg.norm(units[:, :1] - units[:, 1:], axis=-1)
    expected = np.maximum(1.5 + distances[:, 0] - distances[:, 1], 0)
    np.testing.assert_allclose(found["ranking"], expected, atol=1e-4)
    # Three vectors: their sum is three times the mean over triplets, of which each has as many.
    assert weights == {"classification": 1, "part_case": 1, "ranking": 3}
    outputs = outputs_of(model, images)
    of_images = [
        sum(
            cross_entropy(logits[start:stop], shown[start:stop].argmax())
            for start, stop in itertools.pairwise(SPACE.offsets)
            if shown[start:stop].any()
        )
        for logits, shown in zip(outputs["logits"].numpy(), LABELS, strict=True)
    ]
    expected = np.reshape(of_images, (2, 3)).mean(1)
    np.testing.assert_allclose(found["classification"], expected, rtol=1e-4)
    sleeves = CASES.index("sleeves")
    cases = [cross_entropy(logits, sleeves) for logits in outputs["case_logits"].numpy()]
    np.testing.assert_allclose(found["part_case"], np.reshape(cases, (2, 3)).mean(1), rtol=1e-4)


def test_classification_moves_all_but_what_has_no_label(model, images):
    terms = experiment().stage1.losses.to_dict()
    model.compile(optimizer=None, loss=losses.build(terms, SPACE.offsets)[0])
    labels = LABELS & (np.arange(SPACE.offsets[-1]) < SPACE.offsets[3])
    x, y = labelled(images, range(4), labels)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    variables = model.trainable_variables
    gradients = tape.gradient(loss, [variable.value for variable in variables])
    still = model.classifiers[3].variables
    for variable, gradient in zip(variables, gradients, strict=True):
        moves = gradient is not None and np.abs(gradient).max() > 0
        assert moves != any(variable is other for other in still), variable.path


@pytest.mark.parametrize("baseline", experiments.PART_GUIDED)
def test_the_schedule_of_the_paper(baseline):
    path = Path(__file__).parents[2] / "configs/part_guided/shopping100k.py"
    config = runpy.run_path(str(path))["get_config"](baseline)
    stages = [config[name] for name in config.train.stages]
    for stage in stages:
        assert stage.optimizer.to_dict() == {"name": "sgd", "momentum": 0.0}
        assert stage.rates == ((".*", 0.01),) and stage.schedule.to_dict() == {"name": "constant"}
    parts = {"part_case"} if baseline == "part_guided" else set()
    ranked = baseline in ("part_guided", "without_parts")
    assert [(s.epochs, s.sampling, {*s.losses} - parts) for s in stages] == [
        (30 if ranked else 60, "multi_attribute", {"classification"}),
        (30, "signature_triplet", {"classification", "ranking"}),
    ][: 1 + ranked]
    assert config.model.backbone == "alexnet" and config.model.size == 227
    assert set(config.data.special) == {"pattern", "collar", "fastening", "sleeve_length", "color"}
    if baseline == "part_guided":
        assert config.model.parts.pattern == config.model.parts.color == "chest"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"parts": {"colar": "collar"}}, "Did you mean 'collar'"),
        ({"parts": {"collar": "colar"}}, "Did you mean 'collar'"),
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
