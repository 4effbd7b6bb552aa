"""Search in this process, over files on disk (`faiss:PATH`)."""

import mmap
import threading
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import faiss
import numpy as np

from asen_tf.catalogue.engine import Engine, best, tolerance
from asen_tf.catalogue.filters import Condition
from asen_tf.catalogue.items import Hits, Items, Record
from asen_tf.catalogue.storage.durable import sync_folder, synced
from asen_tf.catalogue.storage.item_store import ItemStore
from asen_tf.catalogue.storage.parts import Part, Segment
from asen_tf.catalogue.store import split_options
from asen_tf.embedders import Fingerprint

# Smaller segments are searched faster without an index.
_INDEXED_FROM = 10_000

# Candidates that an index gives, for each item wanted.
_CANDIDATES = 8


class FaissEngine(Engine):
    """Vectors in a folder, mapped into memory, a matrix for each attribute.

    A search takes the products with the attributes that count and no others, so that one attribute
    costs a ninth of nine, and adds them up: exact for any weights.

    Options of `place`, behind a `?`, are kept with the store. `index`: a text for faiss'
    `index_factory` such as `IVF256,Flat` or `HNSW32`; segments of 10 000 items and more are then
    searched for candidates in an index an attribute. `search`: its parameters, such as `nprobe=16`.
    Where candidates run out (a narrow filter), all items are looked at.
    """

    def __init__(self, place: str, fingerprint: Fingerprint | None = None, read_only: bool = False):
        path, settings = split_options(place, ("index", "search"))
        if "index" in settings:
            _new_index(64, settings["index"])  # checks it
        self._indexes: dict[Path, faiss.Index] = {}
        self._lock = threading.Lock()
        self._store = ItemStore(
            Path(path), fingerprint, settings, read_only, on_segment=self._write_indexes
        )
        kept = self._store.settings
        if settings and settings != kept:
            self._store.close()
            raise ValueError(f"{path} was made with the options {kept}, got {settings}")
        self.fingerprint = self._store.fingerprint
        self.exact = "index" not in kept

    def insert(self, items: Items) -> None:
        self.check_items(items)
        self.check_new(items.ids)
        self._store.put(items)

    def upsert(self, items: Items) -> None:
        self.check_items(items)
        self._store.put(items)

    def delete(self, ids: Sequence[str]) -> int:
        return self._store.delete(ids)

    def __len__(self) -> int:
        return len(self._store)

    def known(self, ids: Iterable[str]) -> set[str]:
        return {name for name in ids if name in self._store}

    def ids(self, where: Condition | None = None) -> list[str]:
        self.check_condition(where)
        return sorted(
            part.ids[row]
            for part in self._store.parts
            for row in np.flatnonzero(_allowed(part, where))
        )

    def vectors(self, ids: Sequence[str], attributes: Sequence[int] | None = None) -> np.ndarray:
        self.check_known(ids)
        wanted = range(len(self.fingerprint.attributes)) if attributes is None else attributes
        found = np.empty((len(ids), len(wanted), self.fingerprint.dimension), np.float32)
        for part, rows, positions in self._by_part(ids):
            for column, attribute in enumerate(wanted):
                found[positions, column] = part.matrix(attribute)[rows]
        return found

    def records(self, ids: Sequence[str]) -> list[Record]:
        self.check_known(ids)
        return [self._store.record(name) for name in ids]

    def search(
        self,
        query: np.ndarray,
        k: int,
        where: Condition | None = None,
        exclude: Sequence[str] = (),
        offset: int = 0,
    ) -> Hits:
        query = self.check_query(query, k, where, offset)
        excluded = [self._store.place(name) for name in exclude if name in self._store]
        ids: list[str] = []
        scores = [np.empty(0, np.float32)]
        for part in self._store.parts:
            allowed = _allowed(part, where)
            allowed[[row for its_part, row in excluded if its_part is part]] = False
            rows, found = self._best_of(part, query, allowed, k + offset)
            ids += [part.ids[row] for row in rows]
            scores.append(found)
        return best(ids, np.concatenate(scores), query, k, offset, self.vectors)

    def has_field(self, name: str) -> bool:
        return self._has(lambda part: part.column(name).present())

    def has_numbers(self, name: str) -> bool:
        return self._has(lambda part: part.column(name).compared(np.greater_equal, -np.inf))

    def has_label(self, name: str, value: str) -> bool:
        return self._has(lambda part: part.column(name).equal(value))

    def _has(self, rows: Callable[[Part], np.ndarray]) -> bool:
        return any((part.alive & rows(part)).any() for part in self._store.parts)

    def compact(self) -> None:
        self._store.compact()

    def close(self) -> None:
        self._store.close()

    def _by_part(self, ids: Sequence[str]):
        """Part, rows in it and positions among the ids, for each part that has some of them."""
        places = [self._store.place(name) for name in ids]
        for part in self._store.parts:
            positions = [n for n, (its_part, _) in enumerate(places) if its_part is part]
            if positions:
                yield part, [places[n][1] for n in positions], positions

    def _best_of(
        self, part: Part, query: np.ndarray, allowed: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the best `count` allowed items, with all that may be as good, and scores."""
        count = min(count, int(allowed.sum()))
        if not count:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        rows = self._candidates(part, query, count)
        rows = rows[allowed[rows]]
        if len(rows) >= count:
            scores = sum(part.matrix(a)[rows] @ query[a] for a in _counting(query))
        else:
            rows, scores = np.flatnonzero(allowed), _scores(part, query)[allowed]
        least = np.partition(scores, len(scores) - count)[len(scores) - count] - tolerance(query)
        chosen = scores >= least
        return rows[chosen], scores[chosen]

    def _candidates(self, part: Part, query: np.ndarray, count: int) -> np.ndarray:
        """Rows that the indexes of a segment propose; none where it has no indexes."""
        found = [np.empty(0, np.int64)]
        if not self.exact and isinstance(part, Segment) and len(part) >= _INDEXED_FROM:
            for attribute in _counting(query):
                index = self._index(_index_file(part, attribute))
                _, rows = index.search(query[None, attribute], min(len(part), _CANDIDATES * count))
                found.append(rows[rows >= 0])
        return np.unique(np.concatenate(found))

    def _index(self, path: Path) -> faiss.Index:
        with self._lock:
            if path not in self._indexes:
                index = _read_index(path)
                if settings := self._store.settings.get("search"):
                    faiss.ParameterSpace().set_index_parameters(index, settings)
                kept = {p: i for p, i in self._indexes.items() if p.exists()}
                self._indexes = {**kept, path: index}
            return self._indexes[path]

    def _write_indexes(self, segment: Segment) -> None:
        description = self._store.settings.get("index")
        if not description or len(segment) < _INDEXED_FROM:
            return
        for attribute in range(len(self.fingerprint.attributes)):
            index = _new_index(self.fingerprint.dimension, description)
            index.train(segment.matrix(attribute))
            index.add(segment.matrix(attribute))
            path, check = _index_file(segment, attribute), 0
            with synced(path) as file:

                def write(part: bytes) -> None:
                    nonlocal check
                    check = zlib.crc32(part, check)
                    file.write(part)

                faiss.write_index(index, faiss.PyCallbackIOWriter(write))
            with synced(_check_file(path)) as file:
                file.write(f"{check:08x}".encode())
        sync_folder(segment.folder)


def _counting(query: np.ndarray) -> list[int]:
    """The attributes that have a weight."""
    return np.flatnonzero(query.any(axis=1)).tolist()


def _scores(part: Part, query: np.ndarray) -> np.ndarray:
    """Scores of all items of a part, float32 [N]."""
    total = np.zeros(len(part), np.float32)
    products = np.empty(len(part), np.float32)
    for attribute in _counting(query):
        matrix, row = part.matrix(attribute), np.ascontiguousarray(query[attribute])
        faiss.fvec_inner_products_ny(
            faiss.swig_ptr(products),
            faiss.swig_ptr(row),
            faiss.swig_ptr(matrix),
            *matrix.shape[::-1],
        )
        total += products
    return total


def _allowed(part: Part, where: Condition | None) -> np.ndarray:
    """Which rows are there and meet the condition."""
    return part.alive.copy() if where is None else part.alive & where.mask(part.column)


def _index_file(segment: Segment, attribute: int) -> Path:
    return segment.folder / f"index-{attribute}.faiss"


def _check_file(path: Path) -> Path:
    """Has the CRC-32 of an index; earlier versions wrote none."""
    return path.with_suffix(".crc32")


def _read_index(path: Path) -> faiss.Index:
    check = _check_file(path)
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        is_whole = not check.exists() or check.read_bytes() == f"{zlib.crc32(content):08x}".encode()
    try:
        if is_whole:
            return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError:
        is_whole = False
    raise ValueError(
        f"{path}: the index is damaged; bring the file back from a backup, or index the catalogue "
        "anew, into another store"
    )


def _new_index(dimension: int, description: str) -> faiss.Index:
    try:
        return faiss.index_factory(dimension, description, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise ValueError(
            f"index={description}: expected a text for faiss' index_factory, such as IVF256,Flat"
        ) from error
