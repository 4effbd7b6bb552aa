"""The library's wheel, made by way of the archive of sources, in an environment of its own."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import asen_tf
from tests.wheels import IGNORED, built


@pytest.fixture(scope="module")
def wheel(root, tmp_path_factory):
    """What `python -m build` makes."""
    source, folder = (tmp_path_factory.mktemp(name) for name in ("source", "wheel"))
    for name in ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"):
        shutil.copy(root / name, source)
    for name in ("asen_tf", "client", "configs"):
        shutil.copytree(root / name, source / name, ignore=IGNORED)
    return built(source, folder)


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """The wheel alone, and of this environment the packages that it needs."""
    folder = tmp_path_factory.mktemp("alone")
    venv.create(folder)
    pip = [sys.executable, "-m", "pip", f"--python={folder / 'bin' / 'python'}", "--quiet"]
    install = [*pip, "install", "--no-deps", "--no-index", wheel]
    subprocess.run(install, env=of_no_sources(), check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    others = sysconfig.get_path("purelib")
    (packages / "others.pth").write_text(f"import site; site.addsitedir({others!r})\n")
    return folder


def of_no_sources() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def ran(alone, program, *arguments):
    command = [alone / "bin" / program, *arguments]
    return subprocess.run(command, env=of_no_sources(), cwd=alone, capture_output=True, text=True)


def test_it_has_every_file_and_nothing_else(root, wheel):
    names = zipfile.ZipFile(wheel).namelist()
    info = f"asen_tf-{asen_tf.__version__}"
    experiments = f"{info}.data/data/share/asen_tf/"
    expected = {
        path.relative_to(root).as_posix()
        for path in root.glob("asen_tf/**/*")
        if path.is_file() and path.suffix != ".pyc"
    }
    expected |= {experiments + p.relative_to(root).as_posix() for p in root.glob("configs/**/*.py")}
    assert {name for name in names if not name.startswith(f"{info}.dist-info/")} == expected
    assert f"{info}.dist-info/licenses/LICENSE" in names


def test_its_metadata_are_what_package_indexes_take(wheel):
    with zipfile.ZipFile(wheel) as files:
        text = files.read(f"asen_tf-{asen_tf.__version__}.dist-info/METADATA").decode()
    assert re.search("^License-Expression: Apache-2.0$", text, re.MULTILINE)
    assert re.search("^Description-Content-Type: text/markdown$", text, re.MULTILINE)
    assert "\n# asen_tf\n" in text


@pytest.mark.parametrize("program", ["demo", "train"])
def test_programs_start_from_it(alone, program):
    done = ran(alone, f"asen-{program}", "--help")
    assert done.returncode == 0, done.stderr
    assert "--config" in done.stdout


def test_it_finds_its_experiments_vocabularies_and_pages(alone):
    """And is the wheel's, not that of the sources."""
    code = (
        "import asen_tf, asen_tf.app; from asen_tf.core import experiment_files as found\n"
        "from asen_tf.text import Vocabulary; from pathlib import Path\n"
        "print(asen_tf.__file__); print(found.find('asen', 'csv'))\n"
        "print(len(Vocabulary.load('fashion').attributes))\n"
        "print(Path(asen_tf.app.__file__).with_name('static').joinpath('page.js').is_file())"
    )
    done = ran(alone, "python", "-c", code)
    assert done.returncode == 0, done.stderr
    package, experiment, attributes, page = done.stdout.splitlines()
    for place in (package, experiment):
        assert Path(place).is_relative_to(alone), place
    assert (attributes, page) == ("18", "True")
