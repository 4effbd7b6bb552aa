"""Batches as the library's pipeline makes them, and what a model's losses are of them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from asen_tf.losses import Loss
from asen_tf.models import EmbeddingModel

Batch = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


def triplets(images: np.ndarray, attributes: Sequence[int], labels=None) -> Batch:
    """Rows anchor, positive, negative in turn; an attribute a triplet."""
    pairs = np.repeat(np.array(attributes, np.int32), 3)[:, None]
    targets = {"attributes": pairs, "roles": np.arange(len(images), dtype=np.int32) % 3}
    if labels is not None:
        targets["labels"] = np.asarray(labels)
    return {"images": images, "attributes": pairs}, targets


def labelled(images: np.ndarray, attributes: Sequence[int], labels: np.ndarray) -> Batch:
    """Images, each with the same attributes."""
    pairs = np.tile(np.array(attributes, np.int32), (len(images), 1))
    targets = {"attributes": pairs, "ids": np.arange(len(images)), "labels": np.asarray(labels)}
    return {"images": images, "attributes": pairs}, targets


def losses_of(model: EmbeddingModel, losses: Mapping[str, Loss], batch: Batch) -> dict:
    """Compiles the model; its losses' values for each example of a batch, by name.

    The model's loss is their weighted sum: that is checked here.
    """
    weights = {name: 2.0**n for n, name in enumerate(losses)}
    model.compile(optimizer=None, loss=losses, loss_weights=weights)
    x, y = batch
    outputs = model(x, training=False)
    values = {name: loss.call(y, outputs).numpy() for name, loss in losses.items()}
    expected = sum(weight * values[name].mean() for name, weight in weights.items())
    assert float(model.compute_loss(x, y, outputs)) == pytest.approx(expected, rel=1e-5)
    return values
