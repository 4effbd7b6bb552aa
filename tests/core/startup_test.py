"""What TensorFlow's libraries write while they are loaded is kept back, and nothing else.

Case 22-lines-that-nobody-asked-for.
"""

import os
import platform
import subprocess
import sys

import pytest

LOADED = """
import os
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called are written\\n")
os.write(2, b"I0000 00:00:1795661883.157950   18107 port.cc:153] oneDNN custom operations\\n")
os.write(2, b"a warning of Python\\n")
"""


@pytest.fixture
def said(tmp_path):
    (tmp_path / "tensorflow.py").write_text(LOADED)

    def said(more="", **settings):
        (tmp_path / "tensorflow.py").write_text(LOADED + more)
        code = "from asen_client.core import startup; startup.quiet(); import tensorflow; 1 / 0"
        path = os.pathsep.join([str(tmp_path), *sys.path])
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
        environment |= {"PYTHONPATH": path, **settings}
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=environment, capture_output=True, text=True).stderr

    return said


def test_log_lines_are_kept_back(said):
    lines = said().splitlines()
    assert lines[0] == "a warning of Python" and lines[-1].startswith("ZeroDivisionError")
    assert not any("absl" in line or "oneDNN" in line for line in lines)


def test_what_the_user_sets_counts(said):
    assert "oneDNN" in said(TF_CPP_MIN_LOG_LEVEL="0")
    assert "oneDNN" not in said(TF_CPP_MIN_LOG_LEVEL="2")


def test_a_failed_import_says_why(said):
    assert said("raise OSError('no libcudart')").splitlines()[-1] == "OSError: no libcudart"


def test_matplotlib_does_not_warn_of_its_cache(tmp_path):
    (tmp_path / "file").touch()
    quiet = "from asen_client.core import startup; startup.quiet()"
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    environment = {**os.environ, **path, "MPLCONFIGDIR": str(tmp_path / "file" / "folder")}
    for code, silent in (("", False), (f"{quiet};", True)):
        command = [sys.executable, "-c", f"{code}import matplotlib; matplotlib.get_cachedir()"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and (done.stderr == "") is silent


def test_pillow_does_not_warn_of_large_photographs(tmp_path):
    code = """
import io, sys
from asen_client.core import startup
if sys.argv[1:]: startup.quiet()
from PIL import Image
file = io.BytesIO()
Image.new("1", (10_000, 9_500)).save(file, "PNG")
Image.open(file)
"""
    said = [
        subprocess.run([sys.executable, "-c", code, *more], capture_output=True, text=True).stderr
        for more in ((), ("quiet",))
    ]
    assert "decompression bomb" in said[0] and said[1] == ""


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="oneDNN is for x86 here")
@pytest.mark.parametrize("chosen", [None, "0"])
def test_tensorflow_has_onednn_unless_the_user_says_otherwise(chosen):
    code = "import asen_tf; from tensorflow.python.util import _pywrap_util_port as port"
    environment = {k: v for k, v in os.environ.items() if k != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": chosen} if chosen else {}
    command = [sys.executable, "-c", f"{code}; print(port.IsMklEnabled())"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert said.stdout.strip() == str(chosen is None), said.stderr
