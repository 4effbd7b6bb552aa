"""Servers look at their port first: a model takes long to load."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "port", "flags"),
    [
        ("serve", "port", ["--model_base_path=nowhere"]),
        ("serve", "rest_api_port", ["--port=0", "--model_base_path=nowhere"]),
        ("app", "port", ["--store=faiss:nowhere", "--images=nowhere", "--model=nowhere"]),
    ],
)
def test_a_taken_port_is_said_before_anything_is_loaded(name, port, flags):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        at = ["--host=127.0.0.1", f"--{port}={listening.getsockname()[1]}"]
        command = [sys.executable, "-X", "importtime", "-m", f"asen_tf.cli.{name}", *at, *flags]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.endswith(": address already in use\n")
    assert "tensorflow" not in done.stderr
