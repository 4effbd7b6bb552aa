"""Training batches: right, reproducible, resumable, the same however they are sharded."""

import dataclasses

import numpy as np
import pytest

from asen_tf.core import config as configs
from asen_tf.data import pipeline
from asen_tf.data.canvases import open_canvases
from asen_tf.data.load import load
from asen_tf.data.manifest import TRIPLET


@pytest.fixture(scope="module")
def setting(catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    manifest = load(config.data)
    return config, manifest, open_canvases(manifest, manifest.rows("train"), 16)


def examples(setting, attributes_per_step=0, **train):
    config, manifest, canvases = setting
    config = config.copy_and_resolve_references()
    config.train.update(train)
    return pipeline.training_examples(config, manifest, canvases, attributes_per_step)


def batches(made, count, **kwargs):
    data = pipeline.dataset(made, **{"batch_size": 4, "start": 0, **kwargs})
    return [{k: v.numpy() for k, v in batch.items()} for batch in data.take(count)]


def same(one, other):
    assert one.keys() == other.keys()
    return all(np.array_equal(one[key], other[key]) for key in one)


def test_triplets_with_labels(setting):
    config, manifest, canvases = setting
    made = pipeline.training_examples(config, manifest, canvases, labels=True)
    (batch,) = batches(made, 1, batch_size=24)
    assert same(
        {k: v for k, v in batch.items() if k != "labels"},
        batches(examples(setting), 1, batch_size=24)[0],
    )
    rows = manifest.rows("train")
    every = canvases(rows).numpy()
    offsets = np.asarray(manifest.space.offsets)
    for image, labels in zip(
        batch["images"].reshape(-1, 16, 16, 3), batch["labels"].reshape(72, -1), strict=True
    ):
        row = rows[(every == image).all((1, 2, 3))][0]
        of_row = manifest.labels[manifest.labels["image"] == row]
        assert np.flatnonzero(labels).tolist() == sorted(
            offsets[of_row["attribute"]] + of_row["value"]
        )
    for attribute, (anchor, positive, negative) in zip(
        batch["attributes"], batch["labels"], strict=True
    ):
        own = slice(*offsets[attribute : attribute + 2])
        assert (anchor & positive)[own].any() and not (anchor & negative)[own].any()


def test_triplets_of_a_data_set_have_no_labels(setting):
    config, manifest, canvases = setting
    manifest = dataclasses.replace(manifest, triplets=np.array([(1, 0, 1, 2)], TRIPLET))
    with pytest.raises(
        ValueError, match="brings triplets instead of labels, which model.name='asen'"
    ):
        pipeline.training_examples(config, manifest, canvases, labels=True)


def test_triplets_of_the_data_set_are_what_is_drawn(setting):
    config, manifest, canvases = setting
    triplets = np.array([(1, 0, 1, 2), (0, 3, 4, 5)], TRIPLET)
    manifest = dataclasses.replace(manifest, triplets=triplets)
    (batch,) = batches(examples((config, manifest, canvases)), 1, batch_size=2)
    order = np.argsort(batch["attributes"])
    assert batch["attributes"][order].tolist() == [0, 1]
    expected = canvases(np.array([3, 4, 5, 0, 1, 2])).numpy()
    np.testing.assert_array_equal(batch["images"][order].reshape(6, 16, 16, 3), expected)
    with pytest.raises(ValueError, match="need train.sampling=paper, got 'multi_attribute'"):
        examples((config, manifest, canvases), sampling="multi_attribute")


@pytest.mark.parametrize("sampling", pipeline.SAMPLINGS)
def test_a_run_goes_on_at_any_step(setting, sampling):
    made = examples(setting, sampling=sampling)
    whole = batches(made, 6)
    for found, expected in zip(batches(made, 3, start=3), whole[3:], strict=True):
        assert same(found, expected)
    assert not same(whole[0], whole[1])
    assert not same(batches(examples(setting, sampling=sampling, seed=1), 1)[0], whole[0])


@pytest.mark.parametrize("machines", [1, 2])
def test_replicas_share_out_each_step(setting, machines):
    made = examples(setting, sampling="paper")
    whole = batches(made, 3, start=5)
    shares = [
        batches(made, 3 * 2 // machines, start=5, replicas=2, pipelines=machines, pipeline=m)
        for m in range(machines)
    ]
    for step, expected in enumerate(whole):
        of_step = (
            [shares[0][2 * step], shares[0][2 * step + 1]]
            if machines == 1
            else [share[step] for share in shares]
        )
        joined = {k: np.concatenate([part[k] for part in of_step]) for k in expected}
        assert same(joined, expected)


def test_paper_triplets_show_what_the_sampler_drew(setting):
    _config, manifest, canvases = setting
    batch = batches(examples(setting, sampling="paper"), 1)[0]
    assert batch["images"].shape == (4, 3, 16, 16, 3) and batch["images"].dtype == np.uint8
    known = canvases(manifest.rows("train")).numpy()
    labels = {(r["image"], r["attribute"]): r["value"] for r in manifest.labels}
    for images, attribute in zip(batch["images"], batch["attributes"], strict=True):
        rows = [int((known == image).all(axis=(1, 2, 3)).argmax()) for image in images]
        anchor, positive, negative = (labels[row, attribute] for row in rows)
        assert anchor == positive != negative and rows[0] != rows[1]


def test_changes_come_with_the_labels_of_their_images(setting):
    _config, manifest, canvases = setting
    batch = batches(examples(setting, sampling="manipulation"), 1)[0]
    assert batch["images"].shape == (4, 3, 16, 16, 3) and batch["labels"].shape == (4, 3, 5)
    known = canvases(manifest.rows("train")).numpy()
    values = {(r["image"], r["attribute"]): r["value"] for r in manifest.labels}
    for images, labels, attribute in zip(
        *(batch[key] for key in ("images", "labels", "attributes")), strict=True
    ):
        rows = [int((known == image).all(axis=(1, 2, 3)).argmax()) for image in images]
        expected = np.zeros((3, 5), bool)
        for role, row in enumerate(rows):
            expected[role, [values[row, 0], 3 + values[row, 1]]] = True
        np.testing.assert_array_equal(labels, expected)
        query, target, _ = rows
        assert [values[query, a] != values[target, a] for a in (0, 1)] == [
            attribute == 0,
            attribute == 1,
        ]


def test_changes_are_spared_what_would_falsify_them(setting):
    config, manifest, canvases = setting
    config = config.copy_and_resolve_references()
    config.train.sampling = "manipulation"
    config.augment.flip = True
    config.augment.flip_falsifies = ("side",)
    batch = batches(pipeline.training_examples(config, manifest, canvases), 1, batch_size=24)[0]
    of_side = batch["attributes"] == 1
    shows_side = batch["labels"][..., 3:].any(-1)
    assert shows_side[of_side].all() and 0 < shows_side[~of_side].mean() < 1
    assert batch["labels"][..., :3].any(-1).all()


def test_multi_attribute_batches_visit_every_image_once_an_epoch(setting):
    _, manifest, canvases = setting
    epochs = [
        batches(examples(setting, sampling="multi_attribute"), 6, start=6 * e) for e in (0, 1)
    ]
    orders = [np.concatenate([batch["ids"] for batch in epoch]).tolist() for epoch in epochs]
    assert sorted(orders[0]) == sorted(orders[1]) == manifest.rows("train").tolist()
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])
    batch = epochs[0][0]
    np.testing.assert_array_equal(batch["images"], canvases(batch["ids"]))
    np.testing.assert_array_equal(batch["attributes"], [0, 1])
    values = {(r["image"], r["attribute"]): r["value"] for r in manifest.labels}
    expected = np.zeros((4, 5), bool)
    for n, row in enumerate(batch["ids"]):
        expected[n, values[row, 0]] = expected[n, 3 + values[row, 1]] = True
    np.testing.assert_array_equal(batch["labels"], expected)


def test_attributes_per_step_change_from_step_to_step(setting):
    made = examples(setting, attributes_per_step=1, sampling="multi_attribute")
    chosen = [batch["attributes"].tolist() for batch in batches(made, 20)]
    assert {tuple(c) for c in chosen} == {(0,), (1,)}


def test_a_falsified_attribute_counts_as_unlabelled(setting):
    config, manifest, canvases = setting
    config = config.copy_and_resolve_references()
    config.train.sampling = "multi_attribute"
    config.augment.flip = True
    config.augment.flip_falsifies = ("side",)
    batch = batches(pipeline.training_examples(config, manifest, canvases), 1, batch_size=24)[0]
    flipped = (batch["images"] != canvases(batch["ids"]).numpy()).any(axis=(1, 2, 3))
    assert 0 < flipped.sum() < 24
    np.testing.assert_array_equal(batch["labels"][:, 3:].any(axis=1), ~flipped)
    assert batch["labels"][:, :3].any(axis=1).all()


def test_unknown_sampling(setting):
    with pytest.raises(ValueError, match="Did you mean 'paper'"):
        examples(setting, sampling="papers")
