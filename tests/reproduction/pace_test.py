"""A budget in minutes becomes steps."""

import pytest

from asen_tf.core import config as configs
from asen_tf.reproduction.pace import within
from asen_tf.training.stages import plan


def test_stages_are_scaled_alike_and_take_the_budget():
    config = configs.defaults()
    config.train.steps_per_epoch = 10
    config.stage1.epochs, config.stage2.epochs = 6.0, 2.0
    pace = {"stage1": 0.5, "stage2": 1.5}  # 30 and 30 seconds as planned
    bounded = within(config, 2.0, pace)
    assert (bounded.stage1.epochs, bounded.stage2.epochs) == (12.0, 4.0)
    assert config.stage1.epochs == 6.0
    seconds = sum(bounded[s].epochs * 10 * pace[s] for s in pace)
    assert seconds == pytest.approx(120)


@pytest.mark.parametrize("steps_per_epoch", [22, 49])
def test_a_run_has_the_steps_that_fit_and_one_in_each_stage(steps_per_epoch):
    config = configs.defaults()
    config.train.steps_per_epoch = steps_per_epoch
    config.train.stages = ("stage1",)
    config.stage1.epochs = 1.0
    for steps in range(1, 500):
        (stage,) = plan(within(config, steps / 60, {"stage1": 1.0}))
        assert stage.steps == steps
    (stage,) = plan(within(config, 1e-6, {"stage1": 1.0}))
    assert stage.steps == 1
