"""The projector: its files fit together, and take any names."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from google.protobuf import text_format
from PIL import Image
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

from asen_client.core.attributes import AttributeSpace
from asen_tf.figures import Source
from asen_tf.figures.projector import draw, sprite
from asen_tf.workdir import Workdir


def photographs(count, height=40, width=20):
    return [np.full((height, width, 3), 10 * n, np.uint8) for n in range(count)]


def test_sprite_goes_row_by_row_and_is_white_where_nothing_is():
    sheet = sprite(photographs(5), side=4)
    assert sheet.shape == (8, 12, 3)
    levels = sheet.reshape(2, 4, 3, 4, 3)[:, 0, :, 0, 0]
    np.testing.assert_array_equal(levels, [[0, 10, 20], [30, 40, 255]])


def test_no_photograph_is_refused():
    with pytest.raises(ValueError, match="received none"):
        sprite([])
    with pytest.raises(ValueError, match="uint8"):
        sprite([np.zeros((2, 2))])


def cells(path):
    """As TensorBoard reads them: lines and tabs, without quotes."""
    return [line.split("\t") for line in path.read_text().removesuffix("\n").split("\n")]


def test_projector_takes_any_names(opened, tmp_path):
    manifest = opened[-1]
    names = ("metadata", "sleeve/length")
    space = AttributeSpace(dict(zip(names, (['12" wide', "a\tb\\c\nd"],) * 2, strict=True)))
    labels = manifest.labels[manifest.labels["value"] < 2]
    manifest = dataclasses.replace(manifest, space=space, labels=labels)
    source = Source(Workdir(tmp_path), SimpleNamespace(attributes=space, box_margin=0.1), manifest)
    source.vectors = np.zeros((len(source.rows), 2, 3), np.float32)
    list(draw(source))
    folder = source.run.tensorboard / "projector"
    assert {path.name for path in folder.iterdir()} == {
        "metadata.tsv",
        "sprite.png",
        "vectors-0.tsv",
        "vectors-1.tsv",
    }
    heading, *rows = cells(folder / "metadata.tsv")
    assert heading == ["image", *names] and len(rows) == len(source.rows)
    assert {row[2] for row in rows} <= {'12" wide', "a b\\c d", "?"}
    assert '12" wide' in {row[1] for row in rows}


def test_projector_files_fit_together(source):
    files = list(draw(source))
    settings = files[0]
    assert settings.parent == source.run.tensorboard
    config = text_format.Parse(settings.read_text(), ProjectorConfig())
    assert [entry.tensor_name for entry in config.embeddings] == ["color", "side"]
    for a, entry in enumerate(config.embeddings):
        vectors = np.loadtxt(settings.parent / entry.tensor_path, delimiter="\t")
        np.testing.assert_allclose(vectors, source.vectors[:, a], atol=1e-5)
        heading, *rows = cells(settings.parent / entry.metadata_path)
        assert heading == ["image", "color", "side"]
        assert [row[0] for row in rows] == source.manifest.images[source.rows].tolist()
        assert {row[2] for row in rows} == {"left", "right"}
        with Image.open(settings.parent / entry.sprite.image_path) as sprite:
            assert sprite.size == (4 * 64, 3 * 64)
