"""The numbers that the papers print, from published.csv: in percent, those of labels counts."""

import csv
import functools
from collections.abc import Mapping
from importlib import resources

OVERALL = "overall"  # the attribute of a total


def figures(data: str, printed: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """What is printed for a row on one data set.

    Args:
      data: the data set, in letters of any case.
      printed: a source of published.csv, DOCUMENT:TABLE -> what the row is called there.

    Returns:
      (source, attribute) -> figure.
    """
    return {
        (row["source"], row["attribute"]): float(row["value"])
        for row in _rows()
        if row["data"].lower() == data.lower() and printed.get(row["source"]) == row["row"]
    }


@functools.cache
def _rows() -> tuple[dict[str, str], ...]:
    file = resources.files("asen_tf.reproduction") / "published.csv"
    return tuple(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
