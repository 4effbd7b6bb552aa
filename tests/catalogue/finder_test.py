"""Every kind of query, on every engine, beside loops in plain Python."""

import json

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue, Record, diverse, ranking
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

SPACE = AttributeSpace(
    {"neckline": ["v", "round"], "color": ["red", "blue", "pink"], "pattern": ["plain", "dots"]}
)
DIMENSION, COUNT = 8, 60
IDS = [f"{n:02d}.jpg" for n in range(COUNT)]


def unit(*shape, seed):
    vectors = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


VECTORS = unit(COUNT, 3, DIMENSION, seed=0)
QUERY = unit(3, DIMENSION, seed=1)
LABELS = [
    {"neckline": ["v" if n % 2 else "round"], "color": [("red", "blue")[n // 2 % 2]]}
    for n in range(COUNT)
]
RECORDS = [Record(labels, {"price": 10 * n}) for n, labels in enumerate(LABELS)]


@pytest.fixture(scope="module", params=["faiss:store", "milvus:store.db"])
def catalogue(request, tmp_path_factory):
    """60 items in a store; photographs are numbers, and the model knows only number 7's vectors."""
    kind, name = request.param.split(":")
    pytest.importorskip({"faiss": "faiss", "milvus": "milvus_lite"}[kind])
    folder = tmp_path_factory.mktemp("search")
    with Catalogue(
        f"{kind}:{folder / name}",
        VectorEmbedder(
            Fingerprint(SPACE, DIMENSION),
            lambda images: np.stack([QUERY for image in images if image == 7]),
        ),
    ) as catalogue:
        catalogue.insert(IDS, VECTORS, RECORDS)
        yield catalogue


def ranked(query, weights, keep=lambda n: True):
    """(id, weighted mean of the cosines), best first: in loops, in double precision."""
    total = sum(abs(w) for w in weights)
    scored = []
    for n in filter(keep, range(COUNT)):
        products = [
            w * float(np.dot(q.astype(float), v.astype(float)))
            for w, q, v in zip(weights, query, VECTORS[n], strict=True)
        ]
        scored.append((IDS[n], sum(products) / total))
    return sorted(scored, key=lambda pair: -pair[1])


def check(found, expected):
    assert [match.id for match in found] == [name for name, _ in expected]
    np.testing.assert_allclose(
        [match.score for match in found], [score for _, score in expected], atol=1e-5
    )


def mean_of(attribute, value):
    position = SPACE.index(attribute)
    mean = np.mean(
        [VECTORS[n, position] for n in range(COUNT) if value in LABELS[n].get(attribute, ())],
        axis=0,
    )
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize(
    ("weights", "row"),
    [
        (None, [1, 1, 1]),
        ({"color": 1}, [0, 1, 0]),
        ({"neckline": 1, "color": 0.5, "pattern": -0.3}, [1, 0.5, -0.3]),
        ({"pattern": -2.5}, [0, 0, -2.5]),
        ({"neckline": 7, "color": 100}, [7, 100, 0]),
    ],
    ids=["all", "one", "negative", "only negative", "beyond one"],
)
def test_weights(catalogue, weights, row):
    check(catalogue.search(vectors=QUERY, weights=weights, k=12), ranked(QUERY, row)[:12])


def test_results_say_in_what_they_are_alike_and_what_they_are(catalogue):
    best = catalogue.search(vectors=QUERY, weights={"color": 1, "pattern": -1}, k=1)[0]
    n = IDS.index(best.id)
    expected = {name: float(QUERY[a] @ VECTORS[n, a]) for name, a in (("color", 1), ("pattern", 2))}
    assert best.cosines == pytest.approx(expected, abs=1e-5)
    assert best.score == pytest.approx((expected["color"] - expected["pattern"]) / 2, abs=1e-5)
    assert {k: list(v) for k, v in best.labels.items()} == LABELS[n]
    assert best.metadata["price"] == 10 * n
    assert json.loads(json.dumps(best.to_dict()))["id"] == best.id


def test_what_query_gave_is_searched_as_its_arguments_are(catalogue):
    given = {"id": IDS[3], "liked": [IDS[5], IDS[9]], "changes": {"color": "blue"}}
    assert catalogue.search(catalogue.query(**given), k=7) == catalogue.search(**given, k=7)
    with pytest.raises(ValueError, match="a query or its arguments, got id beside it"):
        catalogue.search(catalogue.query(**given), id=IDS[0])


def test_a_photograph_is_embedded(catalogue):
    assert catalogue.search(image=7) == catalogue.search(vectors=QUERY)


def test_several_photographs_are_one_query(catalogue):
    chosen = [4, 30, 11]
    mean = VECTORS[chosen].astype(float).mean(0)
    mean /= np.linalg.norm(mean, axis=-1, keepdims=True)
    expected = ranked(mean, [1, 1, 1], lambda n: n not in chosen)
    check(catalogue.search(id=[IDS[n] for n in (4, 30, 4, 11)], k=COUNT), expected)
    found = catalogue.search(vectors=VECTORS[chosen], exclude=[IDS[n] for n in chosen], k=COUNT)
    check(found, expected)
    check(catalogue.search(image=[7, 7], k=COUNT), ranked(QUERY, [1, 1, 1]))
    [color] = [
        one
        for one in catalogue.compare(IDS[2], id=[IDS[n] for n in chosen])
        if one.attribute == "color"
    ]
    assert color.cosine == pytest.approx(float(mean[1] @ VECTORS[2, 1]), abs=1e-5)


def best_of(chosen, row, similar=lambda a, b: a @ b):
    """(id, score) of the best of what each of the items gives the others, in loops."""
    scored = []
    for n in set(range(COUNT)) - {*chosen}:
        scores = [
            sum(w * similar(VECTORS[q, a], VECTORS[n, a]) for a, w in enumerate(row)) / sum(row)
            for q in chosen
        ]
        scored.append((IDS[n], float(max(scores))))
    return sorted(scored, key=lambda pair: -pair[1])


@pytest.mark.parametrize(
    ("measure", "similar"),
    [("cosine", lambda a, b: a @ b), ("euclidean", lambda a, b: 1 - np.linalg.norm(a - b))],
)
def test_of_several_photographs_the_best_counts(catalogue, measure, similar):
    chosen = [4, 30, 11]
    expected = best_of(chosen, [1, 0.5, 0], similar)
    asked = {
        "id": [IDS[n] for n in chosen],
        "several": "best",
        "measure": measure,
        "weights": {"neckline": 1, "color": 0.5},
    }
    check(catalogue.search(**asked, k=COUNT), expected)
    pages = [catalogue.search(**asked, k=7, offset=n) for n in range(0, COUNT, 7)]
    check([match for page in pages for match in page], expected)
    names = [IDS[n] for n in (50, 2, 17, 33)]
    alone = [pair for pair in expected if pair[0] in names]
    assert [m.id for m in catalogue.rerank([(one, 1.0) for one in names], **asked)] == [
        name for name, _ in alone
    ]
    if measure == "cosine":  # those to the photograph that is most like it
        for match in catalogue.search(**asked, k=COUNT):
            cosines = 1 * match.cosines["neckline"] + 0.5 * match.cosines["color"]
            assert cosines / 1.5 == pytest.approx(match.score, abs=1e-5)


def test_what_is_changed_or_disliked_is_so_in_each_of_several(catalogue):
    chosen, red = [4, 30], mean_of("color", "red")
    expected = []
    for n in set(range(COUNT)) - {*chosen, 8}:
        scores = []
        for q in chosen:
            wanted = VECTORS[q] - 0.5 * VECTORS[8].astype(float)
            wanted /= np.linalg.norm(wanted, axis=-1, keepdims=True)
            wanted[1] = red
            scores.append((wanted * VECTORS[n]).sum() / 3)
        expected.append((IDS[n], max(scores)))
    found = catalogue.search(
        id=[IDS[n] for n in chosen],
        several="best",
        disliked=[IDS[8]],
        changes={"color": "red"},
        k=COUNT,
    )
    check(found, sorted(expected, key=lambda pair: -pair[1]))


@pytest.mark.parametrize("above", [0, 1, 2, 3, 6, 7, 29, COUNT - 1, COUNT])
def test_above_the_ceiling_nothing_is_found(catalogue, above):
    order = ranked(QUERY, [1, 1, 1])
    scores = [1.0, *(score for _, score in order), -1.0]
    ceiling = (scores[above] + scores[above + 1]) / 2
    check(catalogue.search(vectors=QUERY, ceiling=ceiling, k=9), order[above : above + 9])
    found = catalogue.search(vectors=QUERY, ceiling=ceiling, k=9, offset=5)
    check(found, order[above + 5 : above + 14])


@pytest.mark.parametrize(("ceiling", "is_told"), [(6, False), (7, False), (8, True), (COUNT, True)])
def test_a_ceiling_far_below_is_refused(catalogue, monkeypatch, ceiling, is_told):
    monkeypatch.setitem(ranking.MOST_ABOVE, "cosine", 7)
    scores = [score for _, score in ranked(QUERY, [1, 1, 1])]
    asked = {"vectors": QUERY, "ceiling": (scores[ceiling - 1] + [*scores, -1][ceiling]) / 2}
    if is_told:
        with pytest.raises(ValueError, match="more than 7 results score above the ceiling of"):
            catalogue.search(**asked)
    else:
        assert catalogue.search(**asked)[0].id == ranked(QUERY, [1, 1, 1])[ceiling][0]


def test_the_ceiling_holds_with_everything_else(catalogue, monkeypatch):
    monkeypatch.setattr(diverse, "POOL", 25)
    order = ranked(QUERY, [1, 1, 1])
    ceiling, threshold = ((order[n][1] + order[n + 1][1]) / 2 for n in (3, 19))
    limits = {"ceiling": ceiling, "threshold": threshold, "k": COUNT}
    check(catalogue.search(vectors=QUERY, **limits), order[4:20])
    found = catalogue.search(vectors=QUERY, **limits, diversity=0.3)
    check(found, marginal_relevance(order[4:20], 0.3))
    best = best_of([4, 30], [1, 1, 1])
    ceiling = (best[2][1] + best[3][1]) / 2
    found = catalogue.search(id=[IDS[4], IDS[30]], several="best", ceiling=ceiling, k=9)
    check(found, best[3:12])


@pytest.mark.parametrize("changes", [{}, {"color": "red"}])
def test_disliked_items_lead_away_by_rocchios_formula(catalogue, changes):
    disliked = [8, 21]
    wanted = VECTORS[5] - 0.5 * VECTORS[disliked].astype(float).mean(0)
    wanted /= np.linalg.norm(wanted, axis=-1, keepdims=True)
    if changes:
        wanted[1] = mean_of("color", "red")
    found = catalogue.search(
        id=IDS[5], disliked=[IDS[n] for n in disliked], changes=changes, k=COUNT
    )
    check(found, ranked(wanted, [1, 1, 1], lambda n: n not in (5, *disliked)))


def marginal_relevance(order, diversity):
    """(id, score) in the order of Carbonell and Goldstein, in loops."""
    chosen, left = [], list(order)
    while left:

        def gain(pair):
            vectors = VECTORS[IDS.index(pair[0])].astype(float)
            same = [(vectors * VECTORS[IDS.index(one)]).sum() / 3 for one, _ in chosen]
            return (1 - diversity) * pair[1] - diversity * max(same, default=0)

        best = max(left, key=gain)
        left.remove(best)
        chosen.append(best)
    return chosen


@pytest.mark.parametrize("diversity", [0.3, 1.0])
def test_diverse_results_differ_and_pages_repeat_none(catalogue, diversity, monkeypatch):
    monkeypatch.setattr(diverse, "POOL", 25)
    order = ranked(QUERY, [1, 1, 1])
    blocks = [marginal_relevance(order[n : n + 25], diversity) for n in range(0, COUNT, 25)]
    expected = [pair for block in blocks for pair in block]
    assert expected != order
    asked = {"vectors": QUERY, "diversity": diversity}
    pages = [catalogue.search(**asked, k=9, offset=offset) for offset in range(0, COUNT + 9, 9)]
    check([match for page in pages for match in page], expected)
    check(catalogue.search(**asked, k=COUNT), expected)
    threshold = (order[9][1] + order[10][1]) / 2
    found = catalogue.search(**asked, k=COUNT, threshold=threshold)
    check(found, marginal_relevance(order[:10], diversity))


def test_an_item_is_not_its_own_result(catalogue):
    found = catalogue.search(id=IDS[5], k=COUNT)
    check(found, ranked(VECTORS[5], [1, 1, 1], lambda n: n != 5))


def test_excluded_and_filtered_items_are_passed_over(catalogue):
    def keep(n):
        return n not in (3, 9) and 10 * n < 300 and "red" not in LABELS[n]["color"]

    found = catalogue.search(
        vectors=QUERY, k=COUNT, where="price<300 and not color=red", exclude=[IDS[3], IDS[9]]
    )
    check(found, ranked(QUERY, [1, 1, 1], keep))


def test_pages_follow_one_another(catalogue):
    found = [m for offset in (0, 7, 14) for m in catalogue.search(id=IDS[5], k=7, offset=offset)]
    check(found, ranked(VECTORS[5], [1, 1, 1], lambda n: n != 5)[:21])
    assert catalogue.search(id=IDS[5], k=7, offset=COUNT) == []


def test_below_the_threshold_nothing_is_found(catalogue):
    everything = ranked(QUERY, [1, 1, 0])
    threshold = (everything[4][1] + everything[5][1]) / 2
    weights = {"neckline": 1, "color": 1}
    found = catalogue.search(vectors=QUERY, weights=weights, threshold=threshold)
    check(found, everything[:5])
    assert catalogue.search(vectors=QUERY, weights=weights, threshold=1.0) == []


@pytest.mark.parametrize(
    ("weights", "row"),
    [(None, [1, 1, 1]), ({"pattern": 0.5}, [1, 1, 0.5]), ({"color": 0.25}, [1, 0.25, 0])],
    ids=["all", "unnamed", "named"],
)
def test_changed_attributes_ask_for_the_values_prototypes(catalogue, weights, row):
    wanted = np.stack([mean_of("neckline", "v"), mean_of("color", "blue"), VECTORS[5, 2]])
    found = catalogue.search(
        id=IDS[5], weights=weights, changes={"neckline": "v", "color": "blue"}, k=COUNT
    )
    check(found, ranked(wanted, row, lambda n: n != 5))
    np.testing.assert_array_equal(catalogue.engine.vectors([IDS[5]])[0], VECTORS[5])


def test_one_liked_result_takes_the_querys_place(catalogue):
    found = catalogue.search(id=IDS[5], liked=[IDS[8]], weights={"color": 1}, k=COUNT)
    check(found, ranked(VECTORS[8], [0, 1, 0], lambda n: n not in (5, 8)))


def test_several_liked_results_say_what_matters(catalogue):
    liked = [8, 3, 11]
    pairs = [(8, 3), (8, 11), (3, 11)]
    sums = [sum(np.linalg.norm(VECTORS[a, v] - VECTORS[b, v]) for a, b in pairs) for v in range(3)]
    found = catalogue.search(vectors=QUERY, liked=[IDS[n] for n in liked], k=COUNT)
    check(found, ranked(VECTORS[8], [1 / s for s in sums], lambda n: n != 8))
    # Given weights are scaled by what was learned, and naming an item twice changes nothing.
    weights = {"neckline": 2, "color": -1}
    found = catalogue.search(liked=[IDS[n] for n in (8, 8, 3, 11)], weights=weights, k=COUNT)
    check(found, ranked(VECTORS[8], [2 / sums[0], -1 / sums[1], 0], lambda n: n != 8))


def test_rounds_of_feedback_multiply(catalogue):
    first, last = (
        1 / np.linalg.norm(VECTORS[a] - VECTORS[b], axis=-1) for a, b in ((8, 3), (11, 4))
    )
    rounds = [[IDS[8], IDS[3]], [], [IDS[20]], [IDS[11], IDS[4]]]
    found = catalogue.search(id=IDS[5], liked=rounds, k=COUNT)
    check(found, ranked(VECTORS[11], first * last, lambda n: n not in (5, 11)))


def test_an_attribute_can_be_changed_in_what_was_liked(catalogue):
    found = catalogue.search(liked=[IDS[8]], changes={"color": "red"}, k=COUNT)
    wanted = np.stack([VECTORS[8, 0], mean_of("color", "red"), VECTORS[8, 2]])
    check(found, ranked(wanted, [1, 1, 1], lambda n: n != 8))
    # What several have in common weighs the other attributes, by 1 on average before the change.
    inverse = 1 / np.linalg.norm(VECTORS[8] - VECTORS[3], axis=-1)
    weights = 3 * inverse / inverse.sum()
    weights[1] = 1
    found = catalogue.search(liked=[IDS[8], IDS[3]], changes={"color": "red"}, k=COUNT)
    check(found, ranked(wanted, weights, lambda n: n != 8))


def test_another_engines_list_is_reranked(catalogue):
    results = [(IDS[n], score) for n, score in ((4, 9.0), (30, 8.0), (2, 5.0), (17, 1.0))]
    color = {name: score for name, score in ranked(QUERY, [0, 1, 0])}
    alone = sorted((name for name, _ in results), key=lambda name: -color[name])
    found = catalogue.rerank(results, vectors=QUERY, weights={"color": 1})
    assert [match.id for match in found] == alone
    assert found[0].cosines == pytest.approx({"color": color[found[0].id]}, abs=1e-5)
    kept = catalogue.rerank(results, blend=0.0, vectors=QUERY, weights={"color": 1})
    check(kept, [(IDS[4], 1.0), (IDS[30], 7 / 8), (IDS[2], 4 / 8), (IDS[17], 0.0)])

    low, high = (extreme(color[name] for name, _ in results) for extreme in (min, max))
    mixed = {
        name: 0.7 * (score - 1) / 8 + 0.3 * (color[name] - low) / (high - low)
        for name, score in results
    }
    found = catalogue.rerank(results, blend=0.3, vectors=QUERY, weights={"color": 1})
    check(found, sorted(mixed.items(), key=lambda pair: -pair[1]))


def test_an_empty_list_stays_empty(catalogue):
    assert catalogue.rerank([], vectors=QUERY) == []


def test_similarity_is_told_beside_all_pairs(catalogue):
    """So many random pairs that each of the 1770 is among them some 28 times."""
    found = catalogue.compare(IDS[9], id=IDS[5], pairs=50_000)
    upper = np.triu_indices(COUNT, 1)
    for similarity in found:
        v = SPACE.index(similarity.attribute)
        cosines = (VECTORS[:, v] @ VECTORS[:, v].T)[upper]
        own = float(VECTORS[5, v] @ VECTORS[9, v])
        assert similarity.cosine == pytest.approx(own, abs=1e-5)
        assert similarity.percentile == pytest.approx(100 * (cosines < own).mean(), abs=1.0)
    assert len(found) == 3
    percentiles = [similarity.percentile for similarity in found]
    assert percentiles == sorted(percentiles, reverse=True)


def test_a_copied_detail_stands_out(catalogue):
    """A photograph with the neckline of item 9 and nothing else of it."""
    copied = np.stack([VECTORS[9, 0], QUERY[1], QUERY[2]])
    first, *others = catalogue.compare(IDS[9], vectors=copied)
    assert first.attribute == "neckline" and first.cosine == pytest.approx(1, abs=1e-5)
    assert first.percentile > 99.9
    assert all(similarity.percentile < 99 for similarity in others)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "expected one of id, image and vectors, or a product, got none"),
        ({"id": IDS[0], "image": 7}, "got id and image"),
        ({"id": "none.jpg"}, "none.jpg"),
        ({"liked": ["none.jpg"]}, "none.jpg"),
        ({"vectors": QUERY[:2]}, r"expected vectors [3, 8], got [2, 8]"),
        ({"vectors": 2 * QUERY}, "of length 1"),
        ({"id": IDS[0], "weights": {"colour": 1}}, "Did you mean 'color'?"),
        ({"id": IDS[0], "weights": {"color": 0}}, "other than 0"),
        ({"id": IDS[0], "changes": {"color": "rd"}}, "unknown value of color 'rd'. Did you mean"),
        ({"id": IDS[0], "changes": {"color": "pink"}}, "no item of the catalogue is labelled"),
        ({"id": IDS[0], "changes": {"size": "xl"}}, "unknown attribute 'size'"),
        ({"id": IDS[0], "k": 0}, "k must be positive"),
        ({"id": IDS[0], "k": 0, "diversity": 0.5}, "k must be positive"),
        ({"id": IDS[0], "diversity": 1.5}, "expected a diversity of 0 to 1, got 1.5"),
        ({"id": IDS[0], "disliked": ["none.jpg"]}, "no item 'none.jpg'"),
        ({"id": IDS[0], "offset": -1, "ceiling": 0.1}, "offset not negative"),
        ({"id": IDS[:2], "k": 0, "offset": 1, "several": "best"}, "k must be positive"),
        ({"id": IDS[0], "several": "bst"}, "Did you mean 'best'?"),
        ({"image": [7] * 65, "several": "best"}, "several=best is of 64 photographs at most, got"),
        ({"id": IDS[0], "ceiling": -1.5}, "expected a ceiling of -1 to 1, got -1.5"),
        ({"id": IDS[0], "threshold": 0.5, "ceiling": 0.4}, "a threshold below the ceiling"),
        ({"id": []}, "got none"),
        ({"vectors": VECTORS[:0]}, "expected vectors [3, 8], got [0, 3, 8]"),
        ({"product": "none"}, "no item of the product 'none'"),
        ({"id": IDS[0], "product": "none"}, "no item of the product 'none'"),
        ({"id": IDS[0], "where": "price<"}, "expected a value"),
    ],
)
def test_bad_questions_are_explained(catalogue, asked, message):
    with pytest.raises(ValueError) as error:
        catalogue.search(**asked)
    assert message in str(error.value)
    # 26-messages-of-search-and-query
    assert ("filter" in str(error.value)) == ("where" in asked)


def test_a_list_with_an_item_twice_is_refused(catalogue):
    with pytest.raises(ValueError, match="each id once in the results, got 04.jpg twice"):
        catalogue.rerank([(IDS[4], 1.0), (IDS[4], 0.5)], vectors=QUERY)
