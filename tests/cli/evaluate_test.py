"""`asen-evaluate`: a random order instead of a run, and which values count."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asen_tf.api.evaluate import random_order
from asen_tf.core.config import defaults
from tests import programs

ROOT = Path(__file__).parents[2]
CSV = f"--config={ROOT / 'configs' / 'asen' / 'csv.py'}"


def program(*flags):
    path = os.pathsep.join([programs.PATH, os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "asen_tf.cli.evaluate", *flags],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )


def test_a_random_order_needs_no_photographs_and_no_tensorflow(catalogue, tmp_path):
    shutil.copy(catalogue / "manifest.csv", tmp_path)
    output = tmp_path / "random.json"
    data = [CSV, f"--config.data.root={tmp_path}", f"--output={output}", "--seeds=2"]
    done = program("--model=random", *data, "--relevance=multi_label")
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in done.stderr and "numpy" in done.stderr
    heading, _, color, side = done.stdout.splitlines()[:4]
    assert heading.split("  ")[-4:] == ["random", "mean MAP", "seed 0 MAP", "seed 1 MAP"]
    # 12 images, of which every fifth is a query, as its own color or side says.
    assert color.split()[:3] == ["color", "3", "9"] and side.split()[:3] == ["side", "3", "9"]
    assert "relevance: multi_label" in done.stdout and str(output) in done.stdout
    result = json.loads(output.read_text())
    assert result["relevance"] == "multi_label" and result["queries"] == 6
    assert list(result["variants"]) == ["mean", "seed 0", "seed 1"]


def test_the_querys_own_product_counts_where_images_alone_are_excluded(tmp_path):
    rows = ["q,query,1,red", "a,candidate,1,red", "b,candidate,2,red", "c,candidate,3,blue"]
    config = defaults()
    config.data.root = str(tmp_path)

    def measured(column, **given):
        text = "\n".join([f"image,role,{column},color,split", *(f"{row},test" for row in rows)])
        (tmp_path / "manifest.csv").write_text(text)
        found = random_order(config, seeds=1, **given)
        return found["exclude_same"], found["attributes"]["color"]["relevant"]

    assert measured("product") == measured("product", exclude_same="product") == ("product", 1)
    assert measured("product", exclude_same="image") == ("image", 2)
    assert measured("id") == ("image", 2)
    with pytest.raises(ValueError, match="manifest.csv has no column product; add it, or name"):
        measured("id", exclude_same="product")
    with pytest.raises(ValueError, match="Did you mean 'product'?"):
        measured("product", exclude_same="produkt")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--model=random"], "name it with --config"),
        (["--model=random", CSV, "--slices=both"], "are for a --workdir"),
        (["--model=random", CSV, "--baseline"], "are for a --workdir"),
        (["--workdir=x", "--baseline", "--protocol=manipulation"], "neither --slices"),
        (["--model=random", CSV, "--data_root=x"], "--config.data.root says where"),
        (["--workdir=x", CSV], "--config is for --model:"),
        (["--model=asen.onnx"], "name it with --config"),
        (["--model=random", CSV, "--changes=every"], "--changes is for --protocol=manipulation"),
        (["--workdir=x", "--protocol=manipulation", "--slices=both"], "takes neither --slices"),
        (["--workdir=x", "--protocol=manipulation", "--exclude_same=image"], "--exclude_same nor"),
        (["--workdir=x", "--special=color"], "--special is for --protocol=manipulation"),
        (["--workdir=x", "--ks=1,a"], "--ks takes whole numbers from 1, such as 1,20, got 1,a"),
        ([CSV], "expected either --workdir or --model"),
        (["--model=random", "--workdir=x", CSV], "expected either --workdir or --model"),
        (["--model=random", CSV, "--relevance=all"], "official|multi_label"),
        (["--model=random", CSV, "--follow_links"], "are for a --workdir"),
    ],
)
def test_bad_command_lines(flags, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = program(*flags)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
