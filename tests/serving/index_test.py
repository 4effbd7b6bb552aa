"""`asen-index` with an exported model, here and at a server."""

import csv

import numpy as np
import pytest

import asen_tf
from asen_client.serving import signatures
from asen_tf.catalogue import Catalogue
from asen_tf.images import Boxed
from asen_tf.serving import SavedModel
from tests import programs

pytest.importorskip("faiss")


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
    where = [f"--manifest={shop}/catalogue.csv", f"--store=faiss:{shop}/store"]
    return programs.run("index", *where, *arguments)


def test_a_shop_is_indexed_and_kept_up_to_date(shop, served, workdir, embedder, jpegs):
    result = run(shop, f"--model={served}", "--batch_size=4")
    assert result.returncode == 1
    said = "error: 1 of 6 photographs failed; --max_failed=1 would accept that"
    assert result.stderr.splitlines()[-1] == said
    assert "5 embedded, 0 updated, 0 unchanged, 0 deleted, 1 errors; 5 items" in result.stdout
    assert "sku-4: " in result.stderr and "photograph 0" not in result.stderr
    with Catalogue(f"faiss:{shop}/store", embedder) as catalogue:
        names = [f"sku-{n}" for n in (0, 1, 2, 3, 5)]
        assert catalogue.ids() == names
        expected = embedder.embed_all([jpegs[n] for n in (0, 1, 2, 3, 5)])
        np.testing.assert_allclose(catalogue.engine.vectors(names), expected, atol=1e-4)
        assert catalogue.engine.records(["sku-1"])[0].labels == {"color": ["red", "green"]}
        metadata = catalogue.engine.records(["sku-1"])[0].metadata
        assert metadata == {"price": 1.5, "image": "1.jpg"}
        assert catalogue.ids("price<3 and not color=red") == ["sku-0", "sku-2"]
    (shop / "4.jpg").write_bytes(jpegs[4])
    # The run that the export was made of fits the store, too.
    write(shop, [(f"sku-{n}", f"{n}.jpg", "", 9.5 if n == 2 else n + 0.5) for n in (0, 2, 4)])
    result = run(shop, f"--model={workdir}", "--prune", "--max_pruned=1")
    assert "1 embedded, 1 updated, 1 unchanged, 3 deleted, 0 errors; 3 items" in result.stdout


def test_items_are_cut_to_their_boxes(shop, workdir, embedder, jpegs):
    (shop / "4.jpg").write_bytes(jpegs[4])
    boxes = [(5, 5, 25, 45), None, (10.5, 5, 30, 50), (0, 0, 999, 9), (0, 0, 9, 9), None]
    cells = ["" if box is None else " ".join(map(str, box)) for box in boxes]

    def write_boxes(cells):
        rows = [(f"sku-{n}", f"{n}.jpg", cell) for n, cell in enumerate(cells)]
        with open(shop / "catalogue.csv", "w", newline="") as file:
            csv.writer(file).writerows([("id", "image", "box"), *rows])

    write_boxes(cells)
    store = f"faiss:{shop}/store"
    found = asen_tf.index(embedder, shop / "catalogue.csv", store)
    assert found.embedded == 5 and list(found.problems) == ["sku-3"]
    assert "x2 999 lies" in found.problems["sku-3"]
    good = [0, 1, 2, 4, 5]
    names = [f"sku-{n}" for n in good]
    with Catalogue(store, embedder) as catalogue:
        expected = embedder.embed_all([jpegs[n] for n in good], [boxes[n] for n in good])
        np.testing.assert_allclose(catalogue.engine.vectors(names), expected, atol=1e-4)
        records = catalogue.engine.records(names)
        kept = [record.metadata.get("box") for record in records]
        assert kept == ["5 5 25 45", None, "10.5 5 30 50", "0 0 9 9", None]
        query = Boxed(jpegs[0], boxes[0])
        [first, *_] = catalogue.search(image=query, k=1)
        assert first.id == "sku-0" and first.score == pytest.approx(1, abs=1e-4)
    # A box that moved, one that went and one that came are embedded again.
    moved = ["5 5 25 46", "1 2 30 40", *cells[2:3], "", "", ""]
    with open(shop / "boxes.csv", "w", newline="") as file:
        rows = [(f"{n}.jpg", *cell.split()) for n, cell in enumerate(moved) if cell]
        csv.writer(file).writerows([("image", "x1", "y1", "x2", "y2"), *rows])
    write(shop, [(f"sku-{n}", f"{n}.jpg", "", 1) for n in range(6)])
    result = run(shop, f"--model={workdir}", f"--boxes={shop}/boxes.csv")
    assert "4 embedded, 2 updated, 0 unchanged" in result.stdout, result.stderr
    write_boxes(cells)
    result = run(shop, f"--model={workdir}", f"--boxes={shop}/boxes.csv")
    assert result.returncode == 1 and "boxes.csv and in the columns box" in result.stderr
    asked = [f"--image={shop}/0.jpg", "--box=5,5,25,46", "--k=1"]
    result = programs.run("search", f"--store={store}", f"--model={workdir}", *asked)
    assert "1.0000  sku-0" in result.stdout, result.stderr


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
    assert result.returncode in (1, 2) and message in result.stderr
    assert "Traceback" not in result.stderr
