"""Every layer hands its dtype policy to its children, and each variable has a path of its own."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import backbones
from asen_tf.backbones import alexnet, fused
from tests.layers.cases import BATCH, CASES, Case, inputs_of
from tests.trees import assert_one_policy, assert_own_paths

POLICIES = ("float32", "bfloat16", "mixed_bfloat16", "mixed_float16")
OF_BACKBONES = {
    "BatchNormalization": Case(
        lambda: fused.BatchNormalization(), (((4, 4, 3), "float32"),), (((4, 4, 3), None),)
    ),
    "GroupedConvolution": Case(
        lambda: alexnet.GroupedConvolution(4, 3, groups=2),
        (((4, 4, 2), "float32"),),
        (((2, 2, 4), None),),
    ),
    "LocalResponseNormalization": Case(
        alexnet.LocalResponseNormalization, (((4, 4, 6), "float32"),), (((4, 4, 6), None),)
    ),
    "TokensToGrid": Case(
        lambda: backbones.TokensToGrid(), (((10, 3), "float32"),), (((3, 3, 3), None),)
    ),
    "JoinMaps": Case(
        lambda: backbones.JoinMaps(0.1),
        ([((4, 4, 2), "float32"), ((2, 2, 3), "float32")],),
        (((4, 4, 5), None),),
    ),
    "FeatureExtractor": Case(
        lambda: backbones.FeatureExtractor("resnet6", 32),
        (((32, 32, 3), "float32"),),
        (((4, 4, 128), None),),
    ),
}
ALL = CASES | OF_BACKBONES


def with_policy(case, policy, name):
    """The case's layer, called once; the global policy stays as it is."""
    layer = case.layer()
    config = {**layer.get_config(), "name": name, "dtype": policy}
    return called(type(layer).from_config(config), case)


def called(layer, case):
    found = tf.nest.flatten(layer(*inputs_of(case)))
    for result, (shape, dtype) in zip(found, case.outputs, strict=True):
        assert result.shape == (BATCH, *shape)
        assert result.dtype.name == (dtype or layer.compute_dtype)
        assert np.isfinite(tf.cast(result, tf.float32)).all()
    return layer


def test_every_registered_layer_has_a_case():
    registered = {
        at.__name__
        for name, at in keras.saving.get_custom_objects().items()
        if name.startswith("asen_tf>")
        and at.__module__.startswith(("asen_tf.layers.", "asen_tf.backbones."))
    }
    assert registered == {name.split(",")[0] for name in ALL}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("case", ALL.values(), ids=ALL)
def test_policy_and_paths(case, policy):
    one, two = (with_policy(case, policy, name) for name in ("one", "two"))
    again = type(one).from_config(json.loads(json.dumps(one.get_config())))
    called(again, case)
    for layer in (one, again):
        assert layer.dtype_policy.name == policy
        assert_one_policy(layer, policy)
    assert_own_paths(one, two)
    assert [v.path for v in again.weights] == [v.path for v in one.weights]
