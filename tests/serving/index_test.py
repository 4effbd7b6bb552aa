"""`asen-index` with an exported model, here and at a server."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from asen_tf.catalogue import Catalogue
from asen_tf.serving import InvalidInputError, SavedModel, signatures

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
    result = run(shop, f"--saved_model={served}/1", "--batch_size=4")
    assert result.returncode == 0, result.stderr
    assert "5 embedded, 0 updated, 0 unchanged, 0 deleted, 1 errors; 5 items" in result.stdout
    assert "sku-4: photograph 0: " in result.stderr
    with Catalogue(f"faiss:{shop}/store", embedder) as catalogue:
        names = [f"sku-{n}" for n in (0, 1, 2, 3, 5)]
        assert catalogue.ids() == names
        expected = embedder.embed_all([jpegs[n] for n in (0, 1, 2, 3, 5)])
        np.testing.assert_allclose(catalogue.vectors(names), expected, atol=1e-4)
        assert catalogue.records(["sku-1"])[0].labels == {"color": ["red", "green"]}
        metadata = dict(catalogue.records(["sku-1"])[0].metadata)
        assert metadata.pop("image_version") and metadata == {"price": 1.5, "image": "1.jpg"}
        assert catalogue.ids("price<3 and not color=red") == ["sku-0", "sku-2"]
    (shop / "4.jpg").write_bytes(jpegs[4])
    # The run that the export was made of fits the store, too.
    write(shop, [(f"sku-{n}", f"{n}.jpg", "", 9.5 if n == 2 else n + 0.5) for n in (0, 2, 4)])
    result = run(shop, f"--workdir={workdir}", "--delete_others")
    assert "1 embedded, 1 updated, 1 unchanged, 3 deleted, 0 errors; 3 items" in result.stdout


def test_a_saved_model_gives_what_the_run_gives(served, embedder, jpegs, monkeypatch):
    model = SavedModel(served / "1", batch_size=4)
    assert model.attributes == embedder.attributes
    np.testing.assert_allclose(model.embed_all(jpegs[:6]), embedder.embed_all(jpegs[:6]), atol=1e-4)
    assert model.embed_all([]).shape == (0, 2, embedder.dimension)
    with pytest.raises(InvalidInputError, match="photograph 5") as caught:
        model.embed_all([*jpegs[:5], b"<html>"])
    assert caught.value.position == 5
    attention, boxes = model.explain(jpegs[:6], "skirt length (cm)")
    expected, expected_boxes = embedder.explain(jpegs[:6], "skirt length (cm)")
    np.testing.assert_allclose(attention, expected, atol=1e-4)
    np.testing.assert_array_equal(boxes, expected_boxes)
    with pytest.raises(InvalidInputError, match="photograph 1"):
        model.explain([jpegs[0], b"<html>"], "color")
    for images, attribute, message in ((jpegs, "colour", "'color'"), ([], "color", "got none")):
        with pytest.raises(ValueError, match=message):
            model.explain(images, attribute)
    with pytest.raises(FileNotFoundError, match="asen-export wrote"):
        SavedModel(served)
    # Models without attention are exported without such signatures.
    monkeypatch.setattr(signatures, "explain", lambda attribute: f"none/{attribute}")
    with pytest.raises(NotImplementedError, match="no attention"):
        model.explain(jpegs[:1], "color")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give one of --saved_model, --workdir and --server"),
        (["--saved_model=a", "--server=b"], "give one of --saved_model, --workdir and --server"),
        (["--saved_model=nowhere"], "asen-export wrote"),
        (["--saved_model=a", "--root=nowhere"], "nowhere: no such folder"),
    ],
)
def test_wrong_use_is_explained(shop, arguments, message):
    result = run(shop, *arguments)
    assert result.returncode == 1 and message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
