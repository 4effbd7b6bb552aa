"""Indexes of faiss beside the exact search: they propose, the scores are exact."""

import concurrent.futures
import threading
import time

import numpy as np
import pytest

from asen_tf.catalogue import Items, Record, open_store
from asen_tf.catalogue.filters import parse

faiss_engine = pytest.importorskip("asen_tf.catalogue.faiss_engine")

COUNT = 600


@pytest.fixture
def items(unit):
    """Groups of ten that lie close together, so that neighbours are clear."""
    vectors = np.repeat(unit(COUNT // 10, 3, 8), 10, axis=0) + 0.05 * unit(COUNT, 3, 8, seed=1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    records = [Record({}, {"price": n, "look": n // 10}) for n in range(COUNT)]
    return Items([f"{n:03d}" for n in range(COUNT)], vectors, records)


@pytest.fixture(params=["IVF8,Flat&search=nprobe=4", "HNSW16", "IVF8,SQ8&search=nprobe=4"])
def engine(request, faiss_uri, fingerprint, items, monkeypatch):
    monkeypatch.setattr(faiss_engine, "_INDEXED_FROM", 500)
    with open_store(f"{faiss_uri}?index={request.param}", fingerprint) as engine:
        engine.insert(items)
        engine.compact()
    with open_store(faiss_uri) as engine:
        yield engine


@pytest.mark.parametrize(("where", "met"), [("", range(COUNT)), ("price>=32", range(32, COUNT))])
def test_candidates_are_scored_exactly(engine, items, monkeypatch, where, met):
    assert not engine.exact
    query = items.vectors[35] * np.array([[1], [0.5], [0]], np.float32)
    exact = (items.vectors * query).sum((1, 2))
    best = sorted(met, key=lambda row: -exact[row])[:3]
    products, looked_at = faiss_engine._products, []

    def counted(view, attribute, row, rows):
        looked_at.append(len(rows))
        return products(view, attribute, row, rows)

    monkeypatch.setattr(faiss_engine, "_products", counted)
    hits = engine.search(query, 3, parse(where) if where else None)
    assert len(looked_at) == 2 and max(looked_at) <= 2 * 3 * faiss_engine._CANDIDATES
    assert hits.ids == [items.ids[row] for row in best]
    np.testing.assert_allclose(hits.scores, exact[best], atol=1e-6)


@pytest.mark.parametrize("change", [0, 40, -1, "cut"])
def test_a_damaged_index_is_refused_by_name(engine, items, change, tmp_path):
    [path] = tmp_path.rglob("index-0.faiss")
    damaged = bytearray(path.read_bytes())
    if change == "cut":
        del damaged[len(damaged) // 2 :]
    else:
        damaged[change] ^= 4
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="index-0.faiss: the index is damaged"):
        engine.search(items.vectors[35], 5)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("least", [COUNT // 2, COUNT * 9 // 10])
def test_an_index_looks_for_those_that_meet_a_filter(engine, items, monkeypatch, least):
    """Without it, the nearest would be those that do not meet it."""
    query = items.vectors[35] * np.array([[1], [0], [0]], np.float32)
    exact = (items.vectors * query).sum((1, 2))
    search, proposed = faiss_engine._proposed, []
    monkeypatch.setattr(
        faiss_engine, "_proposed", lambda *given: proposed.append(search(*given)) or proposed[0]
    )
    hits = engine.search(query, 2, parse(f"price>={least}"))
    rows = proposed[0][proposed[0] >= 0]
    assert (rows >= least).all()
    assert all(name >= str(least) for name in hits.ids)
    if "IVF" in engine._store.settings["index"]:  # which looks at all clusters then
        best = least + np.argsort(-exact[least:])[:2]
        assert set(best) <= set(rows)
        assert hits.ids == [items.ids[row] for row in best]


def test_where_candidates_run_out_all_items_are_looked_at(engine, items):
    query = items.vectors[35]
    exact = (items.vectors * query).sum((1, 2))[:9]
    hits = engine.search(query, 5, parse("price<9"))
    assert hits.ids == [items.ids[row] for row in np.argsort(-exact)[:5]]


@pytest.mark.parametrize("k", [3, 12, 60])
def test_as_many_groups_are_found_as_there_are(engine, items, k):
    query = items.vectors[35] * np.array([[1], [0], [0]], np.float32)
    exact = (items.vectors * query).sum((1, 2)).reshape(-1, 10)
    hits = engine.search(query, k, group="look")
    looks = [int(name) // 10 for name in hits.ids]
    assert looks[0] == 3 and len(set(looks)) == k
    np.testing.assert_allclose(hits.scores, -np.sort(-exact[looks].max(1)), atol=1e-6)


@pytest.mark.parametrize("options", ["dtype=float16", "dtype=float16&index=HNSW16"])
def test_half_precision_finds_what_its_vectors_say(
    faiss_uri, fingerprint, items, monkeypatch, options
):
    monkeypatch.setattr(faiss_engine, "_INDEXED_FROM", 500)
    monkeypatch.setattr(faiss_engine, "BLOCK", 64)  # several to multiply
    with open_store(f"{faiss_uri}?{options}", fingerprint) as engine:
        engine.insert(items)
        engine.compact()
    kept = items.vectors.astype(np.float16).astype(np.float64)
    query = items.vectors[35] * np.array([[1], [0], [-0.5]], np.float32)
    scores = (kept * query).sum((1, 2))
    with open_store(faiss_uri, read_only=True) as engine:
        for where, met in (("", range(COUNT)), ("price<200", range(200))):
            best = sorted(met, key=lambda row: -scores[row])[:8]
            hits = engine.search(query, 8, parse(where) if where else None)
            assert hits.ids == [items.ids[row] for row in best]
            np.testing.assert_allclose(hits.scores, scores[best], atol=1e-6)


def test_threads_multiply_chosen_rows(faiss_uri, fingerprint, items, monkeypatch):
    monkeypatch.setattr(faiss_engine, "_A_THREAD", 16)
    query = items.vectors[35]
    scores = (items.vectors[:203] * query).sum((1, 2))
    with open_store(faiss_uri, fingerprint) as engine:
        engine.insert(items)
        hits = engine.search(query, 203, parse("price<203"))
    assert hits.ids == [items.ids[row] for row in np.argsort(-scores)]
    np.testing.assert_allclose(hits.scores, -np.sort(-scores), atol=1e-6)


def test_an_unknown_dtype_is_refused(faiss_uri, fingerprint):
    with pytest.raises(ValueError, match="unknown dtype 'int8'.*float32, float16"):
        open_store(f"{faiss_uri}?dtype=int8", fingerprint)


def test_what_was_written_since_is_found_too(engine, items):
    engine.upsert(Items(["new", "035"], items.vectors[[300, 35]]))
    engine.delete(["036"])
    ids = engine.search(items.vectors[35], 9).ids
    assert ids[0] == "035" and "036" not in ids
    assert set(engine.search(items.vectors[300], 2).ids) == {"new", "300"}


def test_an_index_is_made_anew_when_the_store_has_grown_fourfold(
    faiss_uri, fingerprint, items, monkeypatch, tmp_path
):
    monkeypatch.setattr(faiss_engine, "_INDEXED_FROM", 100)
    monkeypatch.setattr("asen_tf.catalogue.storage.item_store.LEAST_DEAD", 100)
    sizes = []
    with open_store(f"{faiss_uri}?index=Flat", fingerprint) as engine:
        for start in range(0, COUNT, 60):
            engine.insert(items.take(range(start, start + 60)))
            sizes += [path.stat().st_size for path in tmp_path.rglob("index-1.faiss")][:1]
        assert engine.search(items.vectors[7], 1).ids == ["007"]
        assert engine.search(items.vectors[599], 1).ids == ["599"]
    assert len(set(sizes)) == 2


def test_a_share_of_new_items_may_be_in_no_index(faiss_uri, fingerprint, items, monkeypatch):
    monkeypatch.setattr(faiss_engine, "_INDEXED_FROM", 100)
    written = []
    monkeypatch.setattr(
        faiss_engine.FaissEngine, "_write_indexes", lambda *given: written.append(given[-1])
    )
    with open_store(f"{faiss_uri}?index=Flat", fingerprint) as engine:
        for first, last in ((0, 400), (400, 500), (500, 600)):
            engine.insert(items.take(range(first, last)))
            engine.compact(0.25)
    assert written == [400, 600]


def test_threads_share_the_indexes(engine, items, monkeypatch):
    read, opened = faiss_engine.faiss.read_index, []
    together = threading.Barrier(8)

    def slow(path, flags):
        opened.append(path)
        time.sleep(0.05)
        return read(path, flags)

    def search(n):
        together.wait()
        return engine.search(items.vectors[10 * n], 5).ids

    monkeypatch.setattr(faiss_engine.faiss, "read_index", slow)
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        found = list(threads.map(search, range(8)))
    assert all(items.ids[10 * n] in ids for n, ids in enumerate(found))
    assert len(opened) == len(set(opened)) == 3


def test_options_are_those_of_the_store(faiss_uri, fingerprint):
    open_store(f"{faiss_uri}?index=HNSW16", fingerprint).close()
    with pytest.raises(ValueError, match="made with the options"):
        open_store(f"{faiss_uri}?index=HNSW32")
    with pytest.raises(ValueError, match="index_factory"):
        open_store(f"{faiss_uri}2?index=nonsense", fingerprint)
    with pytest.raises(ValueError, match="unknown option of the store 'idex'. Did you mean"):
        open_store(f"{faiss_uri}?idex=HNSW16")
