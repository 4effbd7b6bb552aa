"""`asen_tf.evaluate` of a run and of any embedder, and what a random order scores."""

from pathlib import Path

import pytest

import asen_tf
from asen_tf.api.evaluate import evaluate, random_order
from asen_tf.core import config as configs
from asen_tf.core import experiment_files
from asen_tf.data.load import load
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
    with pytest.raises(ValueError, match="the model knows .*, the data has"):
        evaluate(type(colors)(asen_tf.core.AttributeSpace({"fit": ("slim",)})), config)
