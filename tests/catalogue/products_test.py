"""Results that are products: several photographs each, beside loops in plain Python."""

import json

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Record, finder, nearest
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

SPACE = AttributeSpace({"collar": ["polo", "none"], "color": ["red", "blue"]})
COUNT, DIMENSION = 90, 6
IDS = [f"{n:02d}.jpg" for n in range(COUNT)]
# Products of one to many photographs, and photographs of none; one is called as an item is.
SIZES = {"P-1": 1, "P-2": 2, "007": 5, "7": 30, 'b & "co"': 4, "80.jpg": 3, "é": 9}
OF = [product for product, size in SIZES.items() for _ in range(size)]
ORDER = np.random.default_rng(5).permutation(COUNT)
PRODUCTS = [OF[n] if n < len(OF) else None for n in ORDER.tolist()]


def unit(*shape, seed):
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


# A shop shows the same photograph for several products.
VECTORS = unit(40, 2, DIMENSION, seed=0)[np.arange(COUNT) % 40]
QUERY = unit(2, DIMENSION, seed=1)


def record(n):
    product = {} if PRODUCTS[n] is None else {"product": PRODUCTS[n]}
    return Record(
        {"color": [("red", "blue")[n % 2]]},
        {"price": n % 7, "brand": "abc"[n % 3], "maker": 5.0 if n % 2 else True, **product},
    )


@pytest.fixture(scope="module", params=["faiss:store", "milvus:store.db"])
def catalogue(request, tmp_path_factory):
    kind, name = request.param.split(":")
    pytest.importorskip({"faiss": "faiss", "milvus": "milvus_lite"}[kind])
    uri = f"{kind}:{tmp_path_factory.mktemp('products') / name}"
    with Catalogue(uri, VectorEmbedder(Fingerprint(SPACE, DIMENSION))) as catalogue:
        catalogue.insert(IDS, VECTORS, [record(n) for n in range(COUNT)])
        yield catalogue


def cosine(query, n):
    return float((query.astype(float) * VECTORS[n].astype(float)).sum()) / 2


def closeness(query, n):
    return sum(1 - np.linalg.norm(query[a].astype(float) - VECTORS[n, a]) for a in (0, 1)) / 2


def expected(query, keep=lambda n: True, score=cosine, groups=PRODUCTS):
    """(best photograph, the others) of each product, best first."""
    order = sorted(filter(keep, range(COUNT)), key=lambda n: (-round(score(query, n), 6), IDS[n]))
    found = {}
    for n in order:
        found.setdefault(IDS[n] + " alone" if groups[n] is None else groups[n], []).append(IDS[n])
    return [(names[0], names[1:]) for names in found.values()]


def shown(matches):
    return [(match.id, list(match.others)) for match in matches]


ASKED = {
    "all": ({}, lambda n: True),
    "filter": ({"where": "price<3 and color=red"}, lambda n: n % 7 < 3 and n % 2 == 0),
    "product": ({"where": "product in (007, é)"}, lambda n: PRODUCTS[n] in ("007", "é")),
    "none": ({"where": "price=0 and price=1"}, lambda n: False),
    "exclude": (
        {"exclude": [IDS[PRODUCTS.index("7")], IDS[PRODUCTS.index(None)], "nobody"]},
        lambda n: PRODUCTS[n] != "7" and n != PRODUCTS.index(None),
    ),
}


@pytest.mark.parametrize("size", [1, 4, COUNT])
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("measure", ["cosine", "euclidean"])
def test_pages_of_products_are_full_and_repeat_none(catalogue, measure, asked, size):
    given, keep = ASKED[asked]
    score = {"cosine": cosine, "euclidean": closeness}[measure]
    every = expected(QUERY, keep, score)
    pages = [
        catalogue.search(vectors=QUERY, measure=measure, k=size, offset=offset, **given)
        for offset in range(0, len(every) + 1, size)[:8]
    ]
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert [one for page in pages for one in shown(page)] == every[: size * len(pages)]


def test_a_result_says_what_it_stands_for(catalogue):
    for match in catalogue.search(vectors=QUERY, k=COUNT):
        product = PRODUCTS[IDS.index(match.id)]
        told = json.loads(json.dumps(match.to_dict()))
        keys = ["id", "product", "others", "score", "cosines", "labels", "metadata"]
        assert list(told) == keys and told["product"] == product
        assert len(told["others"]) == (SIZES[product] - 1 if product else 0)
        assert told["score"] == pytest.approx(cosine(QUERY, IDS.index(match.id)), abs=1e-5)


def test_an_item_finds_other_products(catalogue):
    n = PRODUCTS.index("007")
    found = catalogue.search(id=IDS[n], k=COUNT)
    assert shown(found) == expected(VECTORS[n], lambda n: PRODUCTS[n] != "007")


def test_more_like_a_product(catalogue):
    own = [IDS[n] for n in range(COUNT) if PRODUCTS[n] == 'b & "co"']
    assert len(own) == 4
    found = catalogue.search(product='b & "co"', k=COUNT)
    assert found == catalogue.search(id=own, k=COUNT)
    assert sorted({match.product for match in found} - {None}) == sorted({*SIZES} - {'b & "co"'})
    with pytest.raises(ValueError, match="got id and product"):
        catalogue.search(product="007", id=own[0])


def test_diverse_products_are_each_there_once(catalogue):
    asked = {"vectors": QUERY, "diversity": 0.4}
    pages = [catalogue.search(**asked, k=5, offset=offset) for offset in range(0, 45, 5)]
    found = shown([match for page in pages for match in page])
    assert found[0] == expected(QUERY)[0] and sorted(found) == sorted(expected(QUERY))


def counted(name, keep=lambda n: True, groups=PRODUCTS):
    """(value, count) pairs, the most frequent first, in loops."""
    found = {}
    for n in filter(keep, range(COUNT)):
        own = IDS[n] + " alone" if groups[n] is None else groups[n]
        cells = {**record(n).metadata, **record(n).labels}
        values = cells.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            found.setdefault(value, set()).add(own)
    pairs = [(value, len(keys)) for value, keys in found.items()]
    return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))


def test_facets_count_products_under_the_filter(catalogue):
    names = ["brand", "color", "price", "maker", "product"]
    found = catalogue.facets(names)
    assert found == {name: counted(name) for name in names}
    keep = ASKED["filter"][1]
    found = catalogue.facets(names, where="price<3 and color=red", most=2)
    assert found == {name: counted(name, keep)[:2] for name in names}
    assert catalogue.facets(["brand"], group="") == {
        "brand": counted("brand", groups=[None] * COUNT)
    }
    assert catalogue.facets(["brand"], where="price<0") == {"brand": []}
    for asked, message in (
        ({"names": ["brnd"]}, "no item has 'brnd', neither as label nor as metadata"),
        ({"names": ["brand"], "group": "color"}, "'color' is an attribute"),
        ({"names": ["brand"], "most": 0}, "expected 1 or more values"),
        ({"names": ["brand"], "where": "prise<3"}, "no item has 'prise'"),
    ):
        with pytest.raises(ValueError, match=message):
            catalogue.facets(**asked)


def test_below_the_threshold_there_is_no_product(catalogue):
    best = catalogue.search(vectors=QUERY, k=COUNT)
    last = next(n for n in range(2, COUNT) if best[n].score > best[n + 1].score + 1e-3)
    threshold = (best[last].score + best[last + 1].score) / 2
    assert catalogue.search(vectors=QUERY, k=COUNT, threshold=threshold) == best[: last + 1]


def test_photographs_are_results_where_they_are_asked_for(catalogue):
    found = catalogue.search(vectors=QUERY, k=COUNT, group="")
    assert shown(found) == expected(QUERY, groups=[None] * COUNT)
    assert [match.product for match in found] == [PRODUCTS[IDS.index(m.id)] for m in found]
    assert len(catalogue.search(id=IDS[0], k=COUNT, group="")) == COUNT - 1


@pytest.mark.parametrize("group", [None, ""])
def test_of_several_photographs_the_best_counts_for_a_product(catalogue, group):
    several = np.stack([QUERY, unit(2, DIMENSION, seed=2), unit(2, DIMENSION, seed=3)])
    groups = PRODUCTS if group is None else [None] * COUNT
    best = expected(several, score=lambda all, n: max(cosine(q, n) for q in all), groups=groups)
    asked = {"vectors": several, "several": "best", "group": group}
    assert shown(catalogue.search(**asked, k=COUNT)) == best
    pages = [catalogue.search(**asked, k=4, offset=offset) for offset in range(0, COUNT, 4)]
    assert [one for page in pages for one in shown(page)] == best


def test_a_product_whose_best_is_above_the_ceiling_is_none(catalogue):
    order = catalogue.search(vectors=QUERY, k=COUNT)
    falls = [n for n in range(len(order) - 1) if order[n].score - order[n + 1].score > 1e-4]
    last = next(n for n in falls if order[n].others)
    ceiling = (order[last].score + order[last + 1].score) / 2
    assert catalogue.search(vectors=QUERY, k=COUNT, ceiling=ceiling) == order[last + 1 :]


@pytest.mark.parametrize("name", ["brand", "maker"])
def test_any_metadata_groups(catalogue, name):
    groups = [record(n).metadata[name] for n in range(COUNT)]
    found = catalogue.search(vectors=QUERY, k=COUNT, group=name)
    assert shown(found) == expected(QUERY, groups=groups)


def test_of_large_groups_some_are_named(catalogue, monkeypatch):
    every = dict(shown(catalogue.search(vectors=QUERY, k=COUNT)))
    monkeypatch.setattr(finder, "MOST_OTHERS", 3)
    for name, named in shown(catalogue.search(vectors=QUERY, k=COUNT)):
        kept = sorted(every[name])[:3]
        assert named == [one for one in every[name] if one in kept]


def test_blocks_of_distances_repeat_no_product(catalogue, monkeypatch):
    monkeypatch.setattr(nearest, "CANDIDATES", 16)
    asked = {"vectors": QUERY, "measure": "euclidean", "k": 3}
    pages = [catalogue.search(**asked, offset=offset) for offset in range(0, 45, 3)]
    found = [one for page in pages for one in shown(page)]
    assert sorted(found) == sorted(expected(QUERY, score=closeness))


def test_what_is_written_groups_at_once(catalogue):
    alone = [n for n in range(COUNT) if PRODUCTS[n] is None][:2]
    names = [IDS[n] for n in alone]
    catalogue.update(names, [{"product": "new"}] * 2)
    try:
        groups = ["new" if n in alone else product for n, product in enumerate(PRODUCTS)]
        assert shown(catalogue.search(vectors=QUERY, k=COUNT)) == expected(QUERY, groups=groups)
    finally:
        catalogue.update(names, [{"product": None}] * 2)
    assert shown(catalogue.search(vectors=QUERY, k=COUNT)) == expected(QUERY)


@pytest.mark.parametrize(
    ("group", "message"),
    [
        ("prodct", "group: no item has metadata 'prodct'; expected a name such as product"),
        ("color", "group: 'color' is an attribute; expected a name of metadata"),
    ],
)
def test_wrong_groups_are_explained(catalogue, group, message):
    with pytest.raises(ValueError, match=message):
        catalogue.search(vectors=QUERY, group=group)
