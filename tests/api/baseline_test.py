"""The linear baseline beside a run."""

import shutil

import pytest

from asen_tf.api.baseline import linear_baseline
from asen_tf.api.evaluate import evaluate
from asen_tf.core import AttributeSpace, experiments
from asen_tf.core import config as configs
from asen_tf.core.choices import BASELINE
from asen_tf.data.load import load
from asen_tf.evaluation.report import difference_line
from asen_tf.training.train import train
from asen_tf.workdir import Workdir
from tests import programs
from tests.networks import shrink

pytestmark = pytest.mark.usefixtures("eagerly")


def trained(root, folder):
    """A small run of one step."""
    config = configs.defaults()
    config.data.root = str(root)
    experiments.small(config, "resnet6")
    experiments.one_branch(config, "triplet_net")
    shrink(config.model, image_scale=1)
    config.train.update(batch_size=4, max_steps=1)
    return train(config, folder)


def test_beside_a_run(catalogue, tmp_path):
    run = trained(catalogue, tmp_path / "run")
    done = programs.run("evaluate", f"--workdir={run.path}", "--baseline", eagerly=True)
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


def test_rows_that_have_become_bad_are_dropped_for_both(catalogue, tmp_path):
    root = tmp_path / "catalogue"
    shutil.copytree(catalogue, root)
    run = trained(root, tmp_path / "run")
    (root / "images" / "0.png").unlink()
    assert BASELINE in evaluate(run, baseline=True, skip_bad=True)["variants"]


def test_random_features_and_other_attributes_are_told(catalogue, tmp_path, monkeypatch, caplog):
    """A run that started from another one may know values that its table has not."""
    space = AttributeSpace({"side": ["left", "right"], "color": ["blue", "gray", "green", "red"]})
    config = configs.defaults()
    config.data.root = str(catalogue)
    run = Workdir(tmp_path)
    run.begin(config, space)

    def begin(given, path):
        Workdir(path).begin(given, load(given.data, training=False).space)

    monkeypatch.setattr("asen_tf.training.train.train", begin)
    with pytest.raises(ValueError, match="has not all that the run it started from knows"):
        linear_baseline(run)
    assert "of random features" in caplog.text


def test_it_is_of_runs(colors, catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    with pytest.raises(ValueError, match="expected a run, got an embedder or an export"):
        evaluate(colors, config, baseline=True)
    with pytest.raises(ValueError, match="measured by protocol=similarity"):
        evaluate(colors, config, baseline=True, protocol="manipulation")
