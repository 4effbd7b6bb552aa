"""What is chosen of a run, and computed for several figures."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from asen_tf.data.manifest import GarmentBoxes
from asen_tf.figures import Source, attention


def test_vectors_are_the_embedders_and_alike_are_those_with_a_common_value(source):
    rows = source.rows
    assert rows.tolist() == source.manifest.rows("test").tolist()
    expected = source.embedder.embed(source.manifest.paths[rows[3:5]], "side")
    np.testing.assert_allclose(source.vectors[3:5, 1], expected, atol=1e-5)
    others = np.arange(12)
    colors = np.array([source.values(row, "color") for row in rows])
    for position in (0, 5):
        alike = source.alike("color", position, others)
        np.testing.assert_array_equal(alike, colors == colors[position])


def test_fewer_images_are_evenly_spread_and_said(opened, capsys):
    source = Source(*opened, images=4)
    assert source.rows.tolist() == [36, 39, 43, 47]
    assert "4 of 12 labelled images" in capsys.readouterr().err


def test_photographs_are_loaded_small_where_small_is_enough(source):
    row = source.rows[0]
    whole, small = source.pixels(row), source.pixels(row, 20)
    assert max(whole.shape) > 20 == max(small.shape)
    expected = Image.fromarray(whole).resize(small.shape[1::-1], Image.Resampling.LANCZOS)
    assert np.abs(small.astype(int) - np.asarray(expected)).mean() < 8


def test_photographs_are_shown_cut_to_their_boxes(opened):
    run, embedder, manifest = opened
    row = manifest.rows("test")[0]
    boxes = np.full((len(manifest), 4), np.nan)
    boxes[row] = (10, 5, 20, 25)
    parts = np.full((len(manifest), 2, 4), np.nan, np.float32)
    parts[row] = [(5, 10, 15, 20), (30, 30, 36, 40)]
    garments = GarmentBoxes(boxes, manifest.lines, "")
    cut = dataclasses.replace(manifest, garment_boxes=garments, boxes=parts)
    source = Source(run, embedder, cut, photographs=2)
    pixels = Source(*opened).pixels(row)[3:27, 9:21]  # a tenth around
    np.testing.assert_array_equal(source.pixels(row), pixels)
    # The first part lies half inside, the other one outside.
    np.testing.assert_array_equal(source.part_boxes(row), [(0, 7, 6, 17), [np.nan] * 4])
    assert np.isnan(source.part_boxes(row + 1)).all()
    assert Source(*opened).part_boxes(row) is None
    np.testing.assert_allclose(source.vectors[0], embedder.embed_all([pixels])[0], atol=1e-5)
    [picture] = attention.draw(source)
    assert picture.name == "attention"


def test_unknown_attributes_are_refused(opened):
    with pytest.raises(ValueError, match="Did you mean 'color'"):
        Source(*opened, attribute="colr")
