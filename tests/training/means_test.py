"""A run with a stage whose prototypes start from the training images, and its evaluation."""

import json

import numpy as np
import pytest

from asen_tf.api.evaluate import evaluate
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.evaluation import value_means
from asen_tf.evaluation.embed import embed_fn, image_fn
from asen_tf.evaluation.report import tables
from asen_tf.training.train import train
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def run(catalogue, tmp_path_factory):
    config = configs.defaults()
    config.data.root = str(catalogue)
    experiments.amnet(config, 1e-3)
    shrink(config.model, embedding_dim=16)
    config.model.update(fusion_dim=16, image_scale=1)
    config.train.batch_size = 4
    config.train.steps_per_epoch = 2
    config.eval.ks = (1, 3)
    config.stage1.epochs = config.stage2.epochs = 1
    # The memory stands still, so that it shows what it started from.
    config.stage2.rates = config.stage1.rates
    return train(config, tmp_path_factory.mktemp("means") / "run")


def test_the_memory_holds_what_stage1_learned(run):
    import keras

    import asen_tf.models  # noqa: F401

    first, second = (
        keras.saving.load_model(run.best_model(stage)) for stage in ("stage1", "stage2")
    )
    manifest = load(run.config().data)
    load_images = image_fn(open_images(manifest, manifest.rows("train"), first.image_size))
    expected = value_means(embed_fn(first), manifest, load_images)
    np.testing.assert_allclose(second.memory.prototypes.numpy(), expected, atol=1e-5)
    assert np.abs(expected - first.memory.prototypes.numpy()).max() > 0.01


def test_both_protocols_measure_it(run):
    changes = evaluate(run, protocol="manipulation", changes="every", ks=(1, 2))
    # 12 test images of 6 kinds, two of each; one of 3 colors and one of 2 sides can change.
    assert changes["special"] == ["color", "side"] and changes["ks"] == [1, 2]
    counts = [changes[kind]["searches"] for kind in ("direct", "one_change", "two_changes")]
    assert counts == [12, 12 * (2 + 1), 12 * 2 * 1]
    assert all(changes[kind]["without_target"] == 0 for kind in ("direct", "one_change"))
    # Two of eleven candidates.
    assert changes["one_change"]["random_top_accuracy@1"] == pytest.approx(2 / 11)
    assert json.loads(json.dumps(changes)) == changes
    # Every fifth image is a query in all attributes, so that queries and gallery are apart.
    drawn = evaluate(run, protocol="manipulation", ks=(1, 2))
    assert (drawn["queries"], drawn["gallery"]) == (3, 9)
    assert drawn["one_change"]["measured"] + drawn["one_change"]["without_target"] == 3
    assert "top-2" in tables(changes).splitlines()[0]
    alone = evaluate(run, protocol="manipulation", special=("side",))
    assert alone["special"] == ["side"] and alone["ks"] == [1, 3]
    assert "precision@4" in evaluate(run, ks=(4,))
