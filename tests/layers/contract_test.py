"""What every layer promises, whatever it computes."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import layers
from tests.layers.cases import BATCH, CASES, inputs_of

each_layer = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture
def mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def functional(case):
    layer = case.layer()
    inputs = [keras.Input(shape, dtype=dtype) for shape, dtype in case.inputs]
    return keras.Model(inputs, layer(*inputs)), layer


def assert_all_equal(results, expected):
    for result, other in zip(tf.nest.flatten(results), tf.nest.flatten(expected), strict=True):
        np.testing.assert_array_equal(result, other)


def test_every_layer_has_a_case():
    assert {name.split(",")[0] for name in CASES} == set(layers.__all__)


@each_layer
def test_shapes_and_dtypes_in_a_functional_model(case):
    model, _ = functional(case)
    computed = tf.nest.flatten(model(inputs_of(case)))
    for symbolic, result, (shape, dtype) in zip(model.outputs, computed, case.outputs, strict=True):
        assert symbolic.shape == (None, *shape)
        assert result.shape == (BATCH, *shape)
        assert symbolic.dtype == result.dtype.name == (dtype or "float32")


@each_layer
def test_config_round_trip(case):
    layer = case.layer()
    config = json.loads(json.dumps(layer.get_config()))
    assert type(layer).from_config(config).get_config() == layer.get_config()


@each_layer
def test_saved_and_loaded(case, tmp_path):
    model, _ = functional(case)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_all_equal(loaded(inputs_of(case)), model(inputs_of(case)))


@each_layer
def test_eagerly_in_a_function_and_in_tf_data(case):
    _, layer = functional(case)
    inputs = inputs_of(case)
    eager = [np.asarray(result) for result in tf.nest.flatten(layer(*inputs))]
    signature = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in case.inputs]
    traced = tf.function(lambda *tensors: layer(*tensors), input_signature=signature)
    mapped = tf.data.Dataset.from_tensors(tuple(inputs)).map(lambda *tensors: layer(*tensors))
    for results in (traced(*inputs), next(iter(mapped))):
        for result, expected in zip(tf.nest.flatten(results), eager, strict=True):
            np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-7)


@each_layer
def test_xla_compiles_it_or_it_says_that_it_cannot(case):
    """Where there is a GPU, `fit` has XLA compile models all of whose layers support it."""
    _, layer = functional(case)
    inputs = inputs_of(case)
    compiled = tf.function(lambda *tensors: layer(*tensors), jit_compile=True)
    if not layer.supports_jit:
        with pytest.raises(tf.errors.OpError):
            compiled(*inputs)
        return
    for result, expected in zip(
        tf.nest.flatten(compiled(*inputs)), tf.nest.flatten(layer(*inputs)), strict=True
    ):
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@each_layer
def test_mixed_precision(case, mixed_precision):
    """Attention stays float32, and what is geometry is as exact as ever."""
    model, layer = functional(case)
    results = tf.nest.flatten(model(inputs_of(case)))
    keras.config.set_dtype_policy("float32")
    reference, reference_layer = functional(case)
    reference_layer.set_weights(layer.get_weights())
    expected = tf.nest.flatten(reference(inputs_of(case)))
    for symbolic, result, other, (_, dtype) in zip(
        model.outputs, results, expected, case.outputs, strict=True
    ):
        assert symbolic.dtype == result.dtype.name == (dtype or "bfloat16")
        tolerance = 0.05 if layer.weights else 0
        np.testing.assert_allclose(tf.cast(result, other.dtype), other, atol=tolerance)
