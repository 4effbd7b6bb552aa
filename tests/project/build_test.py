"""BUILD names every package and every test, and their dependencies are what they import."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Build(dict):
    """BUILD is Python without imports: run it, with functions that note what is declared."""

    def __init__(self, text: str):
        self.declared = []
        exec(compile(text, "BUILD", "exec"), {}, self)

    def __missing__(self, rule: str):
        return lambda *_, **attributes: self.declared.append((rule, attributes))

    def dependencies(self, rule: str) -> dict[str, set[str]]:
        """Name of each target of that rule -> the folders it depends on."""
        return {
            attributes["name"]: {label.removeprefix(":") for label in attributes.get("deps", ())}
            for declared, attributes in self.declared
            if declared == rule
        }


@pytest.fixture(scope="module")
def build():
    return Build((ROOT / "BUILD").read_text(encoding="utf-8"))


def imported_packages(folder: str, imports_of) -> set[str]:
    """Packages of this library that the files below `folder` import, as folders."""
    modules = set().union(*(imports_of(path) for path in (ROOT / folder).rglob("*.py")))
    folders = ("/".join(module.split(".")[:2]) for module in modules)
    return {
        name if (ROOT / name).is_dir() else "asen_tf"
        for name in folders
        if name.split("/")[0] == "asen_tf"
    }


def test_every_package_is_declared(build):
    folders = {f"asen_tf/{path.parent.name}" for path in ROOT.glob("asen_tf/*/__init__.py")}
    assert set(build.dependencies("package")) == folders


def test_every_test_is_declared(build):
    tests = {path.relative_to(ROOT) for path in ROOT.glob("tests/**/*_test.py")}
    assert set(build.dependencies("tests")) == {"/".join(path.parts[:2]) for path in tests}


def test_packages_depend_on_what_they_import(build, imports_of):
    declared = build.dependencies("package")
    # Importing any package runs asen_tf/__init__.py first.
    needed = {name: imported_packages(name, imports_of) - {name} | {"asen_tf"} for name in declared}
    assert declared == needed


def test_tests_depend_on_what_they_import(build, imports_of):
    packages = build.dependencies("package")
    for folder, dependencies in build.dependencies("tests").items():
        available = dependencies.union(*(packages.get(name, ()) for name in dependencies))
        missing = imported_packages(folder, imports_of) - available
        assert not missing, f"{folder} imports {sorted(missing)}"
