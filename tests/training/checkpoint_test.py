"""What a stage goes on with."""

import keras
import numpy as np

from asen_tf.training.checkpoint import Checkpoints


def build(folder):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dropout(0.5), keras.layers.Dense(4), keras.layers.ReLU()]
    )
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    return model, Checkpoints(folder, model, optimizer)


def test_dropout_goes_on_with_the_numbers_that_come_next(tmp_path):
    ones = np.ones((3, 8), np.float32)
    model, checkpoints = build(tmp_path)
    model(ones, training=True)
    checkpoints.step = 1
    checkpoints.save()
    expected = model(ones, training=True)
    again, checkpoints = build(tmp_path)
    assert checkpoints.restore() and checkpoints.step == 1
    np.testing.assert_array_equal(again(ones, training=True), expected)
