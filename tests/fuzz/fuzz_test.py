"""Every reader gives a value or the library's own error, within its limits, on damaged inputs."""

import pytest

from tests.fuzz import harness
from tests.fuzz.registry import targets

COUNT = 200


@pytest.fixture(scope="module")
def results():
    """Name of a target -> what became of its inputs."""
    groups = [[t for t in targets().values() if t.tensorflow == needs] for needs in (False, True)]
    return {name: one for group in groups for name, one in harness.run(group, COUNT).items()}


@pytest.mark.parametrize("name", targets())
def test_value_or_own_error(name, results):
    result = results[name]
    assert result.failures == [], "\n".join(result.failures)
    # Neither a reader that takes all, nor one whose good inputs are refused, was tried.
    assert result.tried >= COUNT // targets()[name].share and result.refused and result.accepted
