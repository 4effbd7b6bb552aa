"""What is said of a name that is not known."""

import pytest

from asen_client.core.errors import unknown_name


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("rde", ["red", "green"], "unknown color 'rde'. Did you mean 'red'? Known: red, green."),
        ("x", [], "unknown color 'x'. Known: ."),
        (
            "x",
            [*"abcdefghijklmnopqrstuvwyz"],
            "unknown color 'x'. Known: a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, "
            "... (25 in all).",
        ),
        (
            "x",
            ["a" * 300, "b" * 300],
            f"unknown color 'x'. Known: {'a' * 300}, ... (2 in all).",
        ),
    ],
)
def test_the_nearest_and_the_first_known_names_are_said(name, known, said):
    assert unknown_name("color", name, known) == said


def test_however_long_names_are_the_message_is_short():
    known = [f"{n}{'a' * 10_000}" for n in range(1000)]
    assert len(unknown_name("color", "a" * 10_000, known)) < 1000
