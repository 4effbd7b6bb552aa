"""Photographs that fail, of which a program goes on without: 39-linked-photographs."""

import pytest

from asen_tf.cli.failures import status


def test_many_alike_are_two_lines(capsys):
    links = {f"{n}.jpg": "a link" for n in range(24)}
    assert status({"x.jpg": "empty", **links}, 30, 5, 0) == 1
    assert capsys.readouterr().err.splitlines() == [
        "x.jpg: empty",
        "0.jpg: a link",
        "... and 23 more: a link",
        "... and 5 more",
        "error: 30 of 35 photographs failed; --max_failed=30 would accept that",
    ]


@pytest.mark.parametrize(
    ("done", "most", "expected"), [(5, 2, 0), (5, 1, 1), (0, 2, 1)], ids=["few", "many", "all"]
)
def test_few_may_fail_and_never_all(done, most, expected, capsys):
    """10-index-nothing-and-status-0."""
    assert status({"a.jpg": "empty", "b.jpg": "empty"}, 2, done, most) == expected
    assert capsys.readouterr().err.splitlines()[:2] == ["a.jpg: empty", "b.jpg: empty"]
