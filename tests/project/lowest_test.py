"""Lower bounds of what is needed are the versions that `make lowest` tests with."""

import re
import runpy
import tomllib

import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


def test_lower_bounds_are_tested(root, monkeypatch):
    given = {}
    monkeypatch.setattr(setuptools, "setup", lambda **options: given.update(options))
    runpy.run_path(str(root / "setup.py"))
    client = tomllib.loads((root / "client/pyproject.toml").read_text(encoding="utf-8"))
    lock = (root / "requirements.lowest.lock").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lock, re.MULTILINE))
    every = given["install_requires"] + given["extras_require"]["all"]
    bounds = {
        (requirement.name, bound.version)
        for requirement in map(Requirement, every + client["project"]["dependencies"])
        for bound in requirement.specifier
        if bound.operator == ">="
    }
    assert len(bounds) > 50
    untested = {
        f"{name}>={version}, tested with {pinned.get(canonicalize_name(name))}"
        for name, version in bounds
        if Version(pinned.get(canonicalize_name(name), "0")) != Version(version)
    }
    assert not untested, "take the tested version as the bound, or run make lock"
