"""Durations as people read them, and a line that waits before it speaks."""

import pytest

from asen_tf.core.progress import Progress, Quiet, duration


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (59.4, "59 s"), (187, "3:07 min"), (7500, "2:05 h")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_short_work_says_nothing(capsys):
    with Progress("decoding", 100, "images") as progress:
        progress.update(100)
    assert capsys.readouterr().err == ""


def test_long_work_says_how_far_it_is(capsys, monkeypatch):
    monkeypatch.setattr("asen_tf.core.progress._SILENT_SECONDS", 0)
    monkeypatch.setattr("asen_tf.core.progress._FILE_SECONDS", 0)
    with Progress("decoding", 100, "images") as progress:
        progress.update(40)
        assert "decoding:  40%" in capsys.readouterr().err
    err = capsys.readouterr().err
    assert "40/100" in err and "images/s" in err and err.endswith("\n")
    with Quiet("decoding", 100, "images") as progress:
        progress.update(40)
    assert capsys.readouterr().err == ""
