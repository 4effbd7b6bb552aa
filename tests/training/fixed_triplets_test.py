"""A data set that brings triplets: trained on them, chosen and measured by their accuracy."""

import json

import numpy as np
import pytest
from PIL import Image

from asen_tf.api.check_data import check_data
from asen_tf.api.evaluate import evaluate
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.evaluation.report import tables
from asen_tf.reproduction.reproduce import reproduce
from asen_tf.training.train import train
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")

COLORS = ((220, 20, 20), (20, 20, 220))
IMAGES = 24


@pytest.fixture(scope="module")
def shoes(tmp_path_factory):
    """Red and blue photographs in the layout of Zappos50k; alike means of one color."""
    root = tmp_path_factory.mktemp("shoes")
    (root / "ut-zap50k-images").mkdir()
    (root / "tripletlists").mkdir()
    generator = np.random.default_rng(0)
    for n in range(IMAGES):
        noise = generator.integers(0, 60, (40, 40, 3), np.uint8)
        pixels = np.clip(noise + np.array(COLORS[n % 2]), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(root / "ut-zap50k-images" / f"{n}.png")
    (root / "filenames.json").write_text("".join(f"{n}.png\n" for n in range(IMAGES)))
    for number, condition in enumerate(("class", "closure", "gender", "heel")):
        for split, first in (("train", 0), ("val", 8), ("test", 16)):
            # Anchor, far, close: numbers of one parity are of one color.
            lines = [f"{n} {n ^ 1} {first + (n + 2) % 8}\n" for n in range(first, first + 8)]
            path = root / "tripletlists" / f"{condition}_tripletlist_{split}.txt"
            path.write_text("".join(lines[number:]))
    return root


@pytest.fixture(scope="module")
def config(shoes):
    config = configs.defaults()
    config.data.format = "zappos50k"
    config.data.root = str(shoes)
    experiments.small(config, "resnet10")
    shrink(config.model, backbone="resnet10", embedding_dim=16)
    experiments.mine(config, "none")
    config.train.sampling = "triplet"
    config.train.batch_size = 4
    config.train.steps_per_epoch = 6
    config.train.stages = ("stage1",)
    config.stage1.epochs = 2
    config.eval.every_epochs = 1
    return config


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    return train(config, tmp_path_factory.mktemp("finished") / "run")


def test_validation_chooses_by_triplet_accuracy(finished):
    scores = [
        entry["valid_triplet_accuracy"]
        for entry in finished.history()
        if "valid_triplet_accuracy" in entry
    ]
    assert len(scores) == 2
    assert finished.best()["triplet_accuracy"] == max(scores)
    assert finished.best()["map"] is None


def test_the_program_measures_the_triplets_of_the_split(finished):
    result = evaluate(finished, slices=["global"])
    counts = {name: row["triplets"] for name, row in result["attributes"].items()}
    assert counts == {"class": 8, "closure": 7, "gender": 6, "heel": 5}
    assert result["triplets"] == 26
    right = sum(row["triplets"] * row["triplet_accuracy"] for row in result["attributes"].values())
    assert result["triplet_accuracy"] == pytest.approx(right / 26)
    # Red and blue are hard to mistake for one another.
    assert result["triplet_accuracy"] > 0.7
    assert "all triplets" in tables(result)
    json.dumps(result, allow_nan=False)


def test_sampling_by_labels_is_refused(config, tmp_path):
    wrong = config.copy_and_resolve_references()
    wrong.train.sampling = "multi_attribute"
    with pytest.raises(ValueError, match="brings triplets instead of labels"):
        train(wrong, tmp_path / "run")


def test_checking_the_data_counts_triplets(config):
    found = check_data(config)
    assert found["images"] == {"train": 8, "valid": 8, "test": 8}
    counts = {f"{split} triplets": 7 for split in ("train", "valid", "test")}
    assert found["attributes"]["closure"] == counts


def of_shoes(shoes, output, row, **changes):
    small = {"backbone": "resnet6", "weights": "random", "size": 32}
    return reproduce(
        "asen_baselines",
        "zappos50k",
        output,
        rows=[row],
        seeds=[0],
        data_root=str(shoes),
        changes={f"model.global_branch.{key}": value for key, value in small.items()} | changes,
    )


def test_a_table_of_them_has_the_networks_that_learn_from_triplets(shoes, tmp_path):
    with pytest.raises(ValueError, match="linear: zappos50k has triplets in place of the labels"):
        of_shoes(shoes, tmp_path, "linear")
    assert not list(tmp_path.iterdir())
    short = {"train.batch_size": 4, "train.steps_per_epoch": 1, "stage1.epochs": 1.0}
    record = of_shoes(shoes, tmp_path, "triplet network", **short)
    (row,) = record["rows"]
    assert list(row["mean"]) == ["class", "closure", "gender", "heel", "all triplets"]
    assert any("right in half of all triplets" in fact for fact in record["facts"])
    text = (tmp_path / "asen_baselines_zappos50k.md").read_text()
    assert "Share of triplets in the right order" in text and "triplet network |" in text
