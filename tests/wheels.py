"""Builds the project's distributions."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

IGNORED: Callable = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
"""What is left out of a copy of the sources, for `shutil.copytree`."""


def built(source: Path, folder: Path) -> Path:
    """The wheel that `python -m build` makes of a source tree, by way of the archive of sources."""
    pytest.importorskip("build")
    command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={folder}", source]
    made = subprocess.run(command, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    [found] = folder.glob("*.whl")
    return found
