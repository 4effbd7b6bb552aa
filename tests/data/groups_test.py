from pathlib import Path

import numpy as np
import pytest

from asen_tf.core import AttributeSpace
from asen_tf.data.groups import photograph_groups
from asen_tf.data.manifest import LABEL, Manifest


def manifest(root, images, products=None):
    return Manifest(
        root=Path(root),
        space=AttributeSpace({"color": ["red"]}),
        images=np.array(images),
        splits=np.zeros(len(images), np.int8),
        labels=np.zeros(0, LABEL),
        lines=np.arange(len(images), dtype=np.int32),
        source="manifest.csv",
        products=None if products is None else np.array(products, np.int32),
    )


@pytest.fixture
def root(tmp_path):
    """Five files; the second and the last have the same content."""
    for name, content in {"a": "1", "b": "22", "c": "33", "d": "4", "e": "22"}.items():
        (tmp_path / name).write_text(content)
    return tmp_path


def partition(groups):
    return sorted(np.flatnonzero(groups == one).tolist() for one in np.unique(groups))


def test_files_of_one_content_belong_together(root):
    groups = photograph_groups(manifest(root, ["a", "b", "c", "d", "e", "a"]))
    assert partition(groups) == [[0, 5], [1, 4], [2], [3]]


def test_products_too_and_what_both_join(root):
    """a and b are of one product, e has the content of b; of c and d no product is known."""
    groups = photograph_groups(manifest(root, ["a", "b", "c", "d", "e"], [7, 7, -1, -1, 2]))
    assert partition(groups) == [[0, 1, 4], [2], [3]]
