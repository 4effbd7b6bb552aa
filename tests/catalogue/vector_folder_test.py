"""What asen-embed wrote becomes a store, without a model."""

import json

import numpy as np
import pytest

import asen_tf
from asen_tf.catalogue import Catalogue, Record
from asen_tf.catalogue.vector_folder import VectorFolder

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

NAMES = ["hem", "color", "collar"]  # in another order than the model's
VECTORS = np.random.default_rng(0).normal(size=(5, 3, 8)).astype(np.float32)


@pytest.fixture
def folder(tmp_path, fingerprint):
    """Five photographs in two files; the second has no marks, as those of earlier versions."""
    (tmp_path / "out" / "vectors").mkdir(parents=True)
    stamp = {"model": fingerprint.to_dict(), "attributes": NAMES, "shards": 2}
    stamp["manifest"] = str(tmp_path / "table.csv")
    (tmp_path / "out" / "embedding.json").write_text(json.dumps(stamp))
    write(tmp_path / "out", 0, range(3), marks=True)
    write(tmp_path / "out", 1, range(3, 5), marks=False)
    lines = [f"{n},{n}.jpg,{10 * n}" for n in range(1, 6)]
    (tmp_path / "table.csv").write_text("\n".join(["id,image,price", *lines]))
    return tmp_path / "out"


def write(folder, shard, rows, marks):
    ids = [str(n) for n in rows for _ in NAMES]
    columns = {"id": ids, "attribute": NAMES * len(rows)}
    columns["vector"] = [vector.tolist() for n in rows for vector in VECTORS[n]]
    if marks:
        columns["mark"] = [f"mark {name}" for name in ids]
    path = folder / "vectors" / f"shard-{shard:05d}-of-00002.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=4)  # which ends within a photograph


def test_vectors_become_a_store(folder, faiss_uri):
    found = asen_tf.index(None, None, faiss_uri, vectors=folder)
    assert (found.embedded, found.items) == (4, 4)
    assert found.problems == {"5": "it has no vectors there"}
    with Catalogue(faiss_uri, read_only=True) as catalogue:
        expected = VECTORS[1:][:, [1, 2, 0]]
        expected = expected / np.linalg.norm(expected, axis=-1, keepdims=True)
        np.testing.assert_allclose(catalogue.engine.vectors(list("1234")), expected, atol=1e-6)
        assert catalogue.engine.records(["2"]) == [Record({}, {"image": "2.jpg", "price": 20})]
        assert catalogue.engine.marks("124") == {"1": "mark 1", "2": "mark 2", "4": ""}
    (folder.parent / "less.csv").write_text("id,image,price\n1,1.jpg,11\n2,2.jpg,20\n")
    found = asen_tf.index(None, folder.parent / "less.csv", faiss_uri, vectors=folder, prune=True)
    assert (found.embedded, found.updated, found.unchanged, found.deleted) == (0, 1, 1, 2)


def test_other_folders_are_explained(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected the --output of asen-embed"):
        VectorFolder(tmp_path)
    stamp = json.loads((folder / "embedding.json").read_text())

    def refused(message, **change):
        (folder / "embedding.json").write_text(json.dumps({**stamp, **change}))
        with pytest.raises(ValueError, match=message):
            VectorFolder(folder)

    refused("no vectors of color, hem", attributes=["collar"])
    refused("names 3 files of vectors, there are 2", shards=3)
    refused("embedding.json is damaged", model={})
    refused("embedding.json is damaged", shards="many")
    refused("embedding.json is damaged", manifest=None)


def test_damaged_vectors_are_named(folder):
    path = sorted((folder / "vectors").iterdir())[0]
    whole, table = path.read_bytes(), pq.read_table(path)
    for damaged in (whole[:-40], whole[:50] + bytes(40) + whole[90:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="00000-of-00002.parquet is damaged"):
            list(VectorFolder(folder).parts())
    short = pa.array([[1.0]] * 9, pa.list_(pa.float64()))
    wrong = [
        table.slice(1),
        table.slice(0, 8),
        table.drop_columns("vector"),
        table.set_column(2, "vector", short),
        table.set_column(1, "attribute", pa.array(["hem"] * 9)),
    ]
    for one in wrong:
        pq.write_table(one, path)
        with pytest.raises(ValueError, match="00000-of-00002.parquet is damaged"):
            list(VectorFolder(folder).parts())
