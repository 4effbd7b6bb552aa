"""`asen-train`: what it says before TensorFlow loads, and at the end."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from asen_tf.cli import train
from asen_tf.core import config as configs

CSV = Path(__file__).parents[2] / "configs" / "asen" / "csv.py"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("model.name", "asem", "unknown model 'asem'. Did you mean 'asen'?"),
        ("heads.optimizer.name", "adanw", "unknown optimizer 'adanw'. Did you mean 'adamw'?"),
    ],
)
def test_wrong_names_are_told_before_tensorflow_loads(key, value, message, tmp_path):
    flags = [f"--config={CSV}", f"--workdir={tmp_path}/run", f"--config.{key}={value}"]
    command = [sys.executable, "-X", "importtime", "-m", "asen_tf.cli.train", *flags]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and f"error: {key}={value}: {message}" in done.stderr
    assert "tensorflow" not in done.stderr and "ml_collections" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("measure", "proposed"),
    [
        ("test", ["next: asen-evaluate '--workdir=a run' --split=test"]),
        ("valid", ["next: asen-evaluate '--workdir=a run' --split=valid"]),
        ("", []),
    ],
    ids=["whole", "14-no-test-rows", "nothing-to-measure"],
)
def test_only_what_can_be_measured_is_proposed(measure, proposed, monkeypatch, capsys):
    best = {"stage": "stage1", "step": 3, "map": None, "measure": measure}
    run = SimpleNamespace(path="a run", best=lambda: best, best_model=lambda stage: stage)
    given = SimpleNamespace(
        config=configs.defaults(), workdir="a run", strategy="default", logical_cpus=0
    )
    monkeypatch.setattr(train, "flags", SimpleNamespace(FLAGS=given))
    monkeypatch.setattr("asen_tf.training.train.train", lambda *_: run)
    train.main()
    said, *after = capsys.readouterr().out.splitlines()
    assert said == "best model: stage1 (stage1, step 3, not validated)" and after == proposed
