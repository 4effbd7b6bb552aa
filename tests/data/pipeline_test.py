"""Training batches: right, reproducible, resumable, the same however they are sharded."""

import dataclasses

import numpy as np
import pytest

from asen_tf.core import config as configs
from asen_tf.data import pipeline
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.data.manifest import TRIPLET


@pytest.fixture(scope="module")
def data(catalogue):
    """The catalogue's manifest, and its training images at 16 pixels."""
    config = configs.defaults().data
    config.root = str(catalogue)
    manifest = load(config)
    return manifest, open_images(manifest, manifest.rows("train"), 16)


def examples(data, sampling="triplet", labels=False, **options):
    return pipeline.training_examples(*data, sampling, labels=labels, **options)


def batches(made, count, **kwargs):
    """Inputs and targets of each batch in one dict; both name the attributes, and alike."""
    made = pipeline.dataset(made, **{"batch_size": 4, "start": 0, **kwargs})
    found = []
    for x, y in made.take(count).as_numpy_iterator():
        np.testing.assert_array_equal(x["attributes"], y["attributes"])
        assert len({len(value) for value in (x | y).values()}) == 1
        found.append(x | y)
    return found


def same(one, other):
    assert one.keys() == other.keys()
    return all(np.array_equal(one[key], other[key]) for key in one)


def rows_of(images, data):
    """Rows of the manifest that images show."""
    manifest, load_images = data
    rows = manifest.rows("train")
    known = load_images(rows).numpy()
    return [int(rows[(known == image).all(axis=(1, 2, 3)).argmax()]) for image in images]


def values_of(manifest):
    return {(r["image"], r["attribute"]): r["value"] for r in manifest.labels}


def labels_of(rows, manifest):
    """bool [N, 5]: colour and side of each."""
    values, expected = values_of(manifest), np.zeros((len(rows), 5), bool)
    for n, row in enumerate(rows):
        expected[n, [values[row, 0], 3 + values[row, 1]]] = True
    return expected


def test_triplets_with_labels(data):
    manifest, _load_images = data
    (batch,) = batches(examples(data, labels=True), 1, batch_size=24)
    labels = batch.pop("labels")
    assert same(batch, batches(examples(data), 1, batch_size=24)[0])
    np.testing.assert_array_equal(labels, labels_of(rows_of(batch["images"], data), manifest))
    assert batch["roles"].tolist() == [0, 1, 2] * 24
    for attribute, (anchor, positive, negative) in zip(
        batch["attributes"][::3, 0], labels.reshape(24, 3, 5), strict=True
    ):
        own = slice(*manifest.space.offsets[attribute : attribute + 2])
        assert (anchor & positive)[own].any() and not (anchor & negative)[own].any()


def test_triplets_of_a_data_set_have_no_labels(data):
    manifest, load_images = data
    manifest = dataclasses.replace(manifest, triplets=np.array([(1, 0, 1, 2)], TRIPLET))
    with pytest.raises(
        ValueError, match="brings triplets instead of labels, which a loss of the stage"
    ):
        examples((manifest, load_images), labels=True)


def test_triplets_of_the_data_set_are_what_is_drawn(data):
    manifest, load_images = data
    triplets = np.array([(1, 0, 1, 2), (0, 3, 4, 5)], TRIPLET)
    manifest = dataclasses.replace(manifest, triplets=triplets)
    (batch,) = batches(examples((manifest, load_images)), 1, batch_size=2)
    order = np.argsort(batch["attributes"][:, 0], kind="stable")
    assert batch["attributes"][order].tolist() == [[0]] * 3 + [[1]] * 3
    expected = load_images(np.array([3, 4, 5, 0, 1, 2])).numpy()
    np.testing.assert_array_equal(batch["images"][order], expected)
    with pytest.raises(ValueError, match="need train.sampling=triplet, got 'multi_attribute'"):
        examples((manifest, load_images), "multi_attribute")


@pytest.mark.parametrize("sampling", pipeline.SAMPLINGS)
def test_a_run_goes_on_at_any_step(data, sampling):
    made = examples(data, sampling)
    whole = batches(made, 6)
    for found, expected in zip(batches(made, 3, start=3), whole[3:], strict=True):
        assert same(found, expected)
    assert not same(whole[0], whole[1])
    assert not same(batches(examples(data, sampling, seed=1), 1)[0], whole[0])


@pytest.mark.parametrize("machines", [1, 2])
def test_replicas_share_out_each_step(data, machines):
    made = examples(data)
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


def test_triplets_show_what_the_sampler_drew(data):
    batch = batches(examples(data), 1)[0]
    assert batch["images"].shape == (12, 16, 16, 3) and batch["images"].dtype == np.uint8
    assert batch["attributes"].shape == (12, 1)
    labels, rows = values_of(data[0]), rows_of(batch["images"], data)
    for n in range(0, 12, 3):
        ((attribute,),) = np.unique(batch["attributes"][n : n + 3], axis=0).tolist()
        anchor, positive, negative = (labels[row, attribute] for row in rows[n : n + 3])
        assert anchor == positive != negative and rows[n] != rows[n + 1]


@pytest.mark.parametrize("special", [(), ("color",)])
def test_changes_come_with_the_labels_of_their_images(data, special):
    """Where only colours are changed, query and target may differ in the side: it stays."""
    manifest, _load_images = data
    made = examples(data, "manipulation", special=special)
    (batch,) = batches(made, 1, batch_size=24)
    expected = labels_of(rows_of(batch["images"], data), manifest)
    np.testing.assert_array_equal(batch["labels"], expected)
    expected = expected.reshape(24, 3, 5)
    besides = 0
    for n, attribute in enumerate(batch["attributes"][::3, 0]):
        own = np.arange(5) // 3 == attribute
        query, target, _ = expected[n]
        assert (query != target)[own].any()
        besides += (query != target)[~own].any()
        for row in range(3 * n, 3 * n + 3):
            np.testing.assert_array_equal(batch["changes"][row], target & own)
            changed = np.where(own, target, query)
            np.testing.assert_array_equal(batch["changed_labels"][row], changed)
    assert (besides > 0) == bool(special)


def test_changes_are_spared_what_would_falsify_them(data):
    augment = {"flip": True, "flip_falsifies": ("side",)}
    made = examples(data, "manipulation", augment=augment)
    (batch,) = batches(made, 1, batch_size=24)
    of_side = batch["attributes"][:, 0] == 1
    shows_side = batch["labels"][..., 3:].any(-1)
    assert shows_side[of_side].all() and 0 < shows_side[~of_side].mean() < 1
    assert batch["labels"][..., :3].any(-1).all()


def test_multi_attribute_batches_visit_every_image_once_an_epoch(data):
    manifest, load_images = data
    epochs = [batches(examples(data, "multi_attribute"), 6, start=6 * e) for e in (0, 1)]
    orders = [np.concatenate([batch["ids"] for batch in epoch]).tolist() for epoch in epochs]
    assert sorted(orders[0]) == sorted(orders[1]) == manifest.rows("train").tolist()
    assert orders[0] != orders[1] and orders[0] != sorted(orders[0])
    batch = epochs[0][0]
    np.testing.assert_array_equal(batch["images"], load_images(batch["ids"]))
    np.testing.assert_array_equal(batch["attributes"], [[0, 1]] * 4)
    np.testing.assert_array_equal(batch["labels"], labels_of(batch["ids"], manifest))


def test_attributes_per_step_change_from_step_to_step(data):
    made = examples(data, "multi_attribute", attributes_per_step=1)
    chosen = [np.unique(batch["attributes"]).tolist() for batch in batches(made, 20)]
    assert [0] in chosen and [1] in chosen and len(np.ravel(chosen)) == 20


def test_a_falsified_attribute_counts_as_unlabelled(data):
    _manifest, load_images = data
    augment = {"flip": True, "flip_falsifies": ("side",)}
    made = examples(data, "multi_attribute", augment=augment)
    (batch,) = batches(made, 1, batch_size=24)
    flipped = (batch["images"] != load_images(batch["ids"]).numpy()).any(axis=(1, 2, 3))
    assert 0 < flipped.sum() < 24
    np.testing.assert_array_equal(batch["labels"][:, 3:].any(axis=1), ~flipped)
    assert batch["labels"][:, :3].any(axis=1).all()


def test_unknown_sampling(data):
    with pytest.raises(ValueError, match="Did you mean 'triplet'"):
        examples(data, "triplets")
