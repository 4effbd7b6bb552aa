"""A small run and what `asen-export` makes of it, for all tests of serving."""

import io

import numpy as np
import pytest
from PIL import Image

import asen_tf
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from asen_tf.models import ASEN
from asen_tf.serving.export import export
from asen_tf.workdir import Workdir


@pytest.fixture(scope="session")
def workdir(tmp_path_factory):
    """A run with an untrained model of two small branches, attributes color and skirt length."""
    run = Workdir(tmp_path_factory.mktemp("run"))
    space = AttributeSpace({"color": ["red", "green"], "skirt length (cm)": ["35", "90"]})
    branch = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 12}
    run.begin(configs.defaults(), space)
    run.save_best(ASEN(2, branch, dict(branch), attribute_dim=8), "stage2")
    parts = ["global_branch", "local_branch"]
    run.write_best({"stage": "stage2", "step": 3, "map": 0.5, "parts": parts})
    return run.path


@pytest.fixture(scope="session")
def embedder(workdir):
    """The model of the run in Python."""
    return asen_tf.load(workdir, batch_size=4)


@pytest.fixture(scope="session")
def served(workdir, tmp_path_factory):
    """The folder of versions that `export` wrote; it holds version 1."""
    folder = tmp_path_factory.mktemp("served") / "asen"
    export(workdir, folder)
    return folder


@pytest.fixture(scope="session")
def jpegs():
    """33 JPEGs of different sizes."""
    draw = np.random.default_rng(0)
    return [_jpeg(draw, 40 + n, 90 - n) for n in range(33)]


def _jpeg(draw, width, height):
    coarse = Image.fromarray(draw.integers(0, 256, (6, 5, 3), np.uint8))
    file = io.BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()
