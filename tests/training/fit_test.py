"""Models of the library train by Keras's own fit, with the losses of the programs."""

import keras
import numpy as np
import pytest

from asen_tf import models
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.data import load
from asen_tf.data.pipeline import training_batches
from asen_tf.losses import AlignmentLoss, TripletLoss
from asen_tf.training import optimizer
from asen_tf.training.train import train
from tests.networks import shrink


@pytest.fixture(scope="module")
def config(catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    experiments.small(config, "resnet10")
    shrink(config.model, backbone="resnet10", embedding_dim=16)
    config.train.batch_size = 6
    config.train.steps_per_epoch = 4
    config.train.stages = ("stage2",)
    config.stage2.epochs = 1
    config.stage2.copies = ()
    config.stage2.attributes_per_step = 0
    config.eval.every_epochs = 0
    return config


@pytest.fixture(scope="module")
def manifest(config):
    return load.load(config.data)


def test_five_lines_and_keras_callbacks(manifest):
    settings = {"backbone": "resnet6", "size": 32, "embedding_dim": 8, "common_dim": 8}
    model = models.ASEN(len(manifest.space), settings, settings, attribute_dim=8)
    loss = TripletLoss("global", mining="semi_hard", offsets=manifest.space.offsets, margin=1.0)
    model.compile("adam", loss={"global_triplet": loss})
    batches = training_batches(manifest, model.image_size, batch_size=12)
    stop = keras.callbacks.EarlyStopping("global_triplet", mode="min", patience=10)
    history = model.fit(batches, steps_per_epoch=3, epochs=6, callbacks=[stop], verbose=0).history
    assert history["global_triplet"] == pytest.approx(history["loss"], rel=1e-5)
    assert history["loss"][-1] < history["loss"][0]
    scores = model.evaluate(batches, steps=2, verbose=0, return_dict=True)
    assert scores["loss"] == pytest.approx(scores["global_triplet"], rel=1e-5)
    embedding = model.predict(batches.take(1), verbose=0)["embedding"]
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=-1), 1, atol=1e-5)


def test_fit_takes_the_steps_that_asen_train_takes(config, manifest, tmp_path):
    """Four steps of stage 2: two optimizers, three losses, both branches."""
    run = train(config, tmp_path / "run")
    trained = run.load_best().get_weights()

    keras.utils.set_random_seed(config.train.seed)
    model = models.build(config.model, manifest.space)
    offsets = manifest.space.offsets
    model.compile(
        optimizer(model, config.stage2.rates, config.stage2.optimizer, cosine(config, 4)),
        loss={
            "global_triplet": TripletLoss("global", mining="all", offsets=offsets),
            "local_triplet": TripletLoss("local", mining="all", offsets=offsets),
            "alignment": AlignmentLoss(),
        },
        loss_weights={"alignment": 0.03},
    )
    start = model.get_weights()
    batches = training_batches(manifest, model.image_size, batch_size=6)
    model.fit(batches, steps_per_epoch=4, verbose=0)
    for own, other in zip(model.get_weights(), trained, strict=True):
        np.testing.assert_allclose(own, other, atol=2e-6)
    assert max(np.abs(a - b).max() for a, b in zip(trained, start, strict=True)) > 1e-4


def cosine(config, steps):
    return lambda rate: keras.optimizers.schedules.CosineDecay(rate, steps)


def test_saved_compiled_it_goes_on(manifest, tmp_path):
    settings = {"backbone": "resnet6", "size": 32, "embedding_dim": 8}
    model = models.TripletNet(len(manifest.space), **settings, name="net")
    loss = TripletLoss("global", mining="all", offsets=manifest.space.offsets)
    rates = {"projection": 1e-2, ".*": 1e-3}
    model.compile(optimizer(model, rates), loss=loss, loss_weights={loss.name: 0.5})
    batches = training_batches(manifest, model.image_size, batch_size=12)
    model.fit(batches, steps_per_epoch=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for one in (model, loaded):
        one.fit(batches, steps_per_epoch=1, verbose=0)
    for own, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(own, other, atol=1e-6)


@pytest.mark.parametrize("sampling", ["triplet", "multi_attribute"])
def test_mining_and_sampling_must_fit(manifest, sampling):
    settings = {"backbone": "resnet6", "size": 32, "embedding_dim": 8}
    model = models.TripletNet(len(manifest.space), **settings)
    mining = {"triplet": "all", "multi_attribute": "none"}[sampling]
    model.compile("sgd", loss=TripletLoss("global", mining=mining))
    batches = training_batches(manifest, model.image_size, batch_size=4, sampling=sampling)
    with pytest.raises(ValueError, match="mining="):
        model.fit(batches, steps_per_epoch=1, verbose=0)


def test_what_compile_refuses(manifest):
    model = models.TripletNet(2, "resnet6", 32, 8)
    with pytest.raises(ValueError, match="unknown loss in loss_weights 'b'"):
        model.compile("sgd", loss={"a": TripletLoss("global")}, loss_weights={"b": 1.0})
    with pytest.raises(ValueError, match="must be an asen_tf.losses.Loss.*got str"):
        model.compile("sgd", loss="mse")
    model.compile("sgd")
    with pytest.raises(ValueError, match="no loss to compute"):
        model.fit(training_batches(manifest, 64, batch_size=4), steps_per_epoch=1, verbose=0)
