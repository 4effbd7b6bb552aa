"""Rankings before and after: photographs, marks and lines."""

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import PathPatch

from asen_tf.figures.cells import Cell
from asen_tf.figures.reranking import MOVED, Reranking, reranking_grid

COUNT = 5
AFTER = [4, 0, 2, 1, 3]


def ranking():
    found = [
        Cell(np.full((30, 20, 3), 40 * n, np.uint8), f"value {n}", n % 2 == 0) for n in range(COUNT)
    ]
    query = Cell(np.full((30, 20, 3), 250, np.uint8), "v")
    return Reranking(query, found, np.array(AFTER))


def rows(axes):
    """The photographs' grey levels, row by row, from left to right, without the query's."""
    cells = {}
    for artist in axes.images:
        left, _right, _bottom, top = artist.get_extent()
        cells.setdefault(round(top, 3), []).append((left, int(artist.get_array()[0, 0, 0])))
    return [[n for _, n in sorted(row) if n != 250] for _, row in sorted(cells.items())]


def test_photographs_stand_in_their_order_before_and_after():
    axes = reranking_grid([ranking()], "neck_line", shown=3).axes[0]
    assert rows(axes) == [[0, 40, 80], [160, 0, 80]]


def test_lines_lead_from_the_old_place_to_the_new_one():
    axes = reranking_grid([ranking()], "neck_line", shown=3).axes[0]
    columns = sorted({round(i.get_extent()[0], 3) for i in axes.images})[1:]
    lines = [p for p in axes.patches if isinstance(p, PathPatch)]
    assert all(line.get_edgecolor() == to_rgba(MOVED.color) for line in lines)
    ends = [line.get_path().vertices[[0, -1], 0] for line in lines]
    places = [tuple(np.searchsorted(columns, end) - 1) for end in ends]
    assert places == [(0, 1), (2, 2)]


def test_words_tell_the_orders_the_values_and_where_a_photograph_comes_from():
    figure = reranking_grid([ranking(), ranking()], "neck_line", shown=3)
    words = [text.get_text() for text in figure.axes[0].texts]
    own = words[: len(words) // 2]
    assert own[:5] == ["neck line", "v", "most alike over all attributes", "then by", "neck line"]
    assert own[5:] == [*(f"value {n}" for n in (0, 1, 2, 4)), "from 5", "value 0", "value 2"]
    assert words == own * 2


def test_fewer_results_than_places_are_fine():
    assert rows(reranking_grid([ranking()], "fit", shown=9).axes[0])[1] == [160, 0, 80, 40, 120]
