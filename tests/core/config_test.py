"""Configurations: every experiment has every key, wrong keys fail, files round-trip."""

import importlib.util
from pathlib import Path

import pytest

from asen_tf.core import config as configs

EXPERIMENTS = sorted((Path(__file__).parents[2] / "configs").rglob("*.py"))


def read(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.get_config()


def keys(config, prefix=""):
    for key, value in config.items():
        yield prefix + key
        if hasattr(value, "items"):
            yield from keys(value, f"{prefix}{key}.")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_has_every_key_and_a_header_with_its_command(path):
    free = ("stage1.rates.", "stage1.copies.", "stage1.losses.", "stage1.schedule.")
    free += tuple(key.replace("stage1", "stage2") for key in free)
    known = {key for key in keys(configs.defaults()) if not key.startswith(free)}
    assert {key for key in keys(read(path)) if not key.startswith(free)} == known
    header = path.read_text().split('"""')[1]
    assert f"--config=configs/{path.parent.name}/{path.name}" in header


def test_an_unknown_key_fails_with_the_nearest_name():
    with pytest.raises(AttributeError, match='Did you mean "batch_size"'):
        configs.defaults().train.batchsize = 8


def test_saved_and_loaded(tmp_path):
    config = read(EXPERIMENTS[0])
    config.data.root = "/some/where"
    configs.save(config, tmp_path / "config.json")
    loaded = configs.load(tmp_path / "config.json")
    assert loaded.to_json_best_effort() == config.to_json_best_effort()


def test_keys_that_came_to_exist_later_keep_their_defaults(tmp_path):
    (tmp_path / "config.json").write_text('{"train": {"seed": 7}}')
    loaded = configs.load(tmp_path / "config.json")
    assert loaded.train.seed == 7
    assert loaded.train.margin == configs.defaults().train.margin
