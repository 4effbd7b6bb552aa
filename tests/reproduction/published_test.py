"""The published numbers agree with the documents they are from, and with one another."""

import csv
from pathlib import Path

import pytest

from asen_tf.reproduction import published

ROOT = Path(__file__).parents[2]
PAPERS = ROOT.parent / "shared" / "papers"

# Queries of the test split's index files, in the order of the tables' columns.
QUERIES = {
    "FashionAI": (422, 623, 535, 422, 341, 289, 703, 265),
    "DARN": (476, 448, 491, 448, 463, 533, 509, 483, 442),
    "DeepFashion": (1008, 1483, 1097, 1022, 915),
}

# Rows of FashionAI whose printed total is another -> what their attributes give. The first prints
# their plain mean; the second another lapel design than the same row has in the comparison.
SLIPS = {
    ("asen_aaai2020_page:comparison", "ASEN"): 59.96,
    ("asenpp_tip2021_slides:ablation", "ASEN_g"): 60.52,
}


def rows():
    with open(ROOT / "asen_tf/reproduction/published.csv", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def systems():
    return sorted({(r["source"], r["data"], r["row"]) for r in rows() if r["data"] in QUERIES})


def test_every_row_has_one_figure_for_each_attribute():
    keys = [tuple(row.values())[:-1] for row in rows()]
    assert len(set(keys)) == len(keys) == 406
    assert list(rows()[0]) == ["source", "data", "row", "attribute", "value"]


@pytest.mark.parametrize(("source", "data", "row"), systems())
def test_the_total_is_the_mean_weighted_by_queries(source, data, row):
    *attributes, overall = published.figures(data, {source: row}).values()
    weights = QUERIES[data]
    mean = sum(w * v for w, v in zip(weights, attributes, strict=True)) / sum(weights)
    slip = SLIPS.get((source, row) if data == "FashionAI" else None)
    assert mean == pytest.approx(slip or overall, abs=0.03)
    assert not slip or abs(mean - overall) > 0.05


def test_figures_are_found_by_data_set_source_and_row():
    source = "asenpp_tip2021_slides:ablation"
    found = published.figures("fashionai", {source: "ASEN_g", "elsewhere": "ASEN"})
    assert found[source, "lapel design"] == 65.16 and found[source, "overall"] == 60.60
    assert published.figures("darn", {source: "ASEN_g"}) == {}
    assert published.figures("synthetic", {source: "ASEN_g"}) == {}


@pytest.mark.skipif(not PAPERS.is_dir(), reason=f"the documents are not in {PAPERS}")
def test_every_line_of_the_documents_tables_is_there():
    figures = {}
    for row in rows():
        key = row["source"].split(":")[0], row["source"], row["data"], row["row"]
        figures.setdefault(key, []).append(float(row["value"]))
    for document in ("asen_aaai2020_page", "asenpp_tip2021_slides"):
        text = (PAPERS / f"{document}.txt").read_text(encoding="utf-8")
        plain = text.replace("<b>", "").replace("</b>", "").replace("<u>", "").replace("</u>", "")
        lines = [line.split("\t")[1:] for line in plain.splitlines()]
        printed = [
            [float(cell) for cell in cells]
            for cells in lines
            if len(cells) > 4 and all(cell.replace(".", "").isdigit() for cell in cells)
        ]
        ours = [values for key, values in figures.items() if key[0] == document]
        assert sorted(printed) == sorted(ours)


def test_the_random_rows_of_the_results_are_the_published_ones():
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    source = {"asenpp_tip2021_slides:comparison": "Random baseline"}
    for data in QUERIES:
        _, _, table = text.partition(f"| {data} | queries")
        lines = table.partition("\n\n")[0].splitlines()[2:]
        cells = [[cell.strip(" *") for cell in line.split("|")[1:4]] for line in lines]
        shown = {name.replace("all queries", "overall"): float(of) for name, _, of in cells}
        assert shown == {a: v for (_, a), v in published.figures(data, source).items()}
        assert [int(n) for _, n, _ in cells[:-1]] == list(QUERIES[data])
