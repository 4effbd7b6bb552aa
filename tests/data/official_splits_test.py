"""What docs/datasets.md says of the published index files, asserted on them."""

import importlib.util
import logging
from pathlib import Path

import numpy as np
import pytest

from asen_tf.data.load import load
from asen_tf.data.manifest import CANDIDATE, NO_ROLE, QUERY

ROOT = Path(__file__).parents[2]
SPLITS = ROOT.parent / "shared" / "data" / "official_splits"
FOLDERS = {"fashionai": "FashionAI", "darn": "DARN", "deepfashion": "DeepFashion"}
EVALUATED = ("valid", "test")


def options(name):
    """The data part of the experiment's configuration, for index files without photographs."""
    path = ROOT / "configs" / "asen" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = module.get_config().data
    data.update(root=str(SPLITS / FOLDERS[name]), check="none")
    return data


@pytest.fixture(scope="module")
def manifests():
    if not SPLITS.is_dir():
        pytest.skip(f"the published index files are not in {SPLITS}")
    return {name: load(options(name), training=False) for name in FOLDERS}


def roles(manifest, split):
    labels = manifest.labels_of(split)
    return [labels[labels["role"] == role] for role in (QUERY, CANDIDATE)]


def unused(manifest, split):
    """Attribute -> how many of its values no query and no candidate of the split carries."""
    labels = np.concatenate(roles(manifest, split))
    counts = {}
    for attribute, name in enumerate(manifest.space):
        carried = np.unique(labels["value"][labels["attribute"] == attribute])
        if missing := len(manifest.space[name].values) - len(carried):
            counts[name] = missing
    return counts


@pytest.mark.parametrize(
    ("name", "images", "queries", "candidates"),
    [
        ("fashionai", 18000, 3600, 14400),
        ("darn", 21461, 4293, 17168),
        ("deepfashion", 27625, 5525, 22100),
    ],
)
def test_sizes(manifests, name, images, queries, candidates):
    manifest = manifests[name]
    assert len(manifest.rows("train")) == 0
    for split in EVALUATED:
        assert len(manifest.rows(split)) == images
        asking, answering = roles(manifest, split)
        assert (len(asking), len(answering)) == (queries, candidates)
        # Each image is a query or a candidate, once, for one attribute.
        both = np.concatenate([asking["image"], answering["image"]])
        assert len(np.unique(both)) == images == len(both)


def test_no_image_is_in_two_splits_and_one_is_in_a_split_twice(manifests):
    twice = []
    for name in FOLDERS:
        manifest = manifests[name]
        valid, test = (manifest.images[manifest.rows(split)] for split in EVALUATED)
        assert not np.isin(valid, test).any()
        for images in (valid, test):
            names, counts = np.unique(images, return_counts=True)
            twice += names[counts > 1].tolist()
    assert twice == ["img/Striped_A-Line_Dress/img_00000008.jpg"]


def test_fashionai_labels_agree_with_the_folders(manifests):
    manifest = manifests["fashionai"]
    for image, attribute, _, _ in manifest.labels.tolist():
        assert f"/{manifest.space.names[attribute]}_labels/" in manifest.images[image]
    assert [unused(manifest, split) for split in EVALUATED] == [{}, {}]


def numbers_used(name):
    """Attribute -> the largest value in the files that number values within it, and 1."""
    largest = {}
    for path in (SPLITS / FOLDERS[name]).glob("*_*.txt"):
        kind, _, split = path.stem.partition("_")
        if kind in ("query", "candidate") or (kind, split) == ("label", "train"):
            for line in path.read_text().splitlines():
                pairs = np.array(line.split()[1:], int).reshape(-1, 2)
                for attribute, value in pairs.tolist():
                    largest[attribute] = max(largest.get(attribute, 0), value + 1)
    return [largest[attribute] for attribute in sorted(largest)]


def test_attributes_have_as_many_values_as_the_release_says(manifests):
    counts = {name: list(manifests[name].space.value_counts) for name in FOLDERS}
    assert counts["fashionai"] == numbers_used("fashionai")
    types = (SPLITS / "DeepFashion" / "list_attr_cloth.txt").read_text().splitlines()[2:]
    of_type = [int(line.split()[-1]) for line in types]
    assert counts["deepfashion"] == [of_type.count(kind) for kind in (1, 2, 3, 4, 5)]
    # The release's configuration; its valid and test files lack the last of the collars.
    assert counts["darn"] == [20, 13, 55, 7, 28, 11, 26, 8, 17]
    assert numbers_used("darn") == [20, 13, 55, 7, 28, 11, 25, 8, 17]


def test_values_that_no_query_or_candidate_carries(manifests):
    assert unused(manifests["darn"], "valid") == {"clothes_pattern": 5, "collar_shape": 4}
    assert unused(manifests["darn"], "test") == {
        "clothes_color": 1,
        "clothes_pattern": 1,
        "clothes_shape": 1,
        "collar_shape": 2,
        "sleeve_shape": 1,
    }
    assert [sum(unused(manifests["deepfashion"], split).values()) for split in EVALUATED] == [
        41,
        42,
    ]


@pytest.mark.parametrize(
    ("name", "valid", "test"), [("fashionai", 0, 0), ("darn", 4, 3), ("deepfashion", 29, 23)]
)
def test_queries_without_a_relevant_candidate_are_told(manifests, caplog, name, valid, test):
    with caplog.at_level(logging.WARNING):
        load(options(name), training=False)
    told = [r.getMessage() for r in caplog.records if "will count 0" in r.getMessage()]
    assert [(int(t.split()[0]), t.split()[3]) for t in told] == [
        (count, split) for split, count in (("valid", valid), ("test", test)) if count
    ]


def test_fashionai_has_training_labels_without_their_images(manifests, caplog):
    with caplog.at_level(logging.WARNING):
        load(options("fashionai"), training=False)
    assert "filenames_train.txt: not there, the split train is left out" in caplog.text
    lines = (SPLITS / "FashionAI" / "label_train.txt").read_text().splitlines()
    assert len(lines) == 144335


def test_splits_share_products(manifests):
    # DeepFashion keeps a product in a folder; DARN's names end in the number of a view.
    for name, mark, shared, products in (
        ("deepfashion", "/", 5233, 5411),
        ("darn", "_", 3874, 18900),
    ):
        manifest = manifests[name]
        valid, test = (
            {image.rpartition(mark)[0] for image in manifest.images[manifest.rows(split)].tolist()}
            for split in EVALUATED
        )
        assert (len(valid & test), len(test)) == (shared, products)


def test_deepfashion_has_every_value_beside_the_one_of_the_protocol(manifests):
    manifest = manifests["deepfashion"]
    keys = ["image", "attribute", "value"]
    for split, values, multiple in (("valid", 96382, 10310), ("test", 95891, 10244)):
        labels = manifest.labels_of(split)
        every = labels[labels["role"] == NO_ROLE]
        assert len(every) == values
        for given in roles(manifest, split):
            assert np.isin(given[keys], every[keys]).all()
        _, candidates = roles(manifest, split)
        pairs, counts = np.unique(every[keys[:2]], return_counts=True)
        assert np.isin(candidates[keys[:2]], pairs[counts > 1]).sum() == multiple
    used = manifest.labels[["attribute", "value"]]
    assert len(np.unique(used)) == 1000
