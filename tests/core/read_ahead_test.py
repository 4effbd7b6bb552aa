"""Reading the next batch while the caller works."""

import threading

import pytest

from asen_tf.core.read_ahead import batched, read_ahead


def test_items_come_in_order_with_what_was_read_of_them():
    found = list(read_ahead(batched(range(7), 3), lambda n: n * n, 2))
    assert found == [([0, 1, 2], [0, 1, 4]), ([3, 4, 5], [9, 16, 25]), ([6], [36])]
    assert list(read_ahead([], str)) == []


def test_the_next_batch_is_read_before_it_is_taken():
    read = {n: threading.Event() for n in range(4)}
    batches = read_ahead([[n] for n in range(4)], lambda n: read[n].set(), 1)
    next(batches)
    assert read[1].wait(20)
    assert not read[2].is_set()


def test_an_error_comes_with_its_own_batch():
    def read(n):
        if n == 1:
            raise OSError("gone")
        return n

    batches = read_ahead([[0], [1]], read)
    assert next(batches) == ([0], [0])
    with pytest.raises(OSError, match="gone"):
        next(batches)
