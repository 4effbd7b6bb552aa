"""A budget in minutes becomes steps."""

import pytest

from asen_tf.core import config as configs
from asen_tf.reproduction.pace import within


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


def test_every_stage_keeps_a_step():
    config = configs.defaults()
    config.train.steps_per_epoch = 10
    config.stage1.epochs, config.stage2.epochs = 6.0, 2.0
    bounded = within(config, 1e-6, {"stage1": 0.5, "stage2": 1.5})
    assert bounded.stage1.epochs * 10 == bounded.stage2.epochs * 10 == 1
