import importlib.metadata

import pytest

from asen_tf.core.registry import Registry


@pytest.fixture
def registry():
    return Registry("fruit", "asen_tf.fruits", {"path": "pathlib:Path"})


def test_our_own_are_imported_when_asked_for(registry):
    import pathlib

    assert registry["path"] is pathlib.Path


def test_a_decorator_registers(registry):
    @registry.register("pear")
    def pear():
        return 1

    assert registry["pear"] is pear
    assert registry.names() == ("path", "pear")
    assert "pear" in registry and "plum" not in registry


def test_another_package_registers_by_entry_point(registry, monkeypatch):
    point = importlib.metadata.EntryPoint("fig", "collections:OrderedDict", "asen_tf.fruits")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point])
    import collections

    assert registry["fig"] is collections.OrderedDict
    assert "fig" in registry


def test_an_unknown_name_is_told_the_nearest(registry):
    with pytest.raises(ValueError, match="unknown fruit 'pat'. Did you mean 'path'?"):
        registry["pat"]


def test_a_name_is_given_once(registry):
    registry.register("pear")(dict)
    registry.register("pear")(dict)  # the same module, imported again
    for name in ("pear", "path"):
        with pytest.raises(ValueError, match=f"there is a fruit '{name}' already"):
            registry.register(name)(list)


def test_our_own_may_carry_their_name():
    registry = Registry("fruit", "asen_tf.fruits", {"own": f"{__name__}:own"})

    def own():
        return 1

    own.__qualname__ = "own"
    assert registry.register("own")(own) is own
    assert registry.names() == ("own",)
    with pytest.raises(ValueError, match="there is a fruit 'own' already"):
        registry.register("own")(lambda: 2)
