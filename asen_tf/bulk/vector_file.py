"""Vectors as Parquet: `id` string, `attribute` string, `vector` list<float32>, `mark` string.

The mark tells of which photograph and box the vectors were made, see `asen_tf.photographs`.
"""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("attribute", pa.string(), nullable=False),
        pa.field("vector", pa.list_(pa.float32()), nullable=False),
        pa.field("mark", pa.string(), nullable=False),
    ]
)

# Rows that are gathered before they are written.
_GROUP = 4096


class VectorFile:
    """Writes photographs' vectors, a row for each photograph and attribute.

    Args:
      file: where to.
      attributes: A names.
      metadata: kept in the file's schema.
    """

    def __init__(self, file: BinaryIO, attributes: Sequence[str], metadata: Mapping[str, str]):
        self._attributes = attributes
        # Names repeat, vectors do not: a dictionary of them would be built in vain.
        self._writer = pq.ParquetWriter(
            file,
            SCHEMA.with_metadata(metadata),
            use_dictionary=["id", "attribute", "mark"],
            write_page_checksum=True,
        )
        self._gathered: list[pa.Table] = []

    def add(self, ids: Sequence[str], vectors: np.ndarray, marks: Sequence[str]) -> None:
        """Appends the vectors float32 [N, A, D] of N photographs with their marks."""
        count, attributes, dimension = vectors.shape
        ends = np.arange(count * attributes + 1, dtype=np.int32) * dimension
        columns = [
            pa.array(np.repeat(np.array(ids, object), attributes), pa.string()),
            pa.array(list(self._attributes) * count, pa.string()),
            pa.ListArray.from_arrays(ends, vectors.ravel()),
            pa.array(np.repeat(np.array(marks, object), attributes), pa.string()),
        ]
        self._gathered.append(pa.Table.from_arrays(columns, schema=SCHEMA))
        if sum(table.num_rows for table in self._gathered) >= _GROUP:
            self._flush()

    def __enter__(self) -> "VectorFile":
        return self

    def __exit__(self, kind, *_) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    @staticmethod
    def is_empty(path: str) -> bool:
        """Whether a file surely has no vector."""
        try:
            return pq.read_metadata(path).num_rows == 0
        except (OSError, ValueError):
            return False

    @staticmethod
    def is_whole(path: str) -> bool:
        """Whether every page of a file is as it was written."""
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                return sum(map(len, file.iter_batches())) == file.metadata.num_rows
        except (OSError, ValueError):
            return False

    def _flush(self) -> None:
        if self._gathered:
            self._writer.write_table(pa.concat_tables(self._gathered), row_group_size=2 * _GROUP)
            self._gathered = []
