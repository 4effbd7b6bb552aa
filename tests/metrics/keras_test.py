import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import average_precision_score

from asen_tf import models
from asen_tf.core import AttributeSpace
from asen_tf.losses import TripletLoss
from asen_tf.metrics.keras import MeanAveragePrecision, TripletAccuracy
from tests.batches import triplets


def test_triplet_accuracy_by_hand_over_two_updates():
    anchor, near, far = [1.0, 0.0], [3.0, 1.0], [0.1, 9.0]
    metric = TripletAccuracy()
    metric.update_state(None, np.array([anchor, near, far, anchor, far, near]))
    metric.update_state(None, np.array([anchor, near, near]))
    assert float(metric.result()) == pytest.approx(1 / 3)
    metric.reset_state()
    metric.update_state(None, np.array([anchor, near, far, anchor, far, near]), [3.0, 1.0])
    assert float(metric.result()) == pytest.approx(3 / 4)


def test_triplet_accuracy_of_several_attributes():
    anchor, near, far = [1.0, 0.0], [3.0, 1.0], [0.1, 9.0]
    metric = TripletAccuracy()
    metric.update_state(None, np.array([[anchor] * 2, [near] * 2, [far] * 2]))
    assert float(metric.result()) == 1
    metric.update_state(None, np.array([[anchor] * 2, [near, far], [far, near]]))
    assert float(metric.result()) == pytest.approx(3 / 4)


def test_triplet_accuracy_compares_cosines_in_half_precision_too():
    long_but_off = np.array([[1, 0], [1, 0.01], [100, 100]])
    metric = TripletAccuracy()
    metric.update_state(None, keras.ops.cast(long_but_off, "bfloat16"))
    assert float(metric.result()) == 1


@pytest.mark.parametrize("shape", [(4, 8), (6,), (2, 3, 8), (3, 1, 1, 8)])
def test_triplet_accuracy_refuses_another_shape(shape):
    message = rf"anchor, positive and negative in turn; got shape {re.escape(str(shape))}"
    with pytest.raises(ValueError, match=message):
        TripletAccuracy().update_state(None, np.zeros(shape))


def test_mean_average_precision_matches_scikit_learn_over_updates():
    rng = np.random.default_rng(0)
    relevant, scores = rng.integers(0, 2, (12, 9)), rng.standard_normal((12, 9))
    relevant[:, 0] = 1
    weights = rng.random(12)
    each = [average_precision_score(r, s) for r, s in zip(relevant, scores, strict=True)]
    plain, weighted = MeanAveragePrecision(), MeanAveragePrecision()
    for part in (slice(0, 5), slice(5, 12)):
        plain.update_state(relevant[part], scores[part])
        weighted.update_state(relevant[part], scores[part], weights[part])
    assert float(plain.result()) == pytest.approx(np.mean(each), rel=1e-5)
    assert float(weighted.result()) == pytest.approx(np.average(each, weights=weights), rel=1e-5)


def test_mean_average_precision_keeps_order_of_ties_and_counts_empty_queries():
    metric = MeanAveragePrecision()
    metric.update_state([[0, 1, 1]], [[0.5, 0.5, 0.5]])
    assert float(metric.result()) == pytest.approx((1 / 2 + 2 / 3) / 2)
    metric.update_state([[0, 0, 0]], [[1.0, 2.0, 3.0]])
    assert float(metric.result()) == pytest.approx((1 / 2 + 2 / 3) / 4)


def test_triplet_accuracy_of_a_model_of_the_library(tmp_path):
    space = AttributeSpace({"collar": ("v", "o"), "fit": ("slim", "wide")})
    settings = {"name": "csn", "backbone": "resnet6", "size": 32, "embedding_dim": 6}
    keras.utils.set_random_seed(0)
    model = models.build(settings, space)
    images = np.random.default_rng(0).integers(0, 256, (24, 64, 64, 3)).astype(np.uint8)
    attributes = [0, 1] * 4
    x, y = triplets(images, attributes)
    embeddings = model.embed(images, np.repeat(attributes, 3)).numpy().reshape(8, 3, 6)
    right = [float(anchor @ near > anchor @ far) for anchor, near, far in embeddings]
    assert 0 < np.mean(right) < 1
    model.compile("sgd", TripletLoss("global"), metrics=[TripletAccuracy()])
    batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(6)
    measured = model.evaluate(batches, verbose=0, return_dict=True)
    assert measured["triplet_accuracy"] == pytest.approx(np.mean(right))
    history = model.fit(batches, verbose=0, shuffle=False).history
    assert 0 < history["triplet_accuracy"][0] < 1
    # It is saved with the model.
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again, expected = (m.evaluate(batches, verbose=0, return_dict=True) for m in (loaded, model))
    assert again == pytest.approx(expected, abs=1e-5) and "triplet_accuracy" in again


@pytest.mark.parametrize("metric", [TripletAccuracy, MeanAveragePrecision])
def test_config_round_trip(metric):
    saved = keras.saving.serialize_keras_object(metric(name="other"))
    assert saved["registered_name"] == f"asen_tf>{metric.__name__}"
    restored = keras.saving.deserialize_keras_object(saved)
    assert type(restored) is metric and restored.name == "other"


def test_metrics_run_inside_fit():
    """Batches of four triplets, half of them right."""
    given = keras.Input((2,))
    model = keras.Model(given, keras.layers.Dense(2, use_bias=False)(given))
    model.layers[-1].set_weights([np.eye(2)])
    model.compile(keras.optimizers.SGD(0.0), TripletLoss(), metrics=[TripletAccuracy()])
    triplets = np.array([[1, 0], [1, 0], [0, 1], [1, 0], [0, 1], [1, 0]] * 4, np.float32)
    data = tf.data.Dataset.from_tensor_slices((triplets, np.zeros(24))).batch(12)
    history = model.fit(data, shuffle=False, verbose=0).history
    assert history["triplet_accuracy"] == [0.5]
    # A right triplet of right angles has no loss, a wrong one the margin and both cosines: 1.2.
    assert history["loss"] == [pytest.approx(0.6)]
