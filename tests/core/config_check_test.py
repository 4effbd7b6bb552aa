"""Values of configurations that make no sense are named before anything is built."""

import math
from pathlib import Path

import pytest

from asen_tf.core import config as configs
from asen_tf.core import experiment_files, experiments, presets, registries
from asen_tf.core.config_check import check

EXPERIMENTS = sorted((Path(__file__).parents[2] / "configs").rglob("*.py"))


def changed(key, value):
    """The defaults with one key changed, of whatever type."""
    config = configs.defaults()
    *path, last = key.split(".")
    at = config
    for name in path:
        at = at[name]
    with config.unlocked(), at.ignore_type():
        at[last] = value
    return config


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_experiment_passes(path):
    check(experiment_files.read(path))


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        pytest.param("train.batch_size", 0, "a whole number of 1 or more", id="15-batch-size-0"),
        pytest.param(
            "stage1.losses.global_triplet.margin",
            math.nan,
            "a finite number of 0 or more",
            id="28-values-of-keys-unchecked",
        ),
        ("stage2.losses.alignment.weight", -1.0, "a finite number of 0 or more"),
        ("stage2.losses.alignment.weight", math.inf, "a finite number of 0 or more"),
        ("stage1.epochs", math.inf, "a finite number of 0 or more"),
        ("stage1.resolution", 0.0, "a finite number above 0"),
        ("model.global_branch.size", 0, "a whole number of 1 or more"),
        ("model.local_branch.size", 56.5, "a whole number of 1 or more"),
        ("model.image_scale", 0, "a whole number of 1 or more"),
        ("model.channel_reduction", 0, "a whole number of 1 or more"),
        ("model.attribute_dim", -1, "a whole number of 1 or more"),
        ("model.global_branch.dropout", 1.0, "a finite number of 0 or more, below 1"),
        ("model.global_branch.dropout", -0.1, "a finite number of 0 or more, below 1"),
        ("stage1.rates", ((".*", math.nan),), "a finite number of 0 or more as the rate of '.*'"),
        ("stage1.rates", ((".*", -1e-3),), "a finite number of 0 or more as the rate of '.*'"),
        ("stage1.rates", ((".*", "fast"),), "a finite number of 0 or more as the rate of '.*'"),
        ("stage1.rates", (("(", 1e-3),), "(pattern, rate) pairs"),
        ("stage1.rates", (1e-3,), "(pattern, rate) pairs"),
        ("stage1.rates", 1e-3, "(pattern, rate) pairs"),
        ("stage1.schedule.gamma", 0.0, "a finite number above 0"),
        ("stage1.schedule.every_epochs", 0, "a finite number above 0"),
        ("stage1.optimizer.epsilon", math.nan, "a finite number"),
        ("stage1.closed_form", "no", "true or false"),
        ("train.seed", -1, "a whole number from 0 to 4294967295"),
        ("train.batch_size", 8.5, "a whole number of 1 or more"),
        ("train.batch_size", "8", "a whole number of 1 or more"),
        ("train.batch_size", True, "a whole number of 1 or more"),
        ("train.steps_per_epoch", 0, "a whole number of 1 or more"),
        ("train.max_steps", -4, "a whole number of 0 or more"),
        ("train.max_minutes", math.nan, "a finite number of 0 or more"),
        ("train.checkpoint_every_steps", 0, "a whole number of 1 or more"),
        ("train.log_every_steps", 0, "a whole number of 1 or more"),
        ("train.init_from", 7, "a text"),
        ("train.stages", "stage1", "a list"),
        ("augment.shift", 1.5, "a finite number from 0 to 1"),
        ("augment.crop", 0.0, "a finite number above 0 and up to 1"),
        ("augment.color", math.nan, "a finite number from 0 to 1"),
        ("eval.batch_size", 0, "a whole number of 1 or more"),
        ("eval.ks", (), "numbers, each a whole number of 1 or more"),
        ("eval.ks", (1, 0), "numbers, each a whole number of 1 or more"),
        ("data.cache_gb", math.nan, "a finite number of 0 or more"),
        ("data.max_pixels", 0, "a whole number of 1 or more"),
        ("data.box_margin", -0.1, "a finite number of 0 or more"),
        ("data.skip_bad", 1, "true or false"),
        ("model.threshold", math.nan, "a finite number"),
        ("model.beta", (0.5, math.inf), "a finite number"),
        ("model.global_branch.dropout", math.inf, "a finite number"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(key, value, expected):
    with pytest.raises(ValueError) as error:
        check(changed(key, value))
    assert str(error.value).startswith(f"{key}={value}: expected {expected}")


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("train.sampling", "triplets", "triplet"),
        ("train.precision", "float23", "float32"),
        ("data.check", "exist", "exists"),
        ("data.cache", "disc", "disk"),
        ("data.fit", "crops", "crop"),
        ("eval.preprocessing", "publish", "published"),
        ("data.format", "cvs", "csv"),
        ("model.name", "asem", "asen"),
        ("model.global_branch.backbone", "resnet51", "resnet50"),
        (
            "model.local_branch.backbone",
            "mobilenet_v3_small_100_imagenett",
            "mobilenet_v3_small_100_imagenet",
        ),
        ("model.global_branch.weights", "imagenett", "imagenet"),
        ("model.localization", "larges", "largest"),
        ("stage1.losses.global_triplet.distance", "cosin", "cosine"),
        ("stage1.losses.global_triplet.mining", "semihard", "semi_hard"),
        ("stage1.losses.global_triplet.name", "tripelt", "triplet"),
        ("stage1.optimizer.name", "adamm", "adam"),
        ("stage1.schedule.name", "cosin", "cosine"),
    ],
)
def test_an_unknown_name_is_met_with_the_nearest(key, value, meant):
    with pytest.raises(ValueError, match=f"{key}={value}: unknown .* Did you mean '{meant}'"):
        check(changed(key, value))


@pytest.mark.parametrize("at", ["presets/mine", "hf://somebody/network", "here", "some.pth"])
def test_what_may_lie_elsewhere_is_read_later(at, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    for key in ("backbone", "weights"):
        check(changed(f"model.global_branch.{key}", at))


def test_presets_are_those_of_keras_hub_that_take_images():
    hub = pytest.importorskip("keras_hub")
    take_images = {*hub.models.ImageClassifier.presets, *hub.models.DINOV2Backbone.presets}
    assert take_images <= {*presets.names()}
    assert not {*hub.models.BertBackbone.presets} & {*presets.names()}
    for known in take_images:
        check(changed("model.global_branch.backbone", known))


def test_one_image_has_no_triplet():
    """15-batch-size-0-and-1."""
    config = changed("train.batch_size", 1)
    check(config)  # of triplets
    config.train.sampling = "multi_attribute"
    with pytest.raises(ValueError, match="batch_size=1: expected 2 or more with train.sampling"):
        check(config)


@pytest.mark.parametrize("special", [(), ("collar",), ("collar", "sleeve_length", "color")])
def test_parts_are_of_the_special_attributes(special):
    config = configs.defaults()
    parts = {"collar": "collar", "sleeve_length": "sleeves"}
    experiments.part_guided(config, "part_guided", parts)
    check(config)
    config.data.special = special
    with pytest.raises(ValueError, match="model.parts are of collar, sleeve_length and data.spec"):
        check(config)
    config.model.parts = {}  # as of the classic network
    check(config)


def test_all_that_is_wrong_is_said_at_once():
    config = changed("train.batch_size", 0)
    config.augment.shift = 2.0
    with pytest.raises(ValueError, match=r"augment.shift=2.0: .*; train.batch_size=0: "):
        check(config)


def test_the_data_part_alone():
    check(configs.defaults().data)
    with pytest.raises(ValueError, match=r"data.images=0: expected"):
        check(changed("data.images", 0).data)


def test_what_other_packages_add_is_theirs_but_for_its_finiteness(monkeypatch):
    monkeypatch.setattr(registries.MODELS, "_registered", {"mine": None})
    config = changed("model", {"name": "mine", "threshold": 7, "parts": ("a", None), "size": None})
    check(config)
    with pytest.raises(ValueError, match="model.threshold=inf: expected a finite number"):
        check(changed("model", {"name": "mine", "threshold": math.inf}))
