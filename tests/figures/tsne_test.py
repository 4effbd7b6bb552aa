"""Maps of an attribute's space: the right point, colour and photograph at the right place."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from asen_tf.figures import style
from asen_tf.figures.tsne import (
    TILES,
    EmbeddingMap,
    _tiled,
    embedding_map,
    embedding_maps,
    layout,
)

NAMES = ("round", "v_neck", "boat")
POINTS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 50.0], [10.0, 50.0]])
VALUES = np.array([0, 1, 1, 2])


SHOWN = EmbeddingMap(POINTS, VALUES, NAMES)


def dots(axes):
    """Places and colours of the points, without the key's."""
    (scatter,) = (c for c in axes.collections if len(c.get_offsets()) > 1)
    return np.asarray(scatter.get_offsets()), [to_hex(c) for c in scatter.get_facecolors()]


def test_dots_keep_their_sides_fill_the_box_and_have_their_values_colour():
    at, colors = dots(embedding_maps({"neck_line": SHOWN}).axes[0])
    (a, b, c, d), side = at, np.ptp(at[:, 0])
    assert a[0] == c[0] < b[0] == d[0]
    # The page's y axis points down.
    assert a[1] == b[1] > c[1] == d[1]
    assert np.ptp(at[:, 1]) == pytest.approx(side)
    assert colors == [style.CATEGORIES[value].lower() for value in VALUES]


def test_title_and_values_stand_in_words():
    words = [text.get_text() for text in embedding_maps({"neck_line": SHOWN}).axes[0].texts]
    assert words == ["neck line", "round", "v neck", "boat"]


def test_names_of_colours_are_shown_in_these_colours():
    assert style.value_colors(["red", "black", "patterned"])[:2] == ["red", "black"]
    assert style.value_colors(["lace", "black", "denim"])[1] == style.CATEGORIES[1]
    assert len(style.value_colors([str(n) for n in range(40)])) == 40


def test_many_values_are_summed_up_in_the_key():
    values = np.arange(30)
    points = np.random.default_rng(0).random((30, 2))
    figure = embedding_maps({"a": EmbeddingMap(points, values, [f"v{n}" for n in range(30)])})
    assert figure.axes[0].texts[-1].get_text() == "and 20 more"


def test_photographs_lie_at_the_tile_nearest_to_their_point():
    images = [np.full((30, 20, 3), 60 * n, np.uint8) for n in range(4)]
    axes = embedding_map("collar", SHOWN, images).axes[0]
    assert len(axes.images) == 4
    corners = {
        int(artist.get_array()[0, 0, 0]) // 60: np.mean(np.reshape(artist.get_extent(), (2, 2)), 1)
        for artist in axes.images
    }
    assert corners[0][0] == corners[2][0] < corners[1][0] == corners[3][0]
    assert corners[2][1] == corners[3][1] < corners[0][1] == corners[1][1]


def test_no_two_photographs_share_a_tile_and_crowds_are_cut():
    crowd = np.zeros((200, 2))
    crowd[0] = 1, 1
    tiles = _tiled(crowd)
    assert len(set(tiles.values())) == len(tiles) < 60
    assert tiles[0] == (TILES - 1, 0) and tiles[1] == (0, TILES - 1)


def groups(count, each):
    generator = np.random.default_rng(0)
    centres = generator.normal(size=(count, 16))
    points = np.repeat(centres, each, 0) + 0.1 * generator.normal(size=(count * each, 16))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def test_neighbours_stay_in_their_group():
    points = layout(groups(3, 20))
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_array_equal(distances.argmin(1) // 20, np.arange(60) // 20)


def test_the_same_seed_gives_the_same_plane():
    vectors = groups(2, 5)
    np.testing.assert_array_equal(layout(vectors), layout(vectors))


def test_as_few_as_four_points_and_no_fewer():
    assert np.isfinite(layout(groups(4, 1))).all()
    with pytest.raises(ValueError, match=r"at least 4 vectors as \[N, D\], received \[3, 16\]"):
        layout(groups(3, 1))
