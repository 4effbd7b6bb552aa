"""BUILD and setup.py name every package, test and program that there is, and nothing else."""

import ast
import re
import runpy
from collections.abc import Iterable
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client"


class Build(dict):
    """What BUILD declares: BUILD is run as Python, with functions that note their arguments."""

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


def library_of(module: str) -> str:
    """The py_library that has this module of ours."""
    names = module.split(".")
    return "client" if names[0] == "asen_client" else "/".join(names[:2])


def imported_libraries(sources: Iterable[Path], imports_of) -> set[str]:
    modules = set().union(*(imports_of(path) for path in sources))
    ours = {"asen_client", "asen_tf"}
    return {library_of(module) for module in modules if module.split(".")[0] in ours}


def defines_run(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(
        isinstance(node, ast.FunctionDef) and node.name == "run" and not node.args.args
        for node in body
    )


def test_every_folder_of_modules_is_a_package():
    """Others would be missing from the wheel."""
    files = [*ROOT.glob("asen_tf/**/*.py"), *CLIENT.glob("asen_client/**/*.py")]
    folders = {path.parent for path in files}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_other_file_is_in_the_wheel(monkeypatch):
    given = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(setuptools, "setup", lambda **keywords: given.update(keywords))
    runpy.run_path("setup.py")
    packaged = {
        path
        for package, patterns in given["package_data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    files = {path for path in ROOT.glob("asen_tf/**/*") if path.is_file()}
    assert packaged == {path for path in files if path.suffix not in (".py", ".pyc")}


@pytest.mark.parametrize(
    ("packaging", "package"), [("setup.py", "asen_tf"), ("client/pyproject.toml", "asen_client")]
)
def test_every_program_is_installed(packaging, package):
    packaging = ROOT / packaging
    text = packaging.read_text(encoding="utf-8")
    installed = set(re.findall(rf'{package}\.cli\.(\w+):run"', text))
    programs = packaging.parent.glob(f"{package}/cli/*.py")
    assert installed == {path.stem for path in programs if defines_run(path)}


def test_the_client_has_the_same_license():
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_every_package_is_declared(build):
    packages = {path.parent for path in ROOT.glob("asen_tf/*/*.py")}
    modules = set(ROOT.glob("asen_tf/*.py")) - {ROOT / "asen_tf" / "__init__.py"}
    names = {path.relative_to(ROOT).with_suffix("").as_posix() for path in packages | modules}
    assert set(build.dependencies("library")) == names


def test_every_test_is_declared(build):
    tests = {path.relative_to(ROOT) for path in ROOT.glob("tests/**/*_test.py")}
    assert set(build.dependencies("tests")) == {"/".join(path.parts[:2]) for path in tests}


def test_libraries_depend_on_what_they_import(build, imports_of):
    for name, declared in build.dependencies("library").items():
        sources = [*ROOT.glob(f"{name}.py"), *ROOT.glob(f"{name}/**/*.py")]
        # Importing any package runs asen_tf/__init__.py first, which imports the client.
        needed = imported_libraries(sources, imports_of) - {name, "client"} | {"asen_tf"}
        assert declared == needed, name


def test_tests_depend_on_what_they_import(build, imports_of):
    libraries = build.dependencies("library")
    for folder, declared in build.dependencies("tests").items():
        below = (libraries.get(name, ()) for name in declared)
        available = declared.union({"asen_tf", "client"}, *below)
        missing = imported_libraries(ROOT.glob(f"{folder}/**/*.py"), imports_of) - available
        assert not missing, f"{folder} imports {sorted(missing)}"
