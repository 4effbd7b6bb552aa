"""Functions for the evaluation, made of models."""

import numpy as np

from asen_tf.evaluation.embed import image_fn, peaks
from asen_tf.layers import PeakLocalization


def test_no_number_of_images_needs_a_graph_of_its_own():
    graphs = []
    load = image_fn(lambda rows: graphs.append(rows.shape) or rows)
    for count in (3, 5, 4, 6):
        assert len(load(np.arange(count))) == count
    assert len(graphs) == 2


def test_a_peak_is_the_middle_of_its_cell():
    attention = np.zeros((2, 4, 5))
    attention[0, 3, 1] = attention[1, 0, 4] = 1
    np.testing.assert_allclose(peaks(attention), [[0.3, 0.875], [0.9, 0.125]])


def test_the_pointing_game_and_the_localizer_agree_where_a_cell_lies():
    maps = np.random.default_rng(0).random((20, 7, 7), np.float32)
    middles = PeakLocalization(224, share=1 / 224)(maps).numpy()  # one pixel
    np.testing.assert_allclose(peaks(maps), middles[:, :2], atol=1 / 224)
