"""`asen-demo`, and with it training, evaluation and pictures as programs."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from asen_tf.data.synthetic import SPACE
from asen_tf.workdir import Workdir
from tests import programs

CSV = Path(__file__).parents[2] / "configs" / "asen" / "csv.py"


def test_it_says_the_table_the_pictures_and_what_to_try(demo):
    output = (demo / "output.txt").read_text()
    for words in (
        *SPACE,
        "both MAP",
        "random",
        "pointing",
        "asen-evaluate --workdir=",
        "--report=",
    ):
        assert words in output


def test_it_says_nothing_of_other_libraries(demo):
    """It trains, evaluates, exports and draws, in graphs."""
    said = (demo / "errors.txt").read_text()
    assert "drawing" in said and not [noise for noise in programs.NOISE if noise in said]


def test_the_json_has_what_it_promises(demo):
    result = json.loads((demo / "demo" / "test.json").read_text())
    assert 0 < result["map"] < 1 and 0 < result["map_macro"] < 1
    assert list(result["attributes"]) == list(SPACE)
    for row in result["attributes"].values():
        assert {"map", "queries", "candidates", "random_map"} <= row.keys()
    assert set(result["variants"]) == {"both", "global", "local"}
    assert set(result["localization"]["attributes"]) == set(SPACE)


def test_it_draws(demo):
    pictures = demo / "demo" / "pictures"
    names = {path.name for path in pictures.iterdir()}
    assert names == {
        "attention.jpg",
        "channels.png",
        "learning_curve.png",
        "loss_curve.png",
        "reranking_neckline.jpg",
        *(f"retrieval_{name}.jpg" for name in SPACE),
        *(f"confusion_{name}.png" for name in SPACE),
    }
    for path in pictures.iterdir():
        with Image.open(path) as picture:
            assert min(picture.size) > 200


def test_both_stages_ran_within_the_bound(demo):
    run = Workdir(demo / "demo" / "run")
    steps = {(e["stage"], e["step"]) for e in run.history()}
    assert max(step for _, step in steps) == 3 and ("stage2", 1) in steps


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("evaluate", ["--workdir=nowhere"], "nowhere holds no best.json"),
        ("evaluate", ["--workdir=demo/run", "--slices=globl"], "Did you mean 'global'"),
        ("visualize", ["--workdir=demo/run", "--output=o", "--attributes=colar"], "'collar'"),
        ("visualize", ["--workdir=none", "--output=o", "--figures=tsn"], "mean 'tsne'"),
        ("visualize", ["--workdir=demo/run"], "--report"),
        ("train", ["--config=none.py", "--workdir=w"], "none.py"),
        ("train", [f"--config={CSV}", "--workdir=w", "--config.train.bach_size=8"], "batch_size"),
        ("train", [f"--config={CSV}", "--workdir=w", "--config.model.brunch.size=8"], "'brunch'"),
    ],
)
def test_bad_input_ends_with_a_line_and_a_status(demo, name, flags, message):
    result = programs.run(name, *flags, cwd=demo)
    wrong_use = name == "train" or message == "--report"
    assert result.returncode == (2 if wrong_use else 1)
    assert message in result.stderr
    assert not [noise for noise in programs.NOISE if noise in result.stderr]


def test_photographs_to_score_are_asked_for_before_training(catalogue, tmp_path):
    table = (catalogue / "manifest.csv").read_text().replace(",test,", ",valid,")
    (tmp_path / "untested.csv").write_text(table)
    result = programs.run("demo", "--data=untested.csv", cwd=tmp_path)
    assert result.returncode == 1 and not (tmp_path / "demo").exists()
    assert "untested.csv: 0 photographs have the split test, expected 2 or more" in result.stderr


@pytest.mark.parametrize("rendered", [False, True])
def test_from_imagenet(catalogue, tmp_path, rendered):
    """Heads alone, on a small part of the network that a catalogue starts from."""
    small = [
        f"--config.model.{branch}.{setting}"
        for branch in ("global_branch", "local_branch")
        for setting in ("size=64", "levels=('P3','P4')")
    ]
    bounds = ["--config.heads.epochs=0.04", "--output=out"]
    (tmp_path / "boxes.csv").write_text("image,x1,y1,x2,y2\nimages/1.png,2,2,30,30\n")
    boxes = os.path.relpath(tmp_path / "boxes.csv", catalogue)
    data = [f"--data={catalogue}", f"--config.data.garment_boxes={boxes}"]
    if rendered:
        data = ["--config.data.images=40"]
    result = programs.run("demo", *data, *small, *bounds, cwd=tmp_path, eagerly=True)
    assert result.returncode == 0, result.stderr
    assert "color" in result.stdout and "random" in result.stdout
    root = "out/data" if rendered else catalogue
    assert f"asen-index --model=out/served --manifest={root}/manifest.csv" in result.stdout
    assert (f"--boxes={catalogue}/{boxes}" in result.stdout) != rendered
    run = Workdir(tmp_path / "out" / "run")
    best = run.best()
    assert (best["stage"], best["slices"]) == ("heads", ["global", "values"])
    assert run.config().train.max_minutes == 3
