"""Recognition measured on made-up probabilities; no model."""

from typing import ClassVar

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from asen_tf.core import AttributeSpace
from asen_tf.core.progress import Quiet
from asen_tf.data.manifest import Manifest, label_records
from asen_tf.evaluation import evaluate_recognition, recognition_table
from asen_tf.evaluation.recognition import measures, predict_fn_of

SPACE = AttributeSpace({"collar": ["v", "o"], "color": ["red", "green", "blue"]})


def manifest(images, attributes, values, splits=None):
    count = max(images) + 1
    return Manifest(
        root=".",
        space=SPACE,
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.full(count, 2, np.int8) if splits is None else np.array(splits, np.int8),
        labels=label_records(images, attributes, values),
        lines=np.arange(count),
        source="made up",
    )


def measured(made, predict, batch_size=3):
    return evaluate_recognition(
        predict, made, "test", lambda rows: rows, batch_size, progress=Quiet
    )


def test_accuracy_and_f1_are_scikit_learns():
    draw = np.random.default_rng(0)
    true = draw.integers(0, 3, 40)
    table = draw.dirichlet(np.ones(3), 40).astype(np.float32)
    images = np.arange(40)
    made = manifest(images, 1, true)
    found = measured(made, lambda rows, ids: table[rows][:, None])
    assert list(found["attributes"]) == ["color"]
    own, predicted = found["attributes"]["color"], table.argmax(1)
    assert own["count"] == found["count"] == 40
    assert own["accuracy"] == pytest.approx(accuracy_score(true, predicted))
    assert own["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro"))
    assert own["most_frequent"] == np.bincount(true).max() / 40
    assert np.sum(own["confusion"]) == 40
    assert own["confusion"][2][0] == np.sum((true == 2) & (predicted == 0))


def test_each_label_counts_for_its_attribute():
    """Image 0 shows both attributes, 1 the collar, 2 the color; 3 is in another split."""
    made = manifest([0, 0, 1, 2, 3], [0, 1, 0, 1, 0], [0, 2, 1, 0, 1], splits=[2, 2, 2, 0])
    asked = []

    def predict(rows, attributes):
        asked.append((rows.tolist(), list(attributes)))
        collars, colors = [0.9, 0.8, 0.5], [[0.2, 0.2, 0.6], [1, 0, 0], [0.5, 0.3, 0.2]]
        says = [[[p, 1 - p, 0], own] for p, own in zip(collars, colors, strict=True)]
        return np.float32(says)[rows][:, attributes]

    found = measured(made, predict)
    assert asked == [([0, 1, 2], [0, 1])]
    assert found["attributes"]["collar"]["confusion"] == [[1, 0], [1, 0]]
    assert found["attributes"]["color"]["confusion"] == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
    # Of collars v has F1 2/3 and o 0; of colors those that are shown are all right.
    assert found["macro_f1"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["accuracy"] == pytest.approx((1 / 2 + 1) / 2)
    assert found["attributes"]["collar"]["calibration_error"] == pytest.approx((0.1 + 0.8) / 2)


def test_with_one_label_an_image_no_other_attribute_is_asked_for():
    made = manifest([0, 1, 2], [0, 1, 0], [0, 2, 1])
    asked = []

    def predict(rows, attributes):
        asked.append((rows.tolist(), list(attributes)))
        return np.full((len(rows), 1, 3), 0.25, np.float32)

    measured(made, predict)
    assert asked == [([0, 2], [0]), ([1], [1])]


def test_several_values_of_an_image():
    """It counts as what is predicted where it has that, and else as its first value."""
    labels = np.array([[1, 1, 0], [0, 1, 1], [0, 1, 1]], bool)
    probabilities = np.array([[0.1, 0.9, 0.0], [0.8, 0.1, 0.1], [0.1, 0.2, 0.7]])
    found = measures(probabilities, labels)
    assert found["confusion"] == [[0, 0, 0], [1, 1, 0], [0, 0, 1]]
    assert found["accuracy"] == pytest.approx(2 / 3)
    assert found["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["most_frequent"] == 1


def test_what_is_wrong_is_said():
    made = manifest([0, 1], [0, 1], [0, 2])
    with pytest.raises(ValueError, match=r"must have the shape \[1, 1, 3\], got \[1, 1, 2\]"):
        measured(made, lambda rows, ids: np.zeros((len(rows), 1, 2)))
    with pytest.raises(ValueError, match="must be finite"):
        measured(made, lambda rows, ids: np.full((len(rows), 1, 3), np.nan))
    with pytest.raises(ValueError, match="no labels in split 'train' of made up"):
        evaluate_recognition(None, made, "train", None)


def test_table():
    made = manifest([0, 1, 2, 2], [0, 0, 0, 1], [0, 1, 1, 0])
    always = np.float32([0.75, 0.25, 0])
    found = measured(made, lambda rows, ids: np.tile(always, (len(rows), 2, 1)))
    lines = recognition_table(found).splitlines()
    assert lines[0].split("  ")[0] == "attribute" and "calibration error" in lines[0]
    assert lines[2].split() == ["collar", "3", "66.67", "33.33", "25.00", "41.67"]
    assert lines[-1].split() == ["all", "attributes", "4", "-", "66.67", "62.50", "33.33"]


class Says:
    """Says the same of every photograph, of the attributes in another order than the space's."""

    said: ClassVar = {"color": [0.2, 0.3, 0.5], "collar": [0.9, 0.1]}

    def predict(self, images, attribute):
        return np.tile(np.float32(self.said[attribute]), (len(images), 1))

    def predict_all(self, images):
        return {name: self.predict(images, name) for name in self.said}


def test_what_an_embedder_says_stands_in_the_numbers_of_the_space():
    predict = predict_fn_of(Says(), SPACE)
    of_one = [[0.2, 0.3, 0.5], [0.9, 0.1, 0]]
    np.testing.assert_allclose(predict(["a.jpg", "b.jpg"], np.array([1, 0])), [of_one] * 2)
    np.testing.assert_allclose(predict(["a.jpg"], np.array([0])), [[[0.9, 0.1, 0]]])
    assert predict_fn_of(object(), SPACE) is None
