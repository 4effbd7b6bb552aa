"""Stages on frozen features: the same training as on images, without the backbone."""

import json
import math
import re

import filelock
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_tf import models
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.training import optimizer
from asen_tf.training.frozen import FrozenFeatures
from asen_tf.training.step import TrainStep
from asen_tf.training.train import train
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")

BACKBONES = ("/backbone/", 0.0)


@pytest.fixture
def config(catalogue):
    """ASEN on two levels; stage 1 trains the global heads, stage 2 the local ones."""
    made = configs.defaults()
    made.data.root = str(catalogue)
    experiments.small(made, "resnet6")
    shrink(made.model)
    made.model.image_scale = 1
    for branch in (made.model.global_branch, made.model.local_branch):
        branch.update(levels=("P2", "P3"), dropout=0.2)
    made.train.update(batch_size=6, steps_per_epoch=3, checkpoint_every_steps=2)
    made.eval.update(every_epochs=1, batch_size=5, pictures=0)
    with made.unlocked():
        for stage, standing in ((made.stage1, "/local_branch/"), (made.stage2, "global|attribute")):
            stage.update(epochs=1, frozen_features=True)
            stage.optimizer = {"name": "sgd"}
            stage.rates = (BACKBONES, (standing, 0.0), (".*", 0.1))
        made.stage2.losses = {"local_triplet": configs.triplet("local", mining="all")}
    made.stage2.copies = ()
    made.stage2.attributes_per_step = 1
    return made


@pytest.fixture
def exact(monkeypatch):
    """Features are kept as they are."""
    for module in ("training.frozen", "data.feature_cache"):
        monkeypatch.setattr(f"asen_tf.{module}.DTYPE", np.dtype("float32"))


def weights(run, stage):
    return [v.numpy() for v in keras.saving.load_model(run.best_model(stage)).weights]


def test_steps_on_features_are_those_on_images(config, exact, tmp_path, monkeypatch):
    """Also where the run was stopped in its second stage; it computes nothing again.

    Nor do the weights of slices and values, which are chosen at the end.
    """
    config.stage2.choose_beta = config.train.embed_values = True
    computed = []
    compute = FrozenFeatures._batches

    def counting(self, *arguments):
        computed.append(self._stage)
        return compute(self, *arguments)

    monkeypatch.setattr(FrozenFeatures, "_batches", counting)
    taken, take = iter(range(5)), TrainStep.__call__

    def stopping(self, batch):
        if next(taken) == 4:
            raise KeyboardInterrupt
        return take(self, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainStep, "__call__", stopping)
        train(config, tmp_path / "kept")
    kept = train(config, tmp_path / "kept")
    assert computed == ["stage1", "stage2"]

    config.stage1.frozen_features = config.stage2.frozen_features = False
    seen = train(config, tmp_path / "seen")
    for stage in config.train.stages:
        for one, two in zip(weights(kept, stage), weights(seen, stage), strict=True):
            np.testing.assert_allclose(one, two, atol=2e-5)
    for one, two in zip(kept.history(), seen.history(), strict=True):
        assert one.get("loss", one.get("valid_map")) == pytest.approx(
            two.get("loss", two.get("valid_map")), rel=1e-4
        )
    assert not (seen.path / "features").exists()


def test_only_the_heads_have_moved(config, tmp_path):
    config.train.stages = ("stage1",)
    run = train(config, tmp_path / "run")
    keras.utils.set_random_seed(config.train.seed)
    start = models.build(config.model, run.space())
    first = keras.saving.load_model(run.best_model("stage1"))
    moved = {
        after.path.split("/", 1)[1]
        for before, after in zip(start.weights, first.weights, strict=True)
        if not np.array_equal(before, after)
    }
    assert {"global_branch/projection/kernel", "global_branch/join/normalization/gamma"} <= moved
    assert {"global_branch/join/normalization/moving_mean"} <= moved
    assert not any("backbone" in path or "local_branch" in path for path in moved)


def test_what_takes_too_much_is_computed_in_each_step(config, tmp_path, capsys):
    config.data.cache_gb = 1e-6
    config.train.stages = ("stage1",)
    run = train(config, tmp_path / "run")
    assert "GB of features exceed data.cache_gb: stage1 computes them" in capsys.readouterr().err
    assert run.best()["step"] == 3 and not (run.path / "features").exists()


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        (
            (("/local_branch/", 0.0), (".*", 0.1)),
            r"stage1.frozen_features .*backbone/.* the rate 0",
        ),
        ((("/local_branch/backbone", 0.0), (".*", 0.1)), "global_branch/backbone/conv1"),
    ],
)
def test_what_makes_the_features_must_stand_still(config, tmp_path, rates, message):
    config.stage1.rates = rates
    with pytest.raises(ValueError, match=message):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_regions_of_the_local_branch_must_stand_still(config, tmp_path):
    config.stage2.rates = (BACKBONES, (".*", 0.1))
    with pytest.raises(ValueError, match=r"stage2.frozen_features keeps what global, local are"):
        train(config, tmp_path / "run")


def test_a_model_that_needs_images():
    net = models.PartGuided((0, 2, 4), "resnet6", 32, attribute_names="ab", parts={"a": "collar"})
    with pytest.raises(ValueError, match="PartGuided needs the images"):
        FrozenFeatures(net, ["branch"], "stage1")


class Kept:
    """Features of a small catalogue, and how often they were computed."""

    def __init__(self, root, folder):
        self.root, self.folder, self.computed = root, folder, 0
        self.seconds, self.opening = math.inf, 0.0  # left, and what opening the images takes
        self.know(2)

    def know(self, attributes):
        self.model = models.TripletNet(attributes, "resnet6", 32, 8, image_scale=1)
        optimizer(self.model, (("backbone", 0.0), (".*", 0.1)))
        self.features = FrozenFeatures(self.model, ["global"], "stage1")

    def open(self, fit="crop", boxes="", box_margin=0.1):
        """Opens them, sees that they are right, and says how often they were computed."""
        options = configs.defaults().data
        options.update(root=str(self.root), garment_boxes=boxes)
        manifest = load(options)
        rows = manifest.rows("train")[::-1]
        squares = {"fit": fit, "box_margin": box_margin}
        images = open_images(manifest, rows, 32, "none", **squares)

        def load_images():
            self.computed += 1
            self.seconds -= self.opening
            return images

        where = rows, squares, load_images, self.folder
        features = self.features.open(manifest, *where, 1e9, 5, lambda: self.seconds)
        asked = tf.constant(rows[[3, 0, 3]])
        (found,) = features(asked, tf.zeros((3, 1), tf.int32)).values()
        (expected,) = self.model.frozen_inputs(images(asked), ["global"]).values()
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)
        return self.computed


@pytest.fixture
def kept(catalogue, tmp_path):
    """Over a copy of the catalogue that may be changed."""
    root = tmp_path / "catalogue"
    (root / "images").mkdir(parents=True)
    (root / "manifest.csv").write_bytes((catalogue / "manifest.csv").read_bytes())
    for file in (catalogue / "images").iterdir():
        (root / "images" / file.name).write_bytes(file.read_bytes())
    return Kept(root, tmp_path / "features")


def test_features_are_used_while_nothing_has_changed(kept):
    assert [kept.open(), kept.open()] == [1, 1]
    # What stands behind them changes nothing.
    kept.model.projection.kernel.assign_add(kept.model.projection.kernel)
    assert kept.open() == 1
    about = json.loads(next(kept.folder.glob("*/key.json")).read_text())
    assert about["outputs"] == ["global"]
    assert about["squares"] == {"fit": "crop", "box_margin": 0.1, "size": 32}
    stored = np.load(next(kept.folder.glob("*/global_0.npy")))
    assert stored.shape == (24, 4, 4, 128) and stored.dtype == np.float16


def test_models_of_more_attributes_share_them(kept):
    assert kept.open() == 1
    weights = kept.model.get_weights()
    kept.know(5)
    kept.model.set_weights(weights)
    assert kept.open() == 1


def test_where_they_would_take_most_of_the_time_there_are_none(kept, capsys):
    kept.seconds = 0.0
    with pytest.raises(TypeError, match="NoneType"):
        kept.open()
    assert re.search(r"features take \d+ s, and stage1 has 0 s for them", capsys.readouterr().err)
    assert not list(kept.folder.rglob("*.npy"))
    kept.seconds = 1e3
    assert kept.open() == 2
    kept.seconds = 0.0  # those that are there take none
    assert kept.open() == 2


def test_opening_the_images_takes_of_the_time(kept, capsys):
    kept.seconds = kept.opening = 100.0
    with pytest.raises(TypeError, match="NoneType"):
        kept.open()
    assert "and stage1 has 0 s for them" in capsys.readouterr().err


def test_another_photograph_fit_box_or_weight_makes_others(kept):
    assert kept.open() == 1
    Image.new("RGB", (40, 36), "white").save(kept.root / "images" / "3.png")
    assert kept.open() == 2
    assert kept.open(fit="pad") == 3
    variable = next(v for v in kept.model.weights if v.path.endswith("moving_variance"))
    variable.assign(2 * variable)
    assert kept.open() == 4
    assert [kept.open(), kept.open(fit="pad")] == [4, 5]
    boxes = kept.root / "boxes.csv"
    boxes.write_text("image,x1,y1,x2,y2\nimages/3.png,2,2,30,30\n")
    assert [kept.open(boxes="boxes.csv"), kept.open(boxes="boxes.csv", box_margin=0.0)] == [6, 7]
    boxes.write_text("image,x1,y1,x2,y2\nimages/3.png,4,2,30,30\n")
    assert kept.open(boxes="boxes.csv") == 8


def test_what_killed_processes_left_is_removed_but_not_what_others_write(kept):
    left, written = (kept.folder / f".{name}.part" for name in ("left", "written"))
    for folder in (left, written):
        folder.mkdir(parents=True)
    with filelock.FileLock(kept.folder / "written.lock"):
        kept.open()
    assert written.exists() and not left.exists()


def test_half_written_files_are_not_used(kept, monkeypatch):
    compute = FrozenFeatures._batches

    def stopping(self, *arguments):
        yield next(compute(self, *arguments))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(FrozenFeatures, "_batches", stopping)
        kept.open()
    assert not list(kept.folder.rglob("*.npy"))
    assert kept.open() == 2
    [file] = kept.folder.rglob("*.npy")
    file.write_bytes(file.read_bytes()[:-1])
    assert [kept.open(), kept.open()] == [3, 3]
