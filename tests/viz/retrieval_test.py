"""Retrieval grids: the right marks at the right cells."""

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from asen_tf.viz import retrieval, retrieval_grid, save

CORRECT = np.array([[True, False, True], [False, True, False]])
# Unlike the colours of the frames, so that a cell can be told by its photograph.
QUERY, RESULT = (40, 60, 220), (200, 40, 200)


def plain(color, height=150, width=100):
    return np.full((height, width, 3), color, np.uint8)


def page(correct=CORRECT, **given):
    queries, k = correct.shape
    return retrieval_grid(
        [plain(QUERY)] * queries, [[plain(RESULT)] * k] * queries, correct, "collar_type", **given
    )


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
    right, wrong = near(image, retrieval.RIGHT.color), near(image, retrieval.WRONG.color)
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
    drawn = near(image, retrieval.RIGHT.color) | near(image, retrieval.WRONG.color)
    share = []
    for n, (left, top, _, bottom) in enumerate(cells(figure, image)):
        if n % 4:
            share.append(drawn[top + 5 : bottom - 5, left - 4 : left + 4].any(1).mean())
    right, wrong = np.array(share)[CORRECT.ravel()], np.array(share)[~CORRECT.ravel()]
    assert right.min() > 0.99
    assert wrong.max() < 0.9


def test_captions_are_the_attribute_the_ranks_the_values_and_the_scores():
    figure = page(
        query_values=["round", "peter pan"],
        result_values=[["round", "none", "round"], ["none", None, "round"]],
        scores=np.array([[0.91, 0.5, 0.25], [0.7, -0.123, -1.0]]),
    )
    found = [text.get_text() for text in figure.axes[0].texts]
    assert found[:4] == ["collar type", "1", "2", "3"]
    assert found[4:11] == ["round", "round", "0.91", "none", "0.50", "round", "0.25"]
    assert found[11:] == ["peter pan", "none", "0.70", "-0.12", "round", "-1.00"]


def test_photographs_keep_their_proportions_and_their_centred_square():
    sizes = [(400, 266), (290, 400), (300, 300), (640, 60)]
    images = [plain(RESULT, *size) for size in sizes]
    figure = retrieval_grid(images[:1], [images[1:]], np.ones((1, 3), bool), "color")
    axes = figure.axes[0]
    for artist, (height, width) in zip(axes.images, sizes, strict=True):
        left, right, bottom, top = artist.get_extent()
        assert (bottom - top) / (right - left) == pytest.approx(height / width)
        shown = axes.transData.inverted().transform(artist.get_clip_box().corners())
        side = min(right - left, bottom - top)
        assert (np.ptp(shown, axis=0) >= side - 1e-6).all()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"correct": CORRECT.astype(int)}, "bool"),
        ({"correct": CORRECT[0]}, r"\[3\]"),
        ({"correct": CORRECT[:1]}, "query_images of length 1"),
        ({"correct": CORRECT[:, :2]}, "each row of result_images of length 2"),
        ({"scores": np.zeros((2, 4))}, "each row of scores of length 3"),
        ({"query_values": ["a"]}, "query_values of length 2"),
        ({"query_images": [plain(QUERY).astype(float)] * 2}, "uint8"),
    ],
)
def test_bad_input_is_refused(changed, message):
    given = {
        "query_images": [plain(QUERY)] * 2,
        "result_images": [[plain(RESULT)] * 3] * 2,
        "correct": CORRECT,
        "attribute": "collar",
    }
    with pytest.raises(ValueError, match=message):
        retrieval_grid(**(given | changed))


@pytest.mark.parametrize(
    ("suffix", "kind"), [("png", "PNG"), ("JPG", "JPEG"), ("jpeg", "JPEG"), ("webp", "WEBP")]
)
@pytest.mark.parametrize("width", [2, 333, 800])
def test_saved_pictures_open_again_at_the_width_asked_for(suffix, kind, width, tmp_path):
    path = save(page(CORRECT[:1, :1]), tmp_path / "new" / "folder" / f"page.{suffix}", width)
    with Image.open(path) as image:
        assert (image.format, image.width) == (kind, width)


def test_the_same_input_gives_the_same_bytes_without_a_date_and_at_any_resolution(tmp_path):
    figure = page()
    dpi, canvas = figure.dpi, figure.canvas
    first = save(figure, tmp_path / "first.png").read_bytes()
    save(figure, tmp_path / "between.png", 200)
    assert save(figure, tmp_path / "again.png").read_bytes() == first
    assert (figure.dpi, figure.canvas) == (dpi, canvas)
    assert save(page(), tmp_path / "other.png").read_bytes() == first
    assert not Image.open(io.BytesIO(first)).info


def test_save_refuses_other_suffixes_and_widths(tmp_path):
    with pytest.raises(ValueError, match=r"\.png"):
        save(page(), tmp_path / "page.bmp")
    with pytest.raises(ValueError, match="received 0"):
        save(page(), tmp_path / "page.png", 0)
