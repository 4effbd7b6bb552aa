"""The linear baseline beside a run."""

import subprocess
import sys

import pytest

from asen_tf.api.evaluate import evaluate
from asen_tf.core import config as configs
from asen_tf.core import experiments
from asen_tf.evaluation.report import difference_line
from asen_tf.training.train import train
from tests.networks import shrink


def test_beside_a_run(catalogue, tmp_path):
    config = configs.defaults()
    config.data.root = str(catalogue)
    experiments.small(config, "resnet6")
    experiments.one_branch(config, "triplet_net")
    shrink(config.model, image_scale=1)
    config.train.update(batch_size=4, max_steps=1)
    run = train(config, tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-m", "asen_tf.cli.evaluate", f"--workdir={run.path}", "--baseline"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split("  ")[-3:] == ["random", "global MAP", "linear MAP"]

    # Trained once; each is measured as it is alone.
    before = (run.path / "baseline" / "best.json").stat().st_mtime_ns
    both = evaluate(run, str(catalogue), baseline=True)
    assert (run.path / "baseline" / "best.json").stat().st_mtime_ns == before
    alone, linear = evaluate(run), evaluate(run.path / "baseline")
    assert both["variant"] == "global" and both["map"] == pytest.approx(alone["map"])
    assert both["variants"]["linear"]["map"] == pytest.approx(linear["map"])
    ahead = both["differences"]["linear"]
    assert ahead["map"] == pytest.approx(alone["map"] - linear["map"])
    assert difference_line(both, "linear") in done.stdout
    assert difference_line(both, "linear").endswith("global is not better than linear")


def test_it_is_of_runs(colors, catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    with pytest.raises(ValueError, match="expected a run, got an embedder or an export"):
        evaluate(colors, config, baseline=True)
    with pytest.raises(ValueError, match="measured by protocol=similarity"):
        evaluate(colors, config, baseline=True, protocol="manipulation")
