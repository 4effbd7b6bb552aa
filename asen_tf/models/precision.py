"""What networks compute in."""

import contextlib
from collections.abc import Iterator

import keras

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"
PRECISIONS = (FLOAT32, BFLOAT16)


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Keras takes the policy of new layers from a global; this one is given back."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
