"""Training and its caches under faults: what goes wrong, and what must hold."""

import concurrent.futures
import resource
import shutil
import zipfile

import numpy as np
import pytest
import tensorflow as tf

from asen_client.core.foreign import FormatError
from asen_tf.core import config as configs
from asen_tf.data.feature_cache import open_features
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import BadData, load, naming_bad_images
from asen_tf.training.step import TrainStep
from asen_tf.training.train import train
from asen_tf.workdir import Workdir
from tests.full_disk import full_disk
from tests.training.runs import tiny


@pytest.fixture
def data(catalogue, tmp_path):
    """A copy of the catalogue that may be changed: its folder and its manifest."""
    folder = shutil.copytree(catalogue, tmp_path / "data")
    config = configs.defaults()
    config.data.root = str(folder)
    return folder, load(config.data)


def deleted(file):
    file.unlink()


def overwritten(file):
    file.write_bytes(b"something else")


def cut_off(file):
    file.write_bytes(file.read_bytes()[:-30])


def changed(file):
    file.write_bytes(file.read_bytes().replace(b"weigh me", b"weigh us"))


@pytest.mark.parametrize("fault", [overwritten, cut_off, changed])
def test_a_damaged_best_model_is_named(fault, tmp_path):
    file = Workdir(tmp_path).best_model("stage1")
    file.parent.mkdir()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.weights.h5", b"weigh me")
    fault(file)
    with pytest.raises(FormatError, match=r"stage1\.keras: .* it is damaged"):
        Workdir(tmp_path).restore_best(None, "stage1")


@pytest.mark.parametrize("fault", [deleted, overwritten, cut_off])
def test_a_photograph_that_changes_while_it_is_used_is_named(data, fault):
    """Case sec-13-training-tracebacks."""
    folder, manifest = data
    load_images = open_images(manifest, np.arange(24), 16, "none")
    batches = iter(tf.data.Dataset.range(24).repeat().batch(8).map(load_images))
    next(batches)
    fault(folder / "images" / "3.png")
    named = pytest.raises(BadData, match=r"1 problems.*\n.*images/3\.png: \w")
    with named, naming_bad_images(manifest):
        for _ in range(6):
            next(batches)


def test_what_is_no_fault_of_photographs_stays_as_it_is(data):
    for error in (ValueError("x"), tf.errors.InternalError(None, None, "x")):
        with pytest.raises(type(error), match="x"), naming_bad_images(data[1]):
            raise error


def test_a_full_disk_leaves_no_half_images(data, tmp_path):
    _, manifest = data
    arguments = manifest, np.arange(8), 32, "disk"
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        open_images(*arguments, folder=tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.raw*"))
    found = open_images(*arguments, folder=tmp_path / "cache")(np.arange(8))
    np.testing.assert_array_equal(found, open_images(*arguments[:3], "none")(np.arange(8)))


def test_a_full_disk_leaves_no_half_features(tmp_path):
    rows, shapes = np.arange(50), {"maps": (4, 4, 8)}
    maps = np.random.default_rng(0).random((50, 4, 4, 8)).astype(np.float16)
    arguments = tmp_path, {"key": 1}, rows, shapes, lambda: [{"maps": maps}]
    with full_disk(2000), pytest.raises(OSError, match="File too large"):
        open_features(*arguments)
    assert not list(tmp_path.rglob("*.npy"))
    np.testing.assert_array_equal(open_features(*arguments)(rows, None)["maps"], maps)


@pytest.mark.parametrize("said", [(), ("while computing features, at 3 of 50 images",)])
def test_features_that_are_stopped_are_computed_anew(said, tmp_path):
    rows = np.arange(50)

    def compute():
        yield {"maps": np.zeros((3, 4, 4, 8), np.float16)}
        raise KeyboardInterrupt(*said)

    with pytest.raises(KeyboardInterrupt, match="while .*; the same command computes them anew"):
        open_features(tmp_path, {"key": 1}, rows, {"maps": (4, 4, 8)}, compute)
    assert not [*tmp_path.rglob("*.npy")]


def test_two_may_fill_one_cache(data, tmp_path):
    _, manifest = data
    rows = np.arange(24)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        opened = [
            pool.submit(open_images, manifest, rows, 16, "disk", folder=tmp_path / "cache")
            for _ in range(2)
        ]
        one, other = (each.result()(rows) for each in opened)
    np.testing.assert_array_equal(one, other)
    assert len(list((tmp_path / "cache").glob("*.raw"))) == 24


def test_a_run_goes_through_all_faults(data, tmp_path, monkeypatch):
    """Cases 24-ctrl-c and sec-13-training-tracebacks, in a folder that looks like a pattern."""
    folder, _ = data
    picture = folder / "images" / "3.png"
    content = picture.read_bytes()
    config = tiny(folder, stages=("stage1",), checkpoint_every_steps=1)
    config.stage1.epochs, config.eval.every_epochs, config.data.cache = 6, 0, "none"

    def signal():
        raise KeyboardInterrupt

    table = [
        # at the third step: the fault, what ends the run, what it says
        (full_disk(6000).__enter__, OSError, r"run \[1\].* cannot be written .*Make room"),
        (signal, KeyboardInterrupt, "at stage1 step 4; the same command goes on from step 4"),
        (lambda: overwritten(picture), BadData, "images/3.png: "),
    ]
    take, limits = TrainStep.__call__, resource.getrlimit(resource.RLIMIT_FSIZE)
    for fault, kind, said in table:
        picture.write_bytes(content)
        taken = []

        def failing(self, batch, fault=fault, taken=taken):
            taken.append(batch)
            if len(taken) == 3:
                fault()
            return take(self, batch)

        monkeypatch.setattr(TrainStep, "__call__", failing)
        try:
            with pytest.raises(kind, match=said):
                train(config, tmp_path / "run [1]")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    picture.write_bytes(content)
    monkeypatch.setattr(TrainStep, "__call__", take)
    run = train(config, tmp_path / "run [1]")
    assert [e["step"] for e in run.history() if "loss" in e] == list(range(1, 19))


def test_a_second_training_in_the_folder_is_refused(catalogue, tmp_path):
    """Case sec-12-two-trainings: said before anything is computed."""
    lock = Workdir(tmp_path / "run").hold()
    with pytest.raises(BlockingIOError, match=r"process \d+ trains in this folder"):
        train(tiny(catalogue), tmp_path / "run")
    lock.release()
    assert [file.name for file in (tmp_path / "run").iterdir()] == [".lock"]


def test_a_folder_without_a_checkpoint_can_be_begun_anew(catalogue, tmp_path):
    """Case 35-failed-start-blocks-the-folder."""
    run, space = Workdir(tmp_path / "run"), load(tiny(catalogue).data).space
    run.begin(tiny(catalogue, seed=1), space)
    run.append_history({"stage": "stage1", "step": 1})
    other = tiny(catalogue, seed=2)
    run.check_same(other)
    run.begin(other, space)
    assert run.config().train.seed == 2 and run.history() == []
    run.write_best({"stage": "stage1", "step": 1, "slices": None, "map": None})
    with pytest.raises(ValueError, match="train.seed was 2, is 1"):
        run.begin(tiny(catalogue, seed=1), space)


def test_links_of_data_that_was_moved_can_be_followed(catalogue, tmp_path):
    """Case 39-linked-photographs, of a run whose configuration cannot be changed any more."""
    run = Workdir(tmp_path / "run")
    run.begin(tiny(catalogue), load(tiny(catalogue).data).space)
    moved = tmp_path / "moved"
    (moved / "images").mkdir(parents=True)
    shutil.copy(catalogue / "manifest.csv", moved)
    for file in (catalogue / "images").iterdir():
        (moved / "images" / file.name).symlink_to(file)
    with pytest.raises(BadData, match=r"--follow_links"):
        run.manifest(moved)
    assert len(run.manifest(moved, follow_links=True)) == 48


def test_a_run_finds_its_data_from_any_folder(catalogue, tmp_path, monkeypatch):
    """Case 40-small-surprises: a root that is named from the folder in which training began."""
    config = tiny(catalogue)
    config.data.root = catalogue.name
    monkeypatch.chdir(catalogue.parent)
    run = Workdir(tmp_path / "run")
    run.begin(config, load(config.data).space)
    run.write_best({"stage": "stage1", "step": 1, "slices": None, "map": None})
    run.check_same(config)
    monkeypatch.chdir(tmp_path)
    assert run.manifest().root == catalogue
