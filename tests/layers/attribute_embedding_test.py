import keras
import numpy as np

from asen_tf.layers import AttributeEmbedding


def test_gives_the_rows_of_its_table():
    layer = AttributeEmbedding(4, 3)
    layer.build((None,))
    table = np.arange(12, dtype=np.float32).reshape(4, 3)
    layer.set_weights([table])
    np.testing.assert_array_equal(layer(np.array([[3, 0], [1, 1]])), table[[[3, 0], [1, 1]]])


def test_starts_unit_normal():
    keras.utils.set_random_seed(0)
    layer = AttributeEmbedding(100, 200)
    layer.build((None,))
    table = layer.embeddings.numpy()
    # 20 000 draws: mean and deviation are known to about 0.007 and 0.005.
    assert abs(table.mean()) < 0.03 and abs(table.std() - 1) < 0.02
