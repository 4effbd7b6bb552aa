"""What the faults are tried on: programs that fill a folder from a catalogue of photographs."""

import dataclasses
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
import tensorflow as tf

from asen_tf.api.index import index
from asen_tf.bulk import embed_catalogue, shard
from asen_tf.catalogue import Catalogue
from asen_tf.catalogue.storage import item_store
from asen_tf.core import config as configs
from asen_tf.data.feature_cache import open_features
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export import SIGNATURES, export_model, write
from tests.colors import SPACE, Colors

_ROWS, _SHAPES = np.arange(24), {"maps": (4, 4, 8)}
_MAPS = np.random.default_rng(0).random((24, 4, 4, 8)).astype(np.float16)


@dataclasses.dataclass(frozen=True)
class Program:
    """A program.

    Attributes:
      work: takes the catalogue's folder and the place to fill; the same call goes on.
      read: what a filled place holds.
      full: what is said of a full disk.
      second: what is said where another process is at work; None: both do it.
      longest: seconds until a kill.
      mends: whether the same call mends what was damaged, or refuses it; else it adds to the place.
    """

    work: Callable[[Path, Path], Any]
    read: Callable[[Path, Path], Any]
    full: str
    second: str | None = None
    longest: float = 0.5
    mends: bool = True


def _images(catalogue, place):
    config = configs.defaults()
    config.data.root = str(catalogue)
    return open_images(load(config.data), _ROWS, 32, "disk", folder=place)


def _features(catalogue, place):
    def compute():
        for part in np.array_split(_MAPS, 12):
            time.sleep(0.03)
            yield {"maps": part}

    return open_features(place, {"key": 1}, _ROWS, _SHAPES, compute)


def _index(catalogue, place):
    # Kills and faults hit matrices that are written anew, too.
    with mock.patch.object(item_store, "LEAST_DEAD", 4):
        index(Colors(SPACE), catalogue / "manifest.csv", f"faiss:{place}", batch_size=4)


def _indexed(catalogue, place):
    with Catalogue(f"faiss:{place}", read_only=True) as store:
        ids = store.ids()
        return ids, store.engine.vectors(ids), store.engine.records(ids)


def _embed(catalogue, place):
    with mock.patch.object(shard, "_load", functools.lru_cache(1)(lambda *_: Colors(SPACE))):
        embed_catalogue("colors", catalogue / "manifest.csv", place, shards=4, batch_size=4)


def _embedded(catalogue, place):
    tables = [pq.read_table(file) for file in sorted((place / "vectors").iterdir())]
    return [table.to_pydict() for table in tables], sorted(p.name for p in place.iterdir())


class Mean(EmbeddingModel):
    """Embeds images by their mean color, without a layer."""

    attributes, image_size, slices = len(SPACE), 8, {"mean": 3}

    def compute_outputs(self, inputs, names, training=False):
        mean = tf.reduce_mean(tf.cast(inputs["images"], tf.float32), (1, 2))
        return {"mean": tf.repeat(mean[:, None], tf.shape(inputs["attributes"])[1], axis=1)}


def _export(catalogue, place):
    answers = {"embed_tensor": SIGNATURES["embed_tensor"]()}
    with mock.patch.object(write, "signatures_of", lambda *_: answers):
        export_model(Mean(), SPACE, place, verified=False)


def _exported(catalogue, place):
    """What the newest version answers; versions, which may be more after a kill, are whole."""
    *_, newest = sorted(place.iterdir())
    assert all(path.name.isdecimal() for path in place.iterdir())
    images = np.arange(2 * 8 * 8 * 3, dtype=np.uint8).reshape(2, 8, 8, 3)
    asked = {"images": images, "attribute": np.array(["color", "side"])}
    signature = tf.saved_model.load(str(newest)).signatures["embed_tensor"]
    found = signature(**{name: tf.constant(value) for name, value in asked.items()})
    return {name: tensor.numpy() for name, tensor in found.items()}


_ROOM = "no room on the disk"
PROGRAMS = {
    "caching images": Program(
        _images, lambda *where: np.asarray(_images(*where)(_ROWS)), "File too large"
    ),
    "caching features": Program(
        _features,
        lambda *where: np.asarray(_features(*where)(_ROWS, None)["maps"]),
        "File too large",
        longest=0.3,
    ),
    "indexing": Program(_index, _indexed, _ROOM, r"process \d+ has this store open for writing"),
    "embedding": Program(
        _embed, _embedded, "File too large", r"process \d+ writes to this folder", longest=0.6
    ),
    "exporting": Program(_export, _exported, "cannot be written|File too large", mends=False),
}
