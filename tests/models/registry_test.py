import importlib

import numpy as np
import pytest

from asen_tf import models
from asen_tf.core import AttributeSpace
from asen_tf.core import config as configs
from asen_tf.models import ASEN, MODELS, EmbeddingModel
from tests.networks import shrink

SPACE = AttributeSpace({"collar": ("v", "o"), "pattern": ("plain", "dots", "stripes")})


@pytest.fixture
def settings():
    config = configs.defaults()
    shrink(config.model, backbone="resnet10")
    return config.model


def test_builds_what_the_configuration_describes(settings):
    settings.beta = 0.25
    settings.channel_query_activation = "tanh"
    model = models.build(settings, SPACE)
    assert isinstance(model, ASEN)
    assert (model.attributes, model.beta, model.image_size) == (2, 0.25, 64)
    assert model.global_branch.channel_attention.query_activation == "tanh"
    assert model.embed_all(np.zeros((2, 64, 64, 3), np.uint8)).shape == (2, 2, 16)


def test_branches_of_several_levels_and_a_learned_scale(settings):
    settings.global_branch.levels = ("P3", "P4")
    settings.global_branch.dropout = 0.2
    settings.learned_scale = True
    model = models.build(settings, SPACE)
    size = settings.global_branch.size
    assert model.global_branch.feature_shape == (None, size // 8, size // 8, 128 + 256)
    assert model.global_branch.join.dropout == 0.2
    assert model.local_branch.feature_shape[-1] == 256
    assert all(b.spatial_attention.learned_scale for b in (model.global_branch, model.local_branch))
    images = np.zeros((2, model.image_size, model.image_size, 3), np.uint8)
    assert np.isfinite(model.embed_all(images, training=True)).all()
    again = ASEN.from_config(model.get_config())
    assert [v.path for v in again.weights] == [v.path for v in model.weights]


def test_starts_from_the_weights_that_the_branches_name(settings, pretrained):
    network, settings.local_branch.weights = pretrained
    model = models.build(settings, SPACE)
    given, untouched = (b.backbone.get_weights() for b in (model.local_branch, model.global_branch))
    for weight, expected in zip(given, network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    # Its kernels are random, and others.
    kernels = [
        np.abs(one - other).max()
        for one, other in zip(untouched, given, strict=True)
        if one.ndim > 1
    ]
    assert min(kernels) > 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "resnet6"}, "model lacks the key name, which says what model: .*asen"),
        ({"name": "aseN"}, "unknown model 'aseN'. Did you mean 'asen'"),
        (
            {"name": "csn", "bakcbone": "x"},
            "model: unknown key 'bakcbone'. Did you mean 'backbone'",
        ),
        ({"name": "csn", "size": 32}, "model lacks the key backbone: CSN needs it"),
        (
            {"name": "csn", "backbone": "resnet6", "size": 32, "masks": "fixed"},
            "unknown kind of masks 'fixed'. Known: learned, disjoint",
        ),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        models.build(settings, SPACE)


@pytest.mark.parametrize("name", MODELS.names())
def test_asen_tf_models_offers_every_model(name):
    """Loading a run imports `asen_tf.models` and no more, to register the class in its file."""
    module = importlib.import_module(f"asen_tf.models.{name}")
    classes = {
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, EmbeddingModel)
    }
    assert classes and classes <= {getattr(models, name) for name in models.__all__}
