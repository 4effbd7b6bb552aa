"""Search by Milvus: a file of milvus-lite, a server or a cluster (`milvus:...`)."""

import contextlib
import json
import logging
import os
import shutil
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from pymilvus import DataType, MilvusClient, MilvusException

from asen_client.core import addresses
from asen_tf.catalogue.engine import Engine, best, last_score, tolerance
from asen_tf.catalogue.filters import Comparison, Condition
from asen_tf.catalogue.items import Cell, Hits, Items, Record
from asen_tf.catalogue.milvus_filter import (
    expression,
    facts,
    has_field,
    has_numbers,
    having,
    of_ids,
    text,
)
from asen_tf.catalogue.storage.cells import Kept, cells_of, kept
from asen_tf.catalogue.store import split_options
from asen_tf.core.lock import hold
from asen_tf.core.read_ahead import batched
from asen_tf.embedders import Fingerprint

# They log with a traceback what they answer as well.
for name in ("pymilvus.decorators", "milvus_lite.adapter.grpc.servicer"):
    logging.getLogger(name).setLevel(logging.CRITICAL)
# Both tell on every occasion that milvus-lite has no clock, gRPC with a traceback.
logging.getLogger("pymilvus.client.iterator.query_iterator").setLevel(logging.ERROR)
logging.getLogger("grpc._server").addFilter(
    lambda record: "Method not implemented" not in record.getMessage()
)

_LABELS, _METADATA, _MARK = "labels", "metadata", "mark"

# Milvus' own limits.
_LONGEST_VECTOR = 32_768
_MOST_HITS = 16_384
_LONGEST_ID = 2048
_LONGEST_JSON = 65_535

_BYTES_A_MESSAGE = 16 * 1024 * 1024
_IDS_A_REQUEST = 1000
_CANDIDATES = 8

# So many hits more than wanted show in most searches where the last score ends.
_TIES = 16

# So long what was looked for and not found counts as missing: another process may write it.
_MISSING_S = 10.0
_MOST_MISSING = 10_000

# In the identity's content: rows have no fields of those that they replaced.
_WHOLE_ROWS = "whole_rows"


class MilvusEngine(Engine):
    """A collection of Milvus whose vectors are [v_1; ...; v_A], one after the other.

    So one search gives the sum for any weights, which searches in a field for each attribute could
    not: Milvus would merge their best few. One attribute costs as much as all.

    A call that takes more than a message (16 MB of vectors) is written message by message: if it
    fails, part of it may be there. milvus-lite lets one process at a time open a file, for reading,
    too; a server takes many.

    Options of `place`: `collection`, `asen` by default; `index`, of Milvus' kinds, FLAT by default,
    which is exact; candidates of others are scored anew. The token of a server that asks for one is
    the environment's MILVUS_TOKEN.
    """

    def __init__(self, place: str, fingerprint: Fingerprint | None = None, read_only: bool = False):
        self._place, options = split_options(place, ("collection", "index"))
        self._is_file = "://" not in self._place
        self._name = options.get("collection", "asen")
        self._read_only = read_only
        self._there: set[str] = set()  # expressions that some item meets
        self._missing: dict[str, float] = {}  # those that none meets, and until when that counts
        self._broken = False
        if not (self._place.endswith(".db") if self._is_file else _has_host(self._place)):
            raise ValueError(
                f"milvus:{self._place}: expected PATH.db or http://HOST:PORT, port 1 to 65535"
            )
        if self._is_file and os.path.isfile(self._place):  # milvus-lite prints a traceback
            raise FileExistsError(
                f"{self._place}: no store; expected a new name or a store's folder"
            )
        if self._is_file and not os.path.exists(self._place) and (read_only or fingerprint is None):
            raise FileNotFoundError(f"{self._place}: no store; asen-index makes one")
        self._client = self._connected()
        try:
            with self._errors():
                self._open(fingerprint, options.get("index", "FLAT"))
        except BaseException:
            self.close()
            raise

    def insert(self, items: Items) -> None:
        self._check_items(items)
        self.check_new(items.ids)
        self._upsert(items)

    def upsert(self, items: Items) -> None:
        self._check_items(items)
        self._upsert(items)

    def delete(self, ids: Sequence[str]) -> int:
        self._check_writable()
        known = sorted(self.known(ids))
        self._forget()
        with self._writing():
            for some in batched(known, _IDS_A_REQUEST):
                self._client.delete(self._name, filter=of_ids(some))
        return len(known)

    def __len__(self) -> int:
        with self._errors():
            [row] = self._client.query(self._name, filter="", output_fields=["count(*)"])
        return int(row["count(*)"])

    def ids(self, where: Condition | None = None) -> list[str]:
        self.check_condition(where)
        return [row["id"] for row in self._all_rows([], self._filter(where, ()))]

    def known(self, ids: Iterable[str]) -> set[str]:
        return set(self._rows(ids, []))

    def marks(self, ids: Iterable[str]) -> dict[str, str]:
        return {name: row.get(_MARK, "") for name, row in self._rows(ids, [_MARK]).items()}

    def vectors(self, ids: Sequence[str], attributes: Sequence[int] | None = None) -> np.ndarray:
        rows = self._known_rows(ids, ["vectors"])
        shape = len(self.fingerprint.attributes), self.fingerprint.dimension
        found = np.empty((len(ids), *shape), np.float32)
        for position, name in enumerate(ids):
            found[position] = np.reshape(rows[name]["vectors"], shape)
        return found if attributes is None else found[:, list(attributes)]

    def records(self, ids: Sequence[str]) -> list[Record]:
        rows = self._known_rows(ids, [_LABELS, _METADATA])
        return [Record(rows[name][_LABELS], rows[name][_METADATA]) for name in ids]

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
        if k + offset > _MOST_HITS:
            raise ValueError(f"Milvus gives {_MOST_HITS} hits at most, got k + offset {k + offset}")
        met = self._filter(where, exclude)
        wanted = k + offset + _TIES if self.exact else _CANDIDATES * (k + offset)
        while True:
            wanted = min(wanted, _MOST_HITS)
            ids, scores, groups = self._hits(query, wanted, met, group)
            last = last_score(scores, k + offset, groups)
            # Which of the items that score as the last are among the hits is Milvus' choice.
            passed = last > -np.inf and (not self.exact or scores[-1] < last - tolerance(query))
            if passed or len(ids) < wanted or wanted == _MOST_HITS:
                break
            wanted *= 2
        if last == -np.inf and len(ids) == _MOST_HITS:
            raise ValueError(
                f"Milvus gives {_MOST_HITS} hits at most, and these have {len(np.unique(groups))} "
                f"values of {group}, got k + offset {k + offset}"
            )
        if not self.exact and ids:
            scores = np.einsum("nad,ad->n", self.vectors(ids), query)
        return best(ids, scores, query, k, offset, self.vectors, groups)

    def having(
        self, name: str, values: Iterable[Kept], where: Condition | None = None
    ) -> dict[Kept, list[str]]:
        self.check_condition(where)
        found: dict[Kept, list[str]] = {value: [] for value in values}
        for some in batched(found, _IDS_A_REQUEST):
            met = f"({having(name, some)})"
            for row in self._all_rows([_METADATA], self._filter(where, (), met)):
                found[kept(row[_METADATA][name])].append(row["id"])
        return found

    def counts(
        self, names: Iterable[str], where: Condition | None = None, group: str = ""
    ) -> dict[str, dict[Kept, int]]:
        self.check_condition(where)
        self.check_group(group)
        found: dict[str, dict[Kept, set]] = {name: {} for name in names}
        for row in self._all_rows([_LABELS, _METADATA], self._filter(where, ())):
            key = _group_of(row[_METADATA], group, row["id"])
            for name, value in cells_of(Record(row[_LABELS], row[_METADATA])):
                if name in found:
                    found[name].setdefault(value, set()).add(key)
        return {n: {value: len(keys) for value, keys in of.items()} for n, of in found.items()}

    def has_field(self, name: str) -> bool:
        return self._has(has_field(name, self.fingerprint.attributes))

    def has_numbers(self, name: str) -> bool:
        return self._has(has_numbers(name))

    def has_label(self, name: str, value: str) -> bool:
        return self._has(expression(Comparison(name, "=", value), self.fingerprint.attributes))

    def _has(self, wanted: str) -> bool:
        # Looked for once: it costs as much as a search.
        if wanted in self._there:
            return True
        if time.monotonic() < self._missing.get(wanted, 0.0):
            return False
        with self._errors():
            found = self._client.query(self._name, filter=wanted, output_fields=["id"], limit=1)
        if found:
            self._there.add(wanted)
        else:
            if len(self._missing) >= _MOST_MISSING:  # visitors may ask for anything
                self._missing.clear()
            self._missing[wanted] = time.monotonic() + _MISSING_S
        return bool(found)

    def _forget(self) -> None:
        """What items meet is looked for anew."""
        self._there.clear()
        self._missing.clear()

    def compact(self, least: float = 0) -> None:
        self._check_writable()
        if least:  # the server sees to it
            return
        with self._writing():
            self._client.flush(self._name)
            self._client.compact(self._name)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            if self._is_file:
                _release(self._place)

    def _hits(
        self, query: np.ndarray, count: int, where: str, group: str
    ) -> tuple[list[str], np.ndarray, np.ndarray | None]:
        """Ids, scores, and where they are grouped the number of each one's group."""
        with self._errors():
            [hits] = self._client.search(
                self._name,
                data=[query.ravel().tolist()],
                limit=count,
                filter=where,
                anns_field="vectors",
                search_params={"metric_type": "IP"},
                output_fields=[_METADATA] if group else None,
            )
        scores = np.array([hit["distance"] for hit in hits], np.float32)
        groups, numbers = None, {}
        if group:
            keys = [_group_of(hit["entity"][_METADATA], group, hit["id"]) for hit in hits]
            groups = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
        return [hit["id"] for hit in hits], scores, groups

    def _connected(self) -> MilvusClient:
        if self._is_file:
            _take(self._place)
        # milvus-lite's server is asked on this machine.
        host = "localhost" if self._is_file else urlsplit(self._place).hostname or ""
        try:
            return MilvusClient(
                self._place,
                token=os.environ.get("MILVUS_TOKEN", ""),
                grpc_options=addresses.channel_options(host),
            )
        except Exception as error:  # pymilvus has several kinds
            if self._is_file:
                _release(self._place)
                _check_free(os.path.abspath(self._place))  # another process may have been faster
            proxy = addresses.through(host)
            raise ConnectionError(
                f"milvus:{self._place} cannot be opened{proxy}: {error}"
            ) from error

    def _open(self, fingerprint: Fingerprint | None, index: str) -> None:
        self._is_lite = self._client.get_server_version().startswith("milvus_lite")
        # The last that is made: where it is missing, a process was killed while it made them.
        if not self._client.has_collection(self._identity_name):
            if fingerprint is None or self._read_only:
                raise FileNotFoundError(
                    f"milvus:{self._place}: no collection {self._name!r}; asen-index makes one"
                )
            self._make(fingerprint, index)
        self._client.load_collection(self._identity_name)
        [row] = self._client.query(
            self._identity_name, filter='id == "identity"', output_fields=["content"]
        )
        content = dict(row["content"])
        whole_rows = content.pop(_WHOLE_ROWS, False)
        self.fingerprint = Fingerprint.from_dict(content)
        if fingerprint is not None:
            self.fingerprint.check(fingerprint)
        self._client.load_collection(self._name)
        if self._is_lite and not (whole_rows or self._read_only):
            self._make_rows_whole()
        self.exact = self._client.describe_index(self._name, "vectors")["index_type"] == "FLAT"

    @property
    def _identity_name(self) -> str:
        return f"{self._name}_identity"

    def _make(self, fingerprint: Fingerprint, index: str) -> None:
        dimension = len(fingerprint.attributes) * fingerprint.dimension
        if dimension > _LONGEST_VECTOR:
            raise ValueError(
                f"{len(fingerprint.attributes)} attributes x {fingerprint.dimension} numbers are "
                f"more than the {_LONGEST_VECTOR} that a vector of Milvus may have; use faiss:PATH"
            )
        content = {**fingerprint.to_dict(), _WHOLE_ROWS: True}
        if len(json.dumps(content).encode()) > _LONGEST_JSON:
            raise ValueError("the attributes and values are more text than Milvus takes")
        if not self._client.has_collection(self._name):
            self._create(self._name, dimension, [_LABELS, _METADATA], index)
        elif len(self):
            raise ValueError(
                f"milvus:{self._place}: collection {self._name!r} was not made by asen_tf"
            )
        # A collection needs vectors; those of this one mean nothing.
        name = f"{self._identity_name}_new"
        self._client.drop_collection(name)
        self._create(name, 2, ["content"], "FLAT")
        self._put(name, [_identity_row(content)])
        self._client.flush(name)
        self._client.rename_collection(name, self._identity_name)

    def _create(self, name: str, dimension: int, contents: Sequence[str], index: str) -> None:
        if self._is_file:
            _remove_unmade(Path(self._place, "collections", name))
        schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=True)
        schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=_LONGEST_ID)
        schema.add_field("vectors", DataType.FLOAT_VECTOR, dim=dimension)
        for content in contents:
            schema.add_field(content, DataType.JSON)
        indexes = MilvusClient.prepare_index_params()
        indexes.add_index("vectors", index_type=index, metric_type="IP")
        self._client.create_collection(
            name, schema=schema, index_params=indexes, consistency_level="Strong"
        )

    def _put(self, collection: str, rows: list[dict]) -> None:
        """Writes rows in place of those of the same ids, of which nothing is left."""
        # milvus-lite replaces a row by `insert`, and keeps by `upsert` what the new one lacks.
        put = self._client.insert if self._is_lite else self._client.upsert
        put(collection, rows)

    def _make_rows_whole(self) -> None:
        """Writes all items anew: earlier versions left to filters what an item no longer has."""
        ids = self.ids()
        for some in batched(ids, self._rows_a_message(["vectors"])):
            self._upsert(Items(some, self.vectors(some), self.records(some)))
        content = {**self.fingerprint.to_dict(), _WHOLE_ROWS: True}
        with self._writing():
            self._put(self._identity_name, [_identity_row(content)])

    def _upsert(self, items: Items) -> None:
        self._check_writable()
        self._forget()
        size = max(1, _BYTES_A_MESSAGE // max(1, items.vectors[:1].nbytes))
        for rows in batched(range(len(items)), size):
            with self._writing():
                self._put(self._name, [self._row(items, row) for row in rows])

    @staticmethod
    def _row(items: Items, row: int) -> dict:
        record = items.records[row]
        return {
            "id": items.ids[row],
            "vectors": items.vectors[row].ravel(),
            _LABELS: {name: list(values) for name, values in record.labels.items()},
            _METADATA: dict(record.metadata),
            _MARK: items.marks[row],
            **facts(record),
        }

    def _check_items(self, items: Items) -> None:
        self._check_writable()
        self.check_items(items)
        for name, record in zip(items.ids, items.records, strict=True):
            if len(name.encode()) > _LONGEST_ID:
                raise ValueError(f"id {name[:50]!r}...: more than Milvus' {_LONGEST_ID} bytes")
            if max(len(json.dumps(part).encode()) for part in record) > _LONGEST_JSON:
                raise ValueError(f"item {name!r}: labels or metadata exceed {_LONGEST_JSON} bytes")

    def _check_writable(self) -> None:
        if self._read_only:
            raise ValueError(f"milvus:{self._place} was opened read-only")
        if self._broken:
            raise OSError(f"milvus:{self._place}: an earlier write failed; open the store anew")

    def _filter(self, where: Condition | None, exclude: Sequence[str], having: str = "") -> str:
        met = where and f"({expression(where, self.fingerprint.attributes)})"
        others = exclude and of_ids(exclude, "not in")
        return " and ".join(filter(None, (met, others, having)))

    def _rows(self, ids: Iterable[str], fields: list[str]) -> dict[str, dict]:
        """Id -> fields of the items that are there."""
        found = {}
        with self._errors():
            for some in batched(dict.fromkeys(ids), self._rows_a_message(fields)):
                rows = self._client.query(
                    self._name, filter=of_ids(some), output_fields=["id", *fields]
                )
                found.update((row["id"], row) for row in rows)
        return found

    def _rows_a_message(self, fields: list[str]) -> int:
        numbers = len(self.fingerprint.attributes) * self.fingerprint.dimension
        vectors = max(1, _BYTES_A_MESSAGE // (4 * numbers))
        return min(_IDS_A_REQUEST, vectors) if "vectors" in fields else _IDS_A_REQUEST

    def _all_rows(self, fields: list[str], where: str) -> Iterator[dict]:
        """Rows that meet an expression, in the order of their ids.

        As pymilvus' `query_iterator`, which pastes ids into expressions as they are.
        """
        start = ""
        while True:
            after = " and ".join(filter(None, (f"id > {text(start)}", where and f"({where})")))
            with self._errors():
                rows = self._client.query(
                    self._name,
                    filter=after,
                    output_fields=["id", *fields],
                    limit=_IDS_A_REQUEST,
                    iterator="True",
                    reduce_stop_for_best="True",
                )
            if not rows:
                return
            yield from rows
            start = rows[-1]["id"]

    def _known_rows(self, ids: Sequence[str], fields: list[str]) -> dict[str, dict]:
        rows = self._rows(ids, fields)
        for name in ids:
            if name not in rows:
                raise ValueError(f"no item {name!r} in the store")
        return rows

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._errors():
                yield
        except OSError:
            # milvus-lite leaves half an entry in its log, and would not find what comes after it
            # again.
            self._broken = self._is_file
            raise

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        if self._client is None:
            raise ValueError(f"milvus:{self._place} is closed")
        try:
            yield
        except MilvusException as error:
            raise OSError(f"milvus:{self._place}: {error.message}") from error


def _group_of(metadata: Mapping[str, Cell], group: str, alone: str) -> Hashable:
    """What items of a group share; of one without a group `alone`, its id, which equals none."""
    cell = metadata.get(group)
    return alone if cell is None else (kept(cell),)


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _identity_row(content: dict) -> dict:
    return {"id": "identity", "content": content, "vectors": [1.0, 0.0]}


def _remove_unmade(folder: Path) -> None:
    """Removes what milvus-lite leaves of a collection that it had no room or time to make.

    It would not make it again.
    """
    if folder.is_dir() and {path.name for path in folder.iterdir()} <= {"schema.json.tmp"}:
        shutil.rmtree(folder)


# How many engines of this process use a file of milvus-lite, which has one server for all.
_in_use: Counter[str] = Counter()


def _check_free(place: str) -> None:
    """Raises BlockingIOError where another process uses a file of milvus-lite."""
    if not _in_use[place] and os.path.exists(lock := os.path.join(place, "LOCK")):
        hold(
            Path(lock),
            "has this store open for writing",
            "milvus-lite lets one process at a time read, too; wait for it",
        ).release()


def _take(place: str) -> None:
    place = os.path.abspath(place)
    _check_free(place)  # milvus-lite would log a traceback
    os.makedirs(os.path.dirname(place), exist_ok=True)
    _in_use[place] += 1


def _release(place: str) -> None:
    from milvus_lite.server_manager import server_manager_instance  # servers do without it

    place = os.path.abspath(place)
    _in_use[place] -= 1
    if not _in_use[place]:
        server_manager_instance.release_server(place)
