"""What type checkers read of the library is what Python finds there, and all of it is checked."""

import ast
import importlib
import sys
import tomllib
from pathlib import Path

import pytest

import asen_client
import asen_tf
import asen_tf.serving

LAZY = (asen_client, asen_tf, asen_tf.serving)


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
def test_stubs_name_what_is_imported_when_it_is_used(package):
    stub = ast.parse(Path(package.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    named = {
        alias.asname: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert named.keys() == set(package.__all__)
    for name, (module, original) in named.items():
        assert getattr(importlib.import_module(module), original) is getattr(package, name), name


def test_what_users_import_is_checked(root):
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    checked = [root / place for place in settings["tool"]["mypy"]["files"]]
    assert [place for place in checked if not place.exists()] == []
    for name in asen_tf._NAMES:
        module = sys.modules[getattr(asen_tf, name).__module__]
        path = Path(module.__file__)
        assert {path, *path.parents} & set(checked), f"{name}: [tool.mypy] lacks {path}"
