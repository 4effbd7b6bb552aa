"""Files on disk: segments, merges, damage, full disks, readers beside a writer."""

import contextlib
import errno
import itertools
import json
import os
import resource

import numpy as np
import pytest

from asen_tf.catalogue import Items, Record
from asen_tf.catalogue.storage import item_store, log
from asen_tf.catalogue.storage.item_store import ItemStore


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def short_log(monkeypatch):
    """A log that becomes a segment after some ten items."""
    monkeypatch.setattr(item_store, "LOG_BYTES", 2000)


def batch(unit, start, stop, seed=0):
    ids = [f"{n}" for n in range(start, stop)]
    records = [Record({"color": ["red"]}, {"seed": seed}) for _ in ids]
    return Items(ids, unit(len(ids), 3, 8, seed=[seed, start]), records)


def content(store):
    """Id -> vectors and record."""
    found = {}
    for name in (part.ids[row] for part in store.parts for row in np.flatnonzero(part.alive)):
        part, row = store.place(name)
        vectors = np.stack([part.matrix(a)[row] for a in range(3)])
        found[name] = vectors.tolist(), part.record(row)
    return found


def expected(*batches):
    return {
        name: (items.vectors[row].tolist(), items.records[row])
        for items in batches
        for row, name in enumerate(items.ids)
    }


def segments(folder):
    return [name for name, _ in json.loads((folder / "store.json").read_text())["segments"]]


def test_random_writes_end_as_in_a_dictionary(folder, fingerprint, unit, short_log):
    draw, model, most = np.random.default_rng(0), {}, 0
    store = ItemStore(folder, fingerprint)
    for step in range(200):
        start = int(draw.integers(80))
        if draw.random() < 0.3:
            ids = [f"{n}" for n in range(start, start + 8)]
            assert store.delete(ids) == sum(model.pop(name, None) is not None for name in ids)
        else:
            items = batch(unit, start, start + 4, step)
            store.put(items)
            model.update(expected(items))
        if step % 40 == 20:
            store.close()
            store = ItemStore(folder, fingerprint)
        if step % 90 == 80:
            store.compact()
        most = max(most, len(segments(folder)))
        assert len(store) == len(model)
    assert content(store) == model and most > 1
    store.close()
    names = {"store.json", "LOCK", *segments(folder)}
    assert {path.name for path in folder.iterdir() if not path.name.startswith("log-")} == names
    assert content(ItemStore(folder, None, read_only=True)) == model


def test_segments_are_few_and_the_oldest_the_largest(folder, fingerprint, unit, short_log):
    with_all = ItemStore(folder, fingerprint)
    for start in range(0, 1000, 5):
        with_all.put(batch(unit, start, start + 5))
    sizes = [len(part) for part in with_all.parts[:-1]]
    assert all(older >= 2 * newer for older, newer in itertools.pairwise(sizes))
    assert len(with_all) == 1000


def test_compacting_gives_back_the_room(folder, fingerprint, unit):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 100))
    store.compact()
    store.delete([f"{n}" for n in range(90)])
    store.compact()
    [segment] = segments(folder)
    assert (folder / segment / "vectors.f32").stat().st_size == 10 * 3 * 8 * 4
    assert content(store) == {
        k: v for k, v in expected(batch(unit, 0, 100)).items() if int(k) >= 90
    }
    store.delete([f"{n}" for n in range(100)])
    store.compact()
    store.close()
    assert len(ItemStore(folder, None)) == 0


def test_an_entry_that_was_cut_off_is_as_if_never_written(folder, fingerprint, unit):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 3))
    path = folder / "log-000001"
    whole = path.stat().st_size
    store.put(batch(unit, 3, 6))
    store.close()
    full = path.read_bytes()
    for cut in (whole, whole + 1, whole + 20, whole + 40, len(full) - 1):
        path.write_bytes(full[:cut])
        assert content(ItemStore(folder, None, read_only=True)) == expected(batch(unit, 0, 3))
    # As after a power cut: the size came to the disk, the content did not.
    sectors = len(full) // 512 * 512
    path.write_bytes(full[:sectors] + bytes(len(full) - sectors))
    store = ItemStore(folder, None)
    assert content(store) == expected(batch(unit, 0, 3))
    store.put(batch(unit, 6, 9))
    store.close()
    both = expected(batch(unit, 0, 3), batch(unit, 6, 9))
    assert content(ItemStore(folder, None)) == both


def refused(folder, path, damaged):
    """What a store says of a file in which these bytes stand, and leaves there."""
    path.write_bytes(damaged)
    with (
        pytest.raises(ValueError) as caught,
        contextlib.closing(ItemStore(folder, None)) as store,
    ):
        content(store)
    assert path.read_bytes() == damaged
    return str(caught.value)


@pytest.mark.parametrize("entry", [0, 1], ids=["sec-03-log-header-flip", "of-the-last-entry"])
def test_every_flipped_bit_of_the_log_is_noticed(folder, fingerprint, unit, entry):
    store, path = ItemStore(folder, fingerprint), folder / "log-000001"
    starts = [0]
    for n in range(2):
        store.put(batch(unit, n, n + 1))
        starts.append(path.stat().st_size)
    store.close()
    whole = path.read_bytes()
    for at in range(starts[entry], starts[entry + 1]):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        assert f"{path}: the entry at byte {starts[entry]}" in refused(folder, path, damaged)


def test_damaged_vectors_are_noticed(folder, fingerprint, unit):
    """sec-04-vectors-unchecked"""
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 5))
    store.compact()
    store.close()
    path = next(folder.glob("segment-*")) / "vectors.f32"
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[at] ^= 64
        assert f"{path}: the vectors" in refused(folder, path, damaged)


def test_damage_is_told_from_a_cut(folder, fingerprint, unit):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 3))
    store.put(batch(unit, 3, 6))
    store.close()
    path = folder / "log-000001"
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="log-000001: the entry at byte 0 is damaged"):
        ItemStore(folder, None)
    assert path.read_bytes() == damaged


@pytest.mark.parametrize("name", ["items.jsonl", "deleted.json", "vectors.f32"])
def test_a_damaged_segment_is_named(folder, fingerprint, unit, name):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 3))
    store.compact()
    store.close()
    path = folder / segments(folder)[0] / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=f"{name}.* damaged"):
        ItemStore(folder, None)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 99}'])
def test_a_file_that_is_no_store_is_explained(folder, text):
    folder.mkdir()
    (folder / "store.json").write_text(text)
    with pytest.raises(ValueError, match="not a store of this library"):
        ItemStore(folder, None)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("log", "../victim"),
        ("log", "log-" + "9" * 400),
        ("segments", [["../segment-000001", 0]]),
        ("next", 1e400),
        ("next", 10**400),
    ],
)
def test_names_of_a_store_lead_nowhere_else(folder, fingerprint, key, value):
    """Such a log was cut off where its entries end."""
    ItemStore(folder, fingerprint).close()
    (folder.parent / "victim").write_text("mine")
    path = folder / "store.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))
    with pytest.raises(ValueError, match="not a store of this library"):
        ItemStore(folder, None)
    assert (folder.parent / "victim").read_text() == "mine"


def test_a_folder_of_other_things_is_left_alone(folder, fingerprint):
    folder.mkdir()
    (folder / "thesis.tex").write_text("")
    with pytest.raises(ValueError, match="neither empty nor a store"):
        ItemStore(folder, fingerprint)
    assert [file.name for file in folder.iterdir()] == ["thesis.tex"]


def test_a_full_disk_loses_nothing(folder, fingerprint, unit, small_disk):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 5))
    path = folder / "log-000001"
    small_disk(path.stat().st_size + 700)
    with pytest.raises(OSError, match="no room .* this write was not made"):
        store.put(batch(unit, 5, 20))
    assert content(store) == expected(batch(unit, 0, 5))
    small_disk(resource.RLIM_INFINITY)
    store.put(batch(unit, 20, 25))
    store.close()
    both = expected(batch(unit, 0, 5), batch(unit, 20, 25))
    assert content(ItemStore(folder, None)) == both


def test_a_full_disk_stops_a_merge_and_no_more(folder, fingerprint, unit, small_disk, monkeypatch):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 50))
    small_disk(1000)
    with pytest.raises(OSError, match="no room"):
        store.compact()
    monkeypatch.setattr(item_store, "LOG_BYTES", 10)
    with pytest.raises(OSError, match="no room"):
        store.put(batch(unit, 50, 51))
    assert sorted(os.listdir(folder)) == ["LOCK", "log-000001", "store.json"]
    small_disk(resource.RLIM_INFINITY)
    store.put(batch(unit, 51, 52))
    store.close()
    both = expected(batch(unit, 0, 50), batch(unit, 51, 52))
    assert content(ItemStore(folder, None)) == both


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_disk_that_fails_when_it_is_asked_to_keep(folder, fingerprint, unit, monkeypatch, code):
    store = ItemStore(folder, fingerprint)
    store.put(batch(unit, 0, 5))
    with monkeypatch.context() as patch:
        patch.setattr(log.os, "fsync", failing(code))
        with pytest.raises(OSError) as caught:
            store.put(batch(unit, 5, 6))
    assert caught.value.errno == code
    assert ("Make room" in str(caught.value)) == (code != errno.EIO)
    # Whether the file could be cut is not known, so nothing may follow.
    with pytest.raises(OSError, match="open the store anew"):
        store.put(batch(unit, 6, 7))
    store.close()
    assert set(content(ItemStore(folder, None))) >= {"0", "1", "2", "3", "4"}


def failing(code):
    def fail(*_):
        raise OSError(code, os.strerror(code))

    return fail


def test_a_reader_sees_the_store_as_it_was_opened(folder, fingerprint, unit):
    writer = ItemStore(folder, fingerprint)
    writer.put(batch(unit, 0, 5))
    writer.compact()
    reader = ItemStore(folder, None, read_only=True)
    before = content(reader)
    writer.put(batch(unit, 0, 9, seed=1))
    writer.delete(["3"])
    writer.compact()
    assert content(reader) == before == expected(batch(unit, 0, 5))
    assert len(ItemStore(folder, None, read_only=True)) == 8


def test_a_reader_that_a_writer_overtakes_looks_again(folder, fingerprint, unit, monkeypatch):
    writer = ItemStore(folder, fingerprint)
    writer.put(batch(unit, 0, 5))
    read, calls = log.read, []

    def overtaken(path):
        if not calls:
            calls.append(path)
            writer.compact()
        return read(path)

    monkeypatch.setattr(log, "read", overtaken)
    reader = ItemStore(folder, None, read_only=True)
    assert calls and content(reader) == expected(batch(unit, 0, 5))
