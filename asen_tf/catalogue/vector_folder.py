"""Reads what `asen-embed` wrote: vectors of a whole catalogue, as Parquet. Needs pyarrow alone."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from asen_tf.catalogue.indexing import Embedded
from asen_tf.core.files import read_json
from asen_tf.embedders import Fingerprint

_STAMP = "embedding.json"
_AT_ONCE = 1000


class VectorFolder:
    """Vectors of all of a model's attributes.

    Attributes:
      fingerprint: of the model.
      manifest: the table whose photographs were embedded.

    Raises:
      FileNotFoundError: asen-embed wrote nothing there.
      ValueError: it is damaged, or lacks attributes or files.
      ImportError: pyarrow is not installed.
    """

    def __init__(self, folder: Path):
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError as error:
            raise ImportError(f'vectors need pip install "asen_tf[tables]" ({error})') from error
        path = folder / _STAMP
        if not path.is_file():
            raise FileNotFoundError(f"{folder}: no {_STAMP}; expected the --output of asen-embed")
        stamp = read_json(path)
        try:
            self.fingerprint = Fingerprint.from_dict(stamp["model"])
            self._names, shards = list(stamp["attributes"]), int(stamp["shards"])
            self.manifest = Path(stamp["manifest"])
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        if without := [name for name in self.fingerprint.attributes if name not in self._names]:
            raise ValueError(
                f"{path} names no vectors of {', '.join(without)}; a store keeps those of all "
                "attributes: embed without --attributes"
            )
        self._files = sorted((folder / "vectors").glob("*.parquet"))
        if len(self._files) != shards:
            raise ValueError(
                f"{path} names {shards} files of vectors, there are {len(self._files)}; asen-embed "
                "goes on with the same command"
            )

    def parts(self) -> Iterator[Embedded]:
        """The vectors, of unit length."""
        import pyarrow as pa

        for path in self._files:
            try:
                yield from self._parts(path)
            except (OSError, ValueError, KeyError, pa.ArrowException) as error:
                raise ValueError(
                    f"{path} is damaged: {error}; delete it, and give asen-embed its command again"
                ) from error

    def _parts(self, path: Path) -> Iterator[Embedded]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        count = len(self._names)
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            left = file.schema_arrow.empty_table()
            for batch in file.iter_batches(_AT_ONCE * count):
                rows = pa.concat_tables([left, pa.Table.from_batches([batch])])
                whole = len(rows) // count * count
                if whole:
                    yield self._part(rows.slice(0, whole))
                left = rows.slice(whole)
            if len(left):
                raise ValueError("it ends within a photograph")

    def _part(self, rows) -> Embedded:
        names = self._names
        ids = rows["id"].to_pylist()
        given = list(
            itertools.chain.from_iterable([name] * len(names) for name in ids[:: len(names)])
        )
        count = len(ids) // len(names)
        if ids != given or rows["attribute"].to_pylist() != names * count:
            raise ValueError(f"expected rows of {', '.join(names)} for each photograph")
        numbers = np.concatenate([c.flatten().to_numpy() for c in rows["vector"].chunks])
        vectors = numbers.reshape(count, len(names), self.fingerprint.dimension)
        vectors = vectors[:, [names.index(name) for name in self.fingerprint.attributes]]
        norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
        marks = rows["mark"].to_pylist() if "mark" in rows.column_names else [""] * len(ids)
        return Embedded(
            ids[:: len(names)], vectors / np.where(norms > 0, norms, 1), marks[:: len(names)]
        )
