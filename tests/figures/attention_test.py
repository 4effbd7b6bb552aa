"""What a grid of attention maps holds."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from asen_tf.figures import save
from asen_tf.figures.attention import PART, REGION, attention_grid

GREY = 90
WHITE = (255, 255, 255)
LANDSCAPE, PORTRAIT = (120, 200), (210, 140)


def photograph(height, width):
    return np.full((height, width, 3), GREY, np.uint8)


def hot_cell(row, column, size=5):
    heat = np.zeros((size, size), np.float32)
    heat[row, column] = 3.0
    return heat


def grid(sizes, attributes, **given):
    images = [photograph(*size) for size in sizes]
    return attention_grid(
        images, attributes, [[hot_cell(2, 2)] * len(attributes) for _ in sizes], **given
    )


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


@pytest.mark.parametrize("count", [1, 4, 10])
def test_grid_takes_one_to_ten_attributes_and_photographs_of_any_size(count, tmp_path):
    names = [f"attribute_{n}" for n in range(count)]
    figure = grid([LANDSCAPE, PORTRAIT, (900, 100), (30, 700)], names)
    assert texts(figure)[:count] == [name.replace("_", " ") for name in names]
    assert save(figure, tmp_path / "grid.png", 400).exists()


def test_captions_are_written_only_where_known():
    figure = grid([LANDSCAPE] * 2, ["collar", "color"], labels=[["shirt", None], ["", "red"]])
    assert [t for t in texts(figure) if t in ("shirt", "red", "None")] == ["shirt", "red"]


def test_boxes_of_a_grid_lie_in_their_cells_at_their_place():
    region, part = (40, 0, 160, 120), (100, 60, 130, 90)
    unknown = [np.nan] * 4
    figure = grid(
        [LANDSCAPE], ["collar", "color"], boxes=[[region, None]], part_boxes=[[unknown, part]]
    )
    axes = figure.axes[0]
    cells = [image.get_extent() for image in axes.images[:3]]
    drawn = {
        color: [
            p.get_bbox().padded(p.get_linewidth() / 72 / 2)
            for p in axes.patches
            if p.get_edgecolor()[:3] == to_rgb(color)
        ]
        for color in (REGION.color, PART.color)
    }
    for color, box, cell in (
        (REGION.color, region, cells[1]),
        (PART.color, part, cells[2]),
    ):
        first, _legend = drawn[color]
        left, right, bottom, top = cell
        scale = (right - left) / 200
        found = (first.x0 - left, first.y0 - top, first.x1 - left, first.y1 - top)
        np.testing.assert_allclose(np.array(found) / scale, box, atol=1e-6)
        assert (bottom - top) / scale == pytest.approx(120)


def test_legend_names_only_what_is_drawn():
    assert not any("part" in text for text in texts(grid([LANDSCAPE], ["collar"])))
    with_parts = grid([LANDSCAPE], ["collar"], part_boxes=[[(1, 1, 9, 9)]])
    assert any("part" in text for text in texts(with_parts))


def test_legend_fits_on_the_narrowest_page(tmp_path):
    boxes = [[(1, 1, 9, 9)]]
    figure = grid([LANDSCAPE], ["collar"], boxes=boxes, part_boxes=boxes)
    image = np.asarray(Image.open(save(figure, tmp_path / "grid.png")))
    assert (image[:, -8:] == WHITE).all()


def test_large_photographs_are_reduced_before_they_are_drawn():
    figure = grid([(3000, 2000)], ["collar"], boxes=[[(0, 500, 2000, 2500)]])
    assert all(max(image.get_array().shape) <= 640 for image in figure.axes[0].images)


def test_grid_refuses_tables_of_another_size():
    with pytest.raises(ValueError, match="labels with 1 rows"):
        grid([LANDSCAPE], ["collar", "color"], labels=[["a"]])
    with pytest.raises(ValueError, match="received 0 and 1"):
        grid([], ["collar"])
