"""Distances of equations 4 and 6 (Ak et al., WACV 2018) against their transcription."""

import numpy as np
import pytest

from asen_tf.evaluation.first_targets import distances


@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_is_that_of_the_equation(weighted):
    for case in range(40):
        generator = np.random.default_rng(case)
        query, items = generator.normal(size=(1, 6, 4)), generator.normal(size=(50, 6, 4))
        weights = generator.random(6) if weighted else np.ones(6)
        expected = [
            sum(
                w * np.sqrt(((q - r) ** 2).sum())
                for w, q, r in zip(weights, query[0], item, strict=True)
            )
            for item in items
        ]
        given = query.astype(np.float32), items.astype(np.float32)
        found = distances(*given, weights if weighted else None)[0]
        np.testing.assert_allclose(found, expected, rtol=1e-4)
        assert np.argsort(found).tolist() == np.argsort(expected).tolist()
