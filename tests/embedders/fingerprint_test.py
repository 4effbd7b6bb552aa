"""Which models are the same."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from asen_tf.core import AttributeSpace
from asen_tf.embedders import BaseEmbedder, Fingerprint, probe

SPACE = AttributeSpace({"color": ["red", "green"], "collar": ["polo"]})


class Model(BaseEmbedder):
    """Gives vectors that depend on the photograph and on its own seed."""

    attributes = SPACE

    def __init__(self, seed, version="", noise=0.0):
        self.version = version
        self._weights = np.random.default_rng(seed).normal(size=(2, 64, 16))
        self._noise = noise * np.random.default_rng(seed + 99).normal(size=(2, 16))

    def _embed_all(self, images):
        found = []
        for image in images:
            photograph = Image.open(io.BytesIO(image.photograph)).convert("L")
            pixels = np.asarray(photograph.resize((8, 8)))
            found.append((pixels.ravel() / 255) @ self._weights + self._noise)
        found = np.array(found)
        return (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)

    def _embed(self, images, attribute):
        return self._embed_all(images)[:, self.attributes.index(attribute)]


def test_the_probe_is_a_photograph_that_stays_the_same():
    image = Image.open(io.BytesIO(probe()))
    assert image.size == (256, 256) and image.mode == "RGB"
    assert probe() == probe()
    assert len(np.unique(np.asarray(image))) > 200


def test_a_model_is_known_again_whatever_it_is_called():
    first = Model(0, "a/1").fingerprint()
    assert first.dimension == 16 and np.shape(first.numbers) == (2, 16)
    first.check(Model(0, "b/7").fingerprint())
    # Another machine's arithmetic.
    first.check(Model(0, "a/1", noise=1e-3).fingerprint())
    with pytest.raises(ValueError, match="filled by another model \\(a/1\\)"):
        first.check(Model(1, "a/1").fingerprint())


def test_versions_decide_where_nobody_asked_the_model():
    Fingerprint(SPACE, 16, "1").check(Fingerprint(SPACE, 16, "1"))
    Fingerprint(SPACE, 16, "1").check(Fingerprint(SPACE, 16))
    Fingerprint(SPACE, 16, "1").check(Model(0, "1").fingerprint())
    with pytest.raises(ValueError, match="version '1' of the model, this is '2'"):
        Fingerprint(SPACE, 16, "1").check(Fingerprint(SPACE, 16, "2"))


def test_attributes_and_their_order_count_and_values_do_not():
    store = Fingerprint(SPACE, 16)
    store.check(Fingerprint(AttributeSpace({"color": ["blue"], "collar": ["polo"]}), 16))
    with pytest.raises(ValueError, match="attributes color, collar; this one has collar, color"):
        store.check(Fingerprint(AttributeSpace({"collar": ["polo"], "color": ["red"]}), 16))


def test_it_outlives_json():
    fingerprint = Model(0, "größe/1").fingerprint()
    assert Fingerprint.from_dict(json.loads(json.dumps(fingerprint.to_dict()))) == fingerprint


@pytest.mark.parametrize(("turned", "same"), [(0, True), (30, True), (90, False), (180, False)])
def test_one_attribute_may_move_and_not_be_another(turned, same):
    """As that of images and texts does beside the attributes of a run, by another network."""
    space = AttributeSpace({name: ["-"] for name in ("color", "collar", "image_text")})
    angle = np.radians(turned)
    store = Fingerprint(space, 2, "", ((1.0, 0.0), (0.0, 1.0), (1.0, 0.0)))
    now = Fingerprint(space, 2, "", ((1.0, 0.0), (0.0, 1.0), (np.cos(angle), np.sin(angle))))
    assert store.matches(now) == same
