"""The client's wheel in an environment of its own, asking the library's `asen-serve`."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import asen_tf
from tests.wheels import IGNORED, built

ROOT = Path(__file__).parents[2]
LENGTH = "skirt length (cm)"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--retries=1"]
MOST_BYTES = 120e6

ASK = """
import asyncio, sys
import numpy as np
from asen_client import AsyncClient, Client

address, attribute, output, *photographs = sys.argv[1:]


async def ask():
    async with AsyncClient(address) as client:
        return await client.embed(photographs, attribute), list(await client.attributes())


with Client(address) as client:
    every = client.embed_all(photographs)
    attention, boxes = client.explain(photographs, attribute)
    predicted = client.predict(photographs, attribute)
one, names = asyncio.run(ask())
np.savez(output, every=every, attention=attention, boxes=boxes, predicted=predicted, one=one)
print(names, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """What `python -m build client/` makes, by way of the archive of sources."""
    folder = tmp_path_factory.mktemp("wheel")
    return built(shutil.copytree(ROOT / "client", folder / "client", ignore=IGNORED), folder)


@pytest.fixture(scope="module")
def alone(wheel, tmp_path_factory):
    """A fresh environment with the wheel, in the versions that the library is tested with."""
    folder = tmp_path_factory.mktemp("alone")
    index = [*PIP, "download", "--no-deps", f"--dest={folder}", "absl-py"]
    if (asked := subprocess.run(index, capture_output=True, text=True)).returncode:
        pytest.skip(f"no package index can be reached: {asked.stderr.strip().splitlines()[-1]}")
    venv.create(folder / "venv")
    lock = f"--constraint={ROOT / 'requirements.lock'}"
    python = f"--python={folder / 'venv/bin/python'}"
    installed = subprocess.run([*PIP, python, "install", lock, wheel], capture_output=True)
    assert installed.returncode == 0, installed.stderr
    return folder / "venv"


def ran(alone, program, *arguments):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [alone / "bin" / program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_the_wheel_has_all_files_and_the_version_of_the_library(wheel):
    assert wheel.name == f"asen_client-{asen_tf.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        packaged = {name for name in archive.namelist() if name.startswith("asen_client/")}
    client = ROOT / "client"
    there = {path.relative_to(client) for path in client.glob("asen_client/**/*.*")}
    assert packaged == {path.as_posix() for path in there if path.suffix != ".pyc"}


def test_it_is_small_and_brings_no_tensorflow(alone):
    [packages] = alone.glob("lib/python*/site-packages")
    tops = {path.name for path in packages.iterdir()}
    assert {"asen_client", "grpc", "numpy", "PIL"} <= tops
    assert not {"asen_tf", "keras", "tensorflow"} & tops
    size = sum(path.stat().st_size for path in packages.rglob("*") if path.is_file())
    assert size < MOST_BYTES


def test_both_clients_get_the_vectors_of_the_library(
    alone, address, embedder, photographs, tmp_path
):
    output = tmp_path / "found.npz"
    done = ran(alone, "python", "-c", ASK, address, LENGTH, output, *photographs)
    assert done.returncode == 0, done.stderr
    names, loaded = done.stdout.split("] ")
    assert names == str(list(embedder.attributes)).removesuffix("]")
    assert not {"asen_tf", "keras", "tensorflow"} & set(loaded.split())
    found, close = np.load(output), {"rtol": 0, "atol": 1e-5}
    attention, boxes = embedder.explain(photographs, LENGTH)
    np.testing.assert_allclose(found["every"], embedder.embed_all(photographs), **close)
    np.testing.assert_allclose(found["one"], embedder.embed(photographs, LENGTH), **close)
    np.testing.assert_allclose(found["predicted"], embedder.predict(photographs, LENGTH), **close)
    np.testing.assert_allclose(found["attention"], attention, **close)
    np.testing.assert_array_equal(found["boxes"], boxes)


def test_the_program_prints_what_the_library_says(alone, address, embedder, photographs):
    def query(*arguments):
        return ran(alone, "asen-query", f"--model={address}", f"--attribute={LENGTH}", *arguments)

    done = query(*photographs[:2])
    assert (done.returncode, done.stderr) == (0, "")
    [expected] = embedder.similarity(*photographs[:2], LENGTH)
    assert float(done.stdout) == pytest.approx(expected, abs=1e-4)
    done = query("--predict", photographs[0])
    best = embedder.predict(photographs[0], LENGTH)[0].argmax()
    value = embedder.attributes[LENGTH].values[best]
    assert done.stdout.splitlines()[1].split(LENGTH)[1].split()[0] == value


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--model=runs/asen"], "--model=runs/asen, which is no HOST:PORT, needs the library"),
        (["--explain=picture.png"], "--explain needs the library asen_tf, which is not installed"),
        (["--model=http://localhost:8501"], "asked by gRPC; expected HOST:PORT alone"),
    ],
)
def test_what_needs_the_library_says_so(alone, address, photographs, flags, said):
    model = [f"--model={address}", f"--attribute={LENGTH}"]
    done = ran(alone, "asen-query", *model, *flags, photographs[0], photographs[1])
    assert done.returncode == 1 and said in done.stderr
    assert done.stderr.count("\n") == 1
