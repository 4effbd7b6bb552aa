"""Every registered model from its experiment through the programs, on a handful of garments."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import asen_tf
from asen_tf.api.evaluate import evaluate
from asen_tf.data.synthetic import write_dataset
from asen_tf.figures import visualize
from asen_tf.models import MODELS
from asen_tf.training.train import train
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")

IMAGES = 40
ATTRIBUTE = "collar"
EXPERIMENTS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="module")
def garments(tmp_path_factory):
    root = tmp_path_factory.mktemp("garments")
    write_dataset(root, IMAGES, look="plain")
    return root


def tiny(name, root):
    """A step of each stage of the model's experiment."""
    config = runpy.run_path(str(EXPERIMENTS / name / "synthetic.py"))["get_config"]()
    shrink(config.model)
    config.data.images = IMAGES
    config.data.root = str(root)
    config.train.batch_size = 6
    config.train.max_steps = len(config.train.stages)
    return config


@pytest.mark.parametrize("name", MODELS.names())
def test_trained_evaluated_drawn_and_loaded(name, garments, tmp_path):
    config = tiny(name, garments)
    run = train(config, tmp_path / "run")
    assert run.best()["stage"] == config.train.stages[-1]

    embedder = asen_tf.load(run.path)
    result = evaluate(run)
    assert 0 < result["map"] < 1
    assert ("localization" in result) == embedder.model.explains

    pictures = visualize(
        run.path, output=tmp_path / "pictures", attributes=[ATTRIBUTE], photographs=2
    )
    drawn = {picture.name for picture in pictures}
    assert f"retrieval_{ATTRIBUTE}.jpg" in drawn
    assert ("attention.jpg" in drawn) == embedder.model.explains

    photographs = sorted((garments / "images").iterdir())[:3]
    vectors = embedder.embed(photographs, ATTRIBUTE)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), np.ones(3), atol=1e-5)
    if embedder.model.explains:
        assert embedder.explain(photographs, ATTRIBUTE)[1].shape == (3, 4)
    else:
        with pytest.raises(NotImplementedError, match="no attention"):
            embedder.explain(photographs, ATTRIBUTE)
