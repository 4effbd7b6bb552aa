"""Configurations: every experiment can be built, wrong keys fail, files round-trip."""

import re
from pathlib import Path

import pytest

from asen_tf import losses
from asen_tf.core import config as configs
from asen_tf.core import experiment_files
from asen_tf.core.signature import parameters_of
from asen_tf.models import MODELS

EXPERIMENTS = sorted((Path(__file__).parents[2] / "configs").rglob("*.py"))


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_experiment_can_be_built_and_has_a_header_with_its_command(path):
    config, known = experiment_files.read(path), configs.defaults()
    for section in ("data", "train", "augment", "eval"):
        assert set(config[section]) == set(known[section])
    for stage in config.train.stages:
        assert set(config[stage]) == set(known.stage1)
        losses.build(config[stage].losses.to_dict(), offsets=(0, 2))
    arguments = set(config.model) - {"name"}
    assert arguments <= set(parameters_of(MODELS[config.model.name]))

    header = path.read_text().split('"""')[1]
    assert f"--config=configs/{path.parent.name}/{path.name}" in header
    for key in re.findall(r"--config\.([\w.]+)=", header):
        assert key in configs.flat(config)


def test_an_unknown_key_fails_with_the_nearest_name():
    with pytest.raises(AttributeError, match='Did you mean "batch_size"'):
        configs.defaults().train.batchsize = 8


def test_saved_and_loaded(tmp_path):
    for path in EXPERIMENTS:
        config = experiment_files.read(path)
        config.data.root = "/some/where"
        configs.save(config, tmp_path / "config.json")
        loaded = configs.load(tmp_path / "config.json")
        assert configs.flat(loaded) == configs.flat(config)


@pytest.mark.parametrize("beta", [0.25, (0.1, 1.0)])
def test_one_weight_or_one_an_attribute(beta, tmp_path):
    config = configs.defaults()
    config.model.beta = beta
    configs.save(config, tmp_path / "config.json")
    assert configs.load(tmp_path / "config.json").model.beta == beta


def test_keys_that_came_to_exist_later_keep_their_defaults(tmp_path):
    (tmp_path / "config.json").write_text('{"train": {"seed": 7}}')
    loaded = configs.load(tmp_path / "config.json")
    assert loaded.train.seed == 7
    assert loaded.train.batch_size == configs.defaults().train.batch_size


def test_configurations_without_named_losses_are_refused(tmp_path):
    text = '{"stage1": {"rates": {"global_branch": 1e-4}, "losses": {"global_triplet": 1.0}}}'
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config.json is of a run of asen_tf before 0\.2.*again"):
        configs.load(tmp_path / "config.json")
