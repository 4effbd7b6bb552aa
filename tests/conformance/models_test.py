"""What every registered model must do, whatever it computes."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf.core import config as configs
from asen_tf.models import registry
from asen_tf.training.stages import plan
from asen_tf.training.step import TrainStep

ATTRIBUTES = 3
OFFSETS = (0, 2, 4, 7)
BATCH = 4


def settings(name):
    """The paper's experiment, as small as it can be."""
    config = configs.defaults()
    config.model.name = name
    for branch in ("global_branch", "local_branch"):
        config.model[branch].update(configs.branch("resnet10", size=32, common_dim=8))
        config.model[branch].embedding_dim = 8
    config.model.attribute_dim = 8
    config.train.batch_size = BATCH
    # Every triplet has a loss, so that every step has a gradient.
    config.train.margin = 2.5
    return config


def build(name):
    keras.utils.set_random_seed(1)
    return registry.build(settings(name), ATTRIBUTES)


def photographs(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)


def triplets(side):
    return {"images": photographs(BATCH, 3, side, side), "attributes": np.int32([0, 1, 2, 1])}


def frozen_statistics(objective):
    """The objective with batch normalisation as in inference: it sees only its own replica."""
    return lambda model, batch, names, training: objective(model, batch, names, training=False)


def train_one_step(model, config, strategy, objective):
    """Moves the model by a step of the last stage, and gives the losses of that step."""
    step = TrainStep(strategy, model, objective, plan(config)[-1], BATCH, steps_per_epoch=1)
    batches = tf.data.Dataset.from_tensors(triplets(model.canvas_size)).unbatch().batch(BATCH)
    measures = step(next(iter(strategy.experimental_distribute_dataset(batches))))
    return {name: float(measures[name]) for name in ("total", *plan(config)[-1].losses)}


def compare_replicas(name):
    """Asserts that a step on two replicas is that on one."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
    one, two = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    assert two.num_replicas_in_sync == 2
    config = settings(name)
    objective = registry.objective(config, OFFSETS)
    alone = build(name)
    with two.scope():
        mirrored = build(name)
    before = alone.get_weights()

    # Batch normalisation sees one replica's images only, so that it must stand still here.
    frozen = frozen_statistics(objective)
    expected = train_one_step(alone, config, one, frozen)
    losses = train_one_step(mirrored, config, two, frozen)
    for loss, value in expected.items():
        np.testing.assert_allclose(losses[loss], value, rtol=1e-5, err_msg=loss)
    moved = 0
    for variable, start, result, wanted in zip(
        alone.variables, before, mirrored.get_weights(), alone.get_weights(), strict=True
    ):
        np.testing.assert_allclose(result, wanted, atol=1e-5, err_msg=variable.path)
        moved += np.abs(wanted - start).max() > 0
    assert moved > 0.9 * len(alone.trainable_variables)

    losses = train_one_step(mirrored, config, two, objective)
    assert all(np.isfinite(value) for value in losses.values())
    for variable, start in zip(
        mirrored.non_trainable_variables, map(np.asarray, alone.non_trainable_variables), strict=True
    ):
        first, second = (value.numpy() for value in two.experimental_local_results(variable.value))
        assert np.abs(first - start).max() > 0, f"{variable.path} stands still"
        np.testing.assert_array_equal(first, second, err_msg=variable.path)


ls.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(loaded.embed_all(images), model.embed_all(images), atol=1e-6)


def test_weights_file(model, name, images, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    keras.utils.set_random_seed(2)
    other = registry.build(settings(name), ATTRIBUTES)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(other.embed_all(images), model.embed_all(images), atol=1e-6)


def test_two_replicas_step_as_one(name):
    """In a process of its own: a processor can be split only before TensorFlow touches it."""
    result = subprocess.run(
        [sys.executable, __file__, name],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-4000:]


if __name__ == "__main__":
    compare_replicas(sys.argv[1])
