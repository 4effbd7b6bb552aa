"""Imports point one way, and what needs no TensorFlow does not load it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"asen_client": ROOT / "client", "asen_tf": ROOT}
FILES = sorted(
    path.relative_to(folder)
    for name, folder in FOLDERS.items()
    for path in folder.glob(f"{name}/**/*.py")
)

# A package or module imports only from the lines above its own.
CLIENT = (
    {"version"},
    {"core"},
    {"images"},
    {"embedders"},
    {"serving"},
    {"asen_client"},  # the names that asen_client itself offers
    {"cli"},
)
LIBRARY = (
    {"core"},
    {"tracing", "web"},
    {"images", "text", "weights"},
    {"data", "backbones", "layers", "losses", "metrics"},
    {"photographs"},
    {"embedders"},
    {"catalogue"},
    {"models"},
    {"evaluation", "workdir"},
    {"app", "image_text_embedder", "keras_embedder", "serving"},
    {"loading"},
    {"bulk"},
    {"figures"},
    {"training"},  # which shows attention in TensorBoard
    {"api", "benchmarks"},
    {"reproduction"},
    {"asen_tf"},  # the names that asen_tf itself offers
    {"cli"},
)
LEVELS = [("asen_client", level) for level in CLIENT] + [("asen_tf", level) for level in LIBRARY]

# Below models/, every folder is one model; these modules are what all of them share.
SHARED_BY_MODELS = {
    f"asen_tf.models.{name}"
    for name in ("base", "compiled", "one_branch", "preset", "registry", "weighed")
}

WITHOUT_TENSORFLOW = (
    "asen_client",
    "asen_tf.app",
    "asen_tf.core",
    "asen_tf.data.manifest",
    "asen_tf.data.formats",
    "asen_tf.data.synthetic",
    "asen_tf.embedders",
    "asen_tf.images.check",
    "asen_tf.images.squares",
    "asen_tf.loading",
    "asen_tf.metrics.retrieval",
    "asen_tf.photographs",
    "asen_tf.catalogue",
    "asen_tf.serving.files",
    "asen_tf.text",
    "asen_tf.web",
    "asen_tf.figures.attention",
    "asen_tf.figures.contact_sheet",
    "asen_tf.figures.visualize",
    "asen_tf.weights.state_dict",
    "asen_tf.weights.torch_file",
)


def module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def source(path: Path) -> Path:
    return FOLDERS[path.parts[0]] / path


def package_of(module: str) -> tuple[str, str]:
    """The package or module of asen_client or asen_tf that a module belongs to, or the whole."""
    names = module.split(".")
    return names[0], names[:2][-1]


def level(package: tuple[str, str]) -> int:
    top, name = package
    return next(i for i, (of, names) in enumerate(LEVELS) if of == top and name in names)


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[0] in FOLDERS}


def test_every_package_has_a_level():
    packages = {package_of(module_name(path)) for path in FILES}
    assert {top for top, _ in packages} == set(FOLDERS)
    assert packages <= {(top, name) for top, names in LEVELS for name in names}


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_point_one_way(path, imports_of):
    own = package_of(module_name(path))
    used = {package_of(m) for m in ours(imports_of(source(path)))} - {own}
    wrong = {".".join(package) for package in used if level(package) >= level(own)}
    assert not wrong, f"{path} must not import {sorted(wrong)}"


@pytest.mark.parametrize("path", FILES, ids=str)
def test_the_library_does_not_import_experiments_or_tests(path, imports_of):
    assert not {m.split(".")[0] for m in imports_of(source(path))} & {"configs", "tests"}


@pytest.mark.parametrize(
    "path", [p for p in FILES if p.parts[1] == "models" and len(p.parts) > 3], ids=str
)
def test_models_do_not_import_one_another(path, imports_of):
    own = ".".join(path.parts[:3])
    for module in ours(imports_of(source(path))):
        if package_of(module) == ("asen_tf", "models"):
            assert module in SHARED_BY_MODELS or f"{module}.".startswith(f"{own}."), module


def test_tensorflow_stays_unloaded():
    """Imports the modules in a fresh interpreter and names the first that brings TensorFlow."""
    modules = [
        module_name(path)
        for path in FILES
        if f"{module_name(path)}.".startswith(tuple(f"{name}." for name in WITHOUT_TENSORFLOW))
    ]
    program = (
        "import importlib, sys\n"
        "for name in ['asen_tf', *sys.argv[1:]]:\n"
        "    importlib.import_module(name)\n"
        "    loaded = {'tensorflow', 'keras'} & set(sys.modules)\n"
        "    assert not loaded, f'import {name} loads {loaded}'\n"
    )
    command = [sys.executable, "-c", program, *modules]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
