"""`asen-search` with a photograph and an exported model; tests/cli/search_test.py has the rest."""

import json

import pytest

from asen_tf.catalogue import Catalogue
from asen_tf.serving import SavedModel
from tests import programs

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
