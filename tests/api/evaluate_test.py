"""`asen_tf.evaluate` of a run and of any embedder, and what a random order scores."""

import dataclasses
from pathlib import Path

import pytest

import asen_tf
from asen_tf.api.evaluate import evaluate, random_order
from asen_tf.core import config as configs
from asen_tf.core import experiment_files
from asen_tf.data.load import load
from asen_tf.models import ASEN
from asen_tf.workdir import Workdir

OFFICIAL = Path(__file__).parents[3] / "shared" / "data" / "official_splits"


@pytest.mark.parametrize(
    ("name", "queries", "percent", "relevance"),
    [
        ("FashionAI", 3600, 15.79, "official"),  # as published
        ("DARN", 4293, 31.26, "official"),  # published: 32.26
        ("DeepFashion", 5525, 3.38, "official"),  # as published
        ("DeepFashion", 5525, 9.32, "multi_label"),
    ],
)
def test_random_rows_of_the_published_data_sets(name, queries, percent, relevance):
    if not (OFFICIAL / name).is_dir():
        pytest.skip(f"{OFFICIAL / name} is not there")
    config = experiment_files.read(experiment_files.find("asen", name.lower()))
    config.data.root = str(OFFICIAL / name)
    config.data.check = "full"  # no photograph is there to be looked at
    result = random_order(config, seeds=2, relevance=relevance)
    assert result["queries"] == queries
    assert 100 * result["map"] == pytest.approx(percent, abs=0.1)
    assert 100 * result["random_map"] == pytest.approx(percent, abs=0.01)
    assert config.data.check == "full"


def test_the_flag_overrides_what_the_run_says(demo):
    run = str(demo / "demo" / "run")
    assert Workdir(run).config().eval.relevance == "official"
    root = str(demo / "demo" / "data")
    assert evaluate(run, root)["relevance"] == "official"
    assert evaluate(run, root, relevance="multi_label")["relevance"] == "multi_label"


def test_anything_that_embeds_is_measured(catalogue, colors):
    config = configs.defaults()
    config.data.root = str(catalogue)
    manifest = load(config.data)
    embedder = type(colors)(manifest.space)
    result = evaluate(embedder, config, ks=(1,))
    # The square's color is told from the others', its side is not.
    assert result["attributes"]["color"]["map"] == 1
    assert result["attributes"]["side"]["map"] < 1
    assert (
        evaluate(embedder, manifest, ks=(1,)) == result == evaluate(embedder, config.data, ks=(1,))
    )
    assert evaluate(embedder, config, protocol="manipulation", ks=(1,))["items"] == 12
    for wrong in ({"slices": ["global"]}, {"precision": "float32"}):
        with pytest.raises(ValueError, match="an embedder takes data"):
            evaluate(embedder, config, **wrong)
    with pytest.raises(ValueError, match="an embedder takes data"):
        evaluate(embedder)
    with pytest.raises(
        ValueError, match="the model knows the attributes fit; the data has color, side"
    ):
        evaluate(type(colors)(asen_tf.core.AttributeSpace({"fit": ("slim",)})), config)


@pytest.mark.parametrize(
    ("fit", "preprocessing"), [("crop", "default"), ("pad", "default"), ("crop", "published")]
)
def test_photographs_cut_to_boxes_count_as_those_cut_by_hand(
    fit, preprocessing, boxed_and_cut, tmp_path
):
    boxed, cut = map(str, boxed_and_cut)
    config = configs.defaults()
    config.data.update(root=boxed, fit=fit, box_margin=0.25)
    config.eval.preprocessing = preprocessing
    space = load(config.data).space
    branch = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 12}
    run = Workdir(tmp_path)
    run.begin(config, space)
    run.save_best(ASEN(2, branch, dict(branch), attribute_dim=8), "stage1")
    run.write_best({"stage": "stage1", "step": 1, "map": 0.5, "slices": None})
    found = evaluate(run, ks=(1,))
    assert found["map"] == pytest.approx(evaluate(run, cut, ks=(1,))["map"])
    assert found["map"] != pytest.approx(evaluate(run, without_boxes(config), ks=(1,))["map"])
    # The embedder takes the boxes of the data and its own margin.
    embedder = asen_tf.load(run)
    assert embedder.box_margin == 0.25 and embedder.fit == fit
    by_embedder = evaluate(embedder, config, ks=(1,))
    assert by_embedder["map"] == pytest.approx(found["map"], abs=1e-6)
    if preprocessing == "default" and fit == "crop":
        embedder.save_to_preset(tmp_path / "preset")
        assert asen_tf.load(tmp_path / "preset").box_margin == 0.25


@pytest.mark.parametrize("protocol", ["similarity", "manipulation"])
def test_a_configuration_that_makes_no_sense_is_refused(catalogue, colors, protocol):
    """28-values-of-keys-unchecked."""
    config = configs.defaults()
    config.data.root = str(catalogue)
    config.eval.ks = (0,)
    for measured in (random_order, lambda *given, **more: evaluate(colors, *given, **more)):
        with pytest.raises(ValueError, match=r"eval.ks=\(0,\): expected numbers"):
            measured(config, protocol=protocol)


def without_boxes(config):
    manifest = load(config.data)
    return dataclasses.replace(manifest, garment_boxes=None)
