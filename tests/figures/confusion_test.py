"""Confusion matrices: the numbers given, where they belong."""

import numpy as np
import pytest
from PIL import Image

from asen_tf.figures import FIGURES, NothingToDraw, Source, save
from asen_tf.figures.confusion import CELL, confusion_grid
from asen_tf.models.recognition import ValueClassifiers

COUNTS = np.array([[5, 1, 0], [0, 3, 0], [2, 0, 40]])


def texts(figure):
    return {text.get_text(): text.get_position() for text in figure.axes[0].texts}


def test_a_number_for_each_pair_that_occurs(tmp_path):
    figure = confusion_grid(COUNTS, ["v", "o", "mandarin_collar"], "collar: accuracy 94 %")
    found = texts(figure)
    assert {"5", "1", "3", "2", "40", "collar: accuracy 94 %"} < set(found) and "0" not in found
    across, down = np.subtract(found["1"], found["5"]), np.subtract(found["2"], found["5"])
    np.testing.assert_allclose(across, [CELL, 0], atol=1e-6)
    np.testing.assert_allclose(down, [0, 2 * CELL], atol=1e-6)
    names = [text for text in figure.axes[0].texts if text.get_text() == "mandarin collar"]
    assert sorted(text.get_rotation() for text in names) == [0, 90]
    image = np.asarray(Image.open(save(figure, tmp_path / "confusion.png")))
    assert (image[-8:] == 255).all() and (image[:, -8:] == 255).all()
    # The last diagonal is the darkest: 40 of 42.
    assert image.min(2).min() < 60


def test_of_a_run(opened):
    run, embedder, manifest = opened
    source = Source(run, embedder, manifest, images=8)
    with pytest.raises(NothingToDraw, match="asen_tf.fit_recognition"):
        next(FIGURES["confusion"](source))
    model, space = embedder.model, manifest.space
    width = sum(model.slices.values())
    classifiers = np.zeros((width, 5), np.float32), np.float32([0, 9, 0, 0, 9])
    model.value_classifiers = ValueClassifiers(np.array(space.offsets), np.arange(2), *classifiers)
    try:
        color, side = FIGURES["confusion"](source)
    finally:
        model.value_classifiers = None
    assert (color.name, side.name) == ("confusion_color", "confusion_side")
    # All eight photographs are said to be of the second color, and on the right.
    for picture in (color, side):
        numbers = [text for text in picture.figure.axes[0].texts if text.get_text().isdecimal()]
        assert sum(int(text.get_text()) for text in numbers) == 8
        assert len({round(text.get_position()[0], 6) for text in numbers}) == 1
