"""When a stage ends: by its steps, its time, or because its score rises no more."""

import types

import numpy as np
import pytest

from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.training.stages import plan
from asen_tf.training.step import TrainStep
from asen_tf.training.train import train
from asen_tf.training.validation import Validation
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")

FOR_STAGES = 0.95  # of train.max_minutes; the rest is for classifiers of values


@pytest.fixture
def config(catalogue):
    """A stage of a tiny network that would take very long."""
    made = configs.defaults()
    made.data.root = str(catalogue)
    experiments.small(made, "resnet6")
    experiments.one_branch(made, "triplet_net")
    shrink(made.model, image_scale=1)
    made.train.batch_size = 4
    made.train.steps_per_epoch = 2
    made.train.checkpoint_every_steps = 1
    made.stage1.epochs = 1000
    made.eval.every_epochs = 1
    return made


@pytest.fixture
def clock(monkeypatch):
    """The run's clock; each step takes a second. Keeps the rates of the steps."""
    made = types.SimpleNamespace(now=1000.0, rates=[])
    run = TrainStep.__call__

    def step(self, batch):
        made.now += 1
        made.rates.append(float(self._optimizer.learning_rate))
        return run(self, batch)

    monkeypatch.setattr(TrainStep, "__call__", step)
    source = types.SimpleNamespace(monotonic=lambda: made.now)
    monkeypatch.setattr("asen_tf.training.train.time", source)
    return made


def test_the_schedule_ends_with_the_time(config, clock, tmp_path, monkeypatch):
    """Of which reading the data is a part."""
    load = Validation.__init__

    def slowly(self, *arguments):
        clock.now += 2
        load(self, *arguments)

    monkeypatch.setattr(Validation, "__init__", slowly)
    config.train.max_minutes = 12 / 60 / FOR_STAGES
    run = train(config, tmp_path / "run")
    assert run.history()[-1]["step"] == 10 and run.history()[-1]["seconds"] == 12
    expected = [3e-4 * (1 + np.cos(np.pi * second / 10)) / 2 for second in range(10)]
    assert clock.rates == pytest.approx(expected, rel=1e-5)


def test_stopped_it_goes_on_with_the_time_that_was_left(config, clock, tmp_path, monkeypatch):
    config.train.max_minutes = 10 / 60 / FOR_STAGES
    score = Validation.__call__

    def stopping(self, *inputs):
        if len(clock.rates) == 6:
            clock.now += 100
            raise KeyboardInterrupt
        return score(self, *inputs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Validation, "__call__", stopping)
        train(config, tmp_path / "run")
    # Step 5 was the last that was saved.
    del clock.rates[5:]
    train(config, tmp_path / "run")
    expected = [3e-4 * (1 + np.cos(np.pi * second / 10)) / 2 for second in range(10)]
    assert clock.rates == pytest.approx(expected, rel=1e-5)


def scores(monkeypatch, *values):
    """What validation finds from now on."""
    rest = iter(values)
    monkeypatch.setattr(Validation, "__call__", lambda *_: next(rest))


def test_what_values_say_of_sides_is_not_learned_from_mirrored_photographs(
    config, tmp_path, capsys
):
    config.train.max_steps = 1
    config.augment.flip = True
    given = config.augment.flip_falsifies
    run = train(config, tmp_path / "run")
    assert "values of side say left or right" in capsys.readouterr().err
    assert run.config().augment.flip_falsifies == ("side",)
    assert config.augment.flip_falsifies == given == ()
    train(config, tmp_path / "run")  # it is the same run


def test_patience(config, tmp_path, monkeypatch):
    config.stage1.patience = 2
    scores(monkeypatch, 0.5, 0.4, 0.6, 0.6, 0.3, 0.9)
    run = train(config, tmp_path / "run")
    assert run.history()[-1]["step"] == 10
    assert run.best()["step"] == 6 and run.best()["map"] == 0.6
    # It is over.
    scores(monkeypatch)
    train(config, tmp_path / "run")


def test_patience_outlives_the_process(config, tmp_path, monkeypatch):
    config.stage1.patience = 2
    scores(monkeypatch, 0.5, 0.4)
    with pytest.raises(StopIteration):
        train(config, tmp_path / "run")
    # The third validation was not saved any more: its step is taken again.
    scores(monkeypatch, 0.3)
    run = train(config, tmp_path / "run")
    assert run.history()[-1]["step"] == 6


def test_without_patience_it_goes_on(config, tmp_path, monkeypatch):
    config.stage1.epochs = 3
    scores(monkeypatch, 0.5, 0.4, 0.3)
    assert train(config, tmp_path / "run").history()[-1]["step"] == 6


def test_stages_that_there_is_no_time_for(config):
    with config.unlocked():
        config.stage3 = config.stage2.copy_and_resolve_references()
    for name, least, share in (("stage1", 2.0, 1.0), ("stage2", 3.0, 3.0), ("stage3", 1.0, 1.0)):
        config[name].update(least_minutes=least, share=share)
    config.train.stages = ("stage1", "stage2", "stage3")

    def minutes(most):
        config.train.max_minutes = most / FOR_STAGES
        began, ends = 0.0, {}
        for stage in plan(config):
            began = stage.deadline(began)
            ends[stage.name] = round(began / 60, 6)
        return ends

    assert minutes(1.0) == {"stage1": 1.0}
    # Nor for those after them, which go on from what they would have learned.
    assert minutes(4.0) == {"stage1": 4.0}
    assert minutes(5.0) == {"stage1": 2.0, "stage2": 5.0}
    assert minutes(11.0) == {"stage1": 3.0, "stage2": 9.0, "stage3": 11.0}
    config.train.max_minutes = 0.0
    assert [stage.end for stage in plan(config)] == 3 * [np.inf]


def improving(config, *more):
    """Stages that must improve; two epochs each, of two steps."""
    with config.unlocked():
        for name in more:
            config[name] = config.stage1
    config.train.stages = ("stage1", *more)
    for name in config.train.stages:
        config[name].update(epochs=2, must_improve=True)


def test_a_stage_that_makes_it_worse_is_left_behind(config, tmp_path, monkeypatch):
    scores(monkeypatch, 0.5, 0.6, 0.4, 0.3, 0.7, 0.2)
    improving(config, "worse", "better")
    run = train(config, tmp_path / "run")
    assert not run.best_model("worse").exists()
    assert run.best()["stage"] == "better" and run.best()["map"] == 0.7
    restored = train(config, tmp_path / "run")
    assert restored.best() == run.best()


def test_a_stage_that_must_improve_where_nothing_is_validated(config, tmp_path, monkeypatch):
    monkeypatch.setattr(Validation, "__call__", lambda *_: np.nan)
    improving(config, "second")
    assert train(config, tmp_path / "run").best()["stage"] == "second"


def test_killed_before_a_stage_s_first_checkpoint(config, tmp_path, monkeypatch):
    """It begins again with what the stages before left, though its own had scored higher."""
    improving(config, "second")
    config.train.checkpoint_every_steps = 100
    scores(monkeypatch, 0.1, 0.2, 0.3, 0.5)
    whole = train(config, tmp_path / "whole")
    # The last score is never found: StopIteration.
    scores(monkeypatch, 0.1, 0.2, 0.3)
    with pytest.raises(StopIteration):
        train(config, tmp_path / "run")
    scores(monkeypatch, 0.3, 0.5)
    run = train(config, tmp_path / "run")
    assert run.best() == whole.best()
    again, undisturbed = (r.load_best().get_weights() for r in (run, whole))
    assert all(map(np.array_equal, again, undisturbed))
