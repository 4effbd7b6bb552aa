"""`asen-search` with a photograph and an exported model; tests/cli/search_test.py has the rest."""

import csv
import json

import pytest

import asen_tf
from asen_tf.catalogue import Catalogue
from asen_tf.serving import SavedModel
from tests import image_text, programs

pytest.importorskip("faiss")


def test_a_photograph_finds_itself(served, jpegs, tmp_path):
    ids = [f"{n}.jpg" for n in range(8)]
    model = SavedModel(served / "1")
    with Catalogue(f"faiss:{tmp_path}/store", model) as catalogue:
        catalogue.insert(ids, model.embed_all(jpegs[:8]))
        expected = catalogue.search(image=jpegs[5], weights={"color": 1}, k=3)
    query, output = tmp_path / "query.jpg", tmp_path / "found.json"
    query.write_bytes(jpegs[5])
    asked = [f"--image={query}", "--weights=color=1", "--k=3", f"--json={output}"]
    where = f"--store=faiss:{tmp_path}/store", f"--model={served}/1"
    result = programs.run("search", *where, *asked)
    assert result.returncode == 0, result.stderr
    found = json.loads(output.read_text())
    assert [one["id"] for one in found] == [match.id for match in expected]
    assert found[0]["id"] == "5.jpg" and found[0]["score"] == pytest.approx(1, abs=1e-4)


def test_free_text_beside_the_attributes_of_a_run(served, jpegs, tmp_path):
    pytest.importorskip("ahocorasick")
    clip = image_text.preset("clip", tmp_path / "clip")
    with open(tmp_path / "manifest.csv", "w", newline="") as file:
        write = csv.writer(file).writerow
        write(("image", "color", "price"))
        for n in range(6):
            (tmp_path / f"{n}.jpg").write_bytes(jpegs[n])
            write((f"{n}.jpg", ("red", "green")[n % 2], n))
    output = tmp_path / "found.json"
    models = f"--store=faiss:{tmp_path}/store", f"--model={served}/1", f"--text_model={clip}"
    result = programs.run("index", *models, f"--manifest={tmp_path}/manifest.csv")
    assert result.returncode == 0, result.stderr
    asked = ["--text=flowing boho, red", "--weights=image_text=1", "--filter=price>0"]
    result = programs.run("search", *models, *asked, f"--json={output}")
    assert result.returncode == 0, result.stderr
    assert "understood: color=red, as free text 'flowing boho'" in result.stderr
    found = json.loads(output.read_text())
    assert {one["id"] for one in found} == {"2.jpg", "4.jpg"}
    model = asen_tf.load(clip)
    [text] = model.embed_text(["flowing boho"])
    for one in found:
        [[image]] = model.embed_all([jpegs[int(one["id"][0])]])
        assert one["cosines"]["image_text"] == pytest.approx(float(image @ text), abs=1e-4)
    assert found[0]["score"] >= found[1]["score"]
