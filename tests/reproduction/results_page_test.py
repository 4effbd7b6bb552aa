"""The tables of docs/results.md are those that published.csv and the measured results give."""

from benchmarks import results_page


def test_the_page_is_up_to_date():
    text = results_page.PAGE.read_text(encoding="utf-8")
    assert results_page.page(text) == text, "write it anew: python -m benchmarks.results_page"


def test_a_table_holds_what_is_printed_and_what_is_measured(monkeypatch):
    row = {"name": "CSN", "mean": {"collar": 0.1, "all queries": 0.25}, "deviation": {}}
    result = {"data": "own_shop", "budget_minutes": 3.0, "rows": [row]}
    monkeypatch.setattr(results_page, "_results", lambda table: [("own shop", result)])
    lines = results_page.page(
        "a\n<!-- overall asen_baselines -->\nold\n<!-- end -->\nb"
    ).splitlines()
    assert lines[0] == "a" and lines[-1] == "b" and "old" not in lines
    assert "|  | FashionAI | DARN | DeepFashion | own shop |" in lines
    assert "| CSN | 53.52 | 50.86 | 8.01 | 25.00 |" in lines
    assert "| triplet network | 38.52 | 40.14 | 7.36 |  |" in lines
