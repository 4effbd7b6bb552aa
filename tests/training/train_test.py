"""Runs: what they leave, how they go on, what stops them."""

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import asen_tf.models
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.training.step import TrainStep
from asen_tf.training.train import TrainingDiverged, train
from asen_tf.workdir import Workdir
from tests.networks import shrink

ROOT = Path(__file__).parents[2]


def tiny(catalogue, **train_keys):
    """Two stages of a tiny network on the catalogue."""
    config = configs.defaults()
    config.data.root = str(catalogue)
    experiments.small(config, "resnet10")
    shrink(config.model, backbone="resnet10", embedding_dim=16)
    config.train.batch_size = 4
    config.train.steps_per_epoch = 3
    config.train.log_every_steps = 1
    config.train.checkpoint_every_steps = 2
    config.eval.every_epochs = 1
    config.stage1.epochs = config.stage2.epochs = 2
    config.stage2.attributes_per_step = 0
    config.train.update(train_keys)
    return config


def weights(run, stage="stage2"):
    return [v.numpy() for v in _model(run, stage).weights]


def _model(run, stage):
    return keras.saving.load_model(run.best_model(stage))


@pytest.fixture(scope="module")
def finished(catalogue, tmp_path_factory):
    return train(tiny(catalogue), tmp_path_factory.mktemp("finished") / "run")


def test_a_run_leaves_models_history_and_tensorboard(finished, catalogue):
    assert finished.best()["stage"] == "stage2"
    assert finished.best()["slices"] == ["global", "local"]
    assert list(finished.space()) == ["color", "side"]
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
    first = _model(finished, "stage1")
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


def test_another_seed_gives_other_numbers(finished, catalogue, tmp_path):
    other = train(tiny(catalogue, seed=1, stages=("stage1",), max_steps=1), tmp_path / "other")
    assert other.history()[0]["loss"] != finished.history()[0]["loss"]


def test_max_minutes_is_shared_out(catalogue, tmp_path):
    config = tiny(catalogue, max_minutes=1e-6)
    config.stage1.epochs = config.stage2.epochs = 1000
    run = train(config, tmp_path / "run")
    assert {(e["stage"], e["step"]) for e in run.history()} == {("stage1", 1), ("stage2", 1)}


def test_nan_stops_the_run_and_names_the_last_good_checkpoint(catalogue, tmp_path):
    config = tiny(catalogue)
    config.stage1.schedule = {"name": "step", "every_epochs": 1, "gamma": 1e30}
    config.stage1.rates = ((".*", 1e-4),)
    with pytest.raises(TrainingDiverged, match=r"stage1: .* last good checkpoint is .*ckpt-\d"):
        train(config, tmp_path / "run")


def test_lower_precision_and_compiled_backbones(catalogue, tmp_path):
    keys = {"precision": "mixed_bfloat16", "jit_backbone": True, "deterministic": False}
    file = experiment(tiny(catalogue, max_steps=2, **keys), tmp_path / "tiny.py")
    # Determinism, which the other runs switch on, holds for a whole process.
    run_program(command(file, tmp_path / "run"))
    run = Workdir(tmp_path / "run")
    assert all(np.isfinite(e["loss"]) for e in run.history() if "loss" in e)
    assert {str(w.dtype) for w in weights(run)} <= {"float32", "uint32"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sampling": "triplets"}, "Did you mean 'triplet'"),
        ({"batch_size": 0}, "batch_size=0 must be a multiple"),
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
        (lambda c: c.model.global_branch.update(backbone="resnet19"), "resnet1"),
        (lambda c: c.stage1.losses.global_triplet.update(margins=1), "Did you mean 'margin'"),
        (lambda c: c.stage1.losses.global_triplet.update(name="tripled"), "mean 'triplet'"),
        (lambda c: c.stage1.update(rates=((".*", 1e-4), ("nowhere", 1e-5))), "'nowhere'"),
        (lambda c: c.stage1.update(rates=(("/global_branch/", 1e-4),)), "no pattern matches"),
        (lambda c: c.stage1.optimizer.update(epsilom=1e-8), "Did you mean 'epsilon'"),
        (lambda c: c.stage2.update(rates=((".*", 1e-4), ("nowhere", 1e-5))), "'nowhere'"),
        (lambda c: c.stage2.losses.local_triplet.update(output="locall"), "mean 'local'"),
        (lambda c: c.stage2.losses.local_triplet.update(mining="none"), "has mining='none'"),
        (lambda c: c.model.local_branch.update(embedding_dim=8), "got 16 .* and 8"),
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


def experiment(config, path):
    """An experiment file, as --config takes it."""
    configs.save(config, path.with_suffix(".json"))
    path.write_text(
        "from asen_tf.core import config as configs\n\n\n"
        f"def get_config():\n    return configs.load({str(path.with_suffix('.json'))!r}).lock()\n"
    )
    return path


def command(config_file, workdir, *flags):
    program = [sys.executable, "-m", "asen_tf.cli.train"]
    return [*program, f"--config={config_file}", f"--workdir={workdir}", *flags]


def run_program(words):
    result = subprocess.run(words, env=environment(), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-5000:]


def environment(**extra):
    return {**os.environ, "PYTHONPATH": str(ROOT), **extra}


@pytest.mark.parametrize("step", [4, 10])
def test_stopped_after_a_checkpoint_it_ends_with_the_same_weights(
    catalogue, tmp_path, finished, monkeypatch, step
):
    """In either stage: with one optimizer, and with one for each rate."""
    taken = iter(range(1, step + 1))
    take = TrainStep.__call__

    def stopping(self, batch):
        if next(taken) == step:
            raise KeyboardInterrupt
        return take(self, batch)

    monkeypatch.setattr(TrainStep, "__call__", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(tiny(catalogue), tmp_path / "run")
    monkeypatch.undo()
    run = train(tiny(catalogue), tmp_path / "run")
    for stage in ("stage1", "stage2"):
        for one, other in zip(weights(finished, stage), weights(run, stage), strict=True):
            np.testing.assert_array_equal(one, other)


def test_killed_and_started_again_it_ends_with_the_same_weights(catalogue, tmp_path, finished):
    file = experiment(tiny(catalogue), tmp_path / "tiny.py")
    workdir = tmp_path / "killed"
    # The run does not block on its output, and SIGKILL leaves it no time to tidy up.
    process = subprocess.Popen(command(file, workdir), env=environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(workdir.glob("checkpoints/stage2/*.index")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert Workdir(workdir).history()[-1] != finished.history()[-1]
    run_program(command(file, workdir))
    for one, other in zip(weights(finished), weights(Workdir(workdir)), strict=True):
        np.testing.assert_array_equal(one, other)
    steps = [(e["stage"], e["step"]) for e in Workdir(workdir).history() if "loss" in e]
    assert steps == [(stage, step) for stage in ("stage1", "stage2") for step in range(1, 7)]


def without_batch_statistics(catalogue):
    """A run whose replicas can do what one device does: examples do not depend on one another."""
    config = tiny(catalogue, max_steps=4, checkpoint_every_steps=1, sampling="triplet")
    experiments.mine(config, "none")
    for branch in ("global_branch", "local_branch"):
        config.model[branch].backbone = "alexnet"
    # Adam would make much of gradients that are nothing but rounding.
    with config.unlocked():
        for stage in (config.stage1, config.stage2):
            stage.optimizer = {"name": "sgd", "momentum": 0.9}
    return config


@pytest.fixture(scope="module")
def one_device(catalogue, tmp_path_factory):
    return train(without_batch_statistics(catalogue), tmp_path_factory.mktemp("one") / "run")


def assert_same_run(run, expected):
    """The same examples in the same order give the same losses, and these the same weights."""
    for entry, other in zip(run.history(), expected.history(), strict=True):
        assert (entry["stage"], entry["step"]) == (other["stage"], other["step"])
        assert entry.get("loss", 0) == pytest.approx(other.get("loss", 0), rel=1e-4)
    for stage in ("stage1", "stage2"):
        for one, other in zip(weights(run, stage), weights(expected, stage), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_two_replicas_train_as_one_device(catalogue, tmp_path, one_device):
    file = experiment(without_batch_statistics(catalogue), tmp_path / "tiny.py")
    flags = ["--strategy=mirrored", "--logical_cpus=2"]
    run_program(command(file, tmp_path / "run", *flags))
    assert_same_run(Workdir(tmp_path / "run"), one_device)


def test_replicas_share_their_batch_statistics(catalogue, tmp_path):
    file = experiment(tiny(catalogue, max_steps=2), tmp_path / "tiny.py")
    flags = ["--strategy=mirrored", "--logical_cpus=2"]
    run_program(command(file, tmp_path / "run", *flags))
    assert all(np.isfinite(w).all() for w in weights(Workdir(tmp_path / "run")))


def start_workers(file, workdir):
    """Two processes that train together over loopback."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    return [
        subprocess.Popen(
            command(file, workdir, "--strategy=multi_worker"),
            env=environment(
                TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": "worker", "index": n}}),
                TMPDIR=str(workdir.parent),  # A killed worker leaves what it wrote aside.
            ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(2)
    ]


def test_two_workers_train_as_one_device_though_one_dies(catalogue, tmp_path, one_device):
    file = experiment(without_batch_statistics(catalogue), tmp_path / "tiny.py")
    workdir = tmp_path / "run"
    workers = start_workers(file, workdir)
    try:
        deadline = time.monotonic() + 240
        # Written last, it names the newest checkpoint.
        while not (workdir / "checkpoints" / "stage1" / "checkpoint").exists():
            assert workers[0].poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        workers[1].kill()
        # The others wait for it; what runs the cluster ends them, and starts all of them anew.
        workers[0].kill()
        assert not Workdir(workdir).best_model("stage2").exists()
        for worker in workers:
            worker.communicate()
        workers = start_workers(file, workdir)
        for worker in workers:
            _, errors = worker.communicate(timeout=240)
            assert worker.returncode == 0, errors[-3000:]
            assert "goes on from step" in errors or worker is not workers[0]
    finally:
        for worker in workers:
            worker.kill()
    assert_same_run(Workdir(workdir), one_device)
