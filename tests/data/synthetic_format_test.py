import re

import numpy as np
import pytest

from asen_tf.core.config import defaults
from asen_tf.data.formats import synthetic
from asen_tf.data.manifest import QUERY
from asen_tf.data.synthetic import write_dataset


def test_a_folder_with_other_garments_is_read_by_its_own_keys(tmp_path):
    """21-two-looks."""
    write_dataset(tmp_path, 18, seed=1, look="cluttered")
    options = defaults().data
    with pytest.raises(ValueError, match=r"holds other garments: (.*) reads them") as error:
        synthetic.read(tmp_path, options)
    for flag in re.findall(r"--config\.data\.(\w+=\w+)", str(error.value)):
        key, value = flag.split("=")
        options[key] = type(options[key])(value)
    manifest, _ = synthetic.read(tmp_path, options)
    assert len(manifest) == 18


def test_makes_the_data_set_once_and_reads_it(tmp_path):
    options = defaults().data
    options.update(images=20, seed=1, look="plain", manifest="ignored.csv")
    root = tmp_path / "drawn"
    manifest, problems = synthetic.read(root, options)
    assert problems == []
    assert len(manifest) == 20
    assert all((root / image).is_file() for image in manifest.images)
    assert manifest.boxes.shape == (20, len(manifest.space), 4)
    assert np.isfinite(manifest.boxes).any()
    assert (manifest.labels["role"] == QUERY).any()
    times = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    synthetic.read(root, options)
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times
