"""Small stores, on every engine."""

import functools
import os
import resource
import shutil
import signal

import numpy as np
import pytest

from asen_tf.catalogue import Items, Record, open_store
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint

SPACE = AttributeSpace({"color": ["red", "green"], "collar": ["polo", "mandarin"], "hem": ["a"]})
ENGINES = {"faiss": ("faiss", "store"), "milvus": ("milvus_lite", "store.db")}


@pytest.fixture(scope="session")
def fingerprint():
    """Three attributes, vectors of eight numbers."""
    return Fingerprint(SPACE, 8, "shop/1")


@pytest.fixture(params=ENGINES)
def uri(request, tmp_path):
    """Where a store may be made, once for each engine."""
    module, name = ENGINES[request.param]
    pytest.importorskip(module)
    return f"{request.param}:{tmp_path / name}"


@pytest.fixture
def faiss_uri(tmp_path):
    """Where a store of faiss may be made."""
    pytest.importorskip("faiss")
    return f"faiss:{tmp_path / 'store'}"


@pytest.fixture(scope="session")
def items(unit):
    """60 items; every fifth lacks metadata, every third a collar."""
    records = [record(n) for n in range(60)]
    return Items([f"{n:02d}.jpg" for n in range(60)], unit(60, 3, 8), records)


def record(n):
    labels = {"color": [("red", "green")[n % 2]], "collar": ["polo", "mandarin"][: n % 3]}
    metadata = {"price": n, "brand": ("acme", "b & co", 'c"d')[n % 3], "new": n % 2 == 0}
    return Record({k: v for k, v in labels.items() if v}, metadata if n % 5 else {})


@pytest.fixture(scope="session")
def make_filled(tmp_path_factory, fingerprint, items):
    """A function from an engine to the path of a store with the items; milvus-lite takes long."""

    @functools.cache
    def make(engine):
        place = tmp_path_factory.mktemp("filled") / ENGINES[engine][1]
        with open_store(f"{engine}:{place}", fingerprint) as store:
            store.insert(items)
        return place

    return make


@pytest.fixture
def filled_uri(uri, make_filled):
    """A store of its own with the items, once for each engine."""
    engine, place = uri.split(":")
    shutil.copytree(make_filled(engine), place)
    return uri


@pytest.fixture(scope="session")
def unit():
    """A function (shape..., seed) that gives unit vectors."""

    def vectors(*shape, seed=0):
        found = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
        return found / np.linalg.norm(found, axis=-1, keepdims=True)

    return vectors


@pytest.fixture
def milvus_server():
    """The address of a server of Milvus, where the environment has one."""
    return os.environ.get("MILVUS_SERVER") or pytest.skip(
        "MILVUS_SERVER is not set: pip install milvus==2.3.5; milvus-server --proxy-port=19530"
    )


@pytest.fixture
def small_disk():
    """A function that lets files grow up to a size, as a full disk does, with real short writes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)
