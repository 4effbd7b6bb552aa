"""Runs on several devices and by several processes, as on one."""

import contextlib
import json
import socket
import time

import numpy as np
import pytest

from asen_tf.core import experiments
from asen_tf.training.train import train
from asen_tf.workdir import Workdir
from tests import programs
from tests.training.runs import experiment, flags_of, run_program, tiny, weights

pytestmark = pytest.mark.usefixtures("eagerly")


def without_batch_statistics(catalogue):
    """A run whose replicas can do what one device does: examples do not depend on one another."""
    config = tiny(catalogue, max_steps=4, checkpoint_every_steps=1, sampling="triplet")
    experiments.mine(config, "none")
    for branch in ("global_branch", "local_branch"):
        config.model[branch].backbone = "alexnet_torchvision"
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
    run_program(file, tmp_path / "run", *flags)
    assert_same_run(Workdir(tmp_path / "run"), one_device)


@contextlib.contextmanager
def workers(file, workdir):
    """Two processes that train together over loopback, and the file of the first one's stderr."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    flags = flags_of(file, workdir, "--strategy=multi_worker")
    with contextlib.ExitStack() as stack:
        started = []
        for n in range(2):
            task = json.dumps({"cluster": cluster, "task": {"type": "worker", "index": n}})
            # A killed worker leaves what it wrote aside.
            variables = {"TF_CONFIG": task, "TMPDIR": str(workdir.parent)}
            running = programs.running("train", *flags, eagerly=True, **variables)
            started.append(stack.enter_context(running))
        (first, _, said), (second, *_) = started
        yield first, second, said


def test_two_workers_train_as_one_device_though_one_dies(catalogue, tmp_path, one_device):
    file = experiment(without_batch_statistics(catalogue), tmp_path / "tiny.py")
    workdir = tmp_path / "run"
    with workers(file, workdir) as (first, second, said):
        deadline = time.monotonic() + 240
        while not any((workdir / "checkpoints" / "stage1").glob("ckpt-*.index")):
            assert first.is_alive() and time.monotonic() < deadline, said.read_text()[-3000:]
            time.sleep(0.01)
        second.kill()
        # The others wait for it; what runs the cluster ends them, and starts all of them anew.
        first.kill()
        assert not Workdir(workdir).best_model("stage2").exists()
    with workers(file, workdir) as (first, second, said):
        for worker in (first, second):
            worker.join(240)
            assert worker.exitcode == 0, said.read_text()[-3000:]
        assert "goes on from step" in said.read_text()
    assert_same_run(Workdir(workdir), one_device)
