"""What tests of several packages share."""

import collections
import csv
import io
import os
import pickle
import shutil
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import filelock
import numpy as np
import pytest
from PIL import Image

from asen_client.core import startup
from tests import programs

startup.quiet()

ROOT = Path(__file__).parents[1]
SLOW = ("training", "conformance", "serving", "reproduction", "project")  # folders, slowest first
COLORS = {"red": (200, 30, 30), "green": (30, 180, 30), "blue": (40, 40, 200)}


def pytest_collection_modifyitems(items):
    """Slow files go first, so that workers that take file by file end together."""
    rank = {name: n for n, name in enumerate(SLOW)}
    items.sort(key=lambda item: rank.get(item.path.parent.name, len(rank)))


@pytest.fixture(scope="module")
def eagerly():
    """TensorFlow traces nothing in this module: of small networks that takes most of the time."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def traced(eagerly):
    """But it does in this test."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(False)
    yield
    tf.config.run_functions_eagerly(True)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """A function (name, make): a copy of the folder that `make(folder)` filled, in one worker."""
    mine = tmp_path_factory.getbasetemp()
    everyone = mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine

    def made_once(name, make):
        made = everyone / f"made_{name}"
        with filelock.FileLock(f"{made}.lock"):
            if not made.exists():
                draft = tmp_path_factory.mktemp(name)
                make(draft)
                draft.rename(made)
        return Path(shutil.copytree(made, mine / name))

    return made_once


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """A certificate for localhost that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("the program openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [
            *("openssl", "req", "-x509", *options.split(" ")),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    return str(certificate), str(key)


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    """A folder of 48 photographs: a red, green or blue square at the left or the right.

    24 train, 12 valid, 12 test; manifest.csv with the attributes color and side, without roles.
    """
    root = tmp_path_factory.mktemp("catalogue")
    images, size = 48, (40, 36)
    (root / "images").mkdir(parents=True)
    generator = np.random.default_rng(0)
    rows = []
    for n in range(images):
        color, side = list(COLORS)[n % 3], ("left", "right")[n // 3 % 2]
        pixels = generator.integers(0, 80, (*size, 3), np.uint8)
        across = slice(2, 14) if side == "left" else slice(22, 34)
        pixels[10:28, across] = COLORS[color]
        Image.fromarray(pixels).save(root / "images" / f"{n}.png")
        split = "train" if n < images // 2 else ("valid" if n < images * 3 // 4 else "test")
        rows.append((f"images/{n}.png", split, color, side))
    with open(root / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows([("image", "split", "color", "side"), *rows])
    return root


@pytest.fixture(scope="session")
def boxed_and_cut(catalogue, tmp_path_factory):
    """The same catalogue twice: with boxes of three in four photographs, and cut by hand.

    Cut to the boxes and a margin of a quarter of their sides. Gives the two folders.
    """
    boxed, cut = (tmp_path_factory.mktemp(name) for name in ("boxed", "cut"))
    with open(catalogue / "manifest.csv", newline="") as file:
        header, *rows = csv.reader(file)
    generator = np.random.default_rng(4)
    table = [[*header, "x1", "y1", "x2", "y2"]]
    for folder in (boxed, cut):
        (folder / "images").mkdir()
    for n, row in enumerate(rows):
        pixels = np.asarray(Image.open(catalogue / row[0]))
        Image.fromarray(pixels).save(boxed / row[0])
        box = [""] * 4
        if n % 4 < 3:
            left, top = generator.integers(0, 12, 2)
            width, height = 4 * generator.integers(3, 6, 2)
            box = [left, top, left + width, top + height]
            right, bottom = left + width + width // 4, top + height + height // 4
            left, top = max(0, left - width // 4), max(0, top - height // 4)
            pixels = pixels[top:bottom, left:right]
        table.append([*row, *box])
        Image.fromarray(pixels).save(cut / row[0])
    with open(boxed / "manifest.csv", "w", newline="") as file:
        csv.writer(file).writerows(table)
    (cut / "manifest.csv").write_text((catalogue / "manifest.csv").read_text())
    return boxed, cut


@pytest.fixture(scope="session")
def demo(made_once):
    """A folder in which a tiny `asen-demo` ran: `demo/` it wrote, `output.txt` and `errors.txt` it
    said."""
    return made_once("demo", _run_demo)


def _run_demo(folder):
    tiny = {
        "data.images": 60,
        "model.global_branch.size": 32,
        "model.local_branch.size": 32,
        "train.batch_size": 8,
        "train.max_steps": 4,
    }
    flags = [f"--config.{key}={value}" for key, value in tiny.items()]
    scratch = f"--config={ROOT / 'configs' / 'asen' / 'synthetic.py'}"
    result = programs.run("demo", "--output=demo", scratch, *flags, cwd=folder)
    assert result.returncode == 0, result.stderr[-5000:]
    (folder / "output.txt").write_text(result.stdout)
    (folder / "errors.txt").write_text(result.stderr)


@pytest.fixture(scope="session")
def workdir(made_once):
    """A run with an untrained model of two small branches, attributes color and skirt length.

    Its classifiers of values are random, and end its embeddings.
    """
    return made_once("run", _begin_run)


def _begin_run(folder):
    # TensorFlow takes seconds to load, and most tests do without this.
    from asen_tf.core import AttributeSpace
    from asen_tf.core import config as configs
    from asen_tf.models import ASEN
    from asen_tf.models.recognition import ValueClassifiers
    from asen_tf.workdir import Workdir

    run = Workdir(folder)
    space = AttributeSpace({"color": ["red", "green"], "skirt length (cm)": ["35", "90"]})
    branch = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 12}
    config = configs.defaults()
    config.data.box_margin = 0.25
    run.begin(config, space)
    model = ASEN(2, branch, dict(branch), attribute_dim=8)
    draw = np.random.default_rng(0)
    width = sum(model.pooled_dims.values())
    model.value_classifiers = ValueClassifiers(
        np.array(space.offsets),
        np.array([2, 3]),
        draw.normal(size=(width, 4)),
        draw.normal(size=4),
        shares=np.float32([0.3, 0.2]),
    )
    run.save_best(model, "stage2")
    slices = ["global", "local", "values"]
    run.write_best({"stage": "stage2", "step": 3, "map": 0.5, "slices": slices})


@pytest.fixture(scope="session")
def served(workdir, made_once):
    """The folder of versions that `export` makes of this run, unverified; it holds version 1."""

    def export(folder):
        from asen_tf.serving.export import export_model
        from asen_tf.workdir import Workdir

        run = Workdir(workdir)
        given = {"slices": run.best()["slices"], "box_margin": run.config().data.box_margin}
        export_model(run.load_best(), run.space(), folder / "asen", verified=False, **given)

    return made_once("served", export) / "asen"


@pytest.fixture(scope="session")
def model_files(workdir, made_once):
    """Format of `asen-export` -> the file that it makes of this run."""
    from asen_tf.core.choices import FILE_ENDINGS

    def export(folder):
        from asen_tf.serving.export import export

        for name, ending in FILE_ENDINGS.items():
            export(workdir, folder / f"asen{ending}", format=name)

    folder = made_once("files", export)
    return {name: folder / f"asen{ending}" for name, ending in FILE_ENDINGS.items()}


@pytest.fixture(scope="session")
def jpegs():
    """33 JPEGs of different sizes."""
    draw = np.random.default_rng(0)
    return [_jpeg(draw, 40 + n, 90 - n) for n in range(33)]


def _jpeg(draw, width, height):
    coarse = Image.fromarray(draw.integers(0, 256, (6, 5, 3), np.uint8))
    file = io.BytesIO()
    coarse.resize((width, height), Image.Resampling.BICUBIC).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def save_torch(monkeypatch):
    """A function (object, path) that writes what `torch.save` would; arrays become tensors."""
    # The pickle names things of torch, which need not be installed.
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild():
        raise AssertionError("only its name is written")

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = rebuild
    names = {"f8": "Double", "f4": "Float", "f2": "Half", "i8": "Long", "u1": "Byte"}
    for name in names.values():
        setattr(torch, f"{name}Storage", type(f"{name}Storage", (), {"__module__": "torch"}))

    class Storage:
        def __init__(self, values, key):
            self.values, self.key = values, key

    class Pickler(pickle.Pickler):
        def __init__(self, file):
            super().__init__(file, protocol=2)
            self.storages = []

        def reducer_override(self, value):
            if not isinstance(value, np.ndarray):
                return NotImplemented
            self.storages.append(Storage(value, str(len(self.storages))))
            steps = tuple(s // value.itemsize for s in np.empty(value.shape, value.dtype).strides)
            hooks = collections.OrderedDict()
            return rebuild, (self.storages[-1], 0, value.shape, steps, False, hooks)

        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            kind = getattr(torch, f"{names[value.values.dtype.str[1:]]}Storage")
            return ("storage", kind, value.key, "cpu", value.values.size)

    def save(value, path):
        with monkeypatch.context() as patch, zipfile.ZipFile(path, "w") as archive:
            patch.setitem(sys.modules, "torch", torch)
            patch.setitem(sys.modules, "torch._utils", utils)
            with archive.open("archive/data.pkl", "w") as file:
                pickler = Pickler(file)
                pickler.dump(value)
            archive.writestr("archive/byteorder", "little")
            for storage in pickler.storages:
                archive.writestr(f"archive/data/{storage.key}", storage.values.tobytes())

    return save
