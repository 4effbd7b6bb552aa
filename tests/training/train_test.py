"""Runs: what they leave, how they go on, what stops them."""

import io
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import asen_tf.models
from asen_tf.core import config as configs
from asen_tf.data import load as data
from asen_tf.data.load import BadData
from asen_tf.training.step import TrainStep
from asen_tf.training.train import TrainingDiverged, train
from tests.training.runs import environment, model_of, tiny, weights

pytestmark = pytest.mark.usefixtures("eagerly")


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append("begin")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append((epoch, logs))

    def on_train_end(self, logs=None):
        self.calls.append("end")


@pytest.fixture(scope="module")
def recorder():
    return Recorder()


@pytest.fixture(scope="module")
def finished(catalogue, tmp_path_factory, recorder):
    folder = tmp_path_factory.mktemp("finished") / "run"
    return train(tiny(catalogue), folder, callbacks=[recorder])


@pytest.fixture(scope="module")
def brief(catalogue, tmp_path_factory):
    """A run of another seed that has no time."""
    config = tiny(catalogue, seed=1, max_minutes=1e-6)
    config.stage1.epochs = config.stage2.epochs = 1000
    return train(config, tmp_path_factory.mktemp("brief") / "run")


def test_a_run_leaves_models_history_and_tensorboard(finished, catalogue):
    assert finished.best()["stage"] == "stage2"
    assert finished.best()["slices"] == ["global", "local"]
    assert list(finished.space()) == ["color", "side"]
    # The best model says which values photographs show, too.
    assert [model_of(finished, stage).predicts for stage in ("stage1", "stage2")] == [False, True]
    assert list((finished.path / "tensorboard").glob("events*"))
    steps = [(e["stage"], e["step"]) for e in finished.history() if "loss" in e]
    assert steps == [(stage, step) for stage in ("stage1", "stage2") for step in range(1, 7)]
    scores = [
        e["valid_map"] for e in finished.history() if "valid_map" in e and e["stage"] == "stage2"
    ]
    assert len(scores) == 2 and finished.best()["map"] == max(scores)
    found = next(e for e in finished.history() if e["stage"] == "stage2" and "loss" in e)
    terms = tiny(catalogue).stage2.losses
    weighted = sum(terms[name].weight * found[name] for name in terms)
    assert found["loss"] == pytest.approx(weighted, rel=1e-5)


def test_callbacks_are_told_what_the_history_has(finished, recorder):
    first, own = {"stage1": 0, "stage2": 6}, {"stage", "step", "seconds"}
    expected = [
        (
            first[entry["stage"]] + entry["step"],
            {f"{entry['stage']}/{name}": entry[name] for name in entry.keys() - own},
        )
        for entry in finished.history()
    ]
    assert recorder.calls == ["begin", *expected, "end"]
    assert isinstance(recorder.model, asen_tf.models.ASEN)


def test_photographs_cut_to_boxes_train_as_those_cut_by_hand(boxed_and_cut, tmp_path):
    losses = []
    for folder in boxed_and_cut:
        config = tiny(folder, max_steps=2)
        config.data.update(box_margin=0.25, fit="pad")
        run = train(config, tmp_path / folder.name)
        losses.append([entry["loss"] for entry in run.history() if "loss" in entry])
    assert losses[0] == losses[1] and len(losses[0]) == 2


def images_of(run):
    """(tag, step) -> the encoded images that the run's TensorBoard log holds."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found = {}
    for path in run.tensorboard.glob("events*"):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "images":
                    _width, _height, *found[value.tag, event.step] = value.tensor.string_val
    return found


def test_tensorboard_shows_attention_at_each_validation(finished):
    images = images_of(finished)
    assert set(images) == {
        (f"{stage}/attention/{attribute}", first + step)
        for stage, first in (("stage1", 0), ("stage2", 6))
        for step in (3, 6)
        for attribute in ("color", "side")
    }
    for (encoded,) in images.values():
        with Image.open(io.BytesIO(encoded)) as image:
            # Four photographs and the gaps between them.
            assert image.size == (4 * 128 + 3 * 4, 128)


def test_stage1_trains_the_global_branch_alone(catalogue, finished):
    """The local branch is what the seed made of it."""
    keras.utils.set_random_seed(0)
    start = asen_tf.models.build(tiny(catalogue).model, finished.space())
    first = model_of(finished, "stage1")
    for branch, stands in (("global_branch", False), ("local_branch", True)):
        pairs = [(getattr(model, branch).get_weights()) for model in (start, first)]
        moved = [not np.array_equal(a, b) for a, b in zip(*pairs, strict=True)]
        assert any(moved) is not stands


def test_a_finished_run_started_again_changes_nothing(finished, catalogue):
    before = finished.best_model("stage2").read_bytes(), finished.history()
    train(tiny(catalogue), finished.path)
    assert (finished.best_model("stage2").read_bytes(), finished.history()) == before


def test_another_configuration_in_the_same_folder_is_refused(finished, catalogue):
    with pytest.raises(ValueError, match=r"train.batch_size was 4, is 8"):
        train(tiny(catalogue, batch_size=8), finished.path)


def test_a_run_goes_on_with_its_own_data_only(finished, catalogue):
    """32-table-changed-under-a-run."""
    table = catalogue / "manifest.csv"
    text = table.read_text()
    header, *rows = text.splitlines()
    before = finished.history()
    try:
        table.write_text("\n".join([header, *rows[1:], rows[0].replace("red", "blue")]))
        with pytest.raises(ValueError, match=r"has changed since the run .* \(1 of 48 rows\)"):
            train(tiny(catalogue), finished.path)
    finally:
        table.write_text(text)
    assert finished.history() == before


def test_photographs_that_are_gone_can_be_passed_over(finished, catalogue, tmp_path):
    """13-advice-that-cannot-be-followed."""
    moved = shutil.copytree(catalogue, tmp_path / "data")
    whole = finished.manifest(moved)
    Path(whole.path(0)).unlink()
    with pytest.raises(BadData, match=r"\(--skip_bad drops the bad rows\)"):
        finished.manifest(moved)
    left = finished.manifest(moved, skip_bad=True)
    assert left.images.tolist() == whole.images.tolist()[1:]


def test_stage2_from_a_stage1_run_is_as_if_in_one_run(finished, catalogue, tmp_path):
    """And the same seed gives the same numbers, in both stages."""
    # What is kept in memory and which pictures are drawn changes nothing, either.
    config = tiny(catalogue, stages=("stage1",), recompute_backbone=True)
    config.eval.pictures = 0
    first = train(config, tmp_path / "first")
    assert first.best()["slices"] == ["global"]
    config = tiny(catalogue, stages=("stage2",), init_from=str(first.path))
    second = train(config, tmp_path / "second")
    for one, other in zip(weights(finished), weights(second), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_run_starts_from_columns_in_another_order(finished, catalogue, tmp_path):
    """01-init-from-other-columns: what was learned of an attribute stays with its name."""
    lines = [line.split(",") for line in (catalogue / "manifest.csv").read_text().split()]
    order = [*range(len(lines[0]) - 2), -1, -2]
    assert {lines[0][-1], lines[0][-2]} == {"color", "side"}
    swapped = "\n".join(",".join(cells[n] for n in order) for cells in lines)
    (catalogue / "swapped.csv").write_text(swapped)
    config = tiny(catalogue, stages=("stage2",), max_steps=1, init_from=str(finished.path))
    config.data.manifest = "swapped.csv"
    config.eval.pictures = 0
    assert list(data.load(config.data).space) == [lines[0][n] for n in order[-2:]]
    assert train(config, tmp_path / "run").space() == finished.space()


def test_a_run_starts_from_no_other_network(finished, catalogue, tmp_path):
    """16-init-from-other-network."""
    config = tiny(catalogue, init_from=str(finished.path))
    config.model.attribute_dim += 1
    expected = f"{finished.path} is of another network: model.attribute_dim was"
    with pytest.raises(ValueError, match=expected):
        train(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_another_seed_gives_other_numbers(finished, brief):
    assert brief.history()[0]["loss"] != finished.history()[0]["loss"]


def test_max_minutes_is_shared_out(brief):
    assert {(e["stage"], e["step"]) for e in brief.history()} == {("stage1", 1), ("stage2", 1)}


def test_nan_stops_the_run_and_names_the_last_good_checkpoint(catalogue, tmp_path):
    config = tiny(catalogue)
    config.stage1.schedule = {"name": "step", "every_epochs": 1, "gamma": 1e30}
    config.stage1.rates = ((".*", 1e-4),)
    with pytest.raises(TrainingDiverged, match=r"stage1: .* last good checkpoint is .*ckpt-\d"):
        train(config, tmp_path / "run")


def test_lower_precision_and_compiled_backbones(traced, catalogue, tmp_path):
    keys = {"precision": "mixed_bfloat16", "jit_backbone": True, "deterministic": False}
    config = tiny(catalogue, stages=("stage2",), max_steps=1, **keys)
    config.eval.pictures = 0
    run = train(config, tmp_path / "run")
    assert all(np.isfinite(e["loss"]) for e in run.history() if "loss" in e)
    model = model_of(run, "stage2")
    assert model.dtype_policy.name == "mixed_bfloat16"
    assert {str(v.dtype) for v in model.trainable_variables} == {"float32"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling": "triplets"}, "Did you mean 'triplet'"),
        ({"batch_size": 0}, "train.batch_size=0: expected a whole number of 1 or more"),
        ({"jit_backbone": True}, "deterministic"),
        (
            {"jit_backbone": True, "recompute_backbone": True, "deterministic": False},
            "exclude one another",
        ),
        ({"init_from": "nowhere"}, "nowhere holds no best.json"),
    ],
)
def test_bad_settings_stop_before_training(catalogue, tmp_path, changes, message):
    with pytest.raises((ValueError, OSError), match=message):
        train(tiny(catalogue, **changes), tmp_path / "run")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.stage1.losses.global_triplet.update(mining="semihard"), "mean 'semi_hard'"),
        (lambda c: c.model.update(threshhold=0.2), "model: unknown key 'threshhold'.*'threshold'"),
        (lambda c: c.model.update(name="assen"), "unknown model 'assen'. Did you mean 'asen'"),
        pytest.param(
            lambda c: c.model.global_branch.update(backbone="resnet19"),
            "Did you mean 'resnet1.'[^\n]*\\Z",
            id="28-values-of-keys-unchecked",
        ),
        (lambda c: c.stage1.losses.global_triplet.update(margins=1), "Did you mean 'margin'"),
        (lambda c: c.stage1.losses.global_triplet.update(name="tripled"), "mean 'triplet'"),
        (lambda c: c.stage1.update(rates=((".*", 1e-4), ("nowhere", 1e-5))), "'nowhere'"),
        (lambda c: c.stage1.update(rates=(("/global_branch/", 1e-4),)), "no pattern matches"),
        (lambda c: c.stage1.optimizer.update(epsilom=1e-8), "Did you mean 'epsilon'"),
        (lambda c: c.stage2.update(rates=((".*", 1e-4), ("nowhere", 1e-5))), "'nowhere'"),
        (lambda c: c.stage2.losses.local_triplet.update(output="locall"), "mean 'local'"),
        (lambda c: c.stage2.losses.local_triplet.update(mining="none"), "has mining='none'"),
        (lambda c: c.model.local_branch.update(embedding_dim=4), "got 8 .* and 4"),
        (lambda c: c.model.global_branch.update(bakbone="a"), "key 'bakbone'.*'backbone'"),
        (lambda c: c.train.update(precision="float23"), "mean 'float32'"),
    ],
)
def test_bad_names_stop_before_training(catalogue, tmp_path, change, message):
    config = tiny(catalogue)
    with config.unlocked():
        change(config)
    with pytest.raises(ValueError, match=message):
        train(config, tmp_path / "run")
    # The mended configuration may have the same folder.
    assert not (tmp_path / "run").exists()


KILLED = """
import os, signal, sys
import tensorflow as tf
from asen_tf.core import config
from asen_tf.training.step import TrainStep
from asen_tf.training.train import train

taken, take = [], TrainStep.__call__

def dying(self, batch):
    taken.append(batch)
    if len(taken) == 8:
        os.kill(os.getpid(), signal.SIGKILL)
    return take(self, batch)

TrainStep.__call__ = dying
tf.config.run_functions_eagerly(True)
train(config.load(sys.argv[1]), sys.argv[2])
"""


def test_interrupted_and_killed_it_ends_with_the_same_weights(
    catalogue, tmp_path, finished, monkeypatch
):
    """In the first stage, and in the second, which has an optimizer for each rate."""
    config, folder = tiny(catalogue), tmp_path / "run"
    taken, take = [], TrainStep.__call__

    def stopping(self, batch):
        taken.append(batch)
        if len(taken) == 4:
            raise KeyboardInterrupt
        return take(self, batch)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(TrainStep, "__call__", stopping)
        train(config, folder)
    # It goes on from step 2 of 6, and dies before step 4 of the next stage, without tidying up.
    configs.save(config, tmp_path / "config.json")
    program = [sys.executable, "-c", KILLED, str(tmp_path / "config.json"), str(folder)]
    killed = subprocess.run(program, env=environment(), capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-5000:]
    run = train(config, folder)
    for stage in ("stage1", "stage2"):
        for one, other in zip(weights(finished, stage), weights(run, stage), strict=True):
            np.testing.assert_array_equal(one, other)
    steps = [(e["stage"], e["step"]) for e in run.history() if "loss" in e]
    assert steps == [(stage, step) for stage in ("stage1", "stage2") for step in range(1, 7)]
