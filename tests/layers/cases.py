"""Layers to test, each with inputs and what comes out of them."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from asen_tf import layers

BATCH = 3


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer, the inputs of one example each, and what comes out of an example.

    Attributes:
      layer: makes it.
      inputs: (shape, dtype) of each input, without the batch; a list of them where it is a list.
      outputs: (shape, dtype) likewise; None as dtype: the compute dtype of the layer.
      below: integers are drawn from 0 to this.
    """

    layer: Callable[[], keras.Layer]
    inputs: tuple
    outputs: tuple
    below: int = 1


CASES = {
    "AttributeEmbedding": Case(
        lambda: layers.AttributeEmbedding(5, 8), (((2,), "int32"),), (((2, 8), None),), below=5
    ),
    "AttributeMask, learned": Case(
        lambda: layers.AttributeMask(5, 8), (((2,), "int32"),), (((2, 8), None),), below=5
    ),
    "AttributeMask, disjoint": Case(
        lambda: layers.AttributeMask(5, 8, "disjoint"),
        (((2,), "int32"),),
        (((2, 8), None),),
        below=5,
    ),
    "AttributeSpatialAttention": Case(
        lambda: layers.AttributeSpatialAttention(4),
        (((3, 5, 6), "float32"), ((2, 8), "float32")),
        (((2, 6), None), ((2, 3, 5), "float32")),
    ),
    "AttributeSpatialAttention, one attribute": Case(
        lambda: layers.AttributeSpatialAttention(4),
        (((3, 5, 6), "float32"), ((8,), "float32")),
        (((6,), None), ((3, 5), "float32")),
    ),
    "AttributeChannelAttention": Case(
        lambda: layers.AttributeChannelAttention(3, "tanh"),
        (((2, 6), "float32"), ((2, 8), "float32")),
        (((2, 6), None),),
    ),
    "WeaklySupervisedLocalization": Case(
        lambda: layers.WeaklySupervisedLocalization(112, 0.9),
        (((8, 7, 7), "float32"),),
        (((8, 4), "float32"),),
    ),
    "WeaklySupervisedLocalization, largest": Case(
        lambda: layers.WeaklySupervisedLocalization(112, 0.5, keep="largest"),
        (((8, 7, 7), "float32"),),
        (((8, 4), "float32"),),
    ),
    "SquareLocalization": Case(
        lambda: layers.SquareLocalization(0.9),
        (((8, 7, 7), "float32"),),
        (((8, 4), "float32"),),
    ),
    "PeakLocalization": Case(
        lambda: layers.PeakLocalization(112, 0.3),
        (((8, 7, 7), "float32"),),
        (((8, 4), "float32"),),
    ),
    "PrototypeMemory": Case(
        lambda: layers.PrototypeMemory(5, 4), (((2, 5), "float32"),), (((2, 4), None),)
    ),
    "RoIPooling": Case(
        layers.RoIPooling,
        (((8, 6, 5), "float32"), ((3, 4), "float32")),
        (((3, 3, 2, 5), "float32"),),
    ),
    "RegionCrop": Case(
        lambda: layers.RegionCrop(4),
        (((32, 32, 3), "float32"), ((2, 4), "float32")),
        (((2, 4, 4, 3), "float32"),),
        below=8,
    ),
}


def inputs_of(case):
    random = np.random.default_rng(0)

    def draw(described):
        if isinstance(described, list):
            return list(map(draw, described))
        shape, dtype = described
        if dtype == "float32":
            return random.uniform(size=(BATCH, *shape)).astype(dtype)
        return random.integers(1, case.below, (BATCH, *shape)).astype(dtype)

    return list(map(draw, case.inputs))
