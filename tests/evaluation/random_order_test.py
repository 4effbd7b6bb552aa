"""Random orders: fair, repeatable, and measured as a model's are."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from asen_client.core.attributes import AttributeSpace
from asen_tf.core.progress import Quiet
from asen_tf.data.manifest import CANDIDATE, LABEL, NO_ROLE, QUERY, Manifest, sort_labels
from asen_tf.evaluation import evaluate_random, rankings

TEST = 2


def manifest(records, values):
    labels = sort_labels(np.array(records, LABEL))
    count = int(labels["image"].max()) + 1
    return Manifest(
        root=Path("nowhere"),
        space=AttributeSpace(values),
        images=np.array([f"{i}.jpg" for i in range(count)]),
        splits=np.full(count, TEST, np.int8),
        labels=labels,
        lines=np.arange(count, dtype=np.int32),
        source="made-up.csv",
    )


def several(images=40, seed=0):
    """Two attributes; some images are query and candidate, some have a second value."""
    rng = np.random.default_rng(seed)
    values = {"collar": ("a", "b", "c"), "length": ("s", "l")}
    records = []
    for image in range(images):
        for attribute, names in enumerate(values.values()):
            roles = rng.choice([QUERY, CANDIDATE], rng.integers(1, 3), replace=False)
            records += [(image, attribute, rng.integers(len(names)), role) for role in roles]
            records.append((image, attribute, rng.integers(len(names)), NO_ROLE))
    return manifest(records, values)


def run(data, **settings):
    return evaluate_random(data, "test", progress=Quiet, **settings)


# One query of value a; candidates a, b, b and the query's own image, which does not count.
ONE = [(0, 0, 0, QUERY), (0, 0, 0, CANDIDATE), (1, 0, 0, CANDIDATE), (2, 0, 1, CANDIDATE)]
ONE += [(3, 0, 1, CANDIDATE)]


def test_every_place_is_as_likely():
    result = run(manifest(ONE, {"collar": ("a", "b")}), seeds=range(3000), ks=(1, 2, 3))
    places = np.array([v["map"] for n, v in result["variants"].items() if n != "mean"])
    # The relevant one of three comes first, second or third: AP 1, 1/2 or 1/3.
    assert set(places.round(6)) == {1.0, 0.5, 0.333333}
    spread = 4 * (2 / 9 / 3000) ** 0.5
    for place in (1, 2, 3):
        assert (places.round(6) == round(1 / place, 6)).mean() == pytest.approx(1 / 3, abs=spread)
    assert result["map"] == pytest.approx(places.mean())
    assert result["random_map"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3)
    assert result["recall@3"] == 1 and result["relevant"] == 1
    assert result["precision@2"] == pytest.approx(result["recall@2"] / 2)
    assert result["triplet_accuracy"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("relevance", ["official", "multi_label"])
def test_the_mean_comes_close_to_the_expected_value(relevance):
    result = run(several(), seeds=range(200), relevance=relevance)
    assert result["relevance"] == relevance
    for name, row in result["attributes"].items():
        seeds = [result["variants"][f"seed {s}"]["attributes"][name]["map"] for s in range(200)]
        assert row["map"] == pytest.approx(np.mean(seeds))
        error = np.std(seeds) / len(seeds) ** 0.5
        assert 0 < error < 0.005
        assert row["map"] == pytest.approx(row["random_map"], abs=4 * error)


def test_more_is_relevant_where_all_values_count():
    official, multi_label = (run(several(), relevance=r) for r in ("official", "multi_label"))
    assert multi_label["relevant"] > official["relevant"]
    assert multi_label["random_map"] > official["random_map"]


def test_it_repeats_itself_whatever_the_memory_and_the_other_attributes(monkeypatch):
    data = several()
    result = run(data, seeds=[3, 8])
    rows = {name: variant["attributes"] for name, variant in result["variants"].items()}
    assert rows["seed 3"]["length"]["map"] != rows["seed 8"]["length"]["map"]
    monkeypatch.setattr(rankings, "CACHED_BYTES", 1)  # a query at a time
    again = run(data, seeds=[3, 8])["variants"]
    for name, row in rows.items():
        assert again[name]["attributes"]["collar"] == pytest.approx(row["collar"], rel=1e-12)
    alone = dataclasses.replace(data, labels=data.labels[data.labels["attribute"] == 1])
    row = run(alone, seeds=[8])["variants"]["seed 8"]["attributes"]["length"]
    assert row == pytest.approx(rows["seed 8"]["length"], rel=1e-12)


def test_bad_input_is_refused():
    for seeds in ([], [1, -1]):
        with pytest.raises(ValueError, match="seeds must be one or more"):
            run(several(), seeds=seeds)
    with pytest.raises(ValueError, match="ks must be 1 or more"):
        run(several(), ks=(0,))
    with pytest.raises(ValueError, match="unknown relevance 'oficial'"):
        run(several(), relevance="oficial")
    with pytest.raises(ValueError, match="split valid of made-up.csv: no row has it"):
        evaluate_random(several(), "valid")
