"""A user who cares for one attribute and only ever chooses results that have it."""

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

pytest.importorskip("faiss")

ATTRIBUTES, VALUES, DIMENSION, COUNT = 4, 6, 16, 600


@pytest.fixture(scope="module")
def values():
    """[COUNT, ATTRIBUTES]: each drawn by itself."""
    return np.random.default_rng(0).integers(VALUES, size=(COUNT, ATTRIBUTES))


@pytest.fixture(scope="module")
def catalogue(values, tmp_path_factory):
    """Items that lie around the centre of their value, in every space."""
    draw = np.random.default_rng(1)
    centres = draw.normal(size=(ATTRIBUTES, VALUES, DIMENSION))
    vectors = centres[np.arange(ATTRIBUTES), values]
    vectors = vectors + draw.normal(size=vectors.shape) * 0.5
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    space = AttributeSpace({f"attribute {a}": ["any"] for a in range(ATTRIBUTES)})
    uri = f"faiss:{tmp_path_factory.mktemp('feedback')}/store"
    with Catalogue(uri, VectorEmbedder(Fingerprint(space, DIMENSION))) as catalogue:
        catalogue.insert([str(n) for n in range(COUNT)], vectors)
        yield catalogue


def rounds(catalogue, values, item, attribute, count=4):
    """Share of right results among 20, and the attribute's share of the weights, of each round."""
    asked = {"id": str(item), "liked": []}
    for _ in range(count + 1):
        found = [int(match.id) for match in catalogue.search(**asked, k=20)]
        weights = catalogue.query(**asked).weights
        right = [n for n in found if values[n, attribute] == values[item, attribute]]
        yield len(right) / 20, weights[attribute] / weights.sum()
        asked["liked"].append([str(n) for n in right[:5]])


@pytest.mark.parametrize("attribute", range(ATTRIBUTES))
def test_a_few_rounds_find_what_the_user_cares_for(catalogue, values, attribute):
    found = np.mean([list(rounds(catalogue, values, n, attribute)) for n in range(25)], axis=0)
    right, weight = found.T
    assert weight[0] == pytest.approx(1 / ATTRIBUTES)
    assert (np.diff(weight) > 0).all() and weight[4] > 1.6 * weight[0]
    assert right[4] > right[0] + 0.2
