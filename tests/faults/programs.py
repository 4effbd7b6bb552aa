"""What the faults are tried on: programs that fill a folder from a catalogue of photographs."""

import contextlib
import csv
import dataclasses
import functools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tensorflow as tf

from asen_tf.api.check_labels import check_labels
from asen_tf.api.index import index
from asen_tf.api.label import label_table
from asen_tf.bulk import embed_catalogue, shard
from asen_tf.catalogue import Catalogue
from asen_tf.catalogue.storage import item_store
from asen_tf.core import config as configs
from asen_tf.data.feature_cache import open_features
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load
from asen_tf.models.base import EmbeddingModel
from asen_tf.serving.export import SIGNATURES, export_model, write
from asen_tf.text import Matcher, Vocabulary
from tests.colors import SPACE, Colors

with contextlib.suppress(ImportError):  # an extra, which takes seconds
    import cleanlab.filter  # noqa: F401

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
      needs: modules of an extra.
    """

    work: Callable[[Path, Path], Any]
    read: Callable[[Path, Path], Any]
    full: str
    second: str | None = None
    longest: float = 0.5
    mends: bool = True
    needs: Sequence[str] = ()


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


def _index(catalogue, place, store="faiss:{}"):
    # Kills and faults hit matrices that are written anew, too.
    with mock.patch.object(item_store, "LEAST_DEAD", 4):
        index(Colors(SPACE), catalogue / "manifest.csv", store.format(place), batch_size=4)


def _indexed(catalogue, place, store="faiss:{}"):
    with Catalogue(store.format(place), read_only=True) as opened:
        ids = sorted(opened.ids())
        return ids, opened.engine.vectors(ids), opened.engine.records(ids)


_MILVUS = "milvus:{}/store.db"


def _index_milvus(catalogue, place):
    _index(catalogue, place, _MILVUS)


_COLORS = "attributes: {shade: {values: {red: , green: , blue: [azure]}}}"


@functools.cache
def _vocabulary():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "colors.yaml")
        path.write_text(_COLORS)
        return Vocabulary.load(path)


def _label(catalogue, place):
    place.mkdir(exist_ok=True)
    label, vocabulary = Matcher.label, _vocabulary()

    def slowly(*given):
        time.sleep(0.01)
        return label(*given)

    with mock.patch.object(Matcher, "label", slowly):
        label_table(catalogue / "manifest.csv", ["color"], vocabulary, place / "labelled.csv")


def _table(place, name):
    with open(place / name, newline="") as file:
        return list(csv.reader(file))


def _check_labels(catalogue, place):
    """Of a table with wrong labels, whose photographs are known by their numbers."""
    place.mkdir(exist_ok=True)
    header, *rows = _table(catalogue, "manifest.csv")
    for n, wrong in ((7, "blue"), (20, "red"), (33, "green")):
        rows[n][header.index("color")] = wrong
    frame = pa.table(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True)))
    config = configs.defaults()
    config.data.root, config.data.columns = str(catalogue), ("color", "side")
    with mock.patch("asen_tf.training.features.frozen_vectors", _seen):
        check_labels(config, place, table=frame, drop=place / "dropped.csv")


def _seen(config, manifest, folder, *_):
    """Features that are kept: what colour a photograph shows, on which side, and noise."""
    numbers = np.array([int(Path(image).stem) for image in manifest.images.tolist()])
    shown = np.random.default_rng(0).normal(size=(len(numbers), 1, 1, 8))[numbers]
    shown[np.arange(len(numbers)), ..., numbers % 3] += 10
    shown[..., 3] += (numbers // 3 % 2 * 10)[:, None, None]

    def compute():
        for part in np.array_split(shown.astype(np.float16), 12):
            time.sleep(0.03)
            yield {"shown": part}

    rows = np.arange(len(numbers))
    read = open_features(folder / "features", {"key": 2}, rows, {"shown": (1, 1, 8)}, compute)
    return np.asarray(read(rows, None)["shown"], np.float32).reshape(len(rows), -1)


def _labels_checked(catalogue, place):
    page = (place / "labels.html").read_text(encoding="utf-8")
    return page, _table(place, "labels.csv"), _table(place, "dropped.csv")


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


_ROOM, _OPEN = "no room on the disk", r"process .+ has this store open for writing"
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
    "indexing": Program(_index, _indexed, _ROOM, _OPEN, needs=["faiss"]),
    "indexing by Milvus": Program(
        _index_milvus,
        functools.partial(_indexed, store=_MILVUS),
        r"milvus:.*store\.db",
        _OPEN,
        longest=1.0,
        mends=False,
        needs=["milvus_lite"],
    ),
    "labelling": Program(
        _label,
        lambda _, place: _table(place, "labelled.csv"),
        r"File too large: '.*labelled\.csv'",
        needs=["ahocorasick", "yaml"],
    ),
    "checking labels": Program(
        _check_labels, _labels_checked, "File too large", longest=1.0, needs=["cleanlab"]
    ),
    "embedding": Program(
        _embed,
        _embedded,
        "File too large",
        r"process (\d+|\(unknown\)) writes to this folder",
        longest=0.6,
    ),
    "exporting": Program(_export, _exported, "cannot be written|File too large", mends=False),
}
