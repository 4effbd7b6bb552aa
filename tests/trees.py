"""What holds for every layer of a tree: its dtype policy, and paths of its own."""

import keras


def assert_one_policy(layer: keras.Layer, policy: str) -> None:
    """The layer, and all below it that hold variables of floats, have this dtype policy."""
    wrong = [
        f"{at.path or at.name}: {at.dtype_policy.name}"
        for at in (layer, *layer._flatten_layers(include_self=False))
        if at.dtype_policy.name != policy
        and any(keras.backend.is_float_dtype(v.dtype) for v in at.variables)
    ]
    assert not wrong, f"not {policy}: {wrong}"


def assert_own_paths(*layers: keras.Layer) -> None:
    """No two variables of these have the same path."""
    paths = [variable.path for layer in layers for variable in layer.variables]
    assert len(set(paths)) == len(paths), sorted(p for p in set(paths) if paths.count(p) > 1)
