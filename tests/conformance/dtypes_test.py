"""Every model computes in the policy it was given, and names each of its variables."""

import json
import subprocess
import sys

import pytest

from asen_tf import models
from asen_tf.core import AttributeSpace
from asen_tf.models import MODELS
from tests.conformance.models_test import SPACE, build, settings
from tests.trees import assert_one_policy, assert_own_paths

POLICIES = ("float32", "bfloat16", "mixed_bfloat16", "mixed_float16")


def small(name, policy):
    return models.build(settings(name).model, SPACE, policy)


def policies(model):
    """The dtype policies of the model and of each layer below it that has numbers."""
    return [layer.dtype_policy.name for layer in model._flatten_layers() if layer.weights]


# Layers that say themselves that they stay in float32.
FLOAT32 = {
    "amnet": ("classifiers", "memory", "fuse", "edit"),
    "csn": ("mask",),
    "linear": ("classifiers",),
    "part_guided": ("extract_parts", "classifier_0", "classifier_1", "classifier_2"),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MODELS.names())
def test_all_layers_follow_their_model(name, policy):
    model = small(name, policy)
    assert model.dtype_policy.name == policy
    assert_one_policy(model, policy, float32=FLOAT32.get(name, ()))
    assert_own_paths(model)
    assert all(variable.path.startswith(f"{model.name}/") for variable in model.weights)
    twin = type(model).from_config(model.get_config())
    assert policies(twin) == policies(model)


FRESH = """
import json, sys
import keras
import asen_tf.models
from tests.conformance.dtypes_test import policies
found = {}
for path in sys.argv[1:]:
    model = keras.models.load_model(path)
    found[path] = [policies(model), [v.path for v in model.weights], model.compute_dtype]
print(json.dumps(found))
"""


def test_loaded_in_a_fresh_process_they_are_as_they_were(tmp_path):
    """Its global policy is float32, whatever the one was under which a model was made."""
    made = {}
    for name in MODELS.names():
        for policy in POLICIES[1:]:
            model = small(name, policy)
            path = tmp_path / f"{name}_{policy}.keras"
            model.save(path)
            made[str(path)] = [
                policies(model),
                [v.path for v in model.weights],
                model.compute_dtype,
            ]
    program = [sys.executable, "-c", FRESH, *made]
    result = subprocess.run(program, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-3000:]
    assert json.loads(result.stdout.splitlines()[-1]) == made


@pytest.mark.parametrize("name", MODELS.names())
def test_a_preset_is_a_folder_that_gives_the_model_again(name, tmp_path):
    model = build(name)
    model.save_to_preset(tmp_path / "preset", SPACE)
    files = {path.name for path in (tmp_path / "preset").iterdir()}
    assert files == {"config.json", "model.weights.h5", "metadata.json", "attributes.json"}
    again = models.EmbeddingModel.from_preset(tmp_path / "preset")
    assert type(again) is type(model) and again.get_config() == model.get_config()
    for own, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert (own == other).all()
    other = next(kind for kind in (models.CSN, models.AMNet) if not isinstance(model, kind))
    with pytest.raises(ValueError, match=f"holds a {type(model).__name__}, expected"):
        other.from_preset(tmp_path / "preset")


def test_a_preset_names_all_attributes(tmp_path):
    with pytest.raises(ValueError, match="has 3 attributes, 1 are named: hem"):
        build("csn").save_to_preset(tmp_path, AttributeSpace({"hem": ["long"]}))
    with pytest.raises(FileNotFoundError, match="expected what save_to_preset wrote"):
        models.CSN.from_preset(tmp_path / "none")
