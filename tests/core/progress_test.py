"""Durations as people read them, and a line that waits before it speaks."""

import pytest

from asen_tf.core.progress import Progress, Quiet, duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (187, "3:07 min"), (7500, "2:05 h")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_short_work_says_nothing_and_long_work_says_how_far_it_is(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Progress("decoding", 100, "images") as progress:
        progress.add(10)
        assert capsys.readouterr().err == ""
        now[0] = 4.0
        progress.add(30)
    line = capsys.readouterr().err
    assert "decoding 40/100 images, 10 images/s, 6 s left" in line
    assert line.endswith("\n")


def test_quiet_says_nothing(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with Quiet("decoding", 100, "images") as progress:
        now[0] = 9.0
        progress.add(10)
    assert capsys.readouterr().err == ""
