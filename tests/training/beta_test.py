"""Stages that choose how much each branch counts."""

import pytest

import asen_tf
from asen_tf.core import experiments
from asen_tf.evaluation.beta import GRID
from asen_tf.evaluation.report import tables
from asen_tf.training import validation
from asen_tf.training.train import train
from asen_tf.workdir import Workdir
from tests.training.runs import model_of, tiny

pytestmark = pytest.mark.usefixtures("eagerly")


def choosing(catalogue, **train_keys):
    config = tiny(catalogue, steps_per_epoch=2, **train_keys)
    config.stage1.epochs = config.stage2.epochs = 1
    config.stage2.choose_beta = True
    return config


@pytest.mark.parametrize("frozen", [False, True])
def test_the_best_model_gets_a_weight_an_attribute(catalogue, tmp_path, frozen, monkeypatch):
    config = choosing(catalogue)
    if frozen:
        config.model.beta = 0.0
        config.stage2.frozen_features = True
        config.stage2.rates = (("/local_branch/(?!backbone)", 1e-3), (".*", 0.0))
        config.stage2.losses = {"local_triplet": config.stage2.losses.local_triplet.to_dict()}
    run = train(config, tmp_path / "run")
    best = run.best()
    assert list(best["beta"]) == ["color", "side"]
    betas = tuple(best["beta"].values())
    assert set(betas) <= set(GRID.tolist())
    # The stage before it, and its own training, have the weight of the configuration.
    assert model_of(run, "stage1").beta == config.model.beta
    assert model_of(run, "stage2").beta == betas
    *_, last = run.history()
    assert last["valid_map"] == best["map"] == max(e.get("valid_map", 0) for e in run.history()[3:])
    assert {name: last[f"beta/{name}"] for name in best["beta"]} == best["beta"]

    result = asen_tf.evaluate(run, split="valid")
    assert result["map"] == pytest.approx(best["map"], abs=2e-3)
    assert list(result["recognition"]["attributes"]) == ["color", "side"]
    both = set(betas) not in ({0.0}, {1.0})
    assert result.get("beta") == (best["beta"] if both else None)
    assert ("beta" in tables(result).splitlines()[0].split()) is both

    def never(*_, **__):
        raise AssertionError("a finished run has chosen")

    monkeypatch.setattr(validation, "choose_betas", never)
    before = run.best_model("stage2").read_bytes()
    train(config, run.path)
    assert run.best_model("stage2").read_bytes() == before and run.best() == best


def test_until_it_has_chosen_a_stage_has_not_the_best_model(catalogue, tmp_path, monkeypatch):
    config = choosing(catalogue)

    def stopping(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(validation.Validation, "choose_beta", stopping)
        train(config, tmp_path / "run")
    assert Workdir(tmp_path / "run").best()["stage"] == "stage1"
    assert list(train(config, tmp_path / "run").best()["beta"]) == ["color", "side"]


def test_what_cannot_be_weighed_is_refused(catalogue, tmp_path):
    config = choosing(catalogue)
    config.stage1.choose_beta = True
    with pytest.raises(ValueError, match="stage1.choose_beta .*end global is trained: let"):
        train(config, tmp_path / "run")
    experiments.one_branch(config, "csn")
    with pytest.raises(ValueError, match=r"stage1.choose_beta weighs two .*, which CSN does not"):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
