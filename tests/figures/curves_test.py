"""Learning curves: the points given, the names beside them."""

import numpy as np
from PIL import Image

from asen_tf.figures import lines, save, style
from asen_tf.figures.curves import learning_curve

X = np.array([0.0, 10.0, 20.0])
RUNS = {"one": (X, np.array([50.0, 55.0, 60.0])), "two": (X, np.array([50.0, 54.0, 59.9]))}


def labels(figure):
    return {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}


def test_draws_the_points_given(tmp_path):
    figure = learning_curve(RUNS)
    one, two = figure.axes[0].lines
    np.testing.assert_array_equal(one.get_xydata(), np.stack(RUNS["one"], 1))
    np.testing.assert_array_equal(two.get_xydata(), np.stack(RUNS["two"], 1))
    assert one.get_color() != two.get_color()
    with Image.open(save(figure, tmp_path / "curve.png", 600)) as image:
        assert image.width == 600


def test_names_stand_at_the_ends_in_order_and_do_not_overlap():
    heights = labels(learning_curve(RUNS))
    assert list(heights) == ["one  60", "two  59.9"]
    one, two = heights.values()
    assert one - two >= lines.LINE_HEIGHT - 1e-9


def test_names_fit_on_the_page(tmp_path):
    figure = learning_curve({"a rather long name of a run " * 2: RUNS["one"]})
    image = np.asarray(Image.open(save(figure, tmp_path / "curve.png")))
    assert (image[:, -4:] == 255).all()


def test_spread_moves_a_crowd_around_its_middle_and_leaves_others_alone():
    spread = lines.spread_out(np.array([0.5, 0.9, 0.5]), 0.1)
    np.testing.assert_allclose(spread, [0.45, 0.9, 0.55])


def test_what_others_are_compared_with_is_grey_and_takes_no_colour():
    figure = lines.chart({"random": RUNS["two"], **RUNS}, "", "", quiet=("random",), least=0)
    random, one, two = figure.axes[0].lines
    assert random.get_color() == style.SHADE
    assert [one.get_color(), two.get_color()] == [*lines.COLORS[:2]]
    assert figure.axes[0].get_ylim()[0] == 0


def test_a_gap_at_the_end_is_not_the_last_value():
    figure = learning_curve({"one": (X, np.array([50.0, 51.0, np.nan]))})
    assert list(labels(figure)) == ["one  51"]
