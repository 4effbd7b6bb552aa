import importlib

import numpy as np
import pytest

from asen_tf import models
from asen_tf.core import config as configs
from asen_tf.models import ASEN, EmbeddingModel, registry


@pytest.fixture
def config():
    config = configs.defaults()
    config.model.global_branch.update(configs.branch("resnet10", size=32, common_dim=8))
    config.model.local_branch.update(configs.branch("resnet10", size=32, common_dim=8))
    config.model.attribute_dim = 8
    return config


def test_builds_what_the_configuration_describes(config):
    config.model.beta = 0.25
    config.model.channel_query_activation = "tanh"
    model = registry.build(config, 4)
    assert isinstance(model, ASEN)
    assert (model.attributes, model.beta, model.image_size) == (4, 0.25, 64)
    assert model.global_branch.channel_attention.query_activation == "tanh"
    images = np.zeros((2, 64, 64, 3), np.uint8)
    assert model.embed_all(images).shape == (2, 4, 2048)


def test_starts_from_the_weights_that_the_branches_name(config, pretrained):
    network, config.model.local_branch.weights = pretrained
    model = registry.build(config, 4)
    untouched = model.global_branch.backbone.get_weights()
    registry.load_pretrained(model, config)
    for weight, expected in zip(
        model.local_branch.backbone.get_weights(), network.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, expected)
    for weight, expected in zip(model.global_branch.backbone.get_weights(), untouched, strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.parametrize(
    "use",
    [
        lambda config: registry.build(config, 4),
        lambda config: registry.objective(config, (0, 2)),
        lambda config: registry.load_pretrained(None, config),
    ],
)
def test_unknown_model(config, use):
    config.model.name = "aseN"
    with pytest.raises(ValueError, match="unknown model 'aseN'. Did you mean 'asen'"):
        use(config)


@pytest.mark.parametrize("name", registry.NAMES)
def test_asen_tf_models_offers_every_model(name):
    """Loading a run imports `asen_tf.models` and no more, to register the class in its file."""
    module = importlib.import_module(f"asen_tf.models.{name}")
    classes = {
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, EmbeddingModel)
    }
    assert classes and classes <= {getattr(models, name) for name in models.__all__}
