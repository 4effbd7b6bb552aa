"""Weights of two slices, chosen by what they rank."""

import numpy as np
import pytest

from asen_tf.data.manifest import CANDIDATE, QUERY
from asen_tf.evaluation import Evaluator, choose_betas
from asen_tf.evaluation.beta import GRID
from tests.evaluation.evaluator_test import look_up, make_manifest, row_images

VALUES = {"collar": list("abc"), "length": list("abc"), "color": list("abc"), "fabric": list("abc")}
IMAGES, SLICES = 90, (slice(0, 6), slice(6, 12))


@pytest.fixture(scope="module")
def case():
    """Collar shows in the first slice, length and fabric in the second, color in both.

    Only one image is asked for its fabric.
    """
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, (IMAGES, 4))
    records = []
    for image in range(IMAGES):
        for attribute in range(4):
            asked = image < (1 if attribute == 3 else 40)
            records.append((image, attribute, truth[image, attribute], (CANDIDATE, QUERY)[asked]))
    signal = np.array([[1.0, 0.1], [0.1, 1.0], [0.7, 0.7], [0.1, 1.0]])
    shown = np.eye(6)[truth][:, :, None] * signal[:, :, None]
    units = shown + random.normal(0, 0.35, shown.shape)
    units /= np.linalg.norm(units, axis=-1, keepdims=True)
    return make_manifest(records, VALUES), units.astype(np.float32)


def embedding(units, betas):
    """[images, attributes, 12], as a model makes it."""
    betas = np.broadcast_to(betas, 4)
    weights = np.sqrt(np.stack([betas, 1 - betas], -1))[:, :, None]
    return (units * weights).reshape(IMAGES, 4, 12).astype(np.float32)


def measured(case, betas):
    manifest, units = case
    embed = look_up(embedding(units, betas))
    return Evaluator(embed, ks=()).evaluate(manifest, "test", row_images)


def chosen(case):
    manifest, units = case
    embed = look_up(embedding(units, 0.5))
    return choose_betas(embed, SLICES, manifest, "test", row_images, batch_size=7)


def test_each_attribute_gets_what_ranks_it_best(case):
    results = {beta: measured(case, beta) for beta in GRID}
    common = max(GRID, key=lambda beta: results[beta]["map"])
    betas, score = chosen(case)
    for name, beta in zip(VALUES, betas, strict=True):
        scores = {b: results[b]["attributes"][name]["map"] for b in GRID}
        if beta != common:
            assert scores[beta] == max(scores.values())
    collar, length, _, fabric = betas
    assert collar > common > length
    best = max(GRID, key=lambda beta: results[beta]["attributes"]["fabric"]["map"])
    assert best != fabric == common  # one query decides nothing
    assert score == pytest.approx(measured(case, betas)["map"], abs=1e-9)
    assert score > results[common]["map"]


def test_equals_go_to_the_first_slice(case):
    manifest, units = case
    same = np.repeat(units[:, :, :1], 2, axis=2)
    betas, _ = chosen((manifest, same))
    assert betas == (1.0,) * 4


def test_an_attribute_without_queries_gets_the_common_weight(case):
    manifest, units = case
    records = [tuple(label) for label in manifest.labels.tolist() if label[1] != 3]
    fewer = make_manifest(records, VALUES, IMAGES), units
    betas, _ = chosen(fewer)
    assert betas[3] == max(GRID, key=lambda beta: measured(fewer, beta)["map"])
    assert betas[:2] == chosen(case)[0][:2]
