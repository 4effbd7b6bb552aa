"""The score that chooses the best checkpoint."""

import functools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from asen_client.core.attributes import AttributeSpace
from asen_tf.core import config as configs
from asen_tf.data.manifest import CANDIDATE, LABEL, NO_ROLE, QUERY, Manifest, sort_labels
from asen_tf.training.validation import Validation, sampled

VALID = 1
# A lace query; candidates in lace, in denim that has lace besides, and in denim alone.
LABELS = [(0, 0, 0, QUERY), (1, 0, 0, CANDIDATE), (2, 0, 1, CANDIDATE), (2, 0, 0, NO_ROLE)]
LABELS += [(3, 0, 1, CANDIDATE)]


class NearestLast:
    """Embeds image n as a vector that looks more like the first one the larger n is."""

    def embed(self, images, attributes, parts):
        towards = tf.cast(images[:, 0, 0, :1], tf.float32) / 2
        towards = tf.where(towards == 0, 1.0, towards)
        vectors = tf.concat([towards, 1 - towards], -1)
        return tf.tile(vectors[:, None], (1, tf.shape(attributes)[1], 1))


def manifest(split=VALID):
    return Manifest(
        root=Path("nowhere"),
        space=AttributeSpace({"fabric": ("lace", "denim")}),
        images=np.array(["a.jpg", "b.jpg", "c.jpg", "d.jpg"]),
        splits=np.full(4, split, np.int8),
        labels=sort_labels(np.array(LABELS, LABEL)),
        lines=np.arange(4, dtype=np.int32),
        source="made-up.csv",
    )


def validation(relevance, split=VALID):
    config = configs.defaults()
    config.eval.relevance = relevance

    def load_images(rows):
        return tf.cast(rows, tf.uint8)[:, None, None, None]

    made = Validation(config, manifest(split), NearestLast())
    return functools.partial(made, load_images=load_images)


# The last image ranks first, then the one that is relevant only if what it wears besides counts.
@pytest.mark.parametrize(
    ("relevance", "score"), [("official", 1 / 3), ("multi_label", (1 / 2 + 2 / 3) / 2)]
)
def test_it_scores_by_the_configured_relevance(relevance, score):
    assert validation(relevance)(("global_branch",)) == pytest.approx(score)


def test_an_unknown_relevance_is_found_before_training():
    with pytest.raises(ValueError, match="unknown relevance 'multi'"):
        validation("multi")


def test_a_sample_of_the_validation_split_keeps_all_others():
    whole = manifest()
    whole.splits[0] = 0
    few = sampled(whole, 2)
    assert few.images[few.splits == 0].tolist() == ["a.jpg"]
    left = few.images[few.splits == VALID].tolist()
    assert len(left) == 2 and set(left) < {"b.jpg", "c.jpg", "d.jpg"}
    for label in few.labels:
        row = "abcd".index(few.images[label["image"]][0])
        assert (row, 0, label["value"], label["role"]) in LABELS
    assert sampled(whole, 2).images.tolist() == few.images.tolist()
    assert sampled(whole, 0) is sampled(whole, 3) is whole


def test_nothing_to_validate_with():
    nothing = validation("official", split=0).func
    assert nothing.measures("train") and not nothing.measures("valid")
    assert np.isnan(nothing(("global_branch",), None))
    assert np.isnan(nothing.choose_beta(None))
