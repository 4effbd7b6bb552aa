"""A photograph cut to a box is what a slice of its pixels is, in every form and everywhere."""

import io
import math
from fractions import Fraction

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_client.images.boxes import inside, text, widened
from asen_tf import images
from asen_tf.images import Boxed, graph

HEIGHT, WIDTH = 60, 90
PIXELS = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def encoded(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("photographs") / "one.png"
    Image.fromarray(PIXELS).save(path)
    return path


FORMS = {
    "path": lambda path: path,
    "text": str,
    "bytes": lambda path: path.read_bytes(),
    "PIL": Image.open,
    "array": lambda path: images.read(path),
    # As a camera that was held upright stores it.
    "turned": lambda path: encoded(
        Image.open(path).transpose(Image.Transpose.ROTATE_90),
        exif=b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0",
    ),
}
# Box, margin -> rows and columns of the photograph.
CUTS = {
    "exact": ((10, 20, 50, 44), None, np.s_[20:44, 10:50]),
    "margin": ((10, 20, 50, 44), 0.25, np.s_[14:50, 0:60]),
    "at the edges": ((3, 2, 90, 60), 0.1, np.s_[0:60, 0:90]),
    "a little outside": ((-2, 20, 92, 62), 0, np.s_[20:60, 0:90]),
    "between pixels": ((10.4, 20.5, 50.6, 43.4), 0, np.s_[21:43, 10:51]),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cut", CUTS)
def test_every_form_and_reader_gives_the_slice(form, cut, path):
    box, margin, rows_and_columns = CUTS[cut]
    expected = PIXELS[rows_and_columns]
    photograph = Boxed(FORMS[form](path), box, margin)
    np.testing.assert_array_equal(images.read(photograph), expected)
    np.testing.assert_array_equal(graph.read(photograph), expected)
    np.testing.assert_array_equal(graph.decode_in_graph(images.for_graph(photograph)), expected)
    assert images.size_of(photograph) == expected.shape[:2]
    assert photograph.corner() == (rows_and_columns[1].start, rows_and_columns[0].start)
    small = images.read(photograph, longest=10)
    assert max(small.shape) == 10
    small = Image.open(io.BytesIO(images.thumbnail(photograph, 10)))
    assert max(small.size) == 10
    region = widened(box, margin or 0)
    np.testing.assert_array_equal(graph.cut(tf.constant(PIXELS), region), expected)
    if form == "text":
        square = graph.read_square(str(path), 16, "pad", region)
        np.testing.assert_array_equal(square, graph.to_square(expected, 16, "pad"))


def test_regions_of_random_boxes_are_the_exact_sums_rounded_and_cut_off():
    draw = np.random.default_rng(1)
    for _ in range(300):
        width, height = draw.integers(4, 400, 2).tolist()
        (left, right), (top, bottom) = (
            sorted(draw.choice(4 * side, 2, replace=False) / 4) for side in (width, height)
        )
        if right - left < 1 or bottom - top < 1:
            continue
        margin = draw.choice([0.0, 0.125, 0.5, 2.0])  # so that nothing is lost in a float
        found = Boxed("", (left, top, right, bottom), margin).region((height, width))
        across, down = (
            Fraction(margin) * Fraction(b - a) for a, b in ((left, right), (top, bottom))
        )
        sides = (left - across, top - down, right + across, bottom + down)
        rounded = [math.floor(Fraction(side) + Fraction(1, 2)) for side in sides]
        expected = np.clip(rounded, 0, (width, height) * 2).tolist()
        assert list(found) == expected and found[0] < found[2] and found[1] < found[3]


def test_regions_of_many_photographs_at_once():
    boxes = np.array([[10, 20, 50, 44], [np.nan] * 4, [3, 2, 90, 60]])
    regions = widened(boxes, 0.25)
    assert regions.dtype == np.int32 and regions[1].tolist() == [0, 0, 0, 0]
    assert inside(regions, [(60, 90), (40, 30), (60, 90)]).tolist() == [
        [0, 14, 60, 50],
        [0, 0, 30, 40],
        [0, 0, 90, 60],
    ]


def test_without_a_box_the_graph_cuts_nothing():
    np.testing.assert_array_equal(graph.cut(tf.constant(PIXELS), np.zeros(4, np.int32)), PIXELS)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 3), "four numbers, x1 y1 x2 y2, got"),
        (5, "four numbers"),
        ((1, 2, "wide", 4), "number of pixels as x2, got 'wide'"),
        ((1, 2, 30, math.inf), "number of pixels as y2, got inf"),
        ((30, 2, 10, 40), "x2 at least a pixel above x1, got x1 30 and x2 10"),
        ((10, 2, 30, 2.5), "y2 at least a pixel above y1, got y1 2 and y2 2.5"),
        ((-3, 2, 30, 40), "x1 -3 lies 3 pixels outside of the photograph"),
    ],
)
def test_what_is_no_box_is_explained(box, message):
    with pytest.raises(ValueError, match=message):
        Boxed(PIXELS, box)


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ((1, 2, 93, 40), "x2 93 lies 3 pixels outside of the photograph of 90 x 60"),
        ((1, 2, 9, 64.5), "y2 64.5 lies 4.5 pixels outside of the photograph of 90 x 60"),
        ((90, 2, 92, 40), "box 90 2 92 40 lies outside of the photograph of 90 x 60"),
    ],
)
def test_a_box_outside_of_the_photograph_is_refused(box, message):
    photograph = Boxed(PIXELS, box)
    for read in (images.read, images.size_of, images.for_graph, graph.read):
        with pytest.raises(ValueError, match=message):
            read(photograph)


def test_a_graph_refuses_what_nobody_checked():
    with pytest.raises(tf.errors.InvalidArgumentError, match="a box lies outside"):
        graph.cut(tf.constant(PIXELS), [200, 2, 300, 40])


def test_other_misuse():
    with pytest.raises(ValueError, match="box_margin must be a number from 0 up, got -0.1"):
        images.read(Boxed(PIXELS, (1, 2, 30, 40), -0.1))
    with pytest.raises(ValueError, match="has a box already"):
        Boxed(Boxed(PIXELS, (1, 2, 30, 40)), (1, 2, 30, 40))
    assert text((1.0, 2.5, 30.0, 40.0)) == "1 2.5 30 40"
