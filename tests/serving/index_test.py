"""`asen-index` with an exported model, here and at a server."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import asen_tf
from asen_tf.catalogue import Catalogue
from asen_tf.serving import SavedModel, signatures

pytest.importorskip("faiss")

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shop(tmp_path, jpegs):
    """A folder with catalogue.csv and 6 photographs, of which number 4 is none."""
    for n, content in enumerate(jpegs[:6]):
        (tmp_path / f"{n}.jpg").write_bytes(content if n != 4 else b"<html>")
    rows = [(f"sku-{n}", f"{n}.jpg", "red|green" if n % 2 else "", n + 0.5) for n in range(6)]
    write(tmp_path, rows)
    return tmp_path


def write(shop, rows):
    with open(shop / "catalogue.csv", "w", newline="") as file:
        csv.writer(file).writerows([("id", "image", "color", "price"), *rows])


def run(shop, *arguments):
    command = [sys.executable, "-m", "asen_tf.cli.index", f"--manifest={shop}/catalogue.csv"]
    return subprocess.run(
        [*command, f"--store=faiss:{shop}/store", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_a_shop_is_indexed_and_kept_up_to_date(shop, served, workdir, embedder, jpegs):
    result = run(shop, f"--model={served}", "--batch_size=4")
    assert result.returncode == 0, result.stderr
    assert "5 embedded, 0 updated, 0 unchanged, 0 deleted, 1 errors; 5 items" in result.stdout
    assert "sku-4: " in result.stderr and "photograph 0" not in result.stderr
    with Catalogue(f"faiss:{shop}/store", embedder) as catalogue:
        names = [f"sku-{n}" for n in (0, 1, 2, 3, 5)]
        assert catalogue.ids() == names
        expected = embedder.embed_all([jpegs[n] for n in (0, 1, 2, 3, 5)])
        np.testing.assert_allclose(catalogue.engine.vectors(names), expected, atol=1e-4)
        assert catalogue.engine.records(["sku-1"])[0].labels == {"color": ["red", "green"]}
        metadata = dict(catalogue.engine.records(["sku-1"])[0].metadata)
        assert metadata.pop("image_version") and metadata == {"price": 1.5, "image": "1.jpg"}
        assert catalogue.ids("price<3 and not color=red") == ["sku-0", "sku-2"]
    (shop / "4.jpg").write_bytes(jpegs[4])
    # The run that the export was made of fits the store, too.
    write(shop, [(f"sku-{n}", f"{n}.jpg", "", 9.5 if n == 2 else n + 0.5) for n in (0, 2, 4)])
    result = run(shop, f"--model={workdir}", "--delete_others")
    assert "1 embedded, 1 updated, 1 unchanged, 3 deleted, 0 errors; 3 items" in result.stdout


def test_a_saved_model_without_attention_says_so(served, jpegs, monkeypatch):
    model = asen_tf.load(served)
    monkeypatch.setattr(signatures, "explain", lambda attribute: f"none/{attribute}")
    with pytest.raises(NotImplementedError, match="no attention"):
        model.explain(jpegs[:1], "color")
    with pytest.raises(FileNotFoundError, match="asen-export wrote"):
        SavedModel(served)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --model"),
        (["--model=nowhere"], "nowhere: expected the folder of a run"),
        (["--model=a", "--root=nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_use_is_explained(shop, arguments, message):
    result = run(shop, *arguments)
    assert result.returncode == 1 and message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
