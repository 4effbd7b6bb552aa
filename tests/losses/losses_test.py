"""Every loss by its name: built, saved, loaded, refused."""

import inspect
import json

import keras
import numpy as np
import pytest

from asen_tf import losses
from asen_tf.losses import LOSSES

OFFSETS = (0, 2, 5)
# Of each loss: every argument, none of them as it is by default, and the shapes of the outputs.
CASES = {
    "triplet": (
        {
            "output": "local",
            "distance": "euclidean",
            "mining": "hard",
            "margin": 0.7,
            "offsets": OFFSETS,
        },
        [(6, 2, 4)],
    ),
    "alignment": ({"output": ("one", "other")}, [(6, 2, 4), (6, 2, 4)]),
    "classification": ({"output": "values", "offsets": OFFSETS, "total": True}, [(6, 5)]),
    "part_case": ({"output": ("answers", "cases")}, [(6, 3), (6,)]),
    "norm": ({"output": "mask", "norm": "sum"}, [(6, 2, 4)]),
    "changed_triplet": ({"output": ("edited", "local"), "margin": 0.7}, [(2, 4), (6, 1, 4)]),
    "changed_classification": (
        {"output": "edited", "offsets": OFFSETS, "total": True},
        [(2, 5)],
    ),
}


def targets():
    labels = np.eye(5, dtype=bool)[[0, 0, 1, 1, 0, 1]] | np.eye(5, dtype=bool)[[2, 3, 4, 2, 3, 4]]
    return {
        "attributes": np.tile(np.arange(2, dtype=np.int32), (6, 1)),
        "ids": np.arange(6),
        "labels": labels,
        "changed_labels": np.roll(labels, 1, axis=0),
    }


@pytest.mark.parametrize("name", LOSSES.names())
def test_saved_and_loaded(name):
    arguments, shapes = CASES[name]
    kind, arguments = LOSSES[name], {**arguments, "name": "my_loss"}
    parameters = inspect.signature(kind).parameters
    assert set(arguments) == set(parameters)
    assert all(arguments[key] != parameter.default for key, parameter in parameters.items())
    loss = kind(**arguments)
    generator = np.random.default_rng(0)
    outputs = {
        output: generator.normal(size=shape).astype(np.float32)
        for output, shape in zip(loss.outputs, shapes, strict=True)
    }
    saved = json.dumps(keras.saving.serialize_keras_object(loss))
    for again in (
        kind.from_config(json.loads(json.dumps(loss.get_config()))),
        keras.saving.deserialize_keras_object(json.loads(saved)),
    ):
        assert type(again) is kind and again.name == "my_loss"
        assert again.get_config() == loss.get_config()
        assert (again.outputs, again.needs_labels) == (loss.outputs, loss.needs_labels)
        value = loss(targets(), outputs)
        assert value.shape == () and value != 0
        np.testing.assert_array_equal(again(targets(), outputs), value)


def test_norms_by_hand():
    """Of (3, -4): the sum is -1, the squared length 25; means over attributes, then roles."""
    numbers = np.float32([[[3, -4], [0, 0]], [[0, 1], [0, 1]], [[1, 2], [1, 2]]])
    for norm, expected in (("sum", [-0.5, 1, 3]), ("squares", [12.5, 1, 5])):
        loss = losses.NormLoss("mask", norm)
        np.testing.assert_allclose(loss.call({}, {"mask": numbers}), expected)
        of_triplet = loss.call({"roles": np.arange(3)}, {"mask": numbers})
        np.testing.assert_allclose(of_triplet, [np.mean(expected)], rtol=1e-6)


def test_built_by_name():
    terms = {
        "near": {"name": "triplet", "output": "global", "mining": "all", "margin": 0.5},
        "values": {"name": "classification", "weight": 0.25},
        "nothing": {"name": "alignment", "weight": 0.0},
    }
    made, weights = losses.build(terms, OFFSETS)
    assert weights == {"near": 1.0, "values": 0.25} and made.keys() == weights.keys()
    assert isinstance(made["near"], losses.TripletLoss)
    assert isinstance(made["values"], losses.ClassificationLoss)
    assert made["near"].margin == 0.5 and made["near"].outputs == ("global",)
    assert [loss.name for loss in made.values()] == ["near", "values"]
    assert made["near"].offsets == made["values"].offsets == OFFSETS


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"output": "mask"}, "losses.term lacks the key name, which says what loss: triplet, "),
        ({"name": "tripelt"}, "unknown loss 'tripelt'. Did you mean 'triplet'"),
        ({"name": "triplet", "marign": 1}, "losses.term: unknown key 'marign'. Did you mean 'marg"),
        ({"name": "norm"}, "losses.term lacks the key output: NormLoss needs it"),
        ({"name": "norm", "output": "mask", "norm": "squared"}, "Did you mean 'squares'"),
        ({"name": "alignment", "weight": 0}, "no loss to train for: term"),
        # Without weight, but wrong all the same.
        ({"name": "alignement", "weight": 0}, "Did you mean 'alignment'"),
    ],
)
def test_bad_terms(settings, message):
    with pytest.raises(ValueError, match=message):
        losses.build({"term": settings}, OFFSETS)


def test_no_terms():
    with pytest.raises(ValueError, match="no loss to train for: none is named"):
        losses.build({}, OFFSETS)
