"""Everyday extensions, each done as a user does it: in a package of their own, outside the tree."""

import csv
import json
import shutil
import textwrap
from pathlib import Path

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]

LOSS = '''
import keras
from keras import ops
from asen_tf.losses import Loss


@keras.saving.register_keras_serializable(package="my_fashion")
class CompactLoss(Loss):
    """Embeddings are short."""

    def __init__(self, output, power=2, name="compact"):
        super().__init__(output, name)
        self.power = power

    def call(self, y_true, y_pred):
        (embedding,) = self.select(y_pred)
        return ops.mean(ops.abs(embedding) ** self.power, axis=(1, 2))

    def get_config(self):
        return {**super().get_config(), "power": self.power}
'''

BACKBONE = """
import keras


def build(size):
    return keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Conv2D(8, 8, 8, activation="relu", name="patches"),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="mix"),
        ]
    )
"""

FORMAT = '''
import json

import numpy as np
from asen_tf.core import AttributeSpace
from asen_tf.data.manifest import LABEL, SPLITS, Manifest, sort_labels


def read(root, options):
    """One JSON object a line: image, split, and a value for each attribute."""
    rows = [json.loads(line) for line in (root / "items.jsonl").read_text().splitlines()]
    names = [key for key in rows[0] if key not in ("image", "split")]
    space = AttributeSpace({name: sorted({row[name] for row in rows}) for name in names})
    labels = np.array(
        [
            (n, a, space[name].index(row[name]), 0)
            for n, row in enumerate(rows)
            for a, name in enumerate(space)
        ],
        LABEL,
    )
    manifest = Manifest(
        root=root,
        space=space,
        images=np.array([row["image"] for row in rows]),
        splits=np.array([SPLITS.index(row["split"]) for row in rows], np.int8),
        labels=sort_labels(labels),
        lines=np.arange(1, len(rows) + 1, dtype=np.int32),
        source="items.jsonl",
    )
    return manifest, []
'''

CONFIG = """
from asen_tf.core import config as configs
from asen_tf.core import experiments


def get_config():
    config = configs.defaults()
    config.data.format = "jsonl"
    experiments.small(config, "tiny_patches")
    for branch in (config.model.global_branch, config.model.local_branch):
        branch.update(size=32, common_dim=8, embedding_dim=8)
    config.model.attribute_dim = 8
    with config.unlocked():
        config.stage1.losses.compact = {"name": "compact", "weight": 0.1, "output": "global"}
    config.stage2.attributes_per_step = 0
    config.train.batch_size = 6
    config.train.max_steps = 2
    return config
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A folder as an installed package leaves it: modules and their entry points."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "my_fashion"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name, text in {"loss": LOSS, "backbone": BACKBONE, "jsonl": FORMAT}.items():
        (package / f"{name}.py").write_text(textwrap.dedent(text))
    info = folder / "my_fashion-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my_fashion\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[asen_tf.losses]\ncompact = my_fashion.loss:CompactLoss\n"
        "[asen_tf.backbones]\ntiny_patches = my_fashion.backbone:build\n"
        "[asen_tf.formats]\njsonl = my_fashion.jsonl:read\n"
    )
    return folder


@pytest.fixture(scope="module")
def items(catalogue, tmp_path_factory):
    """The photographs of the catalogue, listed as lines of JSON."""
    root = tmp_path_factory.mktemp("items")
    shutil.copytree(catalogue / "images", root / "images")
    with open(catalogue / "manifest.csv", newline="") as file:
        lines = [json.dumps(row) + "\n" for row in csv.DictReader(file)]
    (root / "items.jsonl").write_text("".join(lines))
    return root


def run(package, program, *flags):
    result = programs.run(program, *flags, path=[package])
    assert result.returncode == 0, result.stderr[-4000:]
    return result.stdout


def test_a_loss_a_backbone_and_a_data_format_of_ones_own(package, items, tmp_path):
    """A file each; trained by one program, loaded and measured by another."""
    config = tmp_path / "mine.py"
    config.write_text(CONFIG)
    flags = [f"--config={config}", f"--config.data.root={items}", f"--workdir={tmp_path / 'run'}"]
    # An ablation is a line of configuration.
    run(package, "train", *flags, "--config.stage2.losses.alignment.weight=0.0")
    history = (tmp_path / "run" / "history.jsonl").read_text()
    assert '"compact": ' in history and '"alignment": ' not in history
    assert "color" in run(package, "evaluate", f"--workdir={tmp_path / 'run'}")
