"""ImageLoader from memory, from disk and from files are the same."""

import os
import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from asen_tf.core import config as configs
from asen_tf.data.image_cache import open_images
from asen_tf.data.load import load


@pytest.fixture
def manifest(catalogue):
    config = configs.defaults()
    config.data.root = str(catalogue)
    return load(config.data)


def test_every_mode_gives_the_same(manifest, tmp_path):
    rows = np.arange(4, 20)
    modes = {
        mode: open_images(manifest, rows, 16, mode, folder=tmp_path / "cache")
        for mode in ("memory", "disk", "none")
    }
    wanted = tf.constant([7, 4, 19, 7], tf.int64)
    expected = modes["none"](wanted)
    assert expected.shape == (4, 16, 16, 3) and expected.dtype == tf.uint8
    for load_images in modes.values():
        np.testing.assert_array_equal(load_images(wanted), expected)
        batch = next(iter(tf.data.Dataset.from_tensors(wanted).map(load_images)))
        np.testing.assert_array_equal(batch, expected)


def test_the_disk_cache_is_found_again_and_mended(manifest, tmp_path):
    rows = np.arange(6)
    first = open_images(manifest, rows, 16, "disk", folder=tmp_path)(rows)
    files = sorted(tmp_path.rglob("*.raw"))
    assert len(files) == 6
    files[0].unlink()
    written = [file.stat().st_mtime_ns for file in files[1:]]
    again = open_images(manifest, rows, 16, "disk", folder=tmp_path)(rows)
    np.testing.assert_array_equal(first, again)
    assert [file.stat().st_mtime_ns for file in files[1:]] == written


def test_auto_takes_what_fits(manifest, tmp_path):
    rows = np.arange(6)
    need = 6 * 16 * 16 * 3
    open_images(manifest, rows, 16, "auto", need, tmp_path / "fits")
    assert not (tmp_path / "fits").exists() or not list((tmp_path / "fits").rglob("*.raw"))
    open_images(manifest, rows, 16, "auto", need - 1, tmp_path / "disk")
    assert len(list((tmp_path / "disk").rglob("*.raw"))) == 6


def test_unknown_mode(manifest):
    with pytest.raises(ValueError, match="Did you mean 'memory'"):
        open_images(manifest, np.arange(2), 16, "memry")


def test_the_disk_cache_knows_what_it_was_made_from(catalogue, tmp_path):
    """Case 31-stale-canvases: photographs that are replaced under their names are decoded anew."""
    data = tmp_path / "data"
    shutil.copytree(catalogue, data)
    config = configs.defaults()
    config.data.root = str(data)
    manifest, rows = load(config.data), np.arange(4)

    def opened(mode):
        return open_images(manifest, rows, 16, mode, folder=tmp_path / "cache")(rows).numpy()

    before = opened("disk")
    replaced = data / "images/1.png"
    status = replaced.stat()
    with Image.open(replaced) as image:
        image.rotate(180).save(replaced)
    os.utime(replaced, ns=(status.st_atime_ns, status.st_mtime_ns))
    after = opened("disk")
    np.testing.assert_array_equal(after, opened("none"))
    assert [n for n in rows if (before[n] != after[n]).any()] == [1]


def test_files_that_were_cut_off_are_decoded_again(manifest, tmp_path):
    rows = np.arange(3)
    first = open_images(manifest, rows, 16, "disk", folder=tmp_path)(rows)
    for file in tmp_path.rglob("*.raw"):
        file.write_bytes(file.read_bytes()[:100])
    np.testing.assert_array_equal(
        open_images(manifest, rows, 16, "disk", folder=tmp_path)(rows), first
    )
    assert len(list(tmp_path.iterdir())) == 3 + 1  # the lock
