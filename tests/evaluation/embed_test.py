"""Functions for the evaluation, made of models."""

import numpy as np

from asen_tf.evaluation.embed import peaks, recognize_fn
from asen_tf.layers import PeakLocalization
from asen_tf.models import AMNet, TripletNet
from tests.networks import SMALLEST


def test_a_peak_is_the_middle_of_its_cell():
    attention = np.zeros((2, 4, 5))
    attention[0, 3, 1] = attention[1, 0, 4] = 1
    np.testing.assert_allclose(peaks(attention), [[0.3, 0.875], [0.9, 0.125]])


def test_the_pointing_game_and_the_localizer_agree_where_a_cell_lies():
    maps = np.random.default_rng(0).random((20, 7, 7), np.float32)
    middles = PeakLocalization(224, share=1 / 224)(maps).numpy()  # one pixel
    np.testing.assert_allclose(peaks(maps), middles[:, :2], atol=1 / 224)


def test_a_model_with_classes_recognises_values_and_another_does_not():
    model = AMNet((0, 3, 5), **SMALLEST)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    scores = recognize_fn(model)(images)
    vectors = model.embed(images, np.zeros((3, 1), np.int32))[:, 0]
    np.testing.assert_allclose(scores, model.logits(vectors), atol=1e-5)
    assert scores.shape == (3, 5)
    assert recognize_fn(TripletNet(2, **SMALLEST)) is None
