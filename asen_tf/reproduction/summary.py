"""Results of several seeds as one table: mean and deviation, published numbers beside."""

import statistics
from collections.abc import Mapping, Sequence

from asen_tf.core.choices import MANIPULATION, PROTOCOLS, SIMILARITY
from asen_tf.core.errors import unknown_name
from asen_tf.reproduction.tables import Table

RANDOM = "random"
_KINDS = {"direct": "as it is", "one_change": "one change", "two_changes": "two changes"}


def columns(result: dict, protocol: str, slice: str = "") -> dict[str, float]:
    """The numbers of one run that the table shows, heading -> share from 0 to 1.

    Args:
      result: what `asen-evaluate` wrote.
      protocol: of the table.
      slice: of the embedding, where the result has several; "": the whole one. "random" of a
        manipulation: what a random order scores.

    Raises:
      ValueError: an unknown protocol, or a slice that was not scored.
    """
    if protocol == MANIPULATION:
        accuracy = "random_top_accuracy" if slice == RANDOM else "top_accuracy"
        return {
            f"{heading}, top-{k}": result[kind][f"{accuracy}@{k}"]
            for kind, heading in _KINDS.items()
            if kind in result
            for k in result["ks"]
        }
    if protocol != SIMILARITY:
        raise ValueError(unknown_name("protocol", protocol, PROTOCOLS))
    if "variants" in result:
        slice = slice or next(iter(result["variants"]))
        if slice not in result["variants"]:
            raise ValueError(unknown_name("slice of a result", slice, result["variants"]))
        result = result["variants"][slice]
    numbers = {name: row["map"] for name, row in result["attributes"].items()}
    return numbers | {"all queries": result["map"]}


def summarize(table: Table, results: Mapping[str, Sequence[dict]]) -> list[dict]:
    """Mean and deviation of each row.

    Args:
      table: which rows, in which order.
      results: name of a row -> what `columns` gave for each seed; rows without one are left out.

    Returns:
      A dict a row: `name`, `note`, `seeds` (how many), `values` (heading -> a share a seed),
      `mean` and `deviation` (heading -> share; the sample deviation, None of a single seed), and
      `published` (data set -> overall value in percent).
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
                "published": {
                    d: of[row.name] for d, of in table.published.items() if row.name in of
                },
            }
        )
    return rows


def to_markdown(table: Table, rows: Sequence[dict], facts: Sequence[str]) -> str:
    """The table for people, in percent, of what `summarize` gave, and facts, a line each."""
    headings = list(rows[0]["mean"])
    cells = [["", *headings, *(f"published: {data}" for data in table.published)]]
    for row in rows:
        own = [_cell(row["mean"][h], row["deviation"][h]) for h in headings]
        published = [
            f"{row['published'][data]:.2f}" if data in row["published"] else ""
            for data in table.published
        ]
        cells.append([row["name"], *own, *published])
    lines = [f"| {' | '.join(line)} |" for line in cells]
    lines.insert(1, "|---" + "|---:" * (len(cells[0]) - 1) + "|")
    notes = [f"- {row['name']}: {row['note']}" for row in rows if row["note"]]
    differs = [f"- {fact}" for fact in (*facts, f"Published numbers. {table.source}")]
    blocks = [
        [f"# {table.title}"],
        ["In percent: mean ± deviation over the seeds."],
        lines,
        notes,
        ["What differs from the papers:"],
        differs,
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _cell(mean: float, deviation: float | None) -> str:
    return f"{100 * mean:.2f}" + ("" if deviation is None else f" ± {100 * deviation:.2f}")
