"""A catalogue and the model that fills it."""

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

SPACE = AttributeSpace({"color": ["red", "green"], "collar": ["polo"]})
VECTORS = np.eye(4, dtype=np.float32)[None, :2]


def model(seed):
    numbers = np.random.default_rng(seed).normal(size=(2, 4))
    return VectorEmbedder(Fingerprint(SPACE, 4, f"v{seed}", tuple(map(tuple, numbers))))


def test_a_catalogue_knows_the_model_that_filled_it(faiss_uri):
    with Catalogue(faiss_uri, model(0)) as catalogue:
        catalogue.insert(["a"], catalogue.embed(VECTORS))
        assert catalogue.ids() == ["a"]
    with Catalogue(faiss_uri, model(0), read_only=True) as catalogue:
        assert len(catalogue) == 1 and list(catalogue.attributes) == list(SPACE)
        np.testing.assert_array_equal(catalogue.engine.vectors(["a"]), VECTORS)
    with pytest.raises(ValueError, match="another model"):
        Catalogue(faiss_uri, model(1))
    with pytest.raises(FileNotFoundError, match="no store"):
        Catalogue(f"{faiss_uri}2")
    with Catalogue(faiss_uri) as catalogue, pytest.raises(ValueError, match="no model"):
        catalogue.embed(VECTORS)
