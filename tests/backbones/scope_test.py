import keras
import pytest

from asen_tf.backbones.scope import child_scope


class Outer(keras.Layer):
    def __init__(self, depth, **kwargs):
        super().__init__(**kwargs)
        with child_scope(self):
            self.inner = Outer(depth - 1, name="inner") if depth else keras.layers.Dense(2)
            self.exact = keras.layers.Dense(2, dtype="float32", name="exact")
            self.exact.build((None, 3))
            if not depth:
                self.inner.build((None, 3))


def test_children_have_the_policy_and_paths_of_their_own():
    one, two = (Outer(1, dtype="mixed_bfloat16", name=name) for name in ("one", "two"))
    dense = one.inner.inner
    assert dense.dtype_policy.name == one.inner.dtype_policy.name == "mixed_bfloat16"
    assert one.exact.dtype_policy.name == "float32"
    assert one.inner.exact.kernel.path == "one/inner/exact/kernel"
    paths = [v.path for layer in (one, two) for v in layer.variables]
    assert len(set(paths)) == len(paths) == 12


def test_inside_build():
    """The layer's own scope, which Keras has opened for `build`, is not opened again."""

    class Late(keras.Layer):
        def build(self, shape):
            with child_scope(self):
                self.inner = keras.layers.Dense(2, name="inner")
                self.inner.build(shape)

    layer = Late(name="late", dtype="bfloat16")
    layer.build((None, 3))
    assert layer.inner.kernel.path == "late/inner/kernel"
    assert layer.inner.kernel.dtype == "bfloat16"


def test_policy_and_path_are_given_back():
    layer = keras.Layer(dtype="bfloat16", name="parent")
    with pytest.raises(KeyError), child_scope(layer):
        raise KeyError
    dense = keras.layers.Dense(2, name="outside")
    dense.build((None, 3))
    assert dense.dtype_policy.name == keras.config.dtype_policy().name == "float32"
    assert dense.kernel.path == "outside/kernel"
