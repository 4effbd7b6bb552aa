"""Retrieval grids: the right marks at the right cells."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from asen_tf.figures import cells as marks
from asen_tf.figures import save
from asen_tf.figures.cells import Cell
from asen_tf.figures.retrieval import retrieval_grid

CORRECT = np.array([[True, False, True], [False, True, False]])
# Unlike the colours of the frames, so that a cell can be told by its photograph.
QUERY, RESULT = (40, 60, 220), (200, 40, 200)


def plain(color, height=150, width=100):
    return np.full((height, width, 3), color, np.uint8)


def page(correct=CORRECT):
    rows = [
        [Cell(plain(QUERY), None), *(Cell(plain(RESULT), None, bool(c)) for c in line)]
        for line in correct
    ]
    return retrieval_grid("collar_type", rows)


def pixels(figure, tmp_path):
    return np.asarray(Image.open(save(figure, tmp_path / "page.png", 800)).convert("RGB"))


def near(image, color):
    return np.abs(image.astype(int) - np.rint(255 * np.array(to_rgb(color)))).max(-1) <= 12


def cells(figure, image):
    """Pixel rectangles of the photographs, in the order they were drawn, row by row."""
    scale = image.shape[1] / figure.get_figwidth()
    for artist in figure.axes[0].images:
        box = artist.get_clip_box()
        corners = figure.axes[0].transData.inverted().transform(box.corners()) * scale
        (left, top), (right, bottom) = corners.min(0), corners.max(0)
        yield tuple(round(n) for n in (left, top, right, bottom))


def test_right_and_wrong_results_have_frames_of_different_colours(tmp_path):
    figure = page()
    image = pixels(figure, tmp_path)
    right, wrong = near(image, marks.RIGHT.color), near(image, marks.WRONG.color)
    verdicts = iter(CORRECT.ravel())
    for n, (left, top, r, bottom) in enumerate(cells(figure, image)):
        middle = np.s_[(top + bottom) // 2 - 40 : (top + bottom) // 2 + 40, left - 4 : left + 4]
        found = right[middle].any(), wrong[middle].any()
        if n % 4 == 0:
            assert found == (False, False)
            assert tuple(image[(top + bottom) // 2, (left + r) // 2]) == QUERY
        else:
            verdict = next(verdicts)
            assert found == (verdict, not verdict)
            assert tuple(image[(top + bottom) // 2, (left + r) // 2]) == RESULT


def test_frames_differ_without_colour_too(tmp_path):
    figure = page()
    image = pixels(figure, tmp_path)
    drawn = near(image, marks.RIGHT.color) | near(image, marks.WRONG.color)
    share = []
    for n, (left, top, _, bottom) in enumerate(cells(figure, image)):
        if n % 4:
            share.append(drawn[top + 5 : bottom - 5, left - 4 : left + 4].any(1).mean())
    right, wrong = np.array(share)[CORRECT.ravel()], np.array(share)[~CORRECT.ravel()]
    assert right.min() > 0.99
    assert wrong.max() < 0.9


def test_captions_are_the_attribute_the_ranks_the_values_and_the_scores():
    image = plain(RESULT)
    results = [("round", True, "0.91"), (None, False, "0.50"), ("none", False, "")]
    row = [Cell(image, "peter pan"), *(Cell(image, *said) for said in results)]
    found = [text.get_text() for text in retrieval_grid("collar_type", [row]).axes[0].texts]
    assert found[:4] == ["collar type", "1", "2", "3"]
    assert found[4:] == ["peter pan", "round", "0.91", "0.50", "none"]


def test_photographs_keep_their_proportions_and_their_centred_square():
    sizes = [(400, 266), (290, 400), (300, 300), (640, 60)]
    query, *results = [plain(RESULT, *size) for size in sizes]
    row = [Cell(query, None), *(Cell(image, None, True) for image in results)]
    figure = retrieval_grid("color", [row])
    axes = figure.axes[0]
    for artist, (height, width) in zip(axes.images, sizes, strict=True):
        left, right, bottom, top = artist.get_extent()
        assert (bottom - top) / (right - left) == pytest.approx(height / width)
        shown = axes.transData.inverted().transform(artist.get_clip_box().corners())
        side = min(right - left, bottom - top)
        assert (np.ptp(shown, axis=0) >= side - 1e-6).all()
