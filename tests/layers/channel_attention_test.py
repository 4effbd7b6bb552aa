import numpy as np
import pytest

from asen_tf.layers import AttributeChannelAttention


def reference(pooled, attributes, weights, activation):
    """alpha_c = sigmoid(W2 relu(W1 [x_s, q(a)])); x_c = x_s * alpha_c, a pair at a time."""
    (q, q_bias), (w1, b1), (w2, b2) = weights
    result = np.zeros(pooled.shape)
    for index in np.ndindex(pooled.shape[:-1]):
        query = activation(attributes[index] @ q + q_bias)
        hidden = np.maximum(np.concatenate([pooled[index], query]) @ w1 + b1, 0)
        result[index] = pooled[index] / (1 + np.exp(-(hidden @ w2 + b2)))
    return result


@pytest.mark.parametrize(
    ("name", "activation"), [("relu", lambda x: np.maximum(x, 0)), ("tanh", np.tanh)]
)
def test_equals_the_equations(name, activation):
    random = np.random.default_rng(0)
    pooled = random.normal(size=(2, 3, 6)).astype(np.float32)
    attributes = random.normal(size=(2, 3, 4)).astype(np.float32)
    layer = AttributeChannelAttention(query_activation=name)
    layer(pooled, attributes)
    layer.set_weights([random.normal(size=w.shape) for w in layer.weights])
    weights = [
        [w.numpy() for w in dense.weights] for dense in (layer.query, layer.squeeze, layer.excite)
    ]
    expected = reference(pooled, attributes, weights, activation)
    np.testing.assert_allclose(layer(pooled, attributes), expected, atol=1e-5)


def test_relu_is_the_default():
    assert AttributeChannelAttention().get_config()["query_activation"] == "relu"


@pytest.mark.parametrize("reduction", [2, 3])
def test_reduction(reduction):
    layer = AttributeChannelAttention(reduction)
    layer(np.ones((1, 6), np.float32), np.ones((1, 4), np.float32))
    assert [tuple(w.shape) for w in layer.squeeze.weights] == [
        (10, 6 // reduction),
        (6 // reduction,),
    ]
