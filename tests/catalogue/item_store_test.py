"""Files on disk: damage, full disks, matrices written anew, readers beside a writer."""

import contextlib
import errno
import os
import resource
import sqlite3

import numpy as np
import pytest

from asen_tf.catalogue import Items, Record
from asen_tf.catalogue.storage import item_store, matrices
from asen_tf.catalogue.storage.item_store import ItemStore


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def opened(folder, fingerprint):
    """A function that opens the store; what it opened is closed at the end."""
    with contextlib.ExitStack() as stack:

        def make(**options):
            return stack.enter_context(
                contextlib.closing(ItemStore(folder, fingerprint, **options))
            )

        yield make


def batch(unit, start, stop, seed=0):
    ids = [f"{n}" for n in range(start, stop)]
    records = [Record({"color": ["red"]}, {"seed": seed}) for _ in ids]
    return Items(ids, unit(len(ids), 3, 8, seed=[seed, start]), records)


def content(store):
    """Id -> vectors and record."""
    with store.view() as view:
        rows = np.flatnonzero(view.mask())
        vectors = np.stack([view.matrices.take(a, rows) for a in range(3)], axis=1).tolist()
        ids, records = view.names(rows), view.records(rows.tolist())
        assert view.items == len(ids)
    return dict(zip(ids, zip(vectors, records, strict=True), strict=True))


def expected(*batches):
    return {
        name: (items.vectors[row].tolist(), items.records[row])
        for items in batches
        for row, name in enumerate(items.ids)
    }


def test_half_precision_takes_half_the_disk(folder, unit, opened):
    items = batch(unit, 0, 40)
    store = opened(settings={"dtype": "float16"})
    store.put(items)
    store.delete(["3"])
    store.compact()
    [matrix] = folder.glob("vectors-*/1.*")
    assert matrix.suffix == ".f16" and matrix.stat().st_size == 39 * 8 * 2
    for name, (vectors, _) in content(opened(read_only=True)).items():
        np.testing.assert_array_equal(
            vectors, items.vectors[int(name)].astype(np.float16).astype(np.float32)
        )


def test_random_writes_end_as_in_a_dictionary(folder, unit, opened, monkeypatch):
    monkeypatch.setattr(item_store, "LEAST_DEAD", 10)
    monkeypatch.setattr(matrices, "BLOCK", 3)
    draw, model, folders = np.random.default_rng(0), {}, set()
    store = opened()
    for step in range(200):
        start = int(draw.integers(80))
        ids = [f"{n}" for n in range(start, start + 8)]
        kind = draw.random()
        if kind < 0.3:
            assert store.delete(ids) == sum(model.pop(name, None) is not None for name in ids)
        elif kind < 0.5:
            known = [name for name in ids if name in model]
            records = [Record({"hem": ["a"]}, {"step": step})] * len(known)
            store.describe(known, records)
            model.update({name: (model[name][0], records[0]) for name in known})
        else:
            items = batch(unit, start, start + 4, step)
            store.put(items)
            model.update(expected(items))
        if step % 40 == 20:
            store.close()
            store = opened()
        if step % 90 == 80:
            store.compact()
        folders.update(folder.glob("vectors-*"))
        assert len(store) == len(model)
    assert content(store) == model and len(folders) > 3
    store.close()
    assert {path.name for path in folder.iterdir()} == {"store.db", "LOCK", max(folders).name}
    assert content(opened(read_only=True)) == model


def test_compacting_gives_back_the_room(folder, unit, opened):
    store = opened()
    store.put(batch(unit, 0, 100))
    store.delete([f"{n}" for n in range(90)])
    store.compact()
    [matrix] = folder.glob("vectors-*/1.f32")
    assert matrix.stat().st_size == 10 * 8 * 4
    assert content(store) == {
        k: v for k, v in expected(batch(unit, 0, 100)).items() if int(k) >= 90
    }
    store.delete([f"{n}" for n in range(100)])
    store.compact()
    store.close()
    assert len(opened()) == 0


def test_vectors_that_no_transaction_followed_are_as_if_never_written(folder, unit, opened):
    store = opened()
    store.put(batch(unit, 0, 3))
    store.close()
    for path in folder.glob("vectors-*/*.f32"):
        with open(path, "ab") as file:
            file.write(b"\1" * 100)
    assert content(opened(read_only=True)) == expected(batch(unit, 0, 3))
    store = opened()
    store.put(batch(unit, 3, 4))
    assert content(store) == expected(batch(unit, 0, 3), batch(unit, 3, 4))


def refused(opened, path, damaged):
    """What a store says of a file in which these bytes stand, and leaves there."""
    path.write_bytes(damaged)
    with pytest.raises(ValueError) as caught, contextlib.closing(opened()) as store:
        content(store)
    assert path.read_bytes() == damaged
    assert f"{path} is damaged" in str(caught.value)


def test_damaged_vectors_are_noticed(folder, unit, opened):
    """sec-04-vectors-unchecked"""
    store = opened()
    store.put(batch(unit, 0, 5))
    store.close()
    path = next(folder.glob("vectors-*")) / "1.f32"
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 64
        refused(opened, path, damaged)
    refused(opened, path, whole[:-1])


def test_a_record_that_was_changed_is_noticed(folder, unit, opened):
    """sec-03-log-header-flip: of what now holds the records."""
    store = opened()
    store.put(batch(unit, 0, 5))
    store.close()
    path = folder / "store.db"
    whole = path.read_bytes()
    at = whole.index(b'[{"color": ["red"]}, {"seed": 0}]')
    for n in range(at, at + 30):
        damaged = bytearray(whole)
        damaged[n] ^= 1 << n % 7
        refused(opened, path, damaged)
    for cut in (50, len(whole) // 2, len(whole) - 1):
        refused(opened, path, whole[:cut])
    refused(opened, path, b"no database" * 100)


@pytest.mark.parametrize(
    "change",
    [
        "fingerprint = '{}'",
        "fingerprint = '['",
        "folder = '../victim'",
        "rows = -1",
        "rows = 1000",
        "generation = NULL",
    ],
)
def test_a_database_that_makes_no_sense_is_refused(folder, unit, opened, change):
    store = opened()
    store.put(batch(unit, 0, 3))
    store.close()
    with contextlib.closing(sqlite3.connect(folder / "store.db")) as database, database:
        database.execute(f"UPDATE store SET {change}")
    with pytest.raises(ValueError, match="store.db is damaged"):
        opened()


def test_a_database_of_others_is_no_store(folder, opened):
    folder.mkdir()
    with contextlib.closing(sqlite3.connect(folder / "store.db")) as database, database:
        database.execute("CREATE TABLE mine (text)")
    with pytest.raises(ValueError, match="not a store of this library"):
        opened()


@pytest.mark.parametrize(
    ("name", "message"),
    [("thesis.tex", "neither empty nor a store"), ("store.json", "asen-index --convert")],
)
def test_a_folder_of_other_things_is_left_alone(folder, opened, name, message):
    """40-small-surprises: also without a lock."""
    folder.mkdir()
    (folder / name).write_text("")
    for read_only in (False, True):
        with pytest.raises(ValueError, match=message):
            opened(read_only=read_only)
    assert [file.name for file in folder.iterdir()] == [name]


def test_a_missing_file_is_named(folder, unit, opened):
    store = opened()
    store.put(batch(unit, 0, 3))
    store.close()
    path = next(folder.glob("vectors-*/2.f32"))
    path.unlink()
    for read_only in (False, True):
        with pytest.raises(ValueError, match=f"{path} is missing"):
            opened(read_only=read_only)


def test_a_full_disk_loses_nothing(folder, unit, opened, small_disk):
    store = opened()
    for _ in range(2):  # rows to give back
        store.put(batch(unit, 0, 5))
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    # Room for neither the vectors, nor the records, nor both.
    for most in (200, 5 * 8 * 4 + 100, max(sizes) + 100):
        small_disk(most)
        with pytest.raises(OSError, match="no room .* this write was not made"):
            for n in range(100):
                store.put(batch(unit, 1000 + 20 * n, 1020 + 20 * n))
        with pytest.raises(OSError, match="no room"):
            store.compact()
        small_disk(resource.RLIM_INFINITY)
        store.delete([name for name in content(store) if int(name) >= 1000])
        assert content(store) == expected(batch(unit, 0, 5))
    store.put(batch(unit, 20, 25))
    store.close()
    both = expected(batch(unit, 0, 5), batch(unit, 20, 25))
    assert content(opened()) == both
    assert len([*folder.glob("vectors-*")]) == 1


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_when_it_is_asked_to_keep(folder, unit, opened, monkeypatch, code):
    store = opened()
    store.put(batch(unit, 0, 5))
    with monkeypatch.context() as patch:
        patch.setattr(matrices.os, "fsync", failing(code))
        with pytest.raises(OSError) as caught:
            store.put(batch(unit, 5, 6))
    assert caught.value.errno == code
    assert ("Make room" in str(caught.value)) == (code != errno.EIO)
    if code == errno.EIO:
        with pytest.raises(OSError, match="open the store anew"):
            store.put(batch(unit, 6, 7))
    store.close()
    store = opened()
    store.put(batch(unit, 7, 8))
    assert content(store) == expected(batch(unit, 0, 5), batch(unit, 7, 8))


def failing(code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    return fail


def test_a_reader_sees_what_is_written(unit, opened):
    writer = opened()
    reader = opened(read_only=True)
    assert content(reader) == {}
    writer.put(batch(unit, 0, 5))
    assert content(reader) == expected(batch(unit, 0, 5))
    with reader.view() as view:
        before = view.mask()
        writer.put(batch(unit, 3, 9, seed=1))
        writer.delete(["0"])
        writer.compact()
        # What began stays as it began.
        assert view.mask().tolist() == before.tolist() and view.names(np.array([0, 4])) == [
            "0",
            "4",
        ]
        np.testing.assert_array_equal(
            view.matrices.take(2, np.arange(5)), batch(unit, 0, 5).vectors[:, 2]
        )
    after = {**expected(batch(unit, 0, 5)), **expected(batch(unit, 3, 9, seed=1))}
    del after["0"]
    assert content(reader) == after


def test_a_reader_that_a_writer_overtakes_looks_again(unit, opened, monkeypatch):
    writer = opened()
    writer.put(batch(unit, 0, 5))
    make, calls = item_store.Matrices, []

    def overtaken(*arguments):
        if not calls:
            calls.append(arguments)
            writer.delete(["0"])
            writer.compact()
        return make(*arguments)

    reader = opened(read_only=True)
    reader._now = None
    monkeypatch.setattr(item_store, "Matrices", overtaken)
    found = content(reader)
    assert calls and set(found) == {"1", "2", "3", "4"}


def test_a_store_in_a_folder_that_nobody_may_write_is_read(folder, unit, opened, monkeypatch):
    store = opened()
    store.put(batch(unit, 0, 5))
    store.close()
    before = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr("asen_tf.catalogue.storage.database.os.access", lambda *_: False)
    assert content(opened(read_only=True)) == expected(batch(unit, 0, 5))
    assert sorted(path.name for path in folder.iterdir()) == before
