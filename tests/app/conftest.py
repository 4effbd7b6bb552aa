"""A small catalogue of drawn garments, an untrained model that filled its store, and their page."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("faiss")
pytest.importorskip("fastapi")

import uvicorn

from asen_tf.app import Limits, Model, create_app
from asen_tf.catalogue import Catalogue, Record
from asen_tf.data.synthetic import SPACE, render
from asen_tf.keras_embedder import KerasEmbedder
from asen_tf.models import ASEN
from asen_tf.models.recognition import ValueClassifiers
from asen_tf.photographs import Source
from asen_tf.web.connections import Protocol

ITEMS = 30
LIMITS = Limits(upload_bytes=300_000, pixels=1_000_000, kept_upload_bytes=310_000, slow_seconds=1.5)


@pytest.fixture(scope="session")
def garments():
    """Photographs of 31 garments, the last of which is in no catalogue."""
    return [render(0, n, "plain") for n in range(ITEMS + 1)]


@pytest.fixture(scope="session")
def jpegs(garments):
    """The same as JPEG files."""
    return [encoded(garment.image) for garment in garments]


def encoded(pixels, format="JPEG", **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format, **options)
    return file.getvalue()


class Switched(KerasEmbedder):
    """An embedder whose server can be taken away: then it raises as `Client` does."""

    away = False

    def embed_all(self, images, boxes=None):
        self._answer()
        return super().embed_all(images, boxes)

    def explain(self, images, attribute, boxes=None):
        self._answer()
        return super().explain(images, attribute, boxes)

    def predict_all(self, images, boxes=None):
        self._answer()
        return super().predict_all(images, boxes)

    def _answer(self):
        if self.away:
            raise OSError("UNAVAILABLE: connection to secret-host:8500 refused")


@pytest.fixture(scope="session")
def shared_embedder():
    branch = {"backbone": "resnet6", "size": 32, "common_dim": 8, "embedding_dim": 12}
    model = ASEN(len(SPACE), branch, dict(branch), attribute_dim=8)
    values, draw = SPACE.offsets[-1], np.random.default_rng(0)
    weights = 9 * draw.normal(size=(sum(model.pooled_dims.values()), values))
    weights[:, SPACE.offsets[-2] :] = 0  # of the last attribute it knows nothing
    model.value_classifiers = ValueClassifiers(
        np.array(SPACE.offsets), np.array([2, 3]), weights, np.zeros(values)
    )
    return Switched(model, SPACE)


@pytest.fixture
def embedder(shared_embedder):
    """The model; `away = True` takes its server away for the length of a test."""
    yield shared_embedder
    shared_embedder.away = False


@pytest.fixture(scope="session")
def shop(tmp_path_factory, garments, jpegs, shared_embedder):
    """A folder with `store` and photographs of garment-0 to garment-29; the last has none."""
    folder = tmp_path_factory.mktemp("shop")
    ids = [f"garment-{n}" for n in range(ITEMS)]
    (folder / "photographs").mkdir()
    for name, jpeg in zip(ids[:-1], jpegs, strict=False):
        (folder / "photographs" / f"{name}.jpg").write_bytes(jpeg)
    (folder / "secret.jpg").write_bytes(jpegs[0])
    records = [
        Record(
            {name: [value] for name, value in garment.labels.items()},
            {
                "image": f"{name}.jpg",
                "brand": ("acme", "b & co")[n % 2],
                "price": 10 * n,
                "new": n % 3 == 0,
            },
        )
        for n, (name, garment) in enumerate(zip(ids, garments, strict=False))
    ]
    with Catalogue(f"faiss:{folder}/store", shared_embedder) as catalogue:
        catalogue.insert(ids, shared_embedder.embed_all(jpegs[:ITEMS]), records)
    return folder


@pytest.fixture
def catalogue(shop):
    """The catalogue, opened as the page does."""
    with Catalogue(f"faiss:{shop}/store", read_only=True) as catalogue:
        yield catalogue


class Reader:
    """Reads free text: whatever it says, it is like the collar of garment-7."""

    text_attribute = "collar"

    def __init__(self, engine):
        self._engine = engine

    def embed_text(self, texts):
        collar = self._engine.fingerprint.attributes.index("collar")
        return self._engine.vectors(["garment-7"] * len(texts), [collar])[:, 0]


@pytest.fixture
def reader(catalogue):
    """A model of images and texts, as asen-app gives it to the catalogue."""
    catalogue.text_model = Reader(catalogue.engine)


@pytest.fixture
def page(catalogue, shop, embedder):
    """The application."""
    model = Model(embedder, catalogue.engine.fingerprint, check_again=0, failed_again=0)
    hosts = ("127.0.0.1", "testserver")
    return create_app(catalogue, model, Source(shop / "photographs"), hosts=hosts, limits=LIMITS)


@pytest.fixture
def address(page):
    """Where the page is served, for a browser."""
    config = uvicorn.Config(page, port=0, log_level="error", http=Protocol)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
