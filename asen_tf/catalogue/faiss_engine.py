"""Search in this process, over files on disk (`faiss:PATH`)."""

import concurrent.futures
import mmap
import threading
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import faiss
import numpy as np

from asen_client.core.errors import check_names
from asen_tf.catalogue.engine import Engine, best, last_score, tolerance
from asen_tf.catalogue.filters import Comparison, Condition
from asen_tf.catalogue.items import Hits, Items, Record, check_record
from asen_tf.catalogue.storage.cells import Kept, met
from asen_tf.catalogue.storage.durable import sync_folder, synced
from asen_tf.catalogue.storage.item_store import ItemStore, View
from asen_tf.catalogue.storage.matrices import BLOCK, SUFFIXES, Matrices
from asen_tf.catalogue.store import split_options
from asen_tf.core.choices import FLOAT32
from asen_tf.embedders import Fingerprint

# Fewer items are searched faster without an index.
_INDEXED_FROM = 10_000

# Rows that a thread multiplies at a time, where these are chosen ones.
_A_THREAD = 4096
_THREADS = concurrent.futures.ThreadPoolExecutor()

# Candidates that an index gives, for each item wanted.
_CANDIDATES = 16

# What clusters of an `IVF` index are found by; more vectors or steps hardly change them.
_A_CLUSTER, _STEPS = 64, 10


class FaissEngine(Engine):
    """Vectors in a folder, mapped into memory, a matrix for each attribute.

    A search takes the products with the attributes that count and no others, so that one attribute
    costs a ninth of nine, and adds them up: exact for any weights. One that reads sees what another
    process has written since, without opening the store anew.

    Options of `place`, behind a `?`, are kept with the store. `index`: a text for faiss'
    `index_factory` such as `IVF512,SQ8` or `HNSW32`; from 10 000 items on, candidates are then
    looked for in an index an attribute, and among the items written since it was made, which
    happens each time that the store has grown fourfold, and in `compact`. `search`: its
    parameters, such as `nprobe=16`. A filter is given to the index; where candidates run out all
    the same, all items that meet it are looked at. `dtype`:
    `float32`, or `float16` for half the disk; products are summed in float32, and a search that
    looks at all items takes eight times as long, for faiss multiplies float32 alone.
    """

    def __init__(self, place: str, fingerprint: Fingerprint | None = None, read_only: bool = False):
        path, settings = split_options(place, ("index", "search", "dtype"))
        if "index" in settings:
            _new_index(64, settings["index"])  # checks it
        check_names("dtype", [settings.get("dtype", FLOAT32)], SUFFIXES)
        self._indexes: dict[Path, faiss.Index] = {}
        self._lock = threading.Lock()
        self._store = ItemStore(Path(path), fingerprint, settings, read_only)
        kept = self._store.settings
        if settings and settings != kept:
            self._store.close()
            raise ValueError(f"{path} was made with the options {kept}, got {settings}")
        self.fingerprint = self._store.fingerprint
        self.exact = "index" not in kept
        if not self.exact:
            self._store.on_matrices = self._write_indexes

    def insert(self, items: Items) -> None:
        self.check_items(items)
        self.check_new(items.ids)
        self._store.put(items)

    def upsert(self, items: Items) -> None:
        self.check_items(items)
        self._store.put(items)

    def describe(self, ids: Sequence[str], records: Sequence[Record]) -> None:
        for name, record in zip(ids, records, strict=True):
            check_record(name, record)
        self.check_records(ids, records)
        self.check_known(ids)
        if len(ids):
            self._store.describe(ids, records)

    def delete(self, ids: Sequence[str]) -> int:
        return self._store.delete(ids)

    def __len__(self) -> int:
        return len(self._store)

    def known(self, ids: Iterable[str]) -> set[str]:
        with self._store.view() as view:
            return set(view.places(ids))

    def marks(self, ids: Iterable[str]) -> dict[str, str]:
        with self._store.view() as view:
            return view.marks(ids)

    def ids(self, where: Condition | None = None) -> list[str]:
        self.check_condition(where)
        with self._store.view() as view:
            return sorted(view.names(np.flatnonzero(view.mask(where))))

    def vectors(self, ids: Sequence[str], attributes: Sequence[int] | None = None) -> np.ndarray:
        wanted = range(len(self.fingerprint.attributes)) if attributes is None else attributes
        with self._store.view() as view:
            return _take(view, _rows(view, ids), wanted)

    def records(self, ids: Sequence[str]) -> list[Record]:
        with self._store.view() as view:
            return view.records(_rows(view, ids))

    def search(
        self,
        query: np.ndarray,
        k: int,
        where: Condition | None = None,
        exclude: Sequence[str] = (),
        offset: int = 0,
        group: str = "",
    ) -> Hits:
        query = self.check_query(query, k, where, offset, group)
        counting = np.flatnonzero(query.any(axis=1)).tolist()
        with self._store.view() as view:
            allowed = view.mask(where)
            allowed[list(view.places(exclude).values())] = False
            groups = view.groups(group) if group else None
            rows, scores = self._best_of(view, query, counting, allowed, k + offset, groups)
            ids = view.names(rows)
            row_of = dict(zip(ids, rows.tolist(), strict=True))

            def vectors(names: Sequence[str]) -> np.ndarray:
                return _take(view, [row_of[name] for name in names], counting)

            groups = None if groups is None else groups[rows]
            return best(ids, scores, query[counting], k, offset, vectors, groups)

    def having(
        self, name: str, values: Iterable[Kept], where: Condition | None = None
    ) -> dict[Kept, list[str]]:
        self.check_condition(where)
        with self._store.view() as view:
            met = view.mask(where)
            rows = {value: view.having(name, value) for value in values}
            return {value: sorted(view.names(of[met[of]])) for value, of in rows.items()}

    def counts(
        self, names: Iterable[str], where: Condition | None = None, group: str = ""
    ) -> dict[str, dict[Kept, int]]:
        self.check_condition(where)
        self.check_group(group)
        with self._store.view() as view:
            met, groups = view.mask(where), view.groups(group) if group else None
            return {name: view.counts(name, met, groups) for name in names}

    def has_field(self, name: str) -> bool:
        return self._any("name = ?", (name,))

    def has_numbers(self, name: str) -> bool:
        return self._any("name = ? AND value < ''", (name,))

    def has_label(self, name: str, value: str) -> bool:
        return self._any(*met(Comparison(name, "=", value)))

    def _any(self, condition: str, parameters: Sequence) -> bool:
        with self._store.view() as view:
            return view.any(condition, parameters)

    def compact(self, least: float = 0) -> None:
        self._store.compact(least)

    def close(self) -> None:
        self._store.close()

    def _best_of(
        self,
        view: View,
        query: np.ndarray,
        counting: list[int],
        allowed: np.ndarray,
        count: int,
        groups: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rows of the best `count` allowed items, or of the best `count` groups, and scores.

        With all that may be as good.
        """
        rows = self._candidates(view, query, counting, allowed, count, groups)
        if not len(rows):
            return rows, np.empty(0, np.float32)

        def products(attribute: int) -> np.ndarray:
            return _products(view, attribute, query[attribute], rows)

        # The products of many rows with one attribute take all cores.
        run = _THREADS.map if len(rows) <= _A_THREAD else map
        scores = sum(run(products, counting))
        last = last_score(scores, count, None if groups is None else groups[rows])
        chosen = scores >= last - tolerance(query)
        return rows[chosen], scores[chosen]

    def _candidates(
        self,
        view: View,
        query: np.ndarray,
        counting: list[int],
        allowed: np.ndarray,
        count: int,
        groups: np.ndarray | None,
    ) -> np.ndarray:
        """Allowed rows: those that the indexes propose, and those that are in none."""
        indexes = [] if self.exact else self._indexes_of(view, counting)
        indexed = min([view.rows, *(index.ntotal for index in indexes)]) if indexes else 0
        share = allowed[:indexed].mean() if indexed else 1
        bits = np.packbits(allowed[:indexed], bitorder="little")
        selector = faiss.IDSelectorBitmap(bits) if share < 1 else None

        def proposed(attribute: int, index: faiss.Index) -> np.ndarray:
            wanted = _CANDIDATES * count
            return _proposed(index, query[None, attribute], wanted, selector, max(share, 1e-9))

        found = [np.empty(0, np.int64), *_THREADS.map(proposed, counting, indexes)]
        rows = np.unique(np.concatenate(found))
        rows = rows[(rows >= 0) & (rows < indexed)]
        if groups is not None:  # whose best item need not be the one proposed
            rows = np.flatnonzero(np.isin(groups[:indexed], groups[rows]))
        rows = rows[allowed[rows]]
        if (len(rows) if groups is None else len(np.unique(groups[rows]))) < count:
            rows = np.flatnonzero(allowed[:indexed])
        return np.concatenate([rows, indexed + np.flatnonzero(allowed[indexed:])])

    def _indexes_of(self, view: View, attributes: Sequence[int]) -> list[faiss.Index]:
        """Their indexes; none for a small store, or where a writer has replaced them since."""
        try:
            return [self._index(_index_file(view.matrices.folder, one)) for one in attributes]
        except FileNotFoundError:
            return []

    def _index(self, path: Path) -> faiss.Index:
        with self._lock:
            if path not in self._indexes:
                index = _read_index(path)
                if settings := self._store.settings.get("search"):
                    faiss.ParameterSpace().set_index_parameters(index, settings)
                kept = {p: i for p, i in self._indexes.items() if p.exists()}
                self._indexes = {**kept, path: index}
            return self._indexes[path]

    def _write_indexes(self, matrices: Matrices, rows: int) -> None:
        description = self._store.settings.get("index")
        if not description or rows < _INDEXED_FROM:
            return
        for attribute in range(len(self.fingerprint.attributes)):
            index = _new_index(self.fingerprint.dimension, description)
            vectors = np.asarray(matrices.matrix(attribute, rows), np.float32)
            if isinstance(index, faiss.IndexIVF):
                index.cp.max_points_per_centroid, index.cp.niter = _A_CLUSTER, _STEPS
                index.cp.min_points_per_centroid = 1  # faiss prints a warning
            index.train(vectors)
            index.add(vectors)
            path, check = _index_file(matrices.folder, attribute), 0
            with synced(path) as file:

                def write(part: bytes) -> None:
                    nonlocal check
                    check = zlib.crc32(part, check)
                    file.write(part)

                faiss.write_index(index, faiss.PyCallbackIOWriter(write))
            with synced(_check_file(path)) as file:
                file.write(f"{check:08x}".encode())
        sync_folder(matrices.folder)


def _proposed(
    index: faiss.Index,
    query: np.ndarray,
    count: int,
    allowed: faiss.IDSelector | None,
    share: float,
) -> np.ndarray:
    """The best rows by an index, of those allowed where it can tell; -1 where it has no more.

    Of these it looks at as many as it would look at without a filter.

    Args:
      allowed: None: all.
      share: part of all that is allowed, not 0.
    """
    takes = allowed is not None and not isinstance(index, faiss.IndexIVFFastScan)
    parameters = None
    if takes and isinstance(index, faiss.IndexIVF):
        probes = min(index.nlist, int(index.nprobe / share))
        parameters = faiss.SearchParametersIVF(nprobe=probes, sel=allowed)
    elif takes and isinstance(index, faiss.IndexHNSW):
        wide = min(index.ntotal, int(index.hnsw.efSearch / share))
        parameters = faiss.SearchParametersHNSW(efSearch=wide, sel=allowed)
    return index.search(query, min(count, index.ntotal), params=parameters)[1][0]


def _products(view: View, attribute: int, row: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Products of a vector with those of some rows, float32 [N]."""
    row, few = np.ascontiguousarray(row), 2 * len(rows) < view.rows
    matrices = view.matrices
    matrix = matrices.holding(attribute, rows) if few else matrices.matrix(attribute, view.rows)
    if matrix.dtype != np.float32:
        parts = np.split(rows, range(BLOCK, len(rows), BLOCK))
        return np.concatenate([matrix[part].astype(np.float32) @ row for part in parts])
    if not few:  # NumPy's product runs on all cores
        found = matrix @ row
        return found if len(rows) == view.rows else found[rows]
    found = np.empty(len(rows), np.float32)

    def multiply(start: int) -> None:
        asked = rows[start : start + _A_THREAD]
        given = (found[start : start + _A_THREAD], row, matrix, asked)
        faiss.fvec_inner_products_by_idx(
            *map(faiss.swig_ptr, given), matrix.shape[1], 1, len(asked)
        )

    run = map if len(rows) <= _A_THREAD else _THREADS.map
    list(run(multiply, range(0, len(rows), _A_THREAD)))
    return found


def _rows(view: View, ids: Sequence[str]) -> list[int]:
    """The rows of items, in the order of the ids; ValueError for an unknown one."""
    places = view.places(ids)
    for name in ids:
        if name not in places:
            raise ValueError(f"no item {name!r} in the store")
    return [places[name] for name in ids]


def _take(view: View, rows: Sequence[int], attributes: Sequence[int]) -> np.ndarray:
    """Vectors of rows, float32 [N, attributes, D]."""
    rows = np.asarray(rows, np.int64)
    found = [view.matrices.take(attribute, rows) for attribute in attributes]
    return np.stack(found, axis=1)


def _index_file(folder: Path, attribute: int) -> Path:
    return folder / f"index-{attribute}.faiss"


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
