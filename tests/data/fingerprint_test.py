"""32-table-changed-under-a-run."""

import pytest

from asen_tf.core.config import defaults
from asen_tf.data import formats
from asen_tf.data.fingerprint import changes, fingerprint

HEADER = "image,split,role,color,neck"
ROWS = ["a.jpg,train,,red,v", "b.jpg,train,,blue,v", "c.jpg,test,query,red,", "d.jpg,test,,red,v"]


def of(root, rows, header=HEADER):
    (root / "manifest.csv").write_text("\n".join([header, *rows]))
    options = defaults().data
    options.root = str(root)
    return fingerprint(formats.read(options)[0])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS, None),
        ([row.replace("red", "blue") for row in ROWS], "3 of 4 rows"),
        ([row.replace("b.jpg,train", "b.jpg,valid") for row in ROWS], "1 of 4 rows"),
        ([row.replace("query", "candidate") for row in ROWS], "1 of 4 rows"),
        ([*ROWS, "e.jpg,train,,red,v"], "1 of 5 rows"),
        (ROWS[:3], "1 of 3 rows"),
        ([ROWS[0], *ROWS[:3]], "1 of 4 rows"),
        (ROWS[::-1], "its rows stand in another order"),
    ],
)
def test_what_changed_is_counted(rows, said, tmp_path):
    assert changes(of(tmp_path, ROWS), of(tmp_path, rows)) == said


def test_the_order_of_columns_is_no_change(tmp_path):
    swapped = [",".join((*row.split(",")[:3], *row.split(",")[:2:-1])) for row in ROWS]
    before = of(tmp_path, ROWS)
    assert changes(before, of(tmp_path, swapped, "image,split,role,neck,color")) is None


def test_boxes_count(tmp_path):
    header = f"{HEADER},box"
    before = of(tmp_path, [f"{row},1 2 8 9" for row in ROWS], header)
    now = of(tmp_path, [f"{row},1 2 8 {8 + ('a.jpg' in row)}" for row in ROWS], header)
    assert changes(before, now) == "3 of 4 rows"
