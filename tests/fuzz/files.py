"""Weights, runs, stores and configurations of servers."""

import contextlib
import io
import json
import pickle
import shutil
import tempfile
from pathlib import Path

import numpy as np

from asen_tf.catalogue import Items, Record, open_store
from asen_tf.catalogue.former import convert
from asen_tf.core import AttributeSpace, space_file
from asen_tf.core import config as configs
from asen_tf.embedders import Fingerprint
from asen_tf.weights import read as read_torch
from tests.catalogue import former
from tests.fuzz.target import Target, of_files
from tests.weights.torch_file_test import VALUES, archive, chain, tensor

_SPACE = AttributeSpace({"color": ["red", "green"], "fit": ["slim"]})


def _torch_files() -> list[bytes]:
    found = []
    pickled = pickle.dumps({"epoch": 3, "lists": [1.5, None, ("x", b"y")]}, protocol=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.pth")
        for write in (archive, chain):
            for steps in (tensor((4, 3), (1, 4), offset=12), tensor((24,), (1,))):
                found.append(write(path, steps, [VALUES.tobytes()]).read_bytes())
            found.append(write(path, pickled).read_bytes())
    return found


def _read_torch(folder: Path, raw: bytes) -> None:
    path = folder / "a.pth"
    path.write_bytes(raw)
    read_torch(path)


def _store_files() -> dict[str, bytes]:
    vectors = np.tile(np.eye(4, dtype=np.float32)[:2], (6, 1, 1))
    records = [Record({"color": ["red"]}, {"price": n}) for n in range(6)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "store")
        fingerprint = Fingerprint(_SPACE, 4, "v1")
        with open_store(f"faiss:{folder}?index=IVF1,Flat", fingerprint) as store:
            store.upsert(Items([f"{n}.jpg" for n in range(6)], vectors, records))
            store.compact()
            store.delete(["1.jpg"])
        return {
            f"store/{path.relative_to(folder)}": path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "LOCK"
        }


def _search(folder: Path) -> None:
    with open_store(f"faiss:{folder / 'store'}", read_only=True) as store:
        store.records(store.ids())
        store.search(np.eye(4, dtype=np.float32)[:2], 3)


def _vector_files() -> dict[str, bytes]:
    """What asen-embed writes of four photographs."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    model = Fingerprint(_SPACE, 4, "v1").to_dict()
    stamp = {"model": model, "attributes": list(_SPACE), "shards": 1, "manifest": "a.csv"}
    columns = {"id": list("aabbccdd"), "attribute": list(_SPACE) * 4}
    columns["vector"] = np.eye(8, 4, dtype=np.float32).tolist()
    columns["mark"] = ["7-1"] * 8
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, write_page_checksum=True)
    return {"embedding.json": json.dumps(stamp).encode(), "vectors/a.parquet": file.getvalue()}


def _load_vectors(folder: Path) -> None:
    from asen_tf.catalogue.vector_folder import VectorFolder

    for part in VectorFolder(folder).parts():
        assert len(part.ids) == len(part.vectors) == len(part.marks)


def _convert(folder: Path) -> None:
    shutil.rmtree(folder / "new", ignore_errors=True)
    convert(f"faiss:{folder / 'old'}", f"faiss:{folder / 'new'}")


def _read_run(folder: Path) -> None:
    from asen_tf.workdir import Workdir

    run = Workdir(folder)
    run.config()
    run.space()
    run.best()
    run.history()


def _run_files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        configs.save(configs.defaults(), folder / "config.json")
        space_file.write(folder / "attributes.json", _SPACE)
        (folder / "best.json").write_text('{"stage": "stage2", "step": 3, "map": 0.5}')
        (folder / "history.jsonl").write_text('{"step": 1, "loss": 0.5}\n{"step": 2}\n')
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _read_models(folder: Path) -> None:
    from asen_tf.serving.server import config

    config.read(str(folder / "models.config"))


_MODELS = """model_config_list { config { name: "a" base_path: "/models/a"
model_platform: "tensorflow" model_version_policy { specific { versions: 3 versions: 4 } }
version_labels { key: "stable" value: 3 } } }
"""

TARGETS = [
    Target(
        "torch",
        ["asen_tf.weights.torch_file", "asen_tf.weights.torch_pickle"],
        _read_torch,
        seeds=_torch_files(),
        mentions=["a.pth"],
    ),
    *of_files(
        "run",
        [f"asen_tf.{n}" for n in ("workdir", "core.config", "core.space_file", "core.files")],
        _read_run,
        _run_files(),
        tensorflow=True,
    ),
    *of_files(
        "models.config",
        ["asen_tf.serving.server.config"],
        _read_models,
        {"models.config": _MODELS},
        tensorflow=True,
    ),
]
with contextlib.suppress(ImportError):  # pyarrow is an extra
    TARGETS += of_files(
        "vectors", ["asen_tf.catalogue.vector_folder"], _load_vectors, _vector_files()
    )
with contextlib.suppress(ImportError):  # faiss is an extra
    TARGETS += of_files(
        "store",
        [
            *("asen_tf.catalogue.faiss_engine", "asen_tf.catalogue.storage.item_store"),
            *("asen_tf.catalogue.storage.records", "asen_tf.catalogue.storage.matrices"),
            "asen_tf.catalogue.storage.database",
        ],
        _search,
        _store_files(),
        mentions=["store"],
    )
    TARGETS += of_files(
        "former store",
        # faiss_engine, which it writes to, loads faiss before memory is limited.
        ["asen_tf.catalogue.former", "asen_tf.catalogue.faiss_engine"],
        _convert,
        former.files(),
        mentions=["old"],
    )
