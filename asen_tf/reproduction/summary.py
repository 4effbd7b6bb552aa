"""Results of several seeds as one table: mean and deviation, published numbers beside."""

import re
import statistics
from collections.abc import Iterable, Mapping, Sequence

from asen_client.core.errors import unknown_name
from asen_tf.core.choices import MANIPULATION, PROTOCOLS, SIMILARITY, WITH_VALUES
from asen_tf.reproduction import published
from asen_tf.reproduction.tables import (
    AS_IT_IS,
    BY_ATTRIBUTE,
    CHANGED,
    Row,
    Table,
)

RANDOM = "random"
TOP = 20  # the k of Ak et al.'s table 2
_TOTAL, _TRIPLETS = "all queries", "all triplets"
_MEASURES = {_TOTAL: "MAP", _TRIPLETS: "Share of triplets in the right order"}
_KINDS = {"direct": "as it is", "one_change": "one change", "two_changes": "two changes"}
# The heading of a printed figure, where it is not its attribute.
_HEADINGS = {
    AS_IT_IS: "as it is, top-20",
    CHANGED: "one change, top-20",
    BY_ATTRIBUTE: "change of {}, top-20",
}


def columns(result: dict, protocol: str, slice: str = "") -> dict[str, float]:
    """The numbers of one run that the table shows, heading -> share from 0 to 1.

    Args:
      result: what `asen-evaluate` wrote.
      protocol: of the table.
      slice: of the embedding, where the result has several; "": all that losses have trained;
        "all": with values, where these validated better.

    Raises:
      ValueError: an unknown protocol, a slice that was not scored, or no search was measured.
    """
    if protocol == MANIPULATION:
        numbers = {
            f"{heading}, top-{k}": result[kind][f"top_accuracy@{k}"]
            for kind, heading in _KINDS.items()
            if kind in result and result[kind]["measured"]
            for k in result["ks"]
        }
        if not numbers:
            raise ValueError(
                "no query has a photograph with the labels that are searched for: take more "
                "photographs, or --changes=every"
            )
        k = TOP if TOP in result["ks"] else max(result["ks"])
        changed = result.get("one_change", {}).get("attributes", {})
        return numbers | {
            f"change of {attribute}, top-{k}": of[f"top_accuracy@{k}"]
            for attribute, of in changed.items()
            if of["measured"]
        }
    if protocol != SIMILARITY:
        raise ValueError(unknown_name("protocol", protocol, PROTOCOLS))
    if "variants" in result:
        if not slice or (slice == WITH_VALUES and slice not in result["variants"]):
            slice = next(name for name in result["variants"] if name != WITH_VALUES)
        if slice not in result["variants"]:
            raise ValueError(unknown_name("slice of a result", slice, result["variants"]))
        result = result["variants"][slice]
    score, total = ("map", _TOTAL) if "map" in result else ("triplet_accuracy", _TRIPLETS)
    numbers = {name: row[score] for name, row in result["attributes"].items()}
    return numbers | {total: result[score]}


def summarize(table: Table, data: str, results: Mapping[str, Sequence[dict]]) -> list[dict]:
    """Mean and deviation of each row.

    Args:
      table: which rows, in which order.
      data: the data set that they were measured on.
      results: name of a row -> what `columns` gave for each seed; rows without one are left out.

    Returns:
      A dict a row: `name`, `note`, `seeds` (how many), `values` (heading -> a share a seed),
      `mean` and `deviation` (heading -> share; the sample deviation, None of a single seed), and
      `published` (heading -> what is printed for this data set, in percent).
    """
    rows = []
    for row in table.rows:
        runs = results.get(row.name)
        if not runs:
            continue
        values = {heading: [run[heading] for run in runs] for heading in runs[0]}
        rows.append(
            {
                "name": row.name,
                "note": row.note,
                "seeds": len(runs),
                "values": values,
                "mean": {h: statistics.fmean(v) for h, v in values.items()},
                "deviation": {
                    h: statistics.stdev(v) if len(v) > 1 else None for h, v in values.items()
                },
                "published": _published(row, data, values),
            }
        )
    return rows


def to_markdown(table: Table, rows: Sequence[dict], facts: Sequence[str]) -> str:
    """The table for people, in percent, of what `summarize` gave, and facts, a line each."""
    headings = list(rows[0]["mean"])
    tables = [("", {heading: heading for heading in headings})]
    if table.protocol == MANIPULATION:
        tables = _by_cut_off(headings)
    notes = [f"- {row['name']}: {row['note']}" for row in rows if row["note"]]
    measure = _MEASURES.get(headings[-1], "Top-k accuracy")
    printed = "; in brackets what the papers print" if any(r["published"] for r in rows) else ""
    blocks = [
        [f"# {table.title}"],
        [f"{measure} in percent: mean ± deviation over the seeds{printed}."],
        *(part for title, shown in tables for part in ([title], _lines(rows, shown)) if any(part)),
        notes,
        ["What differs from the papers:"],
        [f"- {fact}" for fact in facts],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def curves(rows: Sequence[dict]) -> dict[str, dict[str, tuple[list[int], list[float]]]]:
    """Kind of search -> name of a row -> k and the mean top-k accuracy in percent (figure 6)."""
    kinds = _cut_offs(rows[0]["mean"]) if rows else {}
    return {
        kind: {
            row["name"]: (list(of_k), [100 * row["mean"][heading] for heading in of_k.values()])
            for row in rows
        }
        for kind, of_k in kinds.items()
        if len(of_k) > 1
    }


def _cut_offs(headings: Iterable[str]) -> dict[str, dict[int, str]]:
    """What is searched for -> k -> heading."""
    kinds: dict[str, dict[int, str]] = {}
    for heading in headings:
        kind, k = re.fullmatch(r"(.+), top-(\d+)", heading).groups()
        kinds.setdefault(kind, {})[int(k)] = heading
    return kinds


def _by_cut_off(headings: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Tables, each a title and heading -> column: one of all searches, one of each kind's curve."""
    kinds = _cut_offs(headings)
    common = set.intersection(*(set(of_k) for of_k in kinds.values()))
    top = TOP if TOP in common else max(common)
    found = [(f"Top-{top}:", {of_k[top]: kind for kind, of_k in kinds.items()})]
    for kind, of_k in kinds.items():
        if len(of_k) > 1:
            found.append((f"Over k, {kind}:", {h: f"top-{k}" for k, h in of_k.items()}))
    return found


def _lines(rows: Sequence[dict], columns: Mapping[str, str]) -> list[str]:
    """A table: a line a row, a column for each of these headings."""
    cells = [["", *columns.values()]]
    for row in rows:
        cells.append([row["name"], *(_cell(row, heading) for heading in columns)])
    lines = [f"| {' | '.join(line)} |" for line in cells]
    return [lines[0], "|---" + "|---:" * len(columns) + "|", *lines[1:]]


def _published(row: Row, data: str, headings: Iterable[str]) -> dict[str, float]:
    found = {}
    for (source, attribute), figure in published.figures(data, row.printed).items():
        shown = _TOTAL if attribute == published.OVERALL else attribute
        found[_plain(_HEADINGS.get(source, "{}").format(shown))] = figure
    return {h: found[_plain(h)] for h in headings if _plain(h) in found}


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _cell(row: dict, heading: str) -> str:
    mean, deviation = row["mean"][heading], row["deviation"][heading]
    own = f"{100 * mean:.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")
    printed = row["published"].get(heading)
    return own if printed is None else f"{own} ({printed:.2f})"
