"""An embedder that needs no training."""

import pytest

from tests.colors import SPACE, Colors


@pytest.fixture
def colors():
    """An embedder of the photographs of `catalogue`."""
    return Colors(SPACE)
