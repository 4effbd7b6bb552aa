"""Which models are the same."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from asen_tf.catalogue import Catalogue, Identity, identity_of
from asen_tf.catalogue.fingerprint import probe
from asen_tf.core import AttributeSpace

SPACE = AttributeSpace({"color": ["red", "green"], "collar": ["polo"]})


class Model:
    """Gives vectors that depend on the photograph and on its own seed."""

    attributes = SPACE

    def __init__(self, seed, noise=0.0):
        self._weights = np.random.default_rng(seed).normal(size=(2, 64, 16))
        self._noise = noise * np.random.default_rng(seed + 99).normal(size=(2, 16))

    def embed_all(self, images):
        found = []
        for image in images:
            pixels = np.asarray(Image.open(io.BytesIO(image)).convert("L").resize((8, 8)))
            found.append((pixels.ravel() / 255) @ self._weights + self._noise)
        found = np.array(found)
        return (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)


def test_the_probe_is_a_photograph_that_stays_the_same():
    image = Image.open(io.BytesIO(probe()))
    assert image.size == (256, 256) and image.mode == "RGB"
    assert probe() == probe()
    assert len(np.unique(np.asarray(image))) > 200


def test_a_model_is_known_again_whatever_it_is_called():
    first = identity_of(Model(0), "a/1")
    assert first.dimension == 16 and np.shape(first.fingerprint) == (2, 16)
    first.check(identity_of(Model(0), "b/7"))
    # Another machine's arithmetic.
    first.check(identity_of(Model(0, noise=1e-3), "a/1"))
    with pytest.raises(ValueError, match="filled by another model \\(a/1\\)"):
        first.check(identity_of(Model(1), "a/1"))


def test_versions_decide_where_nobody_asked_the_model():
    Identity(SPACE, 16, "1").check(Identity(SPACE, 16, "1"))
    Identity(SPACE, 16, "1").check(Identity(SPACE, 16))
    Identity(SPACE, 16, "1").check(identity_of(Model(0), "1"))
    with pytest.raises(ValueError, match="version '1' of the model, this is '2'"):
        Identity(SPACE, 16, "1").check(Identity(SPACE, 16, "2"))


def test_attributes_and_their_order_count_and_values_do_not():
    store = Identity(SPACE, 16)
    store.check(Identity(AttributeSpace({"color": ["blue"], "collar": ["polo"]}), 16))
    with pytest.raises(ValueError, match="attributes color, collar; this one has collar, color"):
        store.check(Identity(AttributeSpace({"collar": ["polo"], "color": ["red"]}), 16))


def test_it_outlives_json():
    identity = identity_of(Model(0), "größe/1")
    assert Identity.from_dict(json.loads(json.dumps(identity.to_dict()))) == identity


def test_a_catalogue_knows_the_model_that_filled_it(faiss_uri):
    with Catalogue(faiss_uri, Model(0)) as catalogue:
        catalogue.insert(["a"], catalogue.embed([probe()]))
        assert "a" in catalogue and "b" not in catalogue
    with Catalogue(faiss_uri, Model(0), read_only=True) as catalogue:
        assert len(catalogue) == 1 and catalogue.exact and list(catalogue.space) == list(SPACE)
    with pytest.raises(ValueError, match="another model"):
        Catalogue(faiss_uri, Model(1))
    with pytest.raises(FileNotFoundError, match="no store"):
        Catalogue(f"{faiss_uri}2", Model(0).embed_all)
    with Catalogue(faiss_uri) as catalogue, pytest.raises(ValueError, match="no model"):
        catalogue.embed([probe()])
