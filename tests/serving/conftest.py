"""What the tests of serving share."""

import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

import asen_tf
from asen_client import Client
from tests import programs


@pytest.fixture(scope="session")
def embedder(workdir):
    """The model of the run in Python."""
    return asen_tf.load(workdir, batch_size=4)


@pytest.fixture(scope="session")
def saved(tmp_path_factory):
    """Two SavedModels: one doubles, the other triples."""
    import tensorflow as tf

    from tests.serving.toy import Module

    folder = tmp_path_factory.mktemp("saved")
    for factor in (2, 3):
        module = Module(float(factor))
        names = {"serving_default": "scale"}
        names |= {name: name for name in ("refuse", "echo", "wait", "spin", "kinds")}
        signatures = {name: getattr(module, method) for name, method in names.items()}
        tf.saved_model.save(module, str(folder / str(factor)), signatures=signatures)
    return {factor: folder / str(factor) for factor in (2, 3)}


@pytest.fixture
def held(toy, monkeypatch):
    """What began to run at a `toy`, of which nothing ends before the event `held.free`."""

    class Held(list):
        free = threading.Event()

    began, servable = Held(), toy.models.get("toy")._versions[2].servable
    run = servable.run

    def run_later(*given):
        began.append(given[0])
        assert began.free.wait(60)
        return run(*given)

    monkeypatch.setattr(servable, "run", run_later)
    yield began
    began.free.set()


@pytest.fixture(scope="module")
def address(served, tmp_path_factory):
    """Where `asen-serve` answers."""
    log = tmp_path_factory.mktemp("server") / "serve.txt"
    with open(log, "w") as file:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "asen_tf.cli.serve", f"--model_base_path={served}"),
                *("--host=127.0.0.1", "--port=0"),
            ],
            env={**os.environ, "PYTHONPATH": programs.PATH},
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield available(server, log)
    finally:
        server.terminate()
        server.wait(60)


def available(server, log):
    """Its address, once the server says it and has loaded the model."""
    deadline = time.monotonic() + 600  # on a busy machine
    while time.monotonic() < deadline:
        assert server.poll() is None, log.read_text()
        listening = re.search(r"^listening at (\S+)$", log.read_text(), re.MULTILINE)
        if listening:
            with Client(listening[1]) as client:
                if "AVAILABLE" in client.status().values():
                    return listening[1]
        time.sleep(0.5)
    return pytest.fail(f"the server did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """JPEG files of several sizes."""
    folder, noise = tmp_path_factory.mktemp("photographs"), np.random.default_rng(0)
    paths = [folder / f"{n}.jpg" for n in range(7)]
    for path in paths:
        small = Image.fromarray(noise.integers(0, 256, (6, 5, 3), np.uint8))
        small.resize(noise.integers(40, 160, 2).tolist(), Image.Resampling.BICUBIC).save(path)
    return paths
