"""Parquet, and frames by the Arrow PyCapsule interface.

pandas, Polars, DuckDB and Arrow offer that interface, and pyarrow, which reads the files, takes it:
no other library is needed.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from absl import logging

from asen_client.core.foreign import FormatError, reading
from asen_tf.data.tables.cells import MOST_BYTES, check_size, needed

Rows = Iterator[tuple[int, list[object]]]
_INDEX = "__index_level_"  # the rows' names in pandas
_AT_ONCE = 100_000  # cells


class Frame(Protocol):
    """A table in memory: of pandas from 2.2, Polars, Arrow, DuckDB, ..."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


def of_frame(frame: Frame) -> Rows:
    """(number, cells) of each row, the names of the columns first.

    Raises:
      TypeError: it is no frame.
      ValueError: pyarrow is not installed.
    """
    if not hasattr(frame, "__arrow_c_stream__"):
        raise TypeError(
            "expected the path of a table, or a frame with Arrow's PyCapsule interface, as "
            f"pandas from 2.2, Polars and Arrow have it, got {type(frame).__name__}"
        )
    pa = needed("pyarrow", "a frame")
    with pa.RecordBatchReader.from_stream(frame) as reader:
        yield from batch_rows("the table", reader.schema, reader)


def of_parquet(path: Path, source: str) -> Rows:
    """Likewise of a Parquet file.

    Raises:
      FormatError: it is none, or a large one.
      ValueError: pyarrow is not installed.
    """
    parquet = needed("pyarrow.parquet", f"{source}: Parquet")
    with reading(path, "expected a Parquet file"), parquet.ParquetFile(path) as file:
        schema, declared = file.schema_arrow, file.metadata
        check_size(source, declared.num_rows, declared.num_columns)
        groups = map(declared.row_group, range(declared.num_row_groups))
        if sum(group.total_byte_size for group in groups) > MOST_BYTES:
            raise FormatError(source, f"more than {MOST_BYTES} bytes unpacked: split it")
        # What a file writes once, such as a long text of all rows, is kept once.
        texts = [field.name for field in schema if _is_text(field.type)]
    with (
        reading(path, "expected a Parquet file"),
        parquet.ParquetFile(path, read_dictionary=texts) as file,
    ):
        size = max(1, _AT_ONCE // max(1, len(schema)))
        yield from batch_rows(source, schema, file.iter_batches(size))


def batch_rows(source: str, schema: Any, batches: Iterable[Any]) -> Rows:
    """(number, cells) of each row of Arrow's batches, the names of the columns first."""
    kept = [
        at
        for at, field in enumerate(schema)
        if _fits(field.type) and not field.name.startswith(_INDEX)
    ]
    others = [f"{field.name} ({field.type})" for field in schema if not _fits(field.type)]
    if others:
        logging.warning(
            "%s: left out are columns that hold neither text nor numbers: %s",
            source,
            ", ".join(others)[:1000],
        )
    yield 0, [schema.names[at] for at in kept]
    done = 0
    for batch in batches:
        check_size(source, done + len(batch), len(schema))
        size = max(1, _AT_ONCE // max(1, len(schema)))
        for start in range(0, len(batch), size):
            piece = batch.slice(start, size)
            columns = [_values(piece.column(at)) for at in kept]
            yield from enumerate(map(list, zip(*columns, strict=True)), done + start + 1)
        done += len(batch)


def _values(column: Any) -> list[object]:
    types = needed("pyarrow.types", "Arrow")
    if types.is_dictionary(column.type):
        used = column.indices.drop_null().unique()
        known = dict(zip(used.to_pylist(), _values(column.dictionary.take(used)), strict=True))
        return [known.get(at) for at in column.indices.to_pylist()]
    if types.is_floating(column.type):  # Python's own would show more digits of float32
        return list(column.to_numpy(zero_copy_only=False))
    return column.to_pylist()


def _is_text(kind: Any) -> bool:
    types = needed("pyarrow.types", "Arrow")
    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def _fits(kind: Any) -> bool:
    """Whether cells of this kind are text, numbers, dates, or lists of text."""
    types = needed("pyarrow.types", "Arrow")
    if types.is_dictionary(kind):
        return _fits(kind.value_type)
    if types.is_list(kind) or types.is_large_list(kind):
        return _is_text(kind.value_type)
    if types.is_null(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        return True
    if types.is_integer(kind) or types.is_floating(kind) or types.is_temporal(kind):
        return not types.is_interval(kind)
    return _is_text(kind)
