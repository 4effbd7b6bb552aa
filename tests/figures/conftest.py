"""A run whose model has random weights."""

import keras
import pytest

from asen_tf.core import config as configs
from asen_tf.data.load import load
from asen_tf.embedder import load as load_embedder
from asen_tf.figures import Source
from asen_tf.models import registry
from asen_tf.workdir import Workdir

HISTORY = [
    {"stage": "stage1", "step": 1, "seconds": 60.0, "loss": 0.2, "images_per_sec": 10.0},
    {"stage": "stage1", "step": 1, "seconds": 60.0, "valid_map": 0.5},
    {"stage": "stage1", "step": 2, "seconds": 120.0, "loss": 0.1, "images_per_sec": 30.0},
]


@pytest.fixture(scope="session")
def begun(catalogue):
    """Makes a run whose model has random weights: (folder, model) -> run and manifest."""

    def begun(folder, name="asen"):
        config = configs.defaults()
        config.data.root = str(catalogue)
        config.model.name = name
        for branch in ("global_branch", "local_branch"):
            config.model[branch].update({"backbone": "resnet6", "size": 32, "common_dim": 8})
            config.model[branch].embedding_dim = 8
        config.model.attribute_dim = 8
        manifest = load(config.data)
        keras.utils.set_random_seed(0)
        model = registry.build(config, 2, manifest.space.offsets)
        run = Workdir(folder)
        run.begin(config, manifest.space)
        run.save_best(model, "stage1")
        run.write_best({"stage": "stage1", "step": 2, "parts": list(model.parts()), "map": 0.5})
        run.write_history(HISTORY)
        return run, manifest

    return begun


@pytest.fixture(scope="session")
def opened(begun, tmp_path_factory):
    run, manifest = begun(tmp_path_factory.mktemp("figures") / "run")
    return run, load_embedder(run.path), manifest


@pytest.fixture(scope="session")
def source(opened):
    return Source(*opened, photographs=2, results=3)
