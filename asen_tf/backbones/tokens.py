"""From the patch tokens of a vision transformer to a feature map."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="asen_tf")
class TokensToGrid(keras.layers.Layer):
    """Patch tokens, row by row, as the square grid that they stand for. A class token is dropped.

    Call arguments:
      tokens: float [B, h * h, C], or [B, 1 + h * h, C] with the class token first.

    Returns:
      float [B, h, h, C].
    """

    def build(self, tokens_shape):
        count = tokens_shape[1]
        self._side = math.isqrt(count or 0)
        if not self._side or count - self._side**2 > 1:
            raise ValueError(
                "a backbone's tokens must be [B, h * h, C], or [B, 1 + h * h, C] with a class "
                f"token first, got {tuple(tokens_shape)}: cut it where they are"
            )

    def call(self, tokens):
        side = self._side
        return ops.reshape(tokens[:, -(side**2) :], (-1, side, side, tokens.shape[-1]))
