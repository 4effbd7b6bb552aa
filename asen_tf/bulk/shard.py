"""What workers do: a shard of the catalogue at a time."""

import contextlib
import functools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apache_beam as beam
import numpy as np

from asen_tf.bulk import files, photographs
from asen_tf.bulk.catalogue import Row
from asen_tf.bulk.output import Output, Stamp
from asen_tf.bulk.tags import Tags, best, encode
from asen_tf.bulk.vector_file import VectorFile
from asen_tf.core.read_ahead import batched, read_ahead
from asen_tf.embedders import Embedder, each, probabilities
from asen_tf.images import Boxed
from asen_tf.loading import load
from asen_tf.photographs import Read, Remote, boxed


class _Found(NamedTuple):
    """What is found of a photograph: vectors float32 [A, D], and perhaps tags."""

    vectors: np.ndarray
    tags: Tags | None = None


class EmbedShard(beam.DoFn):
    """Writes the vectors and errors of a shard; takes and gives its number.

    Beam hands out shards and not photographs, so that a file is written by one worker as the
    vectors come, nothing is shuffled, and a shard that is there needs no second look.
    `RunInference` would give single vectors, to be grouped again, and lose a whole batch to one bad
    photograph.
    """

    def __init__(
        self,
        output: Output,
        stamp: Stamp,
        batch_size: int,
        follow_links: bool = False,
        remote: Remote | None = None,
    ):
        self._output = output
        self._stamp = stamp
        self._batch_size = batch_size
        self._follow_links = follow_links
        self._remote = remote or Remote()

    def setup(self) -> None:
        self._embedder = embedder_at(self._stamp.place, self._batch_size)

    def process(self, shard: int) -> Iterator[int]:
        vectors_file, *others = self._output.shard_files(shard, self._stamp.shards)
        if not files.exists(vectors_file):  # Beam may hand out a shard twice
            self._write(self._output.read_rows(shard), vectors_file, *others)
        yield shard

    def _write(
        self, rows: Sequence[Row], vectors_file: str, errors_file: str, tags_file: str
    ) -> None:
        errors, tagged = [], []
        aside, stamp = self._output.unfinished, {"asen_tf": self._stamp.to_json()}
        with (
            files.written_whole(vectors_file, aside) as file,
            VectorFile(file, self._stamp.attributes, stamp) as vectors,
        ):
            for batch, marks, found in self._embedded(rows):
                good = []
                for row, mark, one in zip(batch, marks, found, strict=True):
                    if isinstance(one, str):
                        errors.append({"id": row.name, "image": row.image, "reason": one})
                    else:
                        good.append((row.name, one.vectors, mark))
                        tagged.append((row, one.tags))
                if good:
                    names, found_vectors, marks = zip(*good, strict=True)
                    vectors.add(names, np.stack(found_vectors), marks)
            # Before the vectors appear, whose file says that the shard is done.
            if self._stamp.tags:
                with files.written_whole(tags_file, aside) as file:
                    file.write(encode(tagged))
            files.delete(errors_file)
            if errors:
                with files.written_whole(errors_file, aside) as log:
                    log.write("".join(json.dumps(error) + "\n" for error in errors).encode())

    def _embedded(
        self, rows: Sequence[Row]
    ) -> Iterator[tuple[list[Row], list[str], list[_Found | str]]]:
        """Rows with marks and what was found of their photographs, or what is wrong with these."""
        read = photographs.reader(self._stamp.root, self._follow_links, self._remote)

        def content(row: Row) -> Read:
            found = read(row.image)
            return Read(found, "") if isinstance(found, str) else boxed(found, row.box)

        batches = batched(rows, self._batch_size)
        for batch, contents in read_ahead(batches, content, self._remote.threads):
            encoded, marks = zip(*contents, strict=True)
            yield batch, marks, each(self._found, encoded)

    def _found(self, encoded: Sequence[bytes | Boxed]) -> list[_Found]:
        vectors, names = self._vectors(encoded), self._stamp.attributes
        if not self._stamp.tags:
            return [_Found(its) for its in vectors]
        found = best(probabilities(self._embedder, encoded, names), self._embedder.attributes)
        return [_Found(*both) for both in zip(vectors, found, strict=True)]

    def _vectors(self, encoded: Sequence[bytes | Boxed]) -> np.ndarray:
        names = self._stamp.attributes
        if len(names) == 1:  # some models work for each attribute
            return self._embedder.embed(encoded, names[0])[:, None]
        columns = [self._embedder.attributes.index(name) for name in names]
        return self._embedder.embed_all(encoded)[:, columns]


_LOADING = threading.Lock()
_load = functools.lru_cache(1)(load)


def embedder_at(place: str, batch_size: int) -> Embedder:
    """The model of this process, one for all its threads."""
    with _LOADING:
        return _load(place, batch_size)


@contextlib.contextmanager
def opened(place: str, batch_size: int) -> Iterator[Embedder]:
    """The same for the length of a `with` statement, whose end gives its memory back."""
    try:
        yield embedder_at(place, batch_size)
    finally:
        _load.cache_clear()
