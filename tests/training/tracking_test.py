"""The code of docs/tracking.md brings a run's history to each tracker that is installed.

Neither is in the lock: `pip install mlflow wandb`, 1 GB with what they need, that only this needs.
"""

import re

import pytest

import asen_tf
from asen_tf.core import experiments
from tests.programs import ROOT
from tests.training.runs import tiny

pytestmark = pytest.mark.usefixtures("eagerly")
TRACKERS = ("mlflow", "wandb")


@pytest.fixture
def code(catalogue, tmp_path, monkeypatch):
    """Tracker -> the block that imports it, for a tiny run below the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(experiments, "photographs", lambda _: tiny(catalogue))
    text = (ROOT / "docs" / "tracking.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    blocks = [block.replace("/data/shop", str(catalogue)) for block in blocks]
    return {name: block for name in TRACKERS for block in blocks if f"import {name}\n" in block}


def losses(run):
    """Of the second stage, which begins after six steps."""
    entries = [e for e in run.history() if e["stage"] == "stage2" and "loss" in e]
    return [(6 + entry["step"], entry["loss"]) for entry in entries]


def test_every_tracker_has_its_code(code):
    assert code.keys() == set(TRACKERS)
    for block in code.values():
        compile(block, "docs/tracking.md", "exec")


def test_mlflow_has_the_history(code, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow = pytest.importorskip("mlflow", reason="pip install mlflow")
    mlflow.set_tracking_uri((tmp_path / "mlruns").as_uri())
    exec(code["mlflow"], names := {})
    [found] = mlflow.search_runs(output_format="list")
    told = mlflow.MlflowClient().get_metric_history(found.info.run_id, "stage2/loss")
    assert [(one.step, one.value) for one in told] == losses(names["run"])
    assert found.data.metrics["test/map"] == asen_tf.evaluate(names["run"])["map"]
    assert found.info.status == "FINISHED"


def test_wandb_has_the_history(code, monkeypatch):
    wandb = pytest.importorskip("wandb", reason="pip install wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    told, log = [], wandb.Run.log

    def logged(run, values, step):
        told.append((step, values.get("stage2/loss")))
        log(run, values, step=step)

    monkeypatch.setattr(wandb.Run, "log", logged)
    exec(code["wandb"], names := {})
    assert [(step, loss) for step, loss in told if loss is not None] == losses(names["run"])
