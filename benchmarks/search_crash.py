"""Kills a process that writes to a store, at random moments, and looks whether all is there.

    python benchmarks/search_crash.py --rounds=20 --json=benchmarks/results/search_crash.json

A child inserts, replaces and deletes items and says after each call that it has returned. After a
kill the store has to open and to hold what the acknowledged calls made, or that and the call that
was under way. Matrices are written anew early, so that kills hit this, too.
"""

import random
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags, logging

from asen_tf.benchmarks.report import report
from asen_tf.catalogue import Catalogue, Record
from asen_tf.catalogue.storage import item_store
from asen_tf.core import AttributeSpace
from asen_tf.embedders import Fingerprint, VectorEmbedder

_ENGINE = flags.DEFINE_enum("engine", "faiss", ["faiss", "milvus"], "What keeps the items.")
_ROUNDS = flags.DEFINE_integer("rounds", 20, "Kills.")
_LONGEST = flags.DEFINE_float("longest", 1.0, "Seconds until a kill, at most.")
_SEED = flags.DEFINE_integer("seed", 0, "Of the moments and of what is written.")
_JSON = flags.DEFINE_string("json", "", "File to write the result to.")
_WRITE = flags.DEFINE_string("write", "", "For the child: the store to write to.")
_FIRST = flags.DEFINE_integer("first", 0, "For the child: the call to begin with.")

_SPACE = AttributeSpace({"color": ["red", "green"], "collar": ["mandarin", "polo"]})
_DIMENSION, _IDS, _LEAST_DEAD = 64, 400, 100


def call(number: int) -> tuple[str, list[str]]:
    """What call number `number` does: delete, insert or upsert; and to which ids."""
    draw = np.random.default_rng([_SEED.value, number])
    kind = ("upsert", "upsert", "insert", "delete")[number % 4]
    if kind == "insert":
        return kind, [f"new-{number}-{n}" for n in range(10)]
    return kind, [f"item-{n}" for n in draw.permutation(_IDS)[:20]]


def vectors(ids: list[str], number: int) -> np.ndarray:
    """What call `number` writes for these items."""
    rows = [
        np.random.default_rng([number, *name.encode()]).normal(size=(len(_SPACE), _DIMENSION))
        for name in ids
    ]
    found = np.array(rows).reshape(len(ids), len(_SPACE), _DIMENSION)
    return (found / np.linalg.norm(found, axis=-1, keepdims=True)).astype(np.float32)


def write(uri: str, first: int) -> None:
    """The child: calls from number `first` on, until it is killed."""
    item_store.LEAST_DEAD = _LEAST_DEAD
    with Catalogue(uri, VectorEmbedder(Fingerprint(_SPACE, _DIMENSION, "crash"))) as catalogue:
        number = first
        while True:
            kind, ids = call(number)
            if kind == "delete":
                catalogue.delete(ids)
            else:
                records = [Record({"color": ["red"]}, {"call": number}) for _ in ids]
                getattr(catalogue, kind)(ids, vectors(ids, number), records)
            print(number, flush=True)
            number += 1


def killed(uri: str, first: int, seconds: float) -> int:
    """Lets a child write for a while after its first call; gives the last acknowledged one."""
    flags_of_child = [f"--write={uri}", f"--first={first}", f"--seed={_SEED.value}"]
    child = subprocess.Popen([sys.executable, __file__, *flags_of_child], stdout=subprocess.PIPE)
    with child:
        acknowledged = child.stdout.readline()
        if not acknowledged:
            raise RuntimeError("the child ended before its first call had returned")
        # What it says is read as it comes, or a full pipe would stop it.
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([child.stdout], [], [], left)[0]:
                acknowledged += child.stdout.read1()
        child.send_signal(signal.SIGKILL)
        acknowledged += child.stdout.read()
    return int(acknowledged[: acknowledged.rindex(b"\n")].split()[-1])


def after(number: int, state: dict[str, int], first: int) -> dict[str, int]:
    """Id -> the call that wrote it last, after the calls from `first` to `number`."""
    state = dict(state)
    for n in range(first, number + 1):
        kind, ids = call(n)
        for name in ids:
            if kind == "delete":
                state.pop(name, None)
            else:
                state[name] = n
    return state


def held(uri: str) -> dict[str, int]:
    """The same of a store, whose vectors and searches are checked."""
    with Catalogue(uri, VectorEmbedder(Fingerprint(_SPACE, _DIMENSION, "crash"))) as catalogue:
        ids = catalogue.ids()
        state = {
            name: record.metadata["call"]
            for name, record in zip(ids, catalogue.engine.records(ids), strict=True)
        }
        found = catalogue.engine.vectors(ids)
        for number in set(state.values()):
            rows = [row for row, name in enumerate(ids) if state[name] == number]
            expected = vectors([ids[row] for row in rows], number)
            np.testing.assert_array_equal(found[rows], expected)
        if ids:
            query = catalogue.engine.vectors(ids[:1])[0]
            assert catalogue.engine.search(query, 1).ids == ids[:1]
        return state


def rounds(uri: str, count: int, longest: float) -> dict:
    """The result of so many kills.

    Raises:
      AssertionError: something acknowledged is missing, or something else is there.
    """
    moments = random.Random(_SEED.value)
    state: dict[str, int] = {}
    first = under_way = 0
    for _ in range(count):
        last = killed(uri, first, moments.uniform(0, longest))
        expected, next_one = after(last, state, first), after(last + 1, state, first)
        state = held(uri)
        assert state in (expected, next_one), f"after call {last}: {_difference(state, expected)}"
        made = state == next_one
        under_way += made
        first = last + 1 + made
    return {
        "kills": count,
        "acknowledged_calls": first - under_way,
        "unacknowledged_calls_that_were_kept": under_way,
        "items": len(state),
        "lost": 0,
    }


def _difference(state: dict[str, int], expected: dict[str, int]) -> str:
    names = [n for n in {*state, *expected} if state.get(n) != expected.get(n)]
    return ", ".join(f"{n}: {state.get(n)}, not {expected.get(n)}" for n in sorted(names)[:10])


def main(_) -> None:
    logging.set_verbosity(logging.WARNING)
    if _WRITE.value:
        write(_WRITE.value, _FIRST.value)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / ("store.db" if _ENGINE.value == "milvus" else "store")
        found = rounds(f"{_ENGINE.value}:{place}", _ROUNDS.value, _LONGEST.value)
    report({"engine": _ENGINE.value, **found}, _JSON.value)


if __name__ == "__main__":
    app.run(main)
