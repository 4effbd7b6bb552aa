"""Rows of arrays inside graphs."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from asen_tf.data.rows import places_of, read_rows
from asen_tf.tracing import mapped, traced

PLACES = places_of(np.array([5, 2, 7]), 9)
TABLE = np.arange(12).reshape(3, 4)
read = traced(lambda rows: read_rows(TABLE, tf.gather(PLACES, rows)))


def test_rows_are_read_where_they_stand():
    np.testing.assert_array_equal(read(tf.constant([7, 5, 7])), TABLE[[2, 0, 2]])


@pytest.mark.parametrize("row", [0, 8])
def test_a_row_that_is_not_there_is_none_of_the_others(row):
    with pytest.raises(tf.errors.OpError, match="out of bounds"):
        read(tf.constant([row]))


def test_places_along_more_axes():
    found = traced(lambda rows, columns: read_rows(TABLE, rows[:, None], columns))
    rows, columns = np.array([2, 0]), np.array([[1, 3, 1], [0, 0, 2]])
    np.testing.assert_array_equal(
        found(tf.constant(rows), tf.constant(columns)), [[9, 11, 9], [0, 0, 2]]
    )


def test_a_table_goes_with_what_reads_it():
    table = np.arange(12).reshape(3, 4)
    gone = weakref.ref(table)
    rows = iter(
        mapped(tf.data.Dataset.range(3).batch(2), lambda at, table=table: read_rows(table, at))
    )
    del table
    gc.collect()
    assert next(rows).numpy().tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    del rows
    gc.collect()
    assert gone() is None


def test_no_dataset_has_the_tuner_even_if_more_is_made_of_it():
    dataset = mapped(tf.data.Dataset.range(5), lambda number: number + 1, 2).batch(2).prefetch(1)
    assert dataset.options().autotune.enabled is False
    assert [batch.numpy().tolist() for batch in dataset] == [[1, 2], [3, 4], [5]]
