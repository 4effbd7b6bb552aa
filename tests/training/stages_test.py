"""Stages: data from a configuration, steps shared out, rates that fall."""

import math

import numpy as np
import pytest

from asen_tf.core import config as configs
from asen_tf.training.stages import plan


def config(max_steps=0, epochs=(50, 20), steps_per_epoch=10):
    made = configs.defaults()
    made.train.max_steps = max_steps
    made.train.steps_per_epoch = steps_per_epoch
    made.stage1.epochs, made.stage2.epochs = epochs
    return made


def test_the_paper_s_two_stages():
    first, second = plan(configs.defaults())
    assert first.steps == 50 * 6250 and second.steps == 20 * 6250
    assert first.rates == (("/local_branch/", 0.0), (".*", 1e-4))
    assert second.rates == (("/local_branch/", 1e-4), (".*", 1e-5))
    weights = [{n: t["weight"] for n, t in stage.losses.items()} for stage in (first, second)]
    assert weights[0] == {"global_triplet": 1.0}
    assert weights[1] == {"global_triplet": 1.0, "local_triplet": 0.1, "alignment": 0.1}
    assert first.end == second.end == math.inf


@pytest.mark.parametrize(
    ("bound", "steps"),
    [(0, [500, 200]), (700, [500, 200]), (70, [50, 20]), (2, [1, 1]), (3, [2, 1])],
)
def test_max_steps_is_shared_out_in_proportion(bound, steps):
    assert [stage.steps for stage in plan(config(bound))] == steps


def test_every_bound_is_used_up_and_leaves_each_stage_a_step():
    for bound in range(2, 200):
        steps = [stage.steps for stage in plan(config(bound, epochs=(99, 1)))]
        assert sum(steps) == bound and min(steps) >= 1


def test_step_schedule_falls_every_three_epochs():
    stage = plan(config())[0]
    found = [stage.factor(step / stage.steps) for step in range(stage.steps)]
    assert found == pytest.approx([0.9 ** (step // 30) for step in range(stage.steps)])


def test_cosine_schedule_ends_at_zero_with_the_stage():
    made = config()
    made.stage1.schedule = {"name": "cosine"}
    factor = plan(made)[0].factor
    expected = [(1 + np.cos(np.pi * share)) / 2 for share in (0, 0.3, 0.5, 1)]
    assert [factor(share) for share in (0, 0.3, 0.5, 1)] == pytest.approx(expected, abs=1e-10)


def test_progress_is_of_steps_or_of_time_whichever_is_more():
    made = config(steps_per_epoch=10, epochs=(30, 10))
    made.train.max_minutes = 4.0
    first, second = plan(made)
    # What is left, 12 s, is for classifiers of values.
    assert first.end == second.end == pytest.approx(228)
    # step, seconds when it began, seconds now
    assert first.progress(0, 500, 500) == 0
    assert first.progress(1, 500, 501) == 1
    assert first.progress(150, 28, 60) == 0.5
    assert first.progress(30, 28, 58) == pytest.approx(0.2)
    assert first.progress(30, 28, 178.01) == 1
    assert second.progress(10, 100, 164) == pytest.approx(0.5)
    assert plan(config())[0].progress(250, 0, 1e9) == 0.5


def test_max_minutes_is_shared_out_by_shares():
    made = config(epochs=(30, 10))
    made.train.max_minutes = 4.0
    made.stage1.share, made.stage2.share = 1.0, 3.0
    assert [stage.deadline(0) for stage in plan(made)] == pytest.approx([57, 228])


@pytest.mark.parametrize("before", [(0, 0, 0), (100, 0, 20), (0, 90, 0)])
def test_what_passes_before_a_stage_is_taken_from_all_that_are_to_come(before):
    made = config(epochs=(10, 20))
    with made.unlocked():
        made.stage3 = made.stage2.copy_and_resolve_references()
    made.train.update(stages=("stage1", "stage2", "stage3"), max_minutes=5 / 0.95)
    now, lengths = 0.0, []
    for stage, seconds in zip(plan(made), before, strict=True):
        began = now + seconds
        now = stage.deadline(began)
        lengths.append(now - began)
    assert now == pytest.approx(300)
    first, second, third = lengths
    assert first == pytest.approx((300 - before[0]) * 10 / 50)
    assert second == pytest.approx((300 - before[0] - first - before[1]) / 2)
    assert third == pytest.approx(second - before[2])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ()}, "names no stage"),
        ({"stages": ("stage3",)}, "Did you mean 'stage"),
        ({"max_steps": 1}, "leaves no step"),
        ({"steps_per_epoch": 0}, "needs a step"),
    ],
)
def test_bad_plans(change, message):
    made = config()
    made.train.update(change)
    with pytest.raises(ValueError, match=message):
        plan(made)


def test_a_closed_form_needs_no_step():
    made = config(max_steps=5, epochs=(0, 20))
    with pytest.raises(ValueError, match="needs a step, or closed_form=true: stage1.epochs=0"):
        plan(made)
    made.stage1.closed_form = True
    made.train.max_minutes = 2.0
    first, second = plan(made)
    assert (first.steps, second.steps) == (0, 5)
    assert first.progress(0, 0, 0) == 1 and second.progress(0, 0, 0) == 0
    assert second.end == 114  # the rest of the two minutes is for classifiers of values
    made.train.stages = ("stage1",)
    assert [stage.steps for stage in plan(made)] == [0]


def test_an_unknown_key_of_a_stage():
    made = config()
    with made.unlocked():
        made.stage1.rate = ()
    with pytest.raises(ValueError, match=r"unknown key of stage1 'rate'. Did you mean 'rates'"):
        plan(made)


def test_cosine_schedule_rises_before_it_falls():
    made = config()
    made.stage1.schedule = {"name": "cosine", "warmup": 0.2}
    found = [plan(made)[0].factor(progress) for progress in (0, 0.1, 0.2, 0.6, 1)]
    assert found == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-9)


def test_an_unknown_schedule():
    made = config()
    made.stage1.schedule = {"name": "cosinus"}
    with pytest.raises(ValueError, match="Did you mean 'cosine'"):
        plan(made)
