"""What every registered model must do, whatever it computes."""

import json
import os
import runpy
import subprocess
import sys
import traceback
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from asen_tf import losses, models
from asen_tf.core import AttributeSpace
from asen_tf.core.choices import FILE_ENDINGS
from asen_tf.models import MODELS
from asen_tf.serving.export import SIGNATURES, export_file, export_model, write
from asen_tf.training import optimizer
from asen_tf.training.stages import plan
from asen_tf.training.step import TrainStep
from tests.networks import shrink

SPACE = AttributeSpace({"collar": ["v", "o"], "hem": ["long", "short"], "fit": ["s", "m", "l"]})
ATTRIBUTES = len(SPACE)
BATCH = 4
# Settings with which a model computes in another way than its experiment has it.
VARIANTS = [
    ("asen", {"localization": "largest"}),
    ("asen", {"localization": "peak"}),
    ("asen", {"localization": "whole"}),
    ("csn", {"distance": "euclidean", "masks": "disjoint"}),
]


def settings(name):
    """The model's experiment on synthetic garments, as small as it can be."""
    path = Path(__file__).parents[2] / "configs" / name / "synthetic.py"
    config = runpy.run_path(str(path))["get_config"]()
    shrink(config.model)
    if "parts" in config.model:
        config.model.parts = {"collar": "collar", "hem": "sleeves"}
    for stage in (config.stage1, config.stage2):
        # Every triplet has a loss, so that every variable has a gradient; the first step a rate.
        stage.schedule = {"name": "constant"}
        for loss in stage.losses.values():
            for key, value in (("margin", 2.5), ("mining", "none")):
                if key in loss:
                    loss[key] = value
    return config


def build(name, seed=1):
    keras.utils.set_random_seed(seed)
    return models.build(settings(name).model, SPACE)


def photographs(*shape):
    return np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)


@pytest.fixture(scope="module", params=MODELS.names())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return build(name)


@pytest.fixture(scope="module")
def images(model):
    return photographs(2, model.image_size, model.image_size)


def test_unknown_batch_size(model):
    side = model.image_size
    embed = tf.function(
        model.embed,
        input_signature=[
            tf.TensorSpec((None, side, side, 3), tf.uint8),
            tf.TensorSpec((None, None), tf.int32),
        ],
    )
    images = photographs(5, side, side)
    ids = np.random.default_rng(0).integers(0, ATTRIBUTES, (5, 2)).astype(np.int32)
    together = embed(images, ids).numpy()
    assert together.shape[:2] == (5, 2)
    for i in range(5):
        alone = embed(images[i : i + 1], ids[i : i + 1])
        np.testing.assert_allclose(alone[0], together[i], atol=1e-5)


def test_unit_vectors(model, images):
    every = model.embed_all(images)
    assert every.dtype == tf.float32 and every.shape[:2] == (2, ATTRIBUTES)
    np.testing.assert_allclose(np.linalg.norm(every, axis=-1), np.ones((2, ATTRIBUTES)), atol=1e-5)


def test_slices_cover_the_embedding(model, images):
    covered = np.zeros(model.embed_all(images).shape[-1], bool)
    for piece in model.embedding_slices().values():
        covered[piece] = True
    assert covered.all()


def test_changed_embeddings(model, images):
    vectors, ids = model.embed(images, [0, 0]), [[0, 2], [1, 2]]
    if not model.manipulates:
        with pytest.raises(NotImplementedError, match="does not change embeddings"):
            model.change(vectors, ids, ids)
        return
    changed = model.change(vectors, ids, [[1, 0], [1, 2]])
    assert changed.shape == vectors.shape and np.abs(changed - vectors).max() > 1e-3
    np.testing.assert_allclose(np.linalg.norm(changed, axis=-1), np.ones(2), atol=1e-5)
    # The same for every attribute.
    np.testing.assert_array_equal(model.embed(images, [1, 2]), vectors)


def test_every_stage_has_a_rate_for_each_variable(model, name):
    learnable = {variable.path for variable in model.trainable_variables}
    for stage in plan(settings(name)):
        optimizer(model, stage.rates, stage.optimizer)
    learned = {variable.path for variable in model.trainable_variables}
    assert learned | set(model.frozen_paths) == learnable
    # The baseline is one of frozen features.
    assert all(name == "linear" and "/features/" in path for path in model.frozen_paths)


def test_checkpoint(model, name, images, tmp_path):
    path = tf.train.Checkpoint(model=model).save(tmp_path / "checkpoint")
    other, expected = build(name, seed=2), model.embed_all(images)
    assert np.abs(other.embed_all(images) - expected).max() > 0.01
    tf.train.Checkpoint(model=other).restore(path).assert_consumed()
    np.testing.assert_allclose(other.embed_all(images), expected, atol=1e-6)


def test_weights_file(model, name, images, tmp_path):
    model.save_weights(tmp_path / "model.weights.h5")
    other = build(name, seed=2)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(other.embed_all(images), model.embed_all(images), atol=1e-6)


def test_saved_and_loaded(model, images, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(loaded.embed_all(images), model.embed_all(images), atol=1e-6)


def test_exported_for_a_server(model, tmp_path):
    """`export_model` compares it with the model in the session loader and tf.saved_model.load."""
    export_model(model, SPACE, tmp_path, attributes=["hem"])


@pytest.mark.parametrize(("format", "ending"), FILE_ENDINGS.items())
def test_exported_as_one_file(model, format, ending, tmp_path):
    """`export_file` compares what it gives for photographs with what the model gives, to 1e-4."""
    export_file(model, SPACE, tmp_path / f"model{ending}", format, ["hem", "fit"])


@pytest.mark.parametrize(("name", "changes"), VARIANTS, ids=str)
def test_variants_exported_for_a_server(name, changes, tmp_path, monkeypatch):
    """`export_model` compares them with the model in both loaders, boxes too."""
    config = settings(name)
    config.model.update_from_flattened_dict(changes)
    model = models.build(config.model, SPACE)
    kind = "explain" if model.explains else "embed"
    answers = lambda _, attributes: {kind: SIGNATURES[kind](*attributes)}  # noqa: E731
    monkeypatch.setattr(write, "signatures_of", answers)
    export_model(model, SPACE, tmp_path, attributes=["collar"])


def test_no_sum_of_a_step_depends_on_its_timing(name):
    """TensorFlow begins a sum of three or more with whichever of them it may overwrite."""
    skip_without_steps(name)
    step, batches = last_step(build(name), name, tf.distribute.get_strategy())
    traced = tf.function(step.__call__).get_concrete_function(next(iter(batches)))
    nodes = [n for f in traced.graph.as_graph_def().library.function for n in f.node_def]
    sums = [node for node in nodes if node.op == "AddN"]
    assert sums and {len(node.input) for node in sums} == {2}


@pytest.fixture(scope="module")
def differences():
    """Model -> how its step on two replicas differs from that on one, "" where it does not.

    From one process of their own: a processor can be split only before TensorFlow touches it.
    """
    result = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_two_replicas_step_as_one(name, differences):
    skip_without_steps(name)
    assert differences[name] == ""


def takes_steps(name):
    return plan(settings(name))[-1].steps > 0


def skip_without_steps(name):
    if not takes_steps(name):
        pytest.skip("its experiment takes no steps")


def compare_replicas(name, two):
    """Asserts that a step on two replicas, of a strategy, is that on one."""
    one = tf.distribute.get_strategy()
    alone = build(name)
    with two.scope():
        mirrored = build(name)
    before = alone.get_weights()

    # Batch normalisation sees the images of its own replica only: here it must not.
    expected = train_one_step(alone, name, one, frozen=True)
    losses = train_one_step(mirrored, name, two, frozen=True)
    for loss, value in expected.items():
        np.testing.assert_allclose(losses[loss], value, rtol=1e-5, err_msg=loss)
    weights = alone.get_weights()
    for variable, mine, other in zip(alone.weights, weights, mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(other, mine, atol=1e-5, err_msg=variable.path)
    moved = sum(np.abs(a - b).max() > 0 for a, b in zip(before, weights, strict=True))
    assert moved > 0.9 * len(alone.trainable_variables)

    losses = train_one_step(mirrored, name, two)
    assert all(np.isfinite(value) for value in losses.values())
    for variable, start in zip(
        mirrored.non_trainable_weights, alone.non_trainable_weights, strict=True
    ):
        of_replicas = [v.numpy() for v in two.experimental_local_results(variable.value)]
        moved = np.abs(of_replicas[0] - np.asarray(start)).max()
        assert moved > 0, f"{variable.path} stands still"
        np.testing.assert_array_equal(*of_replicas, err_msg=variable.path)


def last_step(model, name, strategy):
    """The training step of the model's last stage, and batches (x, y) for it."""
    stage = plan(settings(name))[-1]
    with strategy.scope():
        made, weights = losses.build(stage.losses, SPACE.offsets)
        model.compile(optimizer=None, loss=made, loss_weights=weights)
        step = TrainStep(strategy, model, optimizer(model, stage.rates, stage.optimizer))
    side, rows = model.image_size, 3 * BATCH
    attributes = np.repeat(np.int32([0, 1, 2, 1]), 3)[:, None]
    values = np.random.default_rng(0).integers(SPACE.value_counts, size=(rows, ATTRIBUTES))
    labels = (values + SPACE.offsets[:-1])[..., None] == np.arange(SPACE.offsets[-1])
    labels = labels.any(-2)
    inputs = {"images": photographs(rows, side, side), "attributes": attributes, "changes": labels}
    targets = {"labels": labels, "changed_labels": labels, "attributes": attributes}
    targets["roles"] = np.tile(np.arange(3, dtype=np.int32), BATCH)
    return step, tf.data.Dataset.from_tensor_slices((inputs, targets)).batch(rows)


def train_one_step(model, name, strategy, frozen=False):
    """Moves the model by a step of its last stage, and gives the losses of that step."""
    step, batches = last_step(model, name, strategy)
    if frozen:
        compute = model.compute_outputs
        model.compute_outputs = lambda x, names, training: compute(x, names, training=False)
    measured = step(next(iter(strategy.experimental_distribute_dataset(batches))))
    if frozen:
        del model.compute_outputs
    means = {metric.name: metric.result() for metric in model.metrics}
    return {name: float(value) for name, value in {**means, "loss": measured["loss"]}.items()}


def compare_all():
    """Prints what `differences` gives.

    Eagerly: tracing a step for each replica would take longer than all the rest.
    """
    tf.config.run_functions_eagerly(True)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, 2 * [tf.config.LogicalDeviceConfiguration()])
    two = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
    found = dict.fromkeys(filter(takes_steps, MODELS.names()), "")
    for name in found:
        try:
            compare_replicas(name, two)
        except Exception:
            found[name] = traceback.format_exc()
    print(json.dumps(found))


if __name__ == "__main__":
    compare_all()
