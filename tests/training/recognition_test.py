"""Classifiers of values that are computed from labelled photographs."""

import keras
import numpy as np
import pytest
from sklearn.metrics import log_loss

import asen_tf
from asen_tf import models
from asen_tf.core import config as configs
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.evaluation.report import tables
from asen_tf.keras_embedder import KerasEmbedder
from asen_tf.training import recognition
from asen_tf.training.recognition import fit_recognition, temperature
from asen_tf.training.train import train
from asen_tf.training.validation import Validation
from asen_tf.workdir import Workdir
from tests.training.runs import tiny

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def config(catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    return config


@pytest.fixture(scope="module")
def manifest(config):
    return load(config.data)


@pytest.fixture
def model(manifest):
    keras.utils.set_random_seed(0)
    settings = {"name": "triplet_net", "backbone": "resnet10", "size": 32, "image_scale": 1}
    return models.build({**settings, "embedding_dim": 16}, manifest.space)


def photographs(manifest, split):
    return [manifest.path(row) for row in manifest.rows(split)]


def right(embedder, manifest, split):
    """The share of photographs whose most probable color is their own."""
    found = embedder.predict(photographs(manifest, split), "color").argmax(1)
    labels = manifest.labels_of(split)
    return (found == labels["value"][labels["attribute"] == manifest.space.index("color")]).mean()


def test_a_model_in_memory_learns_no_weight(model, manifest):
    before = model.get_weights()
    asen_tf.fit_recognition(model, manifest)
    assert all(map(np.array_equal, before, model.get_weights()))
    assert right(KerasEmbedder(model, manifest.space), manifest, "test") > 0.8


def test_a_run_gets_them_beside_its_weights(model, manifest, config, tmp_path):
    run = Workdir(tmp_path)
    run.begin(config, manifest.space, manifest)
    run.save_best(model, "stage1")
    run.write_best({"stage": "stage1", "step": 3, "map": 0.5, "slices": None})
    embedder = asen_tf.load(run.path)
    with pytest.raises(NotImplementedError, match=r"asen_tf.fit_recognition\(RUN\) teaches a run"):
        embedder.predict(photographs(manifest, "test"), "color")
    asen_tf.fit_recognition(run)
    taught = asen_tf.load(run.path)
    assert right(taught, manifest, "test") > 0.8
    shown = photographs(manifest, "test")
    np.testing.assert_array_equal(taught.embed_all(shown), embedder.embed_all(shown))
    assert run.best()["recognition"] and run.best()["map"] == 0.5


def test_embeddings_hold_them_where_that_validates_better(catalogue, tmp_path):
    config = tiny(catalogue, steps_per_epoch=2, embed_values=True)
    config.stage1.epochs = config.stage2.epochs = 1
    run = train(config, tmp_path)
    best = run.best()
    assert list(best["values"]) == ["color", "side"] and best["recognition"]
    assert run.load_best().used_value_inputs == ["global_pooled", "local_pooled"]
    assert best["slices"] == ["global", "local", "values"]
    assert 0 < max(best["values"].values()) <= 1
    *_, last = run.history()
    assert {name: last[f"values/{name}"] for name in best["values"]} == best["values"]
    result = asen_tf.evaluate(run, split="valid", slices=("every",))
    assert list(result["variants"]) == ["all", "both", "global", "local", "values"]
    assert result["variant"] == "all" and result["values"] == pytest.approx(best["values"])
    assert result["map"] == last["valid_map"] == pytest.approx(best["map"], abs=1e-4)
    assert result["map"] > result["variants"]["both"]["map"]
    assert "values" in tables(result).splitlines()[0].split()
    asen_tf.fit_recognition(run)
    again = run.best()
    assert again["slices"] == best["slices"] and again["map"] >= result["variants"]["both"]["map"]
    with pytest.raises(ValueError, match="values are computed from all of global, local, values"):
        asen_tf.export(run.path, tmp_path / "export", slices=("global", "values"))
    model, manifest = run.load_best(), run.manifest()
    known = model.value_classifiers
    side = np.arange(*known.offsets[1:])
    known.kernel[:, side] = 0  # as of an attribute with one value
    load_images = open_images(manifest, np.arange(len(manifest)), model.image_size, "none")
    chosen = Validation(config, manifest, model).choose_value_shares(None, load_images)
    assert chosen["values"]["side"] == 0 < chosen["values"]["color"]
    width = sum(model.slices.values())
    vectors = asen_tf.load(run.path).embed_all(photographs(run.manifest(), "test"))
    assert vectors.shape[2] == width + max(run.space().value_counts)


def test_only_what_there_is_time_for(model, manifest, monkeypatch):
    used, solve = [], recognition.linear_discriminant
    monkeypatch.setattr(
        recognition, "linear_discriminant", lambda v, own: used.append(len(v)) or solve(v, own)
    )
    rows = np.arange(len(manifest))
    load_images = open_images(manifest, rows, model.image_size, "none")
    fit_recognition(model, manifest, load_images, batch_size=2, seconds=0)
    assert used == [8, 8]  # of 24; the clock is looked at after four batches
    fit_recognition(model, manifest, load_images, batch_size=2, seconds=60)
    assert used[2:] == [24, 24]


def test_temperature_makes_labels_most_probable():
    draw = np.random.default_rng(0)
    logits = 6 * draw.normal(size=(5000, 4))
    values = (logits / 3 + draw.gumbel(size=logits.shape)).argmax(1)  # by a softmax at 3
    found = temperature(logits, np.eye(4, dtype=bool)[values])
    assert found == pytest.approx(3, rel=0.05)
    surprise = [log_loss(values, softmax(logits / t)) for t in (0.9 * found, found, 1.1 * found)]
    assert surprise[1] == min(surprise)
    assert temperature(np.zeros((0, 4)), np.zeros((0, 4), bool)) == pytest.approx(1, abs=1e-3)


def test_without_labels(model, manifest):
    bare = manifest.take(manifest.rows("test"))
    with pytest.raises(ValueError, match="the train split of .* has no labels to learn values"):
        asen_tf.fit_recognition(model, bare)
    with pytest.raises(ValueError, match="a model needs a Manifest of its 2 attributes"):
        asen_tf.fit_recognition(model, "data")


def softmax(logits):
    powers = np.exp(logits)
    return powers / powers.sum(1, keepdims=True)
