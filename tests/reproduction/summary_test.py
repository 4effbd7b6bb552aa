"""Tables from results: worked by hand."""

import json

import pytest

from asen_tf.reproduction.summary import columns, curves, summarize, to_markdown
from asen_tf.reproduction.tables import (
    BY_ATTRIBUTE,
    CHANGED,
    LOCALIZATION,
    MANIPULATION,
    SIMILARITY,
    Row,
    Table,
)

TABLE = Table(
    title="Two rows",
    protocol=SIMILARITY,
    rows=(
        Row("worse", note="why it is worse"),
        Row("missing"),
        Row("better", slice="both", printed={LOCALIZATION: "ASEN"}),
    ),
)


def result(**maps):
    attributes = {"collar": {"map": maps.pop("collar")}}
    return {"attributes": attributes, "map": maps.pop("overall"), **maps}


def test_the_columns_of_a_result_are_its_attributes_and_the_overall_map():
    assert columns(result(collar=0.2, overall=0.3), SIMILARITY) == {
        "collar": 0.2,
        "all queries": 0.3,
    }


def test_the_columns_of_fixed_triplets_are_shares_that_are_ordered_rightly():
    ordered = {"attributes": {"heel": {"triplets": 9, "triplet_accuracy": 0.8}}}
    found = columns({**ordered, "triplet_accuracy": 0.7}, SIMILARITY)
    assert found == {"heel": 0.8, "all triplets": 0.7}


def test_of_several_slices_the_first_counts_or_the_one_that_is_requested():
    several = {"variants": {p: result(collar=n, overall=n) for p, n in (("both", 1), ("local", 2))}}
    assert columns(several, SIMILARITY)["all queries"] == 1
    assert columns(several, SIMILARITY, "local")["all queries"] == 2
    with pytest.raises(ValueError, match="locl"):
        columns(several, SIMILARITY, "locl")


def test_with_values_is_what_is_embedded_also_where_they_count_for_nothing():
    both = {"both": result(collar=1, overall=1)}
    assert columns({"variants": both}, SIMILARITY, "all")["all queries"] == 1
    assert columns(result(collar=1, overall=1), SIMILARITY, "all")["all queries"] == 1
    several = {"variants": {"all": result(collar=3, overall=3), **both}}
    assert columns(several, SIMILARITY, "all")["all queries"] == 3
    assert columns(several, SIMILARITY)["all queries"] == 1


def test_the_columns_of_a_manipulation_are_its_kinds_and_cut_offs():
    found = {"top_accuracy@1": 0.1, "top_accuracy@20": 0.4, "measured": 7}
    one = {**found, "attributes": {"collar": found, "fit": {"measured": 0}}}
    nothing = {"top_accuracy@1": None, "top_accuracy@20": None, "measured": 0}
    manipulated = {"ks": [1, 20], "direct": found, "one_change": one, "two_changes": nothing}
    assert columns(manipulated, MANIPULATION) == {
        "as it is, top-1": 0.1,
        "as it is, top-20": 0.4,
        "one change, top-1": 0.1,
        "one change, top-20": 0.4,
        "change of collar, top-20": 0.4,
    }
    with pytest.raises(ValueError, match="more photographs, or --changes=every"):
        columns({"ks": [1, 20], "direct": nothing}, MANIPULATION)


def test_a_table_of_manipulations_has_table_2_and_the_curves_over_k():
    ours = {
        "as it is, top-1": 0.1,
        "as it is, top-20": 0.4,
        "one change, top-1": 0.2,
        "one change, top-20": 0.5,
        "change of Collar, top-20": 0.6,
    }
    table = Table("", MANIPULATION, (Row("ours", printed={BY_ATTRIBUTE: "Proposed"}),))
    rows = summarize(table, "shopping100k", {"ours": [ours]})
    lines = to_markdown(table, rows, []).splitlines()
    top = lines.index("Top-20:")
    assert lines[top + 2 : top + 5] == [
        "|  | as it is | one change | change of Collar |",
        "|---|---:|---:|---:|",
        "| ours | 40.00 | 50.00 | 60.00 (60.00) |",
    ]
    over = lines.index("Over k, one change:")
    assert lines[over + 2] == "|  | top-1 | top-20 |"
    assert lines[over + 4] == "| ours | 20.00 | 50.00 |"
    assert curves(rows) == {
        "as it is": {"ours": ([1, 20], [10, 40])},
        "one change": {"ours": ([1, 20], [20, 50])},
    }


def test_mean_and_sample_deviation_over_the_seeds_in_the_order_of_the_table():
    rows = summarize(
        TABLE,
        "fashionai",
        {
            "better": [{"skirt_length": 0.6, "all queries": 0.7}],
            "worse": [{"all queries": n} for n in (0.2, 0.4, 0.6)],
        },
    )
    assert [row["name"] for row in rows] == ["worse", "better"]
    worse, better = rows
    assert worse["mean"] == {"all queries": pytest.approx(0.4)}
    # Deviations from the mean -0.2, 0, 0.2: squares add up to 0.08, over two degrees of freedom.
    assert worse["deviation"] == {"all queries": pytest.approx(0.2)}
    assert worse["seeds"] == 3 and worse["published"] == {}
    assert better["deviation"] == {"skirt_length": None, "all queries": None}
    assert better["published"] == {"skirt_length": 66.34, "all queries": 64.31}
    json.dumps(rows)


def test_nothing_is_printed_for_a_data_set_that_the_papers_do_not_have():
    (row,) = summarize(TABLE, "synthetic", {"better": [{"all queries": 0.7}]})
    assert row["published"] == {}
    assert "brackets" not in to_markdown(TABLE, [row], [])


def test_figures_of_a_manipulation_stand_beside_the_change_that_they_are_of():
    printed = {CHANGED: "AMNET", BY_ATTRIBUTE: "AMNET"}
    table = Table("", MANIPULATION, (Row("AMNet", printed=printed),))
    ours = {
        "one change, top-1": 0.1,
        "one change, top-20": 0.3,
        "change of Sleeve_length, top-20": 0,
    }
    (row,) = summarize(table, "shopping100k", {"AMNet": [ours]})
    expected = {"one change, top-20": 45.8, "change of Sleeve_length, top-20": 37}
    assert row["published"] == expected


def test_the_markdown_has_published_numbers_beside_ours_and_says_what_differs():
    rows = summarize(
        TABLE,
        "fashionai",
        {"worse": [{"all queries": 0.2}, {"all queries": 0.4}], "better": [{"all queries": 0.7}]},
    )
    lines = to_markdown(TABLE, rows, ["Other data."]).splitlines()
    assert "| worse | 30.00 ± 14.14 |" in lines
    assert "| better | 70.00 (64.31) |" in lines
    assert "- worse: why it is worse" in lines and "- Other data." in lines
    assert any("in brackets what the papers print" in line for line in lines)
