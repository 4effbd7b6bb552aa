"""Where a layer's children are made: under its dtype policy, with paths below its name."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def child_scope(layer: keras.Layer) -> Iterator[None]:
    """Children that `layer` makes and builds within it get its policy and paths of their own.

    Keras takes both from globals, which are given back at the end: without it, children made in
    `__init__` follow the global dtype policy, and the variables of two instances share their paths.
    A child that must stay float32 gets an explicit `dtype`.

    Args:
      layer: the parent, after `super().__init__`, in its own `__init__` or `build`.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(layer.dtype_policy)
    try:
        with keras.name_scope(layer.name, caller=layer):
            yield
    finally:
        keras.config.set_dtype_policy(before)
