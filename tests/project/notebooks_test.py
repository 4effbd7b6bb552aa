"""The notebooks of examples/ run, and their outputs come from one run of all cells in order."""

import json

import pytest

NAMES = ("training", "search")  # the second goes on from the first


@pytest.fixture(scope="module")
def code_cells(root):
    found = {}
    for name in NAMES:
        cells = json.loads((root / f"examples/{name}.ipynb").read_text(encoding="utf-8"))["cells"]
        found[name] = [cell for cell in cells if cell["cell_type"] == "code"]
    return found


def test_every_notebook_is_tested(root):
    assert {path.stem for path in root.glob("examples/*.ipynb")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_those_of_one_run(name, code_cells):
    counts = [cell["execution_count"] for cell in code_cells[name]]
    assert counts == list(range(1, 1 + len(counts)))
    outputs = [output for cell in code_cells[name] for output in cell["outputs"]]
    assert "error" not in {output["output_type"] for output in outputs}
    assert [output for output in outputs if "image/png" in output.get("data", ())]


@pytest.mark.usefixtures("eagerly")
def test_they_run(code_cells, tmp_path, monkeypatch):
    pytest.importorskip("faiss")
    pytest.importorskip("ahocorasick")
    monkeypatch.chdir(tmp_path)
    for name, cells in code_cells.items():
        names = {"__name__": "__main__"}
        for cell in cells:
            place = f"{name} [{cell['execution_count']}]"
            exec(compile("".join(cell["source"]), place, "exec"), names)
    assert {match.labels["color"][0] for match in names["matches"]} <= {"red", "blue"}
