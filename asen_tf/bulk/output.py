"""The folder that a catalogue's vectors are written to."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from asen_tf.bulk import catalogue, files, tags
from asen_tf.bulk.catalogue import Row
from asen_tf.bulk.vector_file import VectorFile
from asen_tf.core.files import parse_json
from asen_tf.core.lock import hold
from asen_tf.embedders import Fingerprint

_STAMP, _PHOTOGRAPHS, _TAGS = "embedding.json", "photographs.json", "tags.csv"


@dataclasses.dataclass(frozen=True)
class Stamp:
    """What the vectors in a folder are of; those without `differences` belong together.

    Attributes:
      model: its fingerprint; vectors of the same model on another machine agree but for rounding.
      catalogue: digest of the rows.
      root: folder of the photographs.
      attributes: names, in the order of a photograph's vectors.
      dimension: length of a vector, D.
      images: number of rows.
      shards: number of files.
      place, manifest: of model and rows, for the reader; another place is no other stamp.
      tags: whether there are tags beside the vectors.
    """

    model: dict = dataclasses.field(compare=False)
    catalogue: str
    root: str
    attributes: Sequence[str]
    dimension: int
    images: int
    shards: int
    place: str = dataclasses.field(compare=False)
    manifest: str = dataclasses.field(compare=False)
    tags: bool = False

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1)

    def differences(self, other: "Stamp") -> list[str]:
        """What is not the same, as `name: this, not that`."""
        found = []
        for field in dataclasses.fields(self):
            one, two = getattr(self, field.name), getattr(other, field.name)
            if field.compare and one != two:
                found.append(f"{field.name}: {one}, not {two}")
        ours, theirs = Fingerprint.from_dict(self.model), Fingerprint.from_dict(other.model)
        if not ours.matches(theirs):
            found.insert(0, f"model: {ours.version}, not {theirs.version}")
        return found


class Output:
    """Vectors, errors and, while it is worked on, what is unfinished.

    - `embedding.json`: the stamp;
    - `photographs.json`: of each shard, what tells whether its photographs have changed;
    - `vectors/shard-00000-of-00008.parquet`: there once the shard is whole;
    - `tags/shard-00000-of-00008.jsonl`, and `tags.csv` of all of them: where tags are wanted;
    - `errors/shard-00000-of-00008.jsonl`: where photographs of that shard were bad;
    - `unfinished/`: rows of the shards to do, and files that are being written.

    Args:
      folder: full path or address.

    Raises:
      ValueError: an address with *, ? or [, which its file system would take for a pattern.
    """

    def __init__(self, folder: str):
        if not files.is_local(folder) and set(folder) & set("*?["):
            raise ValueError(f"{folder}: expected an output without *, ? and [ in its path")
        self.folder = folder
        self.unfinished = files.join(folder, "unfinished")

    def stamp(self) -> Stamp | None:
        """That of the folder, None of an empty one; ValueError for vectors without a good stamp."""
        path = files.join(self.folder, _STAMP)
        if files.exists(path):
            try:
                return Stamp(**parse_json(files.read(path), path))
            except (TypeError, ValueError) as error:
                raise ValueError(f"{path} is damaged ({error}): name another --output") from error
        if files.names(files.join(self.folder, "vectors")):
            raise ValueError(f"{self.folder} has vectors but no {_STAMP}: name another --output")
        return None

    @contextlib.contextmanager
    def claimed(self, stamp: Stamp) -> Iterator[None]:
        """The folder is that of this stamp and, on this machine, of this process meanwhile.

        Raises:
          ValueError: it holds vectors of another.
          BlockingIOError: another process writes there.
        """
        self._is_of(stamp)  # nothing in a folder of others is touched
        with self._held():
            if not self._is_of(stamp):
                if self.stamp():  # of a run that embedded nothing
                    for name in ("vectors", "errors", "tags"):
                        files.delete_folder(files.join(self.folder, name))
                for name in ("vectors", "errors", *(["tags"] if stamp.tags else [])):
                    files.make_folder(files.join(self.folder, name))
                path = files.join(self.folder, _STAMP)
                with files.written_whole(path, self.unfinished) as file:
                    file.write(stamp.to_json().encode())
            yield

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        if not files.is_local(self.folder):
            yield
            return
        files.make_folder(self.folder)
        advice = "Wait for its end, or name another --output"
        lock = hold(Path(self.folder, ".lock"), "writes to this folder", advice)
        try:
            yield
        finally:
            lock.release()

    def _is_of(self, stamp: Stamp) -> bool:
        """Whether there is this stamp; there is no other beside vectors."""
        found = self.stamp()
        differ = found.differences(stamp) if found else []
        if differ and self._holds_vectors():
            raise ValueError(
                f"{self.folder} holds vectors of another run ({'; '.join(differ)}): name another "
                "--output"
            )
        return found is not None and not differ

    def _holds_vectors(self) -> bool:
        """Whether any photograph was embedded; files of other file systems are not looked into."""
        folder = files.join(self.folder, "vectors")
        paths = (files.join(folder, name) for name in files.names(folder))
        return any(not files.is_local(path) or not VectorFile.is_empty(path) for path in paths)

    def shard_files(self, shard: int, shards: int) -> tuple[str, str, str]:
        """The files of a shard's vectors, of its errors and of its tags."""
        name = _name(shard, shards)
        folders = {"vectors": f"{name}.parquet", "errors": f"{name}.jsonl", "tags": f"{name}.jsonl"}
        return tuple(files.join(self.folder, *folder) for folder in folders.items())

    def write_tags(self, shards: int, attributes: Sequence[str], min_probability: float) -> None:
        """Writes `tags.csv`, see `tags.table`."""
        found = (files.read(self.shard_files(shard, shards)[2]) for shard in range(shards))
        with files.written_whole(files.join(self.folder, _TAGS), self.unfinished) as file:
            for part in tags.table(found, attributes, min_probability):
                file.write(part)

    def done(self, shards: int) -> set[int]:
        """The shards that are whole."""
        present = set(files.names(files.join(self.folder, "vectors")))
        return {shard for shard in range(shards) if f"{_name(shard, shards)}.parquet" in present}

    def keep_fresh(self, digests: Sequence[str], with_tags: bool) -> None:
        """Deletes the vectors of shards that lack something, or whose photographs have changed.

        Args:
          digests: of each shard, of its rows and the versions of their photographs.
          with_tags: whether tags belong to a shard.
        """
        path = files.join(self.folder, _PHOTOGRAPHS)
        try:
            known = parse_json(files.read(path), path, list) if files.exists(path) else []
        except ValueError:  # damaged: all are embedded again
            known = []
        for shard in self.done(len(digests)):
            vectors_file, _, tags_file = self.shard_files(shard, len(digests))
            # Those of other file systems are trusted: they would have to come here.
            whole = not files.is_local(vectors_file) or VectorFile.is_whole(vectors_file)
            whole = whole and (not with_tags or files.exists(tags_file))
            if not whole or known[shard : shard + 1] != [digests[shard]]:
                files.delete(vectors_file)
        if known == list(digests):
            return
        # Not before: a run that is killed here finds no vectors to go with what it notes.
        with files.written_whole(path, self.unfinished) as file:
            file.write(json.dumps(list(digests), indent=0).encode())

    def write_rows(self, shard: int, rows: Sequence[Row]) -> None:
        """Notes what a shard is to hold."""
        with files.written_whole(self._rows_file(shard), self.unfinished) as file:
            file.write(catalogue.encode(rows))

    def read_rows(self, shard: int) -> list[Row]:
        """What `write_rows` noted."""
        return catalogue.decode(files.read(self._rows_file(shard)))

    def errors(self, most: int = 100) -> tuple[int, dict[str, str]]:
        """Number of bad photographs in all shards, and what is wrong with the first of them."""
        folder = files.join(self.folder, "errors")
        names = sorted(name for name in files.names(folder) if name.endswith(".jsonl"))
        lines = [line for n in names for line in files.read(files.join(folder, n)).splitlines()]
        first = map(json.loads, lines[:most])
        return len(lines), {error["id"]: error["reason"] for error in first}

    def clean(self) -> None:
        """Deletes what is unfinished."""
        files.delete_folder(self.unfinished)

    def _rows_file(self, shard: int) -> str:
        return files.join(self.unfinished, f"rows-{shard:05d}.jsonl")


def _name(shard: int, shards: int) -> str:
    return f"shard-{shard:05d}-of-{shards:05d}"
