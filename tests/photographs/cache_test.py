"""Photographs that are kept, up to a bound."""

import os

from asen_tf.photographs.cache import Cache


def key(n):
    return f"{n:064x}"


def test_the_latest_used_stay_within_the_bound(tmp_path):
    cache = Cache(tmp_path, 100_000)
    for n in range(30):
        cache.put(key(n), bytes([n]) * 9000, f'"{n}"')
        for file in tmp_path.rglob(key(n)):
            os.utime(file, ns=(n, n))
    sizes = [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()]
    assert 0 < sum(sizes) <= 110_000
    assert cache.get(key(0)) is None
    assert cache.get(key(29)) == (bytes([29]) * 9000, '"29"')


def test_damage_is_not_read(tmp_path):
    cache = Cache(tmp_path, 100_000)
    cache.put(key(1), b"a\nb\n", "")
    assert cache.get(key(1)) == (b"a\nb\n", "")
    [path] = tmp_path.rglob(key(1))
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:10], b"", whole[:70] + b"x" + whole[71:]):
        path.write_bytes(damaged)
        assert cache.get(key(1)) is None


def test_nothing_is_kept_where_it_cannot_be(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for cache in (Cache(tmp_path / "none", 0), Cache(tmp_path / "file", 1000)):
        cache.put(key(1), b"a", "")
        assert cache.get(key(1)) is None
    assert not (tmp_path / "none").exists()


def test_what_a_killed_process_left_stands_in_nobodys_way(tmp_path):
    left = tmp_path / key(0)[:2] / f".{key(0)}.abcdefgh.asen.draft"
    left.mkdir(parents=True)
    os.utime(left, ns=(1, 1))
    cache = Cache(tmp_path, 100_000)
    for n in range(30):
        cache.put(key(n), bytes(9000), "")
    assert cache.get(key(29)) == (bytes(9000), "") and not left.exists()
