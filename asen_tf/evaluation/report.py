"""Results for the eye and for the disk."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from asen_client.core.errors import unknown_name
from asen_tf.core import files
from asen_tf.evaluation.tasks import MEASURED_BY

LABELS = {"map": "MAP", "random_map": "random", "triplet_accuracy": "triplets"}
METRICS = ("map", "random_map", "precision", "triplet_accuracy")
VARIANT_METRICS = ("map",)


def tables(result: dict) -> str:
    """The tables of what `asen_tf.evaluate` gave, whichever protocol it was measured by."""
    if "special" in result:
        return manipulation_table(result)
    if "triplets" in result:
        return triplets_table(result)
    found = [to_table(result)]
    if "recognition" in result:
        found.append(recognition_table(result["recognition"]))
    if "localization" in result:
        found.append(localization_table(result["localization"]))
    return "\n\n".join(found)


def to_table(result: dict, metrics: Sequence[str] | None = None) -> str:
    """The result of `Evaluator.evaluate` as a table, metrics in percent.

    A row for each attribute, then the mean over all queries, then the mean over the attributes.
    Variants stand side by side.

    Args:
      result: what `evaluate` returned.
      metrics: names of metrics, such as "map" or "precision@10"; "precision" stands for all its
        cut-offs. Default: MAP, the random order's MAP, precision and triplet accuracy; with
        variants, the random order's MAP and each variant's MAP.

    Raises:
      ValueError: a metric that the result does not have.
    """
    table = _aligned(rows_of(result, metrics))
    if result["skipped"]:
        table += f"\nnot measured, as {MEASURED_BY}: {', '.join(result['skipped'])}"
    return table


def difference_line(result: dict, name: str) -> str:
    """How far a result is ahead of one of its variants, and whether that says anything."""
    ahead = result["differences"][name]
    mean, error = 100 * ahead["map"], 100 * (ahead["standard_error"] or 0)
    line = f"{result['variant']} - {name}: {mean:+.2f} MAP, standard error {error:.2f}"
    if mean > error:
        return line
    return f"{line}: {result['variant']} is not better than {name}"


def rows_of(result: dict, metrics: Sequence[str] | None = None) -> list[list[str]]:
    """The cells of `to_table`: the header, a row an attribute, and two rows of means."""
    for metric in metrics or ():
        if not _expanded(result, [metric]):
            raise ValueError(unknown_name("metric", metric, _metric_names(result)))
    rows = [["attribute", "queries", "candidates"]]
    rows += [
        [name, str(row["queries"]), str(row["candidates"])]
        for name, row in result["attributes"].items()
    ]
    rows += [["all queries", str(result["queries"]), ""], ["all attributes", "", ""]]
    columns = _columns(result, metrics)
    for weight in ("beta", "values"):
        if weight in result:
            its = (f"{result[weight][name]:g}" for name in result["attributes"])
            columns.append([weight, *its, "", ""])
    for column in columns:
        for row, cell in zip(rows, column, strict=True):
            row.append(cell)
    return rows


def recognition_table(result: dict) -> str:
    """The result of `evaluate_recognition` as a table, in percent."""
    return _aligned(recognition_rows(result), summary_rows=1)


def recognition_rows(result: dict) -> list[list[str]]:
    """The cells of `recognition_table`, as `rows_of` gives them but for one row of means."""
    columns = ("most_frequent", "accuracy", "macro_f1", "calibration_error")
    rows = [["attribute", "labelled", "most frequent", "accuracy", "macro F1", "calibration error"]]
    rows += [
        [name, str(row["count"]), *(_percent(row[column]) for column in columns)]
        for name, row in result["attributes"].items()
    ]
    means = ["-", *(_percent(result[column]) for column in columns[1:])]
    rows.append(["all attributes", str(result["count"]), *means])
    return rows


def localization_table(result: dict) -> str:
    """The result of `evaluate_localization` as a table, in percent."""
    return _aligned(localization_rows(result))


def localization_rows(result: dict) -> list[list[str]]:
    """The cells of `localization_table`, as `rows_of` gives them."""
    columns = ("pointing_accuracy", "mean_iou")
    rows = [["attribute", "boxes", "pointing", "IoU"]]
    rows += [
        [name, str(row["count"]), *(_percent(row[c]) for c in columns)]
        for name, row in result["attributes"].items()
    ]
    rows.append(["all boxes", str(result["count"]), *(_percent(result[c]) for c in columns)])
    rows.append(["all attributes", "", *(_percent(result[f"{c}_macro"]) for c in columns)])
    return rows


def manipulation_table(result: dict) -> str:
    """The result of `evaluate_manipulation` as a table, in percent.

    A row for each kind of search, and under one change for each attribute; the last column is
    what a random order scores with the largest cut-off.
    """
    ks, widest = result["ks"], max(result["ks"])
    columns = [*(f"top_accuracy@{k}" for k in ks), f"random_top_accuracy@{widest}"]
    rows = [["changed", "searches", "no target", *(f"top-{k}" for k in ks), f"random-{widest}"]]
    for kind, label in (("direct", "nothing"), ("one_change", "one"), ("two_changes", "two")):
        if kind not in result:
            continue
        found = result[kind]
        counts = [str(found["measured"]), str(found["without_target"])]
        rows.append([label, *counts, *(_percent(found[c]) for c in columns)])
        for name, own in found.get("attributes", {}).items():
            cells = [str(own["measured"]), "", *(_percent(own[c]) for c in columns)]
            rows.append([f"  {name}", *cells])
    table = _aligned(rows, summary_rows=0)
    return (
        f"{table}\n{result['items']} images labelled for {', '.join(result['special'])}; "
        f"{result['left_out']} left out. {result['queries']} queries, {result['gallery']} in the "
        f"gallery; changes: {result['changes']}"
    )


def triplets_table(result: dict) -> str:
    """The result of `evaluate_triplets` as a table, in percent; variants stand side by side."""
    return _aligned(triplets_rows(result))


def triplets_rows(result: dict) -> list[list[str]]:
    """The cells of `triplets_table`, as `rows_of` gives them."""
    variants = result["variants"]
    rows = [["attribute", "triplets", *variants]]
    rows += [[name, str(row["triplets"])] for name, row in result["attributes"].items()]
    rows += [["all triplets", str(result["triplets"])], ["all attributes", ""]]
    for found in variants.values():
        shares = [row["triplet_accuracy"] for row in found["attributes"].values()]
        shares += [found["triplet_accuracy"], found["triplet_accuracy_macro"]]
        for row, share in zip(rows[1:], shares, strict=True):
            row.append(_percent(share))
    return rows


def save(result: dict, path: str | os.PathLike) -> None:
    """Writes a result as JSON, whole or not at all; makes folders, replaces the file."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    files.write_text(path, text)


def _columns(result: dict, metrics: Sequence[str] | None) -> list[list[str]]:
    """Heading and cells of each metric of each variant."""
    if "variants" not in result:
        shown = [("", result, metrics or METRICS)]
    else:
        shown = [(name, v, metrics or VARIANT_METRICS) for name, v in result["variants"].items()]
        if metrics is None:
            shown.insert(0, ("", result, ["random_map"]))
    columns = []
    for variant, values, wanted in shown:
        for name in _expanded(values, wanted):
            numbers = [row[name] for row in values["attributes"].values()]
            numbers += [values[name], values[f"{name}_macro"]]
            heading = f"{variant} {_label(name)}".strip()
            columns.append([heading, *map(_percent, numbers)])
    return columns


def _metric_names(result: dict) -> list[str]:
    return [name for name in result if f"{name}_macro" in result]


def _expanded(result: dict, metrics: Sequence[str]) -> list[str]:
    """The result's names of these metrics: `precision` stands for `precision@1`, ..."""
    return [n for m in metrics for n in _metric_names(result) if m in (n, n.split("@")[0])]


def _label(metric: str) -> str:
    return LABELS.get(metric, metric.replace("precision@", "P@").replace("recall@", "R@"))


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _aligned(rows: Sequence[Sequence[str]], summary_rows: int = 2) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    rule = "-" * max(map(len, lines))
    if summary_rows:
        lines.insert(len(lines) - summary_rows, rule)
    lines.insert(1, rule)
    return "\n".join(lines)
