"""What the project's own tests share: the source tree and what each file in it imports."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def imports_of():
    """A function: path of a Python file -> the modules it imports, anywhere in its code."""
    return _imports


def _imports(path: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: use an absolute import"
            imported |= {_module(node.module, alias.name) for alias in node.names}
    return imported


def _module(base: str, name: str) -> str:
    """The module that `from base import name` reads: `name` may be a module of our own."""
    path = ROOT.joinpath(*base.split("."), name)
    is_module = path.with_suffix(".py").exists() or (path / "__init__.py").exists()
    return f"{base}.{name}" if is_module else base
