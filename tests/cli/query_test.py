"""`asen-query` without a server; tests/serving/end_to_end_test.py has it with one."""

from typing import ClassVar

import numpy as np
import pytest

from asen_client.cli.query import predictions
from asen_client.core.attributes import AttributeSpace
from tests import programs


def query(*arguments, timeout="--timeout=0.5"):
    return programs.run("query", "--model=localhost:1", timeout, *arguments)


def test_a_server_that_is_away_is_one_line_and_a_status():
    result = query("--attribute=collar", "a.jpg", "b.jpg")
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1
    assert "no answer from localhost:1 within 0.5 s (connection refused)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--attribute=collar", "a.jpg"], "expected 2 or more photographs, got 1"),
        (["--attribute=collar", "--explain=a.png"], "expected 1 or more photographs, got 0"),
        (["a.jpg", "b.jpg"], "--attribute is required, unless --predict asks for all"),
        (["--predict", "--explain=a.png", "a.jpg"], "name it with --attribute"),
        (["--predict"], "expected 1 or more photographs, got 0"),
        (
            ["--attribute=collar", "--version=1", "--label=stable", "a.jpg", "b.jpg"],
            "a version or a label",
        ),
        (["--attribute=collar", "--box=1,2,3,4", "a.jpg", "b.jpg"], "--box for each of 2, got 1"),
        (["--attribute=collar", "--root_certificates=no.pem", "a.jpg", "b.jpg"], "no.pem"),
    ],
    ids=["one", "none", "attribute", "explain", "predict", "version", "box", "certificate"],
)
def test_wrong_use_is_explained(arguments, message):
    result = query(*arguments)
    assert result.returncode == (1 if "no.pem" in message or "label" in message else 2)
    assert message in result.stderr and result.stderr.count("\n") == 1


class Says:
    """Says the same probabilities of every photograph."""

    attributes = AttributeSpace({"fit": ["slim", "wide", "none"], "hem length": ["mini", "midi"]})
    said: ClassVar = {"fit": [0.2, 0.77, 0.03], "hem length": [0.5, 0.5]}

    def predict(self, images, attribute, boxes=None):
        return np.tile(np.float32(self.said[attribute]), (len(images), 1))

    def predict_all(self, images, boxes=None):
        return {name: self.predict(images, name) for name in self.attributes}


def test_values_are_printed_with_their_probabilities():
    """The most probable first; none below 0.05."""
    assert predictions(Says(), ["a.jpg", "b.jpg"], None) == [
        "a.jpg",
        "  fit         wide 0.77, slim 0.20",
        "  hem length  mini 0.50, midi 0.50",
        "b.jpg",
        "  fit         wide 0.77, slim 0.20",
        "  hem length  mini 0.50, midi 0.50",
    ]
    lines = ["a.jpg", "  fit  wide 0.77, slim 0.20"]
    assert predictions(Says(), ["a.jpg"], "fit") == lines
