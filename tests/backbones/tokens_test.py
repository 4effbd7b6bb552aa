import keras
import numpy as np
import pytest

from asen_tf.backbones import TokensToGrid

TOKENS = np.arange(2 * 10 * 3, dtype=np.float32).reshape(2, 10, 3)


@pytest.mark.parametrize("tokens", [TOKENS, TOKENS[:, 1:]])
def test_patches_row_by_row_without_the_class_token(tokens):
    grid = TokensToGrid()(tokens)
    assert grid.shape == (2, 3, 3, 3)
    np.testing.assert_array_equal(grid[:, 1, 2], TOKENS[:, 1 + 3 + 2])


def test_saved_and_loaded(tmp_path):
    tokens = keras.Input((10, 3))
    model = keras.Model(tokens, TokensToGrid()(tokens))
    assert model.output.shape == (None, 3, 3, 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(TOKENS), model(TOKENS))


@pytest.mark.parametrize("count", [8, 11, None])
def test_tokens_that_are_no_square(count):
    with pytest.raises(ValueError, match=r"tokens must be \[B, h \* h, C\].*got \(None, "):
        TokensToGrid()(keras.Input((count, 3)))
