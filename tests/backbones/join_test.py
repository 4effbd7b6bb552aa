"""Maps of several levels on one grid, against bilinear weights written out by hand."""

import keras
import numpy as np
import pytest

from asen_tf.backbones import JoinMaps

RANDOM = np.random.default_rng(0)
FINE, COARSE = (RANDOM.normal(3, 2, (5, side, side, c)) for side, c in ((4, 2), (2, 3)))


def enlarged(coarse):
    """Bilinear, 2 x 2 to 4 x 4: centres of cells lie at quarters, ends are held."""
    weights = np.array([[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]])
    return np.einsum("yi,xj,bijc->byxc", weights, weights, coarse)


def test_levels_are_resized_stacked_and_normalised():
    layer = JoinMaps()
    found = layer((FINE, COARSE), training=True)
    stacked = np.concatenate([FINE, enlarged(COARSE)], axis=-1)
    mean, variance = stacked.mean((0, 1, 2)), stacked.var((0, 1, 2))
    np.testing.assert_allclose(found, (stacked - mean) / np.sqrt(variance + 1e-5), atol=1e-4)
    # One step of the moving statistics, which the next inference uses.
    normal = layer.normalization
    np.testing.assert_allclose(normal.moving_mean, 0.1 * mean, rtol=1e-4)
    moving_mean, moving_variance = normal.moving_mean.numpy(), normal.moving_variance.numpy()
    expected = (stacked - moving_mean) / np.sqrt(moving_variance + 1e-5)
    np.testing.assert_allclose(layer((FINE, COARSE)), expected, atol=1e-4)


def test_one_level_stays_as_it_is():
    layer = JoinMaps()
    np.testing.assert_array_equal(layer([FINE], training=True), FINE.astype(np.float32))
    assert not layer.weights


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_kept_maps_are_of_any_precision(dtype):
    layer = JoinMaps(dtype="mixed_bfloat16")
    found = layer([FINE.astype(dtype), COARSE.astype(dtype)])
    assert found.dtype == "bfloat16"


def test_dropout_leaves_out_whole_channels_in_training():
    layer = JoinMaps(dropout=0.25)
    maps = np.ones((200, 3, 3, 40), np.float32)
    np.testing.assert_array_equal(layer([maps]), maps)
    found = np.asarray(layer([maps], training=True))
    assert (found == found[:, :1, :1]).all()
    assert set(np.unique(found)) == {0, np.float32(4 / 3)}
    assert abs((found[:, 0, 0] == 0).mean() - 0.25) < 0.02
    again = JoinMaps.from_config(layer.get_config())
    assert again.dropout == 0.25
    assert not np.array_equal(layer([maps], training=True), found)


def test_a_symbolic_call():
    fine, coarse = (keras.Input(shape) for shape in ((4, 4, 2), (2, 2, 3)))
    model = keras.Model([fine, coarse], JoinMaps()([fine, coarse]))
    assert model.output.shape == (None, 4, 4, 5)
    assert model([FINE, COARSE]).shape == (5, 4, 4, 5)
