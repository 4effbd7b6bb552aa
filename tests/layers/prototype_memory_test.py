import numpy as np

from asen_tf.layers import PrototypeMemory


def test_against_plain_numpy():
    generator = np.random.default_rng(0)
    memory = PrototypeMemory(5, 4)
    memory.build((None, 5))
    weights = [generator.normal(size=shape).astype(np.float32) for shape in ((5, 4), (5, 5))]
    memory.set_weights(weights)
    wanted = generator.normal(size=(2, 3, 5)).astype(np.float32)
    prototypes, controller = weights
    exponents = np.exp(wanted @ controller)
    expected = exponents / exponents.sum(-1, keepdims=True) @ prototypes
    np.testing.assert_allclose(memory(wanted), expected, rtol=1e-4)


def test_starts_by_reading_what_is_wanted():
    memory = PrototypeMemory(6, 3, sharpness=15.0)
    memory.build((None, 6))
    prototypes = memory.prototypes.numpy()
    wanted = np.eye(6, dtype=np.float32)
    np.testing.assert_allclose(memory(wanted), prototypes, atol=1e-4)
    both = memory(wanted[[1]] + wanted[[4]])
    np.testing.assert_allclose(both[0], (prototypes[1] + prototypes[4]) / 2, atol=1e-4)
