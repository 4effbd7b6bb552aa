"""Search and feedback by Euclidean distances, beside equations 4 to 6 of Ak et al., WACV 2018."""

import itertools

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Record, nearest
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

pytest.importorskip("faiss")

SPACES, DIMENSION, COUNT = 5, 12, 150
SPACE = AttributeSpace({f"v{v}": ["any"] for v in range(SPACES)})
IDS = [f"{n:03d}" for n in range(COUNT)]


def unit(*shape, seed):
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


VECTORS = unit(COUNT, SPACES, DIMENSION, seed=0)
VECTORS[140] = VECTORS[60]  # one photograph twice: equal distances, in the order of ids


@pytest.fixture(scope="module", params=["faiss:store", "milvus:store.db"])
def catalogue(request, tmp_path_factory):
    kind, name = request.param.split(":")
    pytest.importorskip({"faiss": "faiss", "milvus": "milvus_lite"}[kind])
    uri = f"{kind}:{tmp_path_factory.mktemp('nearest') / name}"
    with Catalogue(uri, VectorEmbedder(Fingerprint(SPACE, DIMENSION))) as catalogue:
        labels = [{"v0": ["any"]} if n < 40 else {} for n in range(COUNT)]
        records = [Record(of_n, {"price": n}) for n, of_n in enumerate(labels)]
        catalogue.insert(IDS, VECTORS, records)
        yield catalogue


def distance(first, second):
    return np.sqrt(((first.astype(np.float64) - second) ** 2).sum())


def equation_5(chosen):
    pairs = list(itertools.combinations(chosen, 2))
    return [
        1 / sum(distance(VECTORS[k, v], VECTORS[j, v]) for k, j in pairs) for v in range(SPACES)
    ]


def equation_6(query, weights, items=range(COUNT)):
    """The items and their D, nearest first."""
    found = [
        (n, sum(w * distance(query[v], VECTORS[n, v]) for v, w in enumerate(weights)))
        for n in items
    ]
    return sorted(found, key=lambda one: one[1])


def places(matches):
    return [int(match.id) for match in matches]


@pytest.mark.parametrize("case", range(40))
def test_the_order_is_that_of_equations_5_and_6(catalogue, case):
    draw = np.random.default_rng(case)
    item, *chosen = draw.permutation(COUNT)[: 1 + draw.integers(1, 6)].tolist()
    if len(chosen) == 1:
        # The query image is replaced with the chosen image.
        query, weights = VECTORS[chosen[0]], np.ones(SPACES)
        left_out = {item, chosen[0]}
    else:
        query, weights, left_out = VECTORS[item], equation_5(chosen), {item}
    expected = equation_6(query, weights, sorted({*range(COUNT)} - left_out))
    found = catalogue.search(
        id=IDS[item], liked=[IDS[n] for n in chosen], measure="euclidean", k=COUNT
    )
    assert places(found) == [n for n, _ in expected]
    scores = [1 - total / sum(weights) for _, total in expected]
    np.testing.assert_allclose([match.score for match in found], scores, atol=1e-6)


def test_it_is_another_order_than_that_of_cosines(catalogue):
    orders = [places(catalogue.search(id=IDS[3], measure=m)) for m in ("cosine", "euclidean")]
    assert orders[0] != orders[1]


def test_pages_filters_and_excluded_items(catalogue):
    kept = [n for n in range(COUNT) if n < 60 and n not in (7, 4)]
    expected = [n for n, _ in equation_6(VECTORS[7], np.ones(SPACES), kept)]
    asked = {"id": IDS[7], "exclude": [IDS[4]], "where": "price<60", "measure": "euclidean"}
    found = [n for at in (0, 9) for n in places(catalogue.search(**asked, k=9, offset=at))]
    assert found == expected[:18]
    assert catalogue.search(**asked, offset=COUNT) == []


def test_weights_of_either_sign(catalogue):
    weights = [1, 0, -0.5, 0, 2]
    expected = [n for n, _ in equation_6(VECTORS[9], weights) if n != 9]
    given = {f"v{v}": weight for v, weight in enumerate(weights)}
    asked = {"id": IDS[9], "weights": given, "measure": "euclidean"}
    assert places(catalogue.search(**asked, k=COUNT)) == expected
    some = [(IDS[n], 0.0) for n in (80, 20, 50)]
    found = catalogue.rerank(some, **asked)
    assert places(found) == [n for n in expected if n in (80, 20, 50)]


def test_a_space_in_which_the_chosen_are_equal_decides(catalogue):
    """The limit of equation 5: its weight has no bound."""
    same = VECTORS[[30, 31]]
    same[1, 2] = same[0, 2]
    catalogue.upsert(["one", "other"], same)
    try:
        asked = {"id": IDS[30], "liked": ["one", "other"], "measure": "euclidean"}
        assert {match.id for match in catalogue.search(**asked, k=2)} == {"one", "other"}
    finally:
        catalogue.delete(["one", "other"])


def test_of_many_items_the_best_by_cosines_are_ordered_exactly_and_then_the_next(
    catalogue, monkeypatch
):
    monkeypatch.setattr(nearest, "CANDIDATES", 40)
    by_cosine = np.argsort(-(VECTORS * VECTORS[5]).sum((1, 2)))[1:]  # without the query
    expected = []
    for begin in (0, 40, 80):
        block = by_cosine[begin : begin + 40].tolist()
        expected += [n for n, _ in equation_6(VECTORS[5], np.ones(SPACES), block)]
    found = [
        catalogue.search(id=IDS[5], k=25, offset=at, measure="euclidean") for at in (0, 25, 50)
    ]
    assert [n for page in found for n in places(page)] == expected[:75]


def test_rounds_multiply_and_the_query_is_that_of_the_last_item_liked_alone(catalogue):
    rounds = [[IDS[8]], [IDS[3], IDS[30]], [IDS[20]], [IDS[11], IDS[4], IDS[99]]]
    weights = np.multiply(equation_5([3, 30]), equation_5([11, 4, 99]))
    expected = [n for n, _ in equation_6(VECTORS[20], weights) if n not in (5, 20)]
    found = catalogue.search(id=IDS[5], liked=rounds, measure="euclidean", k=COUNT)
    assert places(found) == expected


def test_a_changed_attribute_is_weighed_as_the_others_are(catalogue):
    query = VECTORS[70].astype(np.float64)
    query[0] = VECTORS[:40, 0].mean(0) / np.linalg.norm(VECTORS[:40, 0].mean(0))
    expected = [n for n, _ in equation_6(query, equation_5([80, 90])) if n != 70]
    asked = {"changes": {"v0": "any"}, "liked": [IDS[80], IDS[90]], "measure": "euclidean"}
    assert places(catalogue.search(id=IDS[70], **asked, k=COUNT)) == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"id": "000", "measure": "euclid"}, "Did you mean 'euclidean'?"),
        ({"liked": ["000", "001"]}, "keeps the query where several items are liked: give one"),
        ({"id": "000", "k": 0}, "k must be positive"),
        ({"id": "000", "where": "size=1"}, "no item has 'size'"),
    ],
)
def test_bad_questions_are_explained(catalogue, asked, message):
    with pytest.raises(ValueError) as error:
        catalogue.search(**{"measure": "euclidean"} | asked)
    assert message in str(error.value)
