"""`asen-search` with a photograph and an exported model; tests/cli/search_test.py has the rest."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from asen_tf.catalogue import Catalogue
from asen_tf.serving import SavedModel

pytest.importorskip("faiss")

ROOT = Path(__file__).parents[2]


def test_a_photograph_finds_itself(served, jpegs, tmp_path):
    ids = [f"{n}.jpg" for n in range(8)]
    model = SavedModel(served / "1")
    with Catalogue(f"faiss:{tmp_path}/store", model) as catalogue:
        catalogue.insert(ids, model.embed_all(jpegs[:8]))
        expected = catalogue.search(image=jpegs[5], weights={"color": 1}, k=3)
    query, output = tmp_path / "query.jpg", tmp_path / "found.json"
    query.write_bytes(jpegs[5])
    command = [
        *(sys.executable, "-m", "asen_tf.cli.search", f"--store=faiss:{tmp_path}/store"),
        *(f"--model={served}/1", f"--image={query}", f"--json={output}"),
        *("--weights=color=1", "--k=3"),
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    found = json.loads(output.read_text())
    assert [one["id"] for one in found] == [match.id for match in expected]
    assert found[0]["id"] == "5.jpg" and found[0]["score"] == pytest.approx(1, abs=1e-4)
