import json
import os

import pytest

from asen_tf.evaluation.report import difference_line, localization_table, save, to_table


def result(shift=0.0):
    metrics = {"map": 0.5 + shift, "random_map": 0.25, "triplet_accuracy": None}
    metrics |= {"precision@1": 0.4, "precision@10": 1.0}
    attributes = {
        "collar": {"queries": 20, "candidates": 80, **metrics},
        "sleeve_length": {"queries": 100, "candidates": 1234, **metrics, "map": 0.6 + shift},
    }
    overall = {**metrics, **{f"{name}_macro": value for name, value in metrics.items()}}
    return {
        "split": "test",
        "queries": 120,
        **overall,
        "map": 0.5833 + shift,
        "map_macro": 0.55 + shift,
        "attributes": attributes,
        "skipped": [],
    }


def test_table_of_one_result():
    assert to_table({**result(), "skipped": ["color", "scarf"]}) == "\n".join(
        [
            "attribute       queries  candidates    MAP  random    P@1    P@10  triplets",
            "---------------------------------------------------------------------------",
            "collar               20          80  50.00   25.00  40.00  100.00         -",
            "sleeve_length       100        1234  60.00   25.00  40.00  100.00         -",
            "---------------------------------------------------------------------------",
            "all queries         120              58.33   25.00  40.00  100.00         -",
            "all attributes                       55.00   25.00  40.00  100.00         -",
            "not measured, as no query has candidates that share its value beside others that do "
            "not: color, scarf",
        ]
    )


def test_how_far_one_is_ahead():
    ahead = {"map": 0.0125, "standard_error": 0.005}
    made = {"variant": "both", "differences": {"linear": ahead}}
    line = "both - linear: +1.25 MAP, standard error 0.50"
    assert difference_line(made, "linear") == line
    ahead["map"] = 0.004
    assert difference_line(made, "linear").endswith("0.50: both is not better than linear")
    ahead |= {"map": -0.1, "standard_error": None}
    assert difference_line(made, "linear").startswith("both - linear: -10.00 MAP")
    assert difference_line(made, "linear").endswith(": both is not better than linear")


def test_variants_stand_side_by_side():
    variants = {"global": result(), "both": result(0.1)}
    lines = to_table({"variant": "both", **result(0.1), "variants": variants}).splitlines()
    assert lines[0].split() == [
        "attribute",
        "queries",
        "candidates",
        "random",
        "global",
        "MAP",
        "both",
        "MAP",
    ]
    assert lines[2].split() == ["collar", "20", "80", "25.00", "50.00", "60.00"]
    assert lines[-2].split() == ["all", "queries", "120", "25.00", "58.33", "68.33"]
    assert lines[-1].split() == ["all", "attributes", "25.00", "55.00", "65.00"]


def test_chosen_metrics():
    lines = to_table(result(), ["precision@10", "map"]).splitlines()
    assert lines[0].split() == ["attribute", "queries", "candidates", "P@10", "MAP"]
    with pytest.raises(ValueError, match=r"unknown metric 'mapp'. Did you mean 'map'"):
        to_table(result(), ["mapp"])


def test_localization_table():
    row = {"count": 3, "pointing_accuracy": 2 / 3, "mean_iou": 0.5}
    macro = {"pointing_accuracy_macro": 0.7, "mean_iou_macro": 0.25}
    lines = localization_table({**row, **macro, "attributes": {"collar": row}}).splitlines()
    assert [line.split() for line in lines if "--" not in line] == [
        ["attribute", "boxes", "pointing", "IoU"],
        ["collar", "3", "66.67", "50.00"],
        ["all", "boxes", "3", "66.67", "50.00"],
        ["all", "attributes", "70.00", "25.00"],
    ]


def test_save_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "runs" / "one" / "result.json"
    save({"map": 0.1, "note": "é"}, path)
    save(result(), path)
    assert json.loads(path.read_text(encoding="utf-8")) == result()
    assert os.listdir(path.parent) == ["result.json"]


def test_failed_save_keeps_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    save({"map": 0.1}, path)
    with pytest.raises(ValueError, match="JSON"):
        save({"map": float("nan")}, path)
    assert json.loads(path.read_text()) == {"map": 0.1}
    assert os.listdir(tmp_path) == ["result.json"]
