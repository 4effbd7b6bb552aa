import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from asen_client.core.attributes import AttributeSpace
from asen_tf.core.progress import Progress
from asen_tf.data.manifest import CANDIDATE, LABEL, NO_ROLE, QUERY, Manifest, sort_labels
from asen_tf.evaluation.evaluator import Evaluator
from asen_tf.evaluation.rankings import differences

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TEST = 2


def make_manifest(records, values, images=None, split=TEST):
    """Records are (image, attribute, value, role)."""
    labels = sort_labels(np.array([tuple(r) for r in records], LABEL))
    count = images or int(labels["image"].max()) + 1
    return Manifest(
        root=Path("nowhere"),
        space=AttributeSpace(values),
        images=np.array([f"{i}.jpg" for i in range(count)]),
        splits=np.full(count, split, np.int8),
        labels=labels,
        lines=np.arange(count, dtype=np.int32),
        source="made-up.csv",
    )


def row_images(rows):
    """Images of two pixels that spell their own row, so that embed functions can look it up."""
    images = np.zeros((len(rows), 2, 2, 3), np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = rows % 256, rows // 256
    return images


def rows_of(images):
    return images[:, 0, 0, 0].astype(int) + 256 * images[:, 0, 0, 1].astype(int)


def look_up(table):
    """An embed function that returns table[row, attribute]."""
    return lambda images, attributes: table[rows_of(images)[:, None], attributes]


def random_case(seed, images=60, dimension=4):
    """Some images with several values, some both query and candidate, coarse embeddings."""
    rng = np.random.default_rng(seed)
    values = {"collar": ["a", "b", "c"], "length": ["s", "l"], "color": list("rgbwk")}
    records = []
    for image in range(images):
        for attribute, names in enumerate(values.values()):
            if rng.random() < 0.2:
                continue
            role = rng.choice([NO_ROLE, QUERY, CANDIDATE, CANDIDATE])
            several = rng.choice(len(names), rng.integers(1, 3), replace=False)
            for value in several:
                switch = rng.random() < 0.1
                records.append((image, attribute, value, QUERY if switch else role))
    table = rng.integers(-1, 2, (images, len(values), dimension)).astype(np.float32)
    return make_manifest(records, values, images), table


def slow_evaluation(manifest, table, ks, part=slice(None), relevance="official"):
    """The protocol in plain Python: per attribute and query a dict of metrics."""
    per_attribute = {}
    for attribute, name in enumerate(manifest.space):
        wanted, given = {}, {}
        for image, its_attribute, value, role in manifest.labels.tolist():
            if its_attribute == attribute and role == QUERY:
                wanted.setdefault(image, set()).add(value)
            if its_attribute == attribute and role == CANDIDATE:
                given.setdefault(image, set()).add(value)
        if relevance == "multi_label":
            for image, its_attribute, value, _ in manifest.labels.tolist():
                for values in (wanted, given):
                    if its_attribute == attribute and image in values:
                        values[image].add(value)
        queries = []
        for query, values in sorted(wanted.items()):
            vector = table[query, attribute, part].tolist()
            others = [image for image in sorted(given) if image != query]

            def similarity(image, vector=vector, attribute=attribute):
                other = table[image, attribute, part].tolist()
                return sum(x * y for x, y in zip(vector, other, strict=True))

            ranking = sorted(others, key=lambda image: (-similarity(image), image))
            queries.append(slow_metrics([bool(values & given[i]) for i in ranking], ks))
        per_attribute[name] = (queries, len(given))
    return per_attribute


def slow_metrics(hits, ks):
    relevant = sum(hits)
    precisions = [sum(hits[: i + 1]) / (i + 1) for i in range(len(hits)) if hits[i]]
    before = sum(not hits[j] for i in range(len(hits)) if hits[i] for j in range(i))
    pairs = relevant * (len(hits) - relevant)
    metrics = {
        "relevant": relevant,
        "map": sum(precisions) / relevant if relevant else 0,
        "triplet_accuracy": 1 - before / pairs if pairs else None,
    }
    for k in ks:
        gain = sum(1 / math.log2(i + 2) for i in range(min(k, len(hits))) if hits[i])
        best = sum(1 / math.log2(i + 2) for i in range(min(k, relevant)))
        metrics[f"precision@{k}"] = sum(hits[:k]) / k
        metrics[f"recall@{k}"] = sum(hits[:k]) / relevant if relevant else 0
        metrics[f"ndcg@{k}"] = gain / best if relevant else 0
        metrics[f"top_accuracy@{k}"] = float(any(hits[:k]))
    return metrics


def mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values)


def assert_matches_slow(result, slow):
    assert list(result["attributes"]) == list(slow)
    everything = [query for queries, _ in slow.values() for query in queries]
    assert result["queries"] == len(everything)
    for metric in everything[0]:
        each = {name: mean(q[metric] for q in queries) for name, (queries, _) in slow.items()}
        assert result[metric] == pytest.approx(mean(q[metric] for q in everything))
        assert result[f"{metric}_macro"] == pytest.approx(mean(each.values()))
        for name, (queries, candidates) in slow.items():
            row = result["attributes"][name]
            assert row[metric] == pytest.approx(each[name])
            assert (row["queries"], row["candidates"]) == (len(queries), candidates)


@pytest.mark.parametrize("memory_limit_bytes", [2 << 30, 20_000, 1])
@pytest.mark.parametrize("batch_size", [7, 1000])
def test_matches_plain_python_in_memory_and_on_disk(memory_limit_bytes, batch_size, tmp_path):
    manifest, table = random_case(seed=batch_size)
    evaluator = Evaluator(
        look_up(table),
        batch_size=batch_size,
        ks=(1, 3, 200),
        memory_limit_bytes=memory_limit_bytes,
        scratch_folder=str(tmp_path),
    )
    result = evaluator.evaluate(manifest, "test", row_images)
    assert_matches_slow(result, slow_evaluation(manifest, table, (1, 3, 200)))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", range(3))
def test_all_values_of_an_image_count_where_asked_for(seed):
    manifest, table = random_case(seed)
    rng = np.random.default_rng(seed)
    further = manifest.labels.copy()
    further["role"] = NO_ROLE
    further["value"] = rng.integers(0, 2, len(further))
    labels = sort_labels(np.concatenate([manifest.labels, further]))
    manifest = dataclasses.replace(manifest, labels=labels)
    found = {}
    for relevance in ("official", "multi_label"):
        evaluator = Evaluator(look_up(table), ks=(1, 3, 200), relevance=relevance)
        result = evaluator.evaluate(manifest, "test", row_images, {"a": slice(0, 2)})
        expected = slow_evaluation(manifest, table, (1, 3, 200), slice(0, 2), relevance)
        assert_matches_slow(result, expected)
        assert result["relevance"] == result["variants"]["a"]["relevance"] == relevance
        found[relevance] = result
    assert found["official"]["queries"] == found["multi_label"]["queries"]
    assert found["official"]["relevant"] < found["multi_label"]["relevant"]


def test_large_embeddings_go_to_a_temporary_file_only_while_it_runs(tmp_path):
    manifest, table = random_case(seed=0)
    files = []

    class Watching(Progress):
        def update(self, count):
            files.append([path.name for path in tmp_path.rglob("*.f32")])

    settings = {"scratch_folder": str(tmp_path), "progress": Watching}
    Evaluator(look_up(table), memory_limit_bytes=100, **settings).evaluate(
        manifest, "test", row_images
    )
    assert files[-1] == ["array.f32"] and not list(tmp_path.iterdir())
    files.clear()
    Evaluator(look_up(table), **settings).evaluate(manifest, "test", row_images)
    assert files and not any(files)


def test_temporary_file_goes_when_the_embedding_fails(tmp_path):
    manifest, table = random_case(seed=0)
    calls = []

    def failing(images, attributes):
        calls.append(len(list(tmp_path.rglob("*.f32"))))
        if len(calls) == 3:
            raise RuntimeError("out of luck")
        return look_up(table)(images, attributes)

    evaluator = Evaluator(failing, 8, memory_limit_bytes=1, scratch_folder=str(tmp_path))
    with pytest.raises(RuntimeError, match="out of luck"):
        evaluator.evaluate(manifest, "test", row_images)
    assert calls == [0, 1, 1] and not list(tmp_path.iterdir())


def test_full_disk_is_reported_before_writing(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 10}))
    manifest, table = random_case(seed=0)
    evaluator = Evaluator(look_up(table), memory_limit_bytes=1, scratch_folder=str(tmp_path))
    with pytest.raises(OSError, match="scratch_folder"):
        evaluator.evaluate(manifest, "test", row_images)
    assert not list(tmp_path.iterdir())


def test_one_hot_embeddings_give_the_ranking_worked_by_hand():
    # attribute 0: query 0 (value 0) among 1, 2, 3; attribute 1: queries 1, 2 among 0, 3
    records = [(0, 0, 0, QUERY), (1, 0, 0, CANDIDATE), (2, 0, 1, CANDIDATE), (3, 0, 0, CANDIDATE)]
    records += [(1, 1, 0, QUERY), (2, 1, 1, QUERY), (0, 1, 0, CANDIDATE), (3, 1, 1, CANDIDATE)]
    manifest = make_manifest(records, {"collar": ["a", "b"], "length": ["a", "b"]})
    one_hot = np.eye(2, dtype=np.float32)
    table = np.stack([one_hot[[0, 1, 0, 0]], one_hot[[0, 0, 0, 1]]], axis=1)
    result = Evaluator(look_up(table)).evaluate(manifest, "test", row_images)
    # collar: scores 0, 1, 1 -> order 2, 3, 1 -> relevance 0, 1, 1
    # length: both queries score 1, 0 -> order 0, 3 -> relevance 1, 0 and 0, 1
    collar, length = (1 / 2 + 2 / 3) / 2, (1 + 1 / 2) / 2
    assert result["attributes"]["collar"]["map"] == pytest.approx(collar)
    assert result["attributes"]["length"]["map"] == pytest.approx(length)
    assert result["map"] == pytest.approx((1 * collar + 2 * length) / 3)
    assert result["map_macro"] == pytest.approx((collar + length) / 2)
    # random orders: collar mean of (1, 1), (1, 2/3), (1/2, 2/3); length mean of 1 and 1/2
    random_collar, random_length = (1 + 5 / 6 + 7 / 12) / 3, 3 / 4
    assert result["random_map"] == pytest.approx((random_collar + 2 * random_length) / 3)
    assert result["random_map_macro"] == pytest.approx((random_collar + random_length) / 2)
    assert result["triplet_accuracy"] == pytest.approx((0 + 1 + 0) / 3)


def test_an_image_is_never_its_own_candidate():
    records = [(0, 0, 0, QUERY), (0, 0, 1, CANDIDATE), (1, 0, 0, CANDIDATE), (2, 0, 1, CANDIDATE)]
    records += [(2, 0, 0, QUERY)]
    manifest = make_manifest(records, {"collar": ["a", "b"]})
    table = np.array([[[1.0]], [[0.5]], [[0.7]]], np.float32)
    result = Evaluator(look_up(table), ks=(1,)).evaluate(manifest, "test", row_images)
    # query 0 ranks 2 before 1 (the relevant one), query 2 ranks 0 before 1 (the relevant one)
    row = result["attributes"]["collar"]
    assert (row["queries"], row["candidates"]) == (2, 3)
    assert row["map"] == pytest.approx(1 / 2)
    assert row["random_map"] == pytest.approx(3 / 4)
    assert row["triplet_accuracy"] == 0


def test_variants_are_measured_from_one_pass():
    manifest, table = random_case(seed=5, dimension=6)
    calls = []

    def counting(images, attributes):
        calls.append(images.shape)
        return look_up(table)(images, attributes)

    variants = {"global": slice(0, 4), "local": slice(4, 6), "both": slice(None)}
    result = Evaluator(counting, batch_size=16, ks=(2,)).evaluate(
        manifest, "test", row_images, variants
    )
    assert len(calls) == math.ceil(len(np.unique(manifest.labels["image"])) / 16)
    assert result["variant"] == "both" and list(result["variants"]) == list(variants)
    for name, part in variants.items():
        assert_matches_slow(result["variants"][name], slow_evaluation(manifest, table, (2,), part))
    assert_matches_slow(result, slow_evaluation(manifest, table, (2,)))
    assert result["variants"]["local"]["map"] != result["map"]
    assert list(result["differences"]) == ["global", "local"]
    for name, ahead in result["differences"].items():
        assert ahead["map"] == pytest.approx(result["map"] - result["variants"][name]["map"])


def test_the_standard_error_of_a_difference():
    """That of the same queries drawn again and again, of several tasks together."""
    rng = np.random.default_rng(0)
    shared = [rng.random(30), rng.random(20)]
    other = [task - 0.2 * rng.random(len(task)) for task in shared]
    of = {n: [{"map": t} for t in tasks] for n, tasks in (("a", shared), ("b", other))}
    ahead = np.concatenate(shared) - np.concatenate(other)
    again = rng.choice(ahead, (4000, len(ahead))).mean(1)
    found = differences(of, "a")["b"]
    assert found["map"] == pytest.approx(ahead.mean())
    assert found["standard_error"] == pytest.approx(again.std(), rel=0.05)
    alone = {n: [{"map": t[:1]} for t in tasks[:1]] for n, tasks in (("a", shared), ("b", other))}
    assert differences(alone, "a")["b"]["standard_error"] is None


def test_every_call_has_the_same_shape_and_wanted_pairs_only():
    records = [(0, 0, 0, QUERY), (1, 0, 0, CANDIDATE), (2, 0, 1, CANDIDATE), (3, 0, 0, NO_ROLE)]
    records += [(1, 2, 0, QUERY), (2, 2, 0, CANDIDATE), (3, 2, 1, CANDIDATE), (4, 1, 0, QUERY)]
    manifest = make_manifest(records, {name: "ab" for name in ("collar", "length", "color")})
    calls = []

    def recording(images, attributes):
        calls.append((rows_of(images).tolist(), attributes.tolist()))
        return np.ones((*attributes.shape, 3), np.float32)

    result = Evaluator(recording, batch_size=3).evaluate(manifest, "test", row_images)
    assert calls == [([0, 1, 2], [[0, 0], [0, 2], [0, 2]]), ([3, 3, 3], [[2, 2]] * 3)]
    assert result["skipped"] == ["length"]
    assert list(result["attributes"]) == ["collar", "color"]


def test_progress_counts_images_and_queries_to_the_end():
    manifest, table = random_case(seed=1)
    meters = []

    class Recording(Progress):
        def __exit__(self, *error):
            meters.append((self.unit.strip(), self.n, self.total))

    result = Evaluator(look_up(table), batch_size=7, progress=Recording).evaluate(
        manifest, "test", row_images
    )
    labels = manifest.labels
    images = len(np.unique(labels["image"][labels["role"] != NO_ROLE]))
    queries = result["queries"]
    assert meters == [("images", images, images), ("queries", queries, queries)]


def test_bad_input_is_refused():
    manifest, table = random_case(seed=2)
    evaluator = Evaluator(look_up(table))
    with pytest.raises(ValueError, match=r"unknown split 'tests'.*Did you mean 'test'"):
        evaluator.evaluate(manifest, "tests", row_images)
    with pytest.raises(ValueError, match="split valid of made-up.csv: no row has it"):
        evaluator.evaluate(manifest, "valid", row_images)
    with pytest.raises(ValueError, match=r"slice 'local' takes .* of dimension 4"):
        evaluator.evaluate(manifest, "test", row_images, {"local": slice(4, 8)})
    with pytest.raises(ValueError, match="slices must name at least one"):
        evaluator.evaluate(manifest, "test", row_images, {})
    with pytest.raises(ValueError, match=r"must have the shape \[32, 3, any\], got \[32, 4\]"):
        Evaluator(lambda x, a: table[rows_of(x), 0]).evaluate(manifest, "test", row_images)
    with pytest.raises(ValueError, match="must be finite"):
        Evaluator(look_up(table * np.nan)).evaluate(manifest, "test", row_images)
    with pytest.raises(ValueError, match="ks must be 1 or more"):
        Evaluator(look_up(table), ks=(0, 1))
    with pytest.raises(ValueError, match="unknown relevance 'all'"):
        Evaluator(look_up(table), relevance="all")
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        Evaluator(look_up(table), batch_size=0)


def read_split(folder):
    """A manifest of the test queries and candidates of one of the published index folders."""
    records = []
    for name, role in (("query", QUERY), ("candidate", CANDIDATE)):
        path = folder / f"{name}_test.txt"
        if not path.exists():
            pytest.skip(f"{path} is not there")
        rows = np.loadtxt(path, dtype=np.int64)
        records.append(np.column_stack([rows, np.full(len(rows), role)]))
    records = np.concatenate(records)
    counts = [records[records[:, 1] == a, 2].max() + 1 for a in range(records[:, 1].max() + 1)]
    values = {f"attribute {a}": [str(v) for v in range(n)] for a, n in enumerate(counts)}
    return make_manifest(records, values)


@pytest.mark.parametrize(
    ("folder", "queries", "percent"),
    [("official_splits/FashionAI", 3600, 15.79), ("clothing_attributes/splits", 537, 52.15)],
)
def test_random_order_on_published_splits(folder, queries, percent):
    manifest = read_split(SHARED / folder)
    rng = np.random.default_rng(0)
    result = Evaluator(
        lambda images, attributes: rng.standard_normal((*attributes.shape, 8)), batch_size=256
    ).evaluate(manifest, "test", row_images)
    assert result["queries"] == queries
    assert 100 * result["random_map"] == pytest.approx(percent, abs=0.01)
    assert 100 * result["map"] == pytest.approx(percent, abs=1)
