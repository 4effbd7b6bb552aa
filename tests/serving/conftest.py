"""What the tests of serving share."""

import pytest

import asen_tf


@pytest.fixture(scope="session")
def embedder(workdir):
    """The model of the run in Python."""
    return asen_tf.load(workdir, batch_size=4)
