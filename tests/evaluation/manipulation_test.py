"""Top-k accuracy after changes, against plain Python that searches item by item."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.core.progress import Quiet
from asen_tf.data.label_sets import LabelSets
from asen_tf.data.manifest import CANDIDATE, LABEL, QUERY, Manifest, sort_labels
from asen_tf.evaluation import evaluate_manipulation, manipulation_table, random_manipulation
from asen_tf.evaluation.searches import Pool, drawn

SPACE = AttributeSpace({"a": ["x", "y", "z"], "b": ["p", "q"], "c": ["k", "l", "m"]})
TRAIN, COUNT = 30, 100


def make(labels, count=COUNT, train=TRAIN, role_of=lambda image: 0):
    return Manifest(
        root=Path("/data"),
        space=SPACE,
        images=np.array([f"{n}.jpg" for n in range(count)]),
        splits=np.where(np.arange(count) < train, 0, 2).astype(np.int8),
        labels=sort_labels(np.array([(*label, role_of(label[0])) for label in labels], LABEL)),
        lines=np.arange(count),
        source="manifest.csv",
    )


@pytest.fixture(scope="module")
def labels():
    """Some attributes are unlabelled, some have two values."""
    generator = np.random.default_rng(0)
    return [
        (image, attribute, value)
        for image in range(COUNT)
        for attribute, values in enumerate(SPACE.value_counts)
        for value in generator.choice(values, generator.choice(3, p=[0.1, 0.8, 0.1]), replace=False)
    ]


@pytest.fixture(scope="module")
def table():
    """Unit vectors [images, attributes, D]."""
    vectors = np.random.default_rng(1).normal(size=(COUNT, 3, 5)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def load_images(rows):
    """Images of one pixel that spell their own row."""
    images = np.zeros((len(rows), 1, 1, 3), np.uint8)
    images[:, 0, 0, 0] = rows
    return images


def evaluate(table, manifest, **kwargs):
    return evaluate_manipulation(
        lambda images, attributes: table[images[:, 0, 0, 0].astype(int)[:, None], attributes],
        manifest,
        "test",
        load_images,
        **{"batch_size": 7, "ks": (1, 3), "changes": "every", "progress": Quiet, **kwargs},
    )


def shown_by(labels):
    shown = {}
    for image, attribute, value in labels:
        shown.setdefault(image, {}).setdefault(attribute, set()).add(int(value))
    return shown


def slow_searches(labels, attributes, changes):
    """(query, {attribute: wanted value}, targets) of every search, also without a target."""
    shown = shown_by(labels)
    items = [n for n in range(TRAIN, COUNT) if all(a in shown.get(n, {}) for a in attributes)]
    for query in items:
        for chosen in itertools.combinations(attributes, changes):
            for values in itertools.product(*(range(SPACE.value_counts[a]) for a in chosen)):
                change = dict(zip(chosen, values, strict=True))
                wanted = {a: shown[query][a] for a in attributes}
                if any(wanted[a] == {v} for a, v in change.items()):
                    continue
                wanted |= {a: {v} for a, v in change.items()}
                targets = [
                    n
                    for n in items
                    if n != query and all(shown[n][a] == wanted[a] for a in attributes)
                ]
                yield query, change, targets, [n for n in items if n != query]


def compared(attributes):
    """One attribute that is left over counts as the general one."""
    others = [a for a in range(len(SPACE)) if a not in attributes]
    return [*attributes, *(others if len(others) == 1 else [])]


def slow_accuracy(searches, wanted_of, table, attributes, k):
    """The share of the searches with a target that have one among the first k."""
    hits = []
    for query, change, targets, candidates in searches:
        if targets:
            wanted = wanted_of(query, change)
            distance = {
                n: sum(map(np.linalg.norm, wanted - table[n, compared(attributes)]))
                for n in candidates
            }
            # Python's sort is stable, candidates stand in the order of their rows.
            order = sorted(candidates, key=distance.get)
            hits.append(bool(set(order[:k]) & set(targets)))
    return sum(hits) / len(hits)


def replacing(labels, table, attributes):
    """The query's vectors, with the mean of the training images' in the place of those changed."""
    shown = shown_by(labels)

    def prototype(attribute, value):
        own = [n for n in range(TRAIN) if value in shown.get(n, {}).get(attribute, ())]
        mean = sum(table[n, attribute] for n in own) / len(own)
        return mean / np.linalg.norm(mean)

    def wanted_of(query, change):
        return np.stack(
            [
                prototype(a, change[a]) if a in change else table[query, a]
                for a in compared(attributes)
            ]
        )

    return wanted_of


KINDS = ("direct", "one_change", "two_changes")


@pytest.mark.parametrize("special", [("a", "b", "c"), ("c", "a"), ("b",)])
@pytest.mark.parametrize("memory", [2 << 30, 1])
def test_against_plain_python(labels, table, special, memory):
    attributes = [SPACE.index(name) for name in special]
    result = evaluate(table, make(labels), special=special, memory_limit_bytes=memory)
    assert [kind for kind in KINDS if kind in result] == [*KINDS[: len(special) + 1]]
    wanted_of = replacing(labels, table, attributes)
    items = {query for query, *_ in slow_searches(labels, attributes, 0)}
    assert result["items"] == len(items) and result["left_out"] == COUNT - TRAIN - len(items)
    for changes, kind in enumerate(KINDS[: len(special) + 1]):
        searches = list(slow_searches(labels, attributes, changes))
        targets = [len(own) for _, _, own, _ in searches if own]
        found = result[kind]
        assert found["searches"] == found["measured"] == len(targets)
        assert found["without_target"] == len(searches) - len(targets)
        assert found["targets"] == pytest.approx(np.mean(targets))
        for k in (1, 3):
            expected = slow_accuracy(searches, wanted_of, table, attributes, k)
            assert found[f"top_accuracy@{k}"] == pytest.approx(expected)
    assert result["one_change"]["without_target"] > 0 or len(special) == 1


@pytest.mark.parametrize("roles", [False, True])
def test_one_random_change_of_each_query(labels, table, roles):
    """What is drawn is a search of the slow list, and scores as that does."""

    def role_of(image):
        return (QUERY if image % 4 == 0 else CANDIDATE) if roles and image >= TRAIN else 0

    manifest = make(labels, role_of=role_of)
    result = evaluate(table, manifest, changes="drawn")
    wanted_of = replacing(labels, table, [0, 1, 2])
    pool = Pool.of_roles(LabelSets.of_split(manifest, "test"), manifest)
    rows = pool.items.rows
    queries = [int(n) for n in rows if not roles or n % 4 == 0]
    gallery = {int(n) for n in rows if not roles or n % 4}
    assert (result["queries"], result["gallery"]) == (len(queries), len(gallery))
    for changes, kind in enumerate(KINDS):
        found = result[kind]
        searches, _ = drawn(pool, changes, (0, changes))
        chosen = {
            (int(rows[q]), tuple(pool.groups.sets[w])) for q, w in zip(*searches, strict=True)
        }
        assert len(chosen) == len(searches.queries) == found["measured"]
        assert found["measured"] + found["without_target"] == len(queries)
        own = []
        for query, change, targets, candidates in slow_searches(labels, [0, 1, 2], changes):
            labels_wanted = pool.items.sets[np.flatnonzero(rows == query)[0]].copy()
            for attribute, value in change.items():
                labels_wanted[attribute] = value
            if (query, tuple(labels_wanted)) in chosen:
                among = [set(of) & gallery for of in (targets, candidates)]
                own.append((query, change, *map(sorted, among)))
        assert len(own) == found["measured"] and all(targets for _, _, targets, _ in own)
        assert found["targets"] == pytest.approx(np.mean([len(search[2]) for search in own]))
        for k in (1, 3):
            expected = slow_accuracy(own, wanted_of, table, [0, 1, 2], k)
            assert found[f"top_accuracy@{k}"] == found["curve"][k - 1] == pytest.approx(expected)
            assert found[f"random_top_accuracy@{k}"] == found["random_curve"][k - 1]
    random = random_manipulation(manifest, "test", ks=(1, 3))
    for kind in KINDS:
        assert random[kind]["curve"] == result[kind]["random_curve"]
        assert random[kind]["top_accuracy@3"] == result[kind]["random_top_accuracy@3"]
    assert (
        sum(of["measured"] for of in result["one_change"]["attributes"].values())
        == (result["one_change"]["measured"])
    )


@pytest.mark.parametrize("by_classes", [False, True])
def test_one_vector_for_all_attributes_moves_from_the_recognised_value(labels, table, by_classes):
    """As the classic network: its vector does not say which of its values is to go."""
    same = np.repeat(table[:, :1], 3, axis=1)
    shown = shown_by(labels)

    def mean(attribute, value):
        own = [n for n in range(TRAIN) if value in shown.get(n, {}).get(attribute, ())]
        return np.mean(same[own, 0], axis=0)

    means = {(a, v): mean(a, v) for a, count in enumerate(SPACE.value_counts) for v in range(count)}

    def recognised(query, attribute):
        if by_classes:
            return (query + attribute) % SPACE.value_counts[attribute]
        fit = {
            v: same[query, 0] @ means[attribute, v] / np.linalg.norm(means[attribute, v])
            for v in range(SPACE.value_counts[attribute])
        }
        return max(fit, key=fit.get)

    def probable(images, attributes):
        rows = images[:, 0, 0, 0].astype(int)
        return np.eye(3)[[[recognised(n, a) for a in attributes] for n in rows]]

    def wanted_of(query, change):
        vector = same[query, 0] + sum(
            means[a, v] - means[a, recognised(query, a)] for a, v in change.items()
        )
        return vector[None] / np.linalg.norm(vector)

    result = evaluate(same, make(labels), predict_fn=probable if by_classes else None)
    for changes, kind in enumerate(KINDS):
        searches = slow_searches(labels, [0, 1, 2], changes)
        expected = slow_accuracy(searches, wanted_of, same, [0], 3)
        assert result[kind]["top_accuracy@3"] == pytest.approx(expected)


def test_the_general_vector_counts_where_the_other_attributes_share_one(table):
    """Two are special; of the rest only the shared vector tells the right items apart."""
    count = 40
    labels = [(n, 0, n % 3) for n in range(count)]
    vectors = np.zeros((count, 3, 2), np.float32)
    vectors[:, 0] = 1  # of the special attribute: tells nothing
    angles = np.array([0.0, 2.0, 4.0])[np.arange(count) % 3]
    vectors[:, 1] = vectors[:, 2] = np.stack([np.cos(angles), np.sin(angles)], 1)
    shared = evaluate(vectors, make(labels, count), special=("a",))["direct"]
    vectors[:, 2] = -vectors[:, 2]
    apart = evaluate(vectors, make(labels, count), special=("a",))["direct"]
    assert shared["top_accuracy@1"] == 1 and apart["top_accuracy@1"] < 0.9


def test_each_attribute_that_changes(labels, table):
    result = evaluate(table, make(labels))["one_change"]
    searches = list(slow_searches(labels, [0, 1, 2], 1))
    wanted_of = replacing(labels, table, [0, 1, 2])
    assert list(result["attributes"]) == ["a", "b", "c"]
    for attribute, found in enumerate(result["attributes"].values()):
        own = [search for search in searches if attribute in search[1]]
        assert found["measured"] == sum(bool(targets) for _, _, targets, _ in own)
        expected = slow_accuracy(own, wanted_of, table, [0, 1, 2], 3)
        assert found["top_accuracy@3"] == pytest.approx(expected)


def test_a_model_that_changes_embeddings_itself(labels, table):
    """It has one vector for all attributes, and is asked for it once an image."""
    asked = []

    def embed(images, attributes):
        asked.append(attributes)
        return table[images[:, 0, 0, 0].astype(int), :1]

    def change(vectors, attributes, values):
        return vectors[:, ::-1] + (attributes + 2 * values).sum(1, keepdims=True) / 10

    result = evaluate_manipulation(
        embed,
        make(labels),
        "test",
        load_images,
        ks=(3,),
        change_fn=change,
        changes="every",
        progress=Quiet,
    )
    assert {ids.shape[1] for ids in asked} == {1}
    for changes, kind in enumerate(KINDS):
        found = slow_accuracy(
            slow_searches(labels, [0, 1, 2], changes),
            lambda query, change: (
                table[query, :1, ::-1] + sum(a + 2 * v for a, v in change.items()) / 10
                if change
                else table[query, :1]
            ),
            table,
            [0],
            3,
        )
        assert result[kind]["top_accuracy@3"] == pytest.approx(found)


def test_perfect_vectors_and_equal_ones():
    """One-hot labels find all; vectors that tell nothing rank by row."""
    labels = [(n, a, (n // 3**a) % SPACE.value_counts[a]) for n in range(100) for a in range(3)]
    one_hot = np.zeros((COUNT, 3, 3), np.float32)
    one_hot[tuple(np.array(labels).T)] = 1
    result = evaluate(one_hot, make(labels))
    assert all(result[kind]["top_accuracy@1"] == 1 for kind in KINDS)
    assert all(result[kind]["random_top_accuracy@1"] < 0.2 for kind in KINDS)

    equal = evaluate(np.full_like(one_hot, 3**-0.5), make(labels), special=("a",))["direct"]
    # Candidates in order of rows: 30, 31, 32, ... show values 0, 1, 2, ...; 30 itself is left out.
    first = {n: [m for m in range(TRAIN, COUNT) if m != n][:1] for n in range(TRAIN, COUNT)}
    hits = [n % 3 == first[n][0] % 3 for n in first]
    assert equal["top_accuracy@1"] == pytest.approx(np.mean(hits))


def test_draws_evenly_where_there_are_many(labels, table):
    manifest = make(labels)
    whole, some = evaluate(table, manifest), evaluate(table, manifest, most=150)
    for kind in ("one_change", "two_changes"):
        assert some[kind]["measured"] == 150 < some[kind]["searches"] == whole[kind]["searches"]
        assert some[kind]["without_target"] == whole[kind]["without_target"]
        deviation = (0.25 / 150) ** 0.5
        for name in ("top_accuracy@3", "random_top_accuracy@3"):
            assert abs(some[kind][name] - whole[kind][name]) < 4 * deviation
    assert some == evaluate(table, manifest, most=150)
    assert some != evaluate(table, manifest, most=150, seed=1)


def test_table():
    labels = [(n, a, (n // 3**a) % SPACE.value_counts[a]) for n in range(40) for a in range(2)]
    vectors = np.random.default_rng(2).normal(size=(40, 3, 3)).astype(np.float32)
    result = evaluate(vectors, make(labels, 40), special=("a", "b"))
    lines = manipulation_table(result).splitlines()
    assert lines[0].split() == ["changed", "searches", "no", "target", "top-1", "top-3", "random-3"]
    assert [line.split()[0] for line in lines[2:-1]] == ["nothing", "one", "a", "b", "two"]
    assert lines[-1] == (
        "10 images labelled for a, b; 0 left out. 10 queries, 10 in the gallery; changes: every"
    )
    shown = result["one_change"]
    assert lines[3].split()[1:5] == [
        str(shown["measured"]),
        str(shown["without_target"]),
        f"{100 * shown['top_accuracy@1']:.2f}",
        f"{100 * shown['top_accuracy@3']:.2f}",
    ]


def test_bad_input_is_refused(labels, table):
    manifest = make(labels)
    with pytest.raises(ValueError, match="Did you mean 'a'"):
        evaluate(table, manifest, special=("aa",))
    with pytest.raises(ValueError, match="changes"):
        evaluate(table, manifest, changes="some")
    with pytest.raises(ValueError, match="must be 1 or more"):
        evaluate(table, manifest, ks=(0,))
    with pytest.raises(ValueError, match="finite"):
        evaluate(table * np.nan, manifest)
    with pytest.raises(ValueError, match="change_fn's result must have the shape"):
        evaluate(table, manifest, change_fn=lambda vectors, *_: vectors[:, :2])
