"""Ids, names and values on the command line."""

import pytest

from asen_tf.cli.lists import Text, Values


@pytest.mark.parametrize(
    ("argument", "found"),
    [
        ("a,b", ["a", "b"]),
        pytest.param('"a,1","a,2"', ["a,1", "a,2"], id="18-ids-with-commas"),
        ("cafe\u0301,b", ["caf\u00e9", "b"]),
    ],
)
def test_lists(argument, found):
    assert Values().parse(argument) == found


def test_accents_have_the_form_of_tables():
    assert Text().parse("color=cafe\u0301") == "color=caf\u00e9"
