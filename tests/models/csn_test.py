import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.models import CSN
from tests.batches import labelled, losses_of, triplets

SIZES = {"backbone": "resnet6", "size": 32, "embedding_dim": 7}
OFFSETS = (0, 2, 4, 7)
IDS = np.array([[0, 2], [1, 1]])
KINDS = [
    (masks, distance) for masks in ("learned", "disjoint") for distance in ("cosine", "euclidean")
]


def build(masks="learned", distance="cosine"):
    keras.utils.set_random_seed(0)
    return CSN(3, **SIZES, masks=masks, distance=distance)


def of_the_paper(model, **triplet):
    """The losses of its experiment with the paper's penalties, on the model's own distance."""
    config = configs.defaults()
    experiments.csn(config, "euclidean")
    terms = config.stage1.losses.to_dict()
    terms["global_triplet"] |= {"distance": model.distance, "margin": 0.9, **triplet}
    return losses.build(terms, OFFSETS)[0]


@pytest.fixture(scope="module", params=KINDS, ids=" ".join)
def model(request):
    return build(*request.param)


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3)).astype(np.uint8)


def masks_of(model):
    if model.get_config()["masks"] == "learned":
        return np.maximum(model.mask.get_weights()[0], 0)
    masks = np.zeros((3, 7))
    masks[0, :2] = masks[1, 2:4] = masks[2, 4:6] = 1
    return masks


def shared_embedding(model, images):
    """[B, D], before any mask."""
    seen = images.reshape(len(images), 32, 2, 32, 2, 3).astype(np.float32).mean((2, 4))
    kernel, bias = model.projection.get_weights()
    return np.asarray(model.features(seen)).mean((1, 2)) @ kernel + bias


def similarity(model, a, b):
    if model.distance == "euclidean":
        return -np.linalg.norm(a - b)
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_the_shared_embedding_times_the_mask(model, images):
    outputs = model.compute_outputs({"images": images[:2], "attributes": IDS}, ["global"])
    shared = shared_embedding(model, images[:2])
    expected = shared[:, None] * masks_of(model)[IDS]
    np.testing.assert_allclose(outputs["global"], expected, atol=1e-5)


def test_what_trains(model):
    learned = any("/mask/" in variable.path for variable in model.trainable_variables)
    assert learned == (model.get_config()["masks"] == "learned")


def units(model, vectors):
    return model.join({"global": tf.constant(vectors, tf.float32)}, ["global"], None)


def test_distances_become_unit_vectors_by_hand():
    """(3, 4) and (0, 0) at radius 12: (3, 4, 12) / 13 and (0, 0, 1)."""
    model = CSN(1, **SIZES | {"embedding_dim": 2}, distance="euclidean", radius=12.0)
    found = units(model, [[[3.0, 4.0]], [[0.0, 0.0]]])
    np.testing.assert_allclose(found, [[[3 / 13, 4 / 13, 12 / 13]], [[0, 0, 1]]], atol=1e-6)


def test_dot_products_rank_as_distances_do():
    """For vectors up to a tenth of the radius, where distances differ by a hundredth.

    Distances below 0.05 differ by less than float32 tells apart near to a dot product of 1.
    """
    random = np.random.default_rng(0)
    vectors = random.normal(size=(200, 7))
    vectors *= random.uniform(0, 1, (200, 1)) / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = units(build(distance="euclidean"), vectors).numpy()
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    dots = unit @ unit.T
    nearer = distances[:, :, None] < 0.99 * np.where(distances < 0.05, 0, distances)[:, None, :]
    assert nearer.mean() > 0.4
    assert (dots[:, :, None] > dots[:, None, :])[nearer].all()


def test_cosines_would_rank_otherwise():
    """Same direction, far away, against another direction, near."""
    vectors = [[1.0, 0.0], [3.0, 0.0], [1.0, 0.5]]
    sizes = SIZES | {"embedding_dim": 2}
    order = {}
    for kind in ("cosine", "euclidean"):
        unit = units(CSN(1, **sizes, distance=kind), vectors).numpy()
        order[kind] = np.argsort(-(unit @ unit[0]))[1:].tolist()
    assert order == {"cosine": [1, 2], "euclidean": [2, 1]}


def test_losses_of_triplets(model, images):
    found = losses_of(model, of_the_paper(model), triplets(images, [2, 0]))
    shared, masks = shared_embedding(model, images).reshape(2, 3, 7), masks_of(model)[[2, 0]]
    for n in range(2):
        a, p, negative = shared[n] * masks[n]
        expected = max(0, 0.9 - similarity(model, a, p) + similarity(model, a, negative))
        assert found["global_triplet"][n] == pytest.approx(expected, abs=1e-5)
        lengths = [(vector**2).sum() for vector in shared[n]]
        assert found["embedding_norm"][n] == pytest.approx(np.mean(lengths), rel=1e-4)
        assert found["mask_norm"][n] == pytest.approx(np.abs(masks[n]).sum(), rel=1e-5)


def test_losses_of_labelled_images(model, images):
    """Every value is there twice, so that each image has one positive and four negatives."""
    values = np.array([4, 4, 5, 5, 6, 6])
    batch = labelled(images, [0, 2], values[:, None] == np.arange(7))
    found = losses_of(model, of_the_paper(model, mining="hard"), batch)
    shared, masks = shared_embedding(model, images), masks_of(model)[[0, 2]]
    masked = shared * masks[1]  # nobody has a value of attribute 0
    for n in range(6):
        to = [similarity(model, masked[n], other) for other in masked]
        nearest_negative = max(s for s, v in zip(to, values, strict=True) if v != values[n])
        expected = max(0, 0.9 - to[n ^ 1] + nearest_negative)
        assert found["global_triplet"][n] == pytest.approx(expected, abs=1e-4)
        assert found["embedding_norm"][n] == pytest.approx((shared[n] ** 2).sum(), rel=1e-4)
        assert found["mask_norm"][n] == pytest.approx(masks.sum(1).mean(), rel=1e-5)


def test_gradients_reach_the_mask_of_the_attribute(images):
    model = build(distance="euclidean")
    model.compile(optimizer=None, loss=of_the_paper(model, margin=5.0))
    x, y = triplets(images[:3], [1])
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    gradient = np.asarray(tf.convert_to_tensor(tape.gradient(loss, model.mask.weight.value)))
    positive = model.mask.get_weights()[0] > 0
    assert (gradient[1][positive[1]] != 0).all()
    assert (gradient[[0, 2]] == 0).all() and (gradient[1][~positive[1]] == 0).all()


def test_saved_and_loaded(model, images, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.embed(images[:2], IDS), model.embed(images[:2], IDS))
    config = json.loads(json.dumps(model.get_config()))
    assert CSN.from_config(config).get_config() == model.get_config()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"distance": "euclidian"}, "Did you mean 'euclidean'"),
        ({"masks": "fixed"}, "unknown kind of masks 'fixed'. Known: learned, disjoint"),
        ({"radius": 0.0}, "radius must be above 0, got 0.0"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        CSN(3, **SIZES, **settings)
