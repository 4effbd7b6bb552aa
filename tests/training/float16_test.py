"""Training in float16, where gradients would vanish or overflow: the loss is scaled."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from asen_tf.training import optimizer
from asen_tf.training.checkpoint import Checkpoints
from asen_tf.training.step import TrainStep

# Far below the least float16, 6e-8, is what most gradients of the networks inside would be.
WEIGHT = 1e-7


def gradients_of_asen(precision, start):
    """What a step at rate 1 takes from the weights, and the weights it began with."""
    config, space = configs.defaults(), AttributeSpace({n: ("yes", "no") for n in "ab"})
    for branch in (config.model.global_branch, config.model.local_branch):
        branch.update({"backbone": "resnet6", "size": 32})
    model = models.build(config.model, space, precision)
    model.set_weights(start or model.get_weights())
    made, _ = losses.build({"size": {"name": "norm", "output": "global"}}, (0, 2, 4))
    model.compile(optimizer=None, loss=made, loss_weights={"size": WEIGHT})
    step = TrainStep(
        tf.distribute.get_strategy(),
        model,
        optimizer(model, {"local_branch": 0.0, ".*": 1 / WEIGHT}, "sgd"),
    )
    before = [v.numpy() for v in model.trainable_variables]
    start = model.get_weights()
    side = model.image_size
    images = np.random.default_rng(0).integers(0, 256, (6, side, side, 3), np.uint8)
    x = {"images": images, "attributes": np.repeat(np.int32([0, 1]), 3)[:, None]}
    y = {"attributes": x["attributes"], "roles": np.tile(np.int32([0, 1, 2]), 2)}
    measured = step(tf.nest.map_structure(tf.constant, (x, y)))
    after = [v.numpy() for v in model.trainable_variables]
    taken = np.concatenate([np.ravel(b - a) for b, a in zip(before, after, strict=True)])
    return taken, float(measured["gradient_norm"]) / WEIGHT, start


def test_a_step_agrees_with_float32():
    """To a tenth of the gradient's norm: measured 0.045, and 0.18 in bfloat16."""
    keras.utils.set_random_seed(0)
    expected, norm, start = gradients_of_asen("float32", None)
    found, found_norm, _ = gradients_of_asen("mixed_float16", start)
    assert np.linalg.norm(expected) == pytest.approx(norm, rel=1e-3) and norm > 1
    assert np.linalg.norm(found - expected) < 0.1 * norm
    assert found_norm == pytest.approx(norm, rel=0.1)


class Linear(keras.Sequential):
    """Two layers, whose loss is the mean of what they give, times the targets."""

    def __init__(self):
        super().__init__([keras.Input((3,)), *(keras.layers.Dense(2, name=n) for n in "ab")])

    def compute_loss(self, x, y, outputs, training):
        return tf.reduce_mean(tf.cast(outputs, tf.float32) * y)


def linear(strategy):
    """A model in float16 of two rates, its optimizer, and a step on (3 ones, target) rows."""
    keras.config.set_dtype_policy("mixed_float16")
    try:
        with strategy.scope():
            model = Linear()
            made = optimizer(model, {"a/": 0.5, ".*": 0.1}, "sgd")
    finally:
        keras.config.set_dtype_policy("float32")
    step = TrainStep(strategy, model, made)

    def on(*targets):
        rows = np.ones((len(targets), 3), np.float32), np.float32(targets)[:, None]

        def batches(context):
            size = len(targets) // context.num_replicas_in_sync
            return tf.data.Dataset.from_tensor_slices(rows).batch(size)

        measured = step(next(iter(strategy.distribute_datasets_from_function(batches))))
        return {name: float(value) for name, value in measured.items()}

    return model, made, on


def overflows(strategy):
    """Steps, of which the second overflows in the last rows alone."""
    model, made, on = linear(strategy)
    for targets, moves, scale in [
        ((1, 1, 1, 1), True, 2**15),
        ((1, 1, 1e5, 1e5), False, 2**14),
        ((1e5, 1e5, 1, 1), False, 2**13),
        ((1, 1, 1, 1), True, 2**13),
    ]:
        before = model.get_weights()
        measured = on(*targets)
        assert np.isfinite(measured["loss"])
        assert (measured["gradient_norm"] > 0) == moves
        pairs = zip(before, model.get_weights(), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs) != moves
        scales = strategy.experimental_local_results(made.dynamic_scale.value)
        assert {float(s) for s in scales} == {scale}


def test_an_overflow_skips_the_step_and_halves_the_scale():
    overflows(tf.distribute.get_strategy())


def test_an_overflow_of_one_replica_is_all_replicas():
    """Keras 3.15 asks the first one alone, and ruins the weights of all where another overflows."""
    program = (
        "from asen_tf.training import strategy\n"
        "from tests.training.float16_test import overflows\n"
        "overflows(strategy.create('mirrored', 2))\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-5000:]


def test_gradients_that_are_no_numbers_at_any_scale_are_said():
    """So that a run stops, as in float32, once scaling less cannot help."""
    _, made, on = linear(tf.distribute.get_strategy())
    made.dynamic_scale.assign(2.0)
    assert on(float("inf"))["gradient_norm"] == 0
    assert not np.isfinite(on(float("inf"))["gradient_norm"])


def test_the_scale_goes_on_from_a_checkpoint(tmp_path):
    model, made, on = linear(tf.distribute.get_strategy())
    on(1)
    on(1e5)
    Checkpoints(tmp_path, model, made).save()
    again, other, _ = linear(tf.distribute.get_strategy())
    assert Checkpoints(tmp_path, again, other).restore()
    for one, of_other in zip(made.variables, other.variables, strict=True):
        np.testing.assert_array_equal(one, of_other, err_msg=one.path)
