"""All targets; a reader of the library that none of them covers fails `readers_test.py`."""

import functools
import importlib

from tests.fuzz.target import Target

_MODULES = ("data_sets", "tables", "files", "texts", "messages", "pictures", "models")


@functools.cache
def targets() -> dict[str, Target]:
    """Name -> target."""
    found = [
        target
        for module in _MODULES
        for target in importlib.import_module(f"tests.fuzz.{module}").TARGETS
    ]
    assert len({target.name for target in found}) == len(found)
    return {target.name: target for target in found}


def by_name(name: str) -> Target:
    """The target of this name."""
    return targets()[name]
