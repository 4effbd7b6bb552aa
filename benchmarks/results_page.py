"""Writes the tables of docs/results.md, from published.csv and what is in benchmarks/results.

    python -m benchmarks.results_page

Each stands between two comments, `<!-- NAME -->` and `<!-- end -->`; the text around them is kept.
What is measured is in the files that asen-reproduce and asen-evaluate write, TABLE_DATA[_NOTE].json
and random_DATA.json; a new file of a table is a new column.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from asen_tf.reproduction import published
from asen_tf.reproduction.tables import (
    AS_IT_IS,
    BY_ATTRIBUTE,
    CHANGED,
    TABLES,
    TIP,
    Row,
)

ROOT = Path(__file__).parents[1]
PAGE, RESULTS = ROOT / "docs" / "results.md", ROOT / "benchmarks" / "results"

PHOTOGRAPHS = ("FashionAI", "DARN", "DeepFashion")  # of the tables of ASEN and ASEN++
AK = "ak2018_manipulation"
NOTHING = "-"


def page(text: str) -> str:
    """The page with its tables written anew."""

    def written(match: re.Match) -> str:
        name, *arguments = match[1].split()
        return f"<!-- {match[1]} -->\n\n{TABLE_OF[name](*arguments)}\n\n<!-- end -->"

    return re.sub(r"<!-- ([a-z].*?) -->\n.*?<!-- end -->", written, text, flags=re.DOTALL)


def random_row(data: str) -> str:
    """A random order by attribute: published, measured, and its expected value."""
    result = json.loads((RESULTS / f"random_{data.lower()}.json").read_text(encoding="utf-8"))
    printed = {
        attribute.lower().replace(" ", "_"): value
        for (_, attribute), value in published.figures(data, {TIP: "Random baseline"}).items()
    }
    rows = [*result["attributes"].items(), (published.OVERALL, result)]
    lines = []
    for name, found in rows:
        theirs, expected = printed[name], 100 * found["random_map"]
        title = "**all queries**" if name == published.OVERALL else name.replace("_", " ")
        cells = [found["queries"], f"{theirs:.2f}", f"{100 * found['map']:.2f}"]
        lines.append([title, *cells, f"{expected:.2f}", f"{round(theirs - expected, 2) + 0:+.2f}"])
    heading = [data, "queries", "published", "measured", "expected", "published - expected"]
    return _table([heading, *lines])


def overall(name: str) -> str:
    """Overall values of a table of ASEN or ASEN++: what is printed, and what was measured here."""
    table, files = TABLES[name], _results(name)
    heading = ["", *PHOTOGRAPHS, *(title for title, _ in files)]
    lines = []
    for row in table.rows:
        theirs = [_printed(row, data) for data in PHOTOGRAPHS]
        lines.append([row.name, *theirs, *(_measured(result, row) for _, result in files)])
    return _table([heading, *lines])


def manipulation() -> str:
    """Top-20 accuracy that Ak et al. print."""
    columns = {
        "as it is": (AS_IT_IS, published.OVERALL),
        "one change": (CHANGED, published.OVERALL),
    }
    for name in ("Pattern", "Collar", "Fastening", "Sleeve Length", "Color"):
        columns[f"change of {name.lower()}"] = (BY_ATTRIBUTE, name)
    lines = []
    for row in TABLES[AK].rows:
        figures = published.figures("Shopping100k", row.printed)
        if figures:
            shares = map(figures.get, columns.values())
            lines.append([row.name, *(NOTHING if n is None else f"{n:g}" for n in shares)])
    return _table([["", *columns], *lines])


def manipulation_here() -> str:
    """Top-20 and top-30 accuracy of the same rows on other data, a table a file."""
    tables = []
    for title, result in _results(AK):
        headings = [h for h in result["rows"][0]["mean"] if h.endswith(("top-20", "top-30"))]
        rows = [["", *(h.replace("_", " ") for h in headings)]]
        rows += [
            [row["name"], *(_mean(row, heading) for heading in headings)] for row in result["rows"]
        ]
        tables.append(f"{title}; searches: {result['searched']}.\n\n{_table(rows)}")
    return "\n\n".join(tables)


TABLE_OF: dict[str, Callable[..., str]] = {
    "random": random_row,
    "overall": overall,
    "manipulation": manipulation,
    "manipulation_here": manipulation_here,
}


def _results(table: str) -> list[tuple[str, dict]]:
    """(data and budget, what asen-reproduce wrote) for each file of a table."""
    found = []
    for file in sorted(RESULTS.glob(f"{table}_*.json")):
        result = json.loads(file.read_text(encoding="utf-8"))
        if result.get("table") != table:
            continue
        minutes = result["budget_minutes"]
        length = "own epochs" if minutes is None else f"{minutes:g} minutes"
        network = [change for change in result["changes"] if change.startswith("model.")]
        title = ", ".join([result["data"].replace("_", " "), length, *network])
        found.append((title, result))
    return found


def _printed(row: Row, data: str) -> str:
    figures = published.figures(data, row.printed)
    totals = {value for (_, attribute), value in figures.items() if attribute == published.OVERALL}
    return " or ".join(f"{value:.2f}" for value in sorted(totals)) or NOTHING


def _measured(result: dict, row: Row) -> str:
    for own in result["rows"]:
        if own["name"] == row.name:
            return _mean(own, [*own["mean"]][-1])
    return ""


def _mean(row: dict, heading: str) -> str:
    mean, deviation = row["mean"].get(heading), row["deviation"].get(heading)
    if mean is None:
        return ""
    return f"{100 * mean:.2f}" + (f" ± {100 * deviation:.2f}" if deviation else "")


def _table(rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    columns = lines[0].count("|") - 1
    return "\n".join([lines[0], "|---" + "|---:" * (columns - 1) + "|", *lines[1:]])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
