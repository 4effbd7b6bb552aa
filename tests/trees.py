"""What holds for every layer of a tree: its dtype policy, and paths of its own."""

from collections.abc import Collection

import keras


def assert_one_policy(layer: keras.Layer, policy: str, float32: Collection[str] = ()) -> None:
    """The layer, and all below it that hold variables of floats, have this dtype policy.

    Args:
      float32: names of layers that are float32, with all below them, under every policy.
    """
    exact = [at for at in _below(layer) if at.name in float32]
    assert {at.name for at in exact} == set(float32)
    exact = {id(below) for at in exact for below in _below(at)}
    wrong = [
        f"{at.path or at.name}: {at.dtype_policy.name}"
        for at in _below(layer)
        if at.dtype_policy.name != ("float32" if id(at) in exact else policy)
        and any(keras.backend.is_float_dtype(v.dtype) for v in at.variables)
    ]
    assert not wrong, f"not {policy}: {wrong}"


def assert_own_paths(*layers: keras.Layer) -> None:
    """No two variables of these have the same path."""
    paths = [variable.path for layer in layers for variable in layer.variables]
    assert len(set(paths)) == len(paths), sorted(p for p in set(paths) if paths.count(p) > 1)


def _below(layer):
    return [layer, *layer._flatten_layers(include_self=False)]
