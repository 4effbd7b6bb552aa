"""A stage that is over when it has started: the linear baseline, trained, kept and searched."""

import numpy as np
import pytest

import asen_tf
from asen_tf.api.evaluate import evaluate
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.data.load import load
from asen_tf.training.train import train
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")


@pytest.fixture(scope="module")
def config(catalogue):
    made = configs.defaults()
    made.data.root = str(catalogue)
    experiments.small(made, "resnet6")
    experiments.linear(made)
    shrink(made.model, image_scale=1)
    made.train.batch_size = 4
    return made


@pytest.fixture(scope="module")
def run(config, tmp_path_factory):
    return train(config, tmp_path_factory.mktemp("linear") / "run")


def test_it_is_trained_without_a_step(run):
    assert [(entry["stage"], entry["step"]) for entry in run.history()] == [("stage1", 0)]
    assert run.best()["map"] == run.history()[0]["valid_map"]


def test_it_learns_what_random_features_show(run):
    result = evaluate(run)
    assert result["map"] > result["random_map"] + 0.2


def test_a_finished_run_is_not_solved_again(run, config):
    before = run.best_model("stage1").stat().st_mtime_ns
    train(config, run.path)
    assert run.best_model("stage1").stat().st_mtime_ns == before and len(run.history()) == 1


def test_the_mean_of_features_is_all_that_is_kept(run, config, tmp_path):
    (kept,) = (run.path / "features").glob("*/*.npy")
    assert np.load(kept).shape == (36, 1, 1, 128)
    config = config.copy_and_resolve_references()
    config.stage1.frozen_features = False
    other = train(config, tmp_path / "run")
    assert not (other.path / "features").exists()
    manifest = load(config.data)
    photographs = [manifest.path(row) for row in manifest.rows("test")]
    found, expected = (asen_tf.load(r.path).embed_all(photographs) for r in (run, other))
    assert (np.sum(found * expected, -1) > 0.99).all()


def test_with_epochs_it_learns_on_from_there(config, tmp_path):
    longer = config.copy_and_resolve_references()
    longer.stage1.epochs = 1 / config.train.steps_per_epoch
    run = train(longer, tmp_path / "run")
    assert run.history()[-1]["step"] == 1 and run.history()[0]["loss"] < 0.9


def test_it_is_searched_like_any_other(run, catalogue, tmp_path):
    pytest.importorskip("faiss")
    from asen_tf.catalogue import Catalogue, Record

    manifest = load(run.config().data)
    embedder = asen_tf.load(run.path)
    rows = manifest.rows("train")
    photographs = [manifest.path(row) for row in rows]
    labels = [{"color": [name]} for name in ("red", "green", "blue")]
    with Catalogue(f"faiss:{tmp_path / 'store'}", embedder) as made:
        records = [Record(labels[row % 3], {}) for row in rows]
        made.upsert(photographs, embedder.embed_all(photographs), records)
        found = made.search(image=photographs[0], weights={"color": 1}, k=8)
    assert [match.labels["color"] for match in found] == [["red"]] * 8


def test_models_without_one(config, tmp_path):
    other = config.copy_and_resolve_references()
    with other.unlocked():
        other.model = {"name": "triplet_net", "backbone": "resnet6", "size": 32}
    with pytest.raises(ValueError, match="TripletNet has nothing to solve in closed form"):
        train(other, tmp_path / "run")
    assert not (tmp_path / "run").exists()
