"""A run whose model has random weights."""

import keras
import pytest

from asen_client.core.attributes import AttributeSpace
from asen_tf import models
from asen_tf.core import config as configs
from asen_tf.data.load import load
from asen_tf.figures import Source
from asen_tf.loading import load as load_embedder
from asen_tf.workdir import Workdir

HISTORY = [
    {"stage": "stage1", "step": 1, "seconds": 60.0, "loss": 0.2, "images_per_sec": 10.0},
    {"stage": "stage1", "step": 1, "seconds": 60.0, "valid_map": 0.5},
    {"stage": "stage1", "step": 2, "seconds": 120.0, "loss": 0.1, "images_per_sec": 30.0},
]


_BRANCH = {"backbone": "resnet6", "size": 32, "embedding_dim": 8}
_SPATIAL = _BRANCH | {"common_dim": 8}
_SETTINGS = {
    "amnet": _BRANCH | {"fusion_dim": 8},
    "asen": {"global_branch": _SPATIAL, "local_branch": _SPATIAL, "attribute_dim": 8},
    "asen_aaai2020": _SPATIAL,
    "csn": _BRANCH,
    "part_guided": _BRANCH | {"parts": {"first": "collar"}, "hidden_dim": 8},
    "triplet_net": _BRANCH,
}


@pytest.fixture(scope="session")
def network():
    """Makes a small network with random weights for three attributes of 2, 2 and 3 values."""
    space = AttributeSpace({"first": ["a", "b"], "second": ["c", "d"], "third": ["e", "f", "g"]})

    def network(name, **changes):
        keras.utils.set_random_seed(0)
        return models.build({"name": name, **_SETTINGS[name], **changes}, space)

    return network


@pytest.fixture(scope="session")
def begun(catalogue):
    """Makes a run whose model has random weights: (folder, model) -> run and manifest."""

    def begun(folder, name="asen"):
        config = configs.defaults()
        config.data.root = str(catalogue)
        with config.unlocked():
            config.model = {"name": name, **_SETTINGS[name]}
        manifest = load(config.data)
        keras.utils.set_random_seed(0)
        model = models.build(config.model, manifest.space)
        run = Workdir(folder)
        run.begin(config, manifest.space)
        run.save_best(model, "stage1")
        run.write_best({"stage": "stage1", "step": 2, "slices": list(model.slices), "map": 0.5})
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
