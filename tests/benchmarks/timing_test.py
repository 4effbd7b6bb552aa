"""What becomes of the time of work whose parts are known."""

import time

import pytest

from asen_tf.benchmarks.machine import memory_mb
from asen_tf.benchmarks.timing import Work, measure


def test_the_parts_of_the_time_are_told_apart():
    work = Work(
        call=lambda: time.sleep(0.04),
        images=3,
        step=lambda: time.sleep(0.01),
        steps=2,
        backbones=lambda: time.sleep(0.02),
        flops=2_000_000,
    )
    result = measure(work, seconds=0.1)
    assert result["images_per_sec"] == pytest.approx(3 / 0.04, rel=0.3)
    assert result["share_outside_step"] == pytest.approx(0.5, abs=0.2)
    assert result["images_per_sec_backbones"] <= 3 / 0.04
    assert result["convolution_gflops"] == pytest.approx(2e6 / 0.02 / 1e9, rel=0.3)
    peak = result["matmul_peak_gflops"]
    assert peak > 1 and result["fraction_of_peak"] == result["convolution_gflops"] / peak


def test_work_without_a_step_has_no_parts():
    result = measure(Work(call=lambda: None, images=1), seconds=0)
    assert result["calls"] == 3 and result["share_outside_step"] is None


def test_memory_follows_what_is_held():
    before = memory_mb(peak=False)
    held = bytearray(b"x" * (64 << 20))
    assert memory_mb() >= memory_mb(peak=False) > before + 40
    del held
